"""The audit, top-down: genesis, sources, chain with replay, certificates, state.

Written against the specification and not against the node: it shares the encoding, the hashes, the values
(members, calendar) and the contract engine with the rest of the ledger, and nothing else.
"""

from consortium.crypto import SignatureScheme, hash_bytes
from consortium.errors import InputError
from consortium.ledger.audit.bodies import GenesisFacts, Malformed, is_digest, read_genesis
from consortium.ledger.audit.certificates import check_certificates
from consortium.ledger.audit.chain import Chain
from consortium.ledger.audit.replay import Replay
from consortium.ledger.audit.report import AuditReport, Findings, shown
from consortium.ledger.audit.tables import (
    COLUMNS,
    CONTRACTS,
    FORMAT,
    GENESIS,
    STATE_CURRENT,
    STATE_NODES,
    Record,
)
from consortium.ledger.audit.tree import StateTree
from consortium.vm.execute import ContractRejected, ContractSet, load_contract

KEY_BYTES_MAX = 255


def audit_ledger(
    record: Record, scheme: SignatureScheme | None = None, chain_expected: bytes | None = None
) -> AuditReport:
    """Verify a stored ledger from its genesis on.

    `scheme` verifies signatures; None leaves them unproved. `chain_expected`, where the caller knows it from
    elsewhere, is the chain id that the genesis must have: without it a whole other ledger would pass.
    """
    findings = Findings(rows=dict.fromkeys(COLUMNS, 0))
    genesis, scheme_name, height_last, sequence_last = _genesis(record, chain_expected, findings)
    if genesis is None:
        return _report("", 0, record, findings, 0)
    if scheme is None or scheme_name == "none":
        findings.unproved.append(f"signatures of scheme {scheme_name!r} prove nothing here")
    contracts = _contracts(record, genesis, findings)
    chain = Chain(record, genesis, scheme, findings)
    replay = Replay(genesis, contracts, findings)
    replay.run(chain.blocks())
    height = max(chain.headers, default=-1)
    if type(height_last) is not int or height_last != height:
        findings.add(max(height, 0), GENESIS, f"the chain ends at block {height}, not {shown(height_last)}")
    check_certificates(record, genesis, chain.headers, sequence_last, scheme, findings)
    _state(record, chain, replay, findings)
    return _report(genesis.chain.hex(), max(height, 0), record, findings, replay.executed)


def _genesis(
    record: Record, chain_expected: bytes | None, findings: Findings
) -> tuple[GenesisFacts | None, str, object, object]:
    """Read the one row of the genesis and compare it with itself and with what the caller expects."""
    rows = list(record.rows(GENESIS))
    findings.rows[GENESIS] = len(rows)
    if len(rows) != 1:
        findings.add(0, GENESIS, f"{len(rows)} rows instead of one")
        return None, "", None, None
    _, version, _, scheme_name, height_last, sequence_last, body = rows[0]
    try:
        genesis = read_genesis(body)
    except Malformed as problem:
        findings.add(0, GENESIS, str(problem))
        return None, "", None, None
    findings.compare(
        0, GENESIS, rows[0], {"chain": genesis.chain, "digest": genesis.digest, "format": FORMAT}
    )
    if chain_expected is not None and genesis.chain != chain_expected:
        findings.add(0, GENESIS, f"this is chain {genesis.chain.hex()}, not {chain_expected.hex()}")
    if version == FORMAT and scheme_name not in {"ed25519", "mac", "none"}:
        findings.add(0, GENESIS, f"column 'scheme' says {shown(scheme_name)}")
    return genesis, str(scheme_name), height_last, sequence_last


def _contracts(record: Record, genesis: GenesisFacts, findings: Findings) -> ContractSet | None:
    """Load the contracts of the genesis from the stored sources; None if some cannot be had."""
    expected = {(name, version): source_hash for name, version, source_hash, _ in genesis.contracts}
    sources: dict[tuple[str, int], bytes] = {}
    for count, row in enumerate(record.rows(CONTRACTS), 1):
        findings.rows[CONTRACTS] = count
        name, version, _, source = row
        what = f"{shown(name)} version {shown(version)}"
        if type(name) is not str or type(version) is not int or (name, version) not in expected:
            findings.add(0, CONTRACTS, f"the genesis knows no contract {what}")
        elif type(source) is not bytes or hash_bytes(source) != expected[name, version]:
            findings.add(0, CONTRACTS, f"the source of {what} is not the one that the genesis names")
        else:
            findings.compare(0, CONTRACTS, row, {"source_hash": expected[name, version]})
            sources[name, version] = source
    for name, version in expected:
        if (name, version) not in sources:
            findings.add(0, CONTRACTS, f"the source of {shown(name)} version {version} is missing")
    if len(sources) != len(expected):
        return None
    try:
        return ContractSet(
            [load_contract(name, version, sources[name, version], name) for name, version in expected],
            {name: dict(parameters) for name, _, _, parameters in genesis.contracts},
        )
    except (ContractRejected, InputError, TypeError, ValueError) as problem:
        findings.add(0, CONTRACTS, f"the contracts of the genesis cannot be used: {problem}")
        return None


def _state(record: Record, chain: Chain, replay: Replay, findings: Findings) -> None:
    """Compare the stored state by entries and by nodes with the replayed one and the last header."""
    tip = max(chain.headers, default=0)
    current = StateTree()
    rows: dict[bytes, bytes | None] = {}
    for count, (key, value) in enumerate(record.rows(STATE_CURRENT), 1):
        findings.rows[STATE_CURRENT] = count
        if type(key) is not bytes or type(value) is not bytes or len(key) > KEY_BYTES_MAX:
            findings.add(tip, STATE_CURRENT, f"the entry {shown(key)} is not a key with a value")
        else:
            rows[key] = value
    current.change(rows)
    complete = replay.height == tip and not findings.found
    if complete:
        for key in sorted(rows.keys() | replay.state.values.keys()):
            stored, replayed = rows.get(key), replay.state.get(key)
            if stored != replayed:
                how = "missing" if stored is None else "in no block" if replayed is None else "another value"
                height = replay.written_at.get(key, tip)
                findings.add(height, STATE_CURRENT, f"the entry of key {shown(key)}: {how}")
    header = chain.headers.get(tip)
    if header is not None and current.root() != header.state_root:
        findings.add(tip, STATE_CURRENT, "the root of the stored entries is not the last state root")
    _nodes(record, replay if complete else None, current, tip, findings)


def _nodes(record: Record, replay: Replay | None, current: StateTree, tip: int, findings: Findings) -> None:
    """The stored nodes must be exactly those of the state's tree, each under the hash of its bytes."""
    expected = (current if replay is None else replay.state).nodes()
    seen = set()
    for count, (digest, body) in enumerate(record.rows(STATE_NODES), 1):
        findings.rows[STATE_NODES] = count
        if not is_digest(digest) or type(body) is not bytes or hash_bytes(body) != digest:
            findings.add(tip, STATE_NODES, f"node {shown(digest)}: the digest is not the hash of the bytes")
        elif digest not in expected:
            findings.add(tip, STATE_NODES, f"node {shown(digest)} belongs to no part of the state")
        else:
            seen.add(digest)
    missing = [digest for digest in expected if digest not in seen]
    for digest in missing:
        findings.add(tip, STATE_NODES, f"node {digest.hex()} is missing or changed")


def _report(chain: str, height: int, record: Record, findings: Findings, executed: int) -> AuditReport:
    return AuditReport(
        chain=chain,
        height=height,
        findings=tuple(findings.found),
        findings_left_out=findings.left_out,
        unproved=tuple(findings.unproved),
        covered=tuple(findings.rows.items()),
        not_covered=record.not_covered(),
        signatures_verified=findings.signatures_verified,
        blocks_executed=executed,
    )
