"""The stored certificates: which sequence number holds which batch, and who vouches for the results."""

from typing import Any

from consortium.crypto import PROTOCOL_VERSION, SignatureScheme, digest
from consortium.encoding import encode
from consortium.ledger.audit.bodies import (
    CertificateFacts,
    GenesisFacts,
    HeaderFacts,
    Malformed,
    is_signature,
    read_certificate,
)
from consortium.ledger.audit.report import Findings, shown
from consortium.ledger.audit.tables import CERTIFICATES, Record


def check_certificates(
    record: Record,
    genesis: GenesisFacts,
    headers: dict[int, HeaderFacts],
    sequence_last: Any,
    scheme: SignatureScheme | None,
    findings: Findings,
) -> None:
    """Require a commit certificate for each sequence number and one checkpoint certificate for the end."""
    check = _Check(genesis, headers, scheme, findings)
    for count, row in enumerate(record.rows(CERTIFICATES), 1):
        findings.rows[CERTIFICATES] = count
        check.row(row)
    check.end(sequence_last)


class _Check:
    """Goes through the certificates in order of their sequence numbers."""

    def __init__(
        self,
        genesis: GenesisFacts,
        headers: dict[int, HeaderFacts],
        scheme: SignatureScheme | None,
        findings: Findings,
    ) -> None:
        self._genesis = genesis
        self._headers = headers
        self._by_sequence = {header.sequence: header for header in headers.values()}
        self._null_digest = digest("null", genesis.chain, genesis.membership.epoch)
        self._scheme = scheme
        self._findings = findings
        self._height = 0
        self._sequence_next = 1
        self._checkpoint: CertificateFacts | None = None

    def row(self, row: tuple[Any, ...]) -> None:
        """Check one certificate against its columns, the members and the chain."""
        try:
            facts = read_certificate(row[-1])
        except Malformed as problem:
            at = self._by_sequence.get(row[0]) if type(row[0]) is int else None
            self._add(f"sequence {shown(row[0])}: {problem}", at)
            self._sequence_next += row[1] == "COMMIT"
            return
        expected: dict[str, Any] = {"kind": facts.kind, "epoch": facts.epoch, "signers": facts.bitmap}
        if facts.kind == "COMMIT":
            expected |= self._commit(facts)
        else:
            expected |= self._checkpoint_of(facts)
        self._findings.compare(self._height, CERTIFICATES, row, expected)
        self._signed_by_quorum(facts, expected["sequence"])

    def end(self, sequence_last: Any) -> None:
        """After the last row: nothing may be missing, and the last checkpoint should reach the last block."""
        last = self._sequence_next - 1
        if type(sequence_last) is not int or sequence_last != last:
            self._add(f"the commit certificates end at sequence {last}, not {shown(sequence_last)}")
        tip = max(self._headers, default=0)
        proved = 0 if self._checkpoint is None else self._checkpoint.fields[1]
        if self._checkpoint is None or proved < tip:
            self._findings.unproved.append(
                f"no checkpoint certificate proves the results of blocks {proved + 1} to {tip}"
                if proved < tip
                else "no checkpoint certificate is stored"
            )

    def _commit(self, facts: CertificateFacts) -> dict[str, Any]:
        """A commit certificate is for the batch of the block at its number, or for the null batch."""
        view, sequence, batch_digest = facts.fields
        header = self._by_sequence.get(sequence)
        if header is not None:
            self._height = header.height
        if sequence != self._sequence_next:
            self._add(f"the commit certificate of sequence {self._sequence_next} is missing")
        self._sequence_next = sequence + 1
        if batch_digest != (self._null_digest if header is None else header.batch_digest):
            self._add(f"sequence {sequence}: the commit certificate is for another batch")
        return {
            "sequence": sequence,
            "view": view,
            "height": None if header is None else header.height,
            "digest": batch_digest,
        }

    def _checkpoint_of(self, facts: CertificateFacts) -> dict[str, Any]:
        """A checkpoint certificate is for header and state root of a stored block."""
        sequence, height, header_hash, state_root = facts.fields
        header = self._headers.get(height)
        if header is None or (header.hash, header.state_root) != (header_hash, state_root):
            self._add(
                f"sequence {sequence}: the checkpoint certificate is not for a block of this chain", header
            )
        elif sequence < header.sequence:
            self._add(f"sequence {sequence}: the checkpoint lies before its block", header)
        if self._checkpoint is not None:
            self._add("more than one checkpoint certificate is stored", header)
        self._checkpoint = facts
        return {"sequence": sequence, "view": None, "height": height, "digest": header_hash}

    def _signed_by_quorum(self, facts: CertificateFacts, sequence: int) -> None:
        """A quorum of distinct members signed, each his own body with the certificate's domain."""
        members = self._genesis.membership
        kind = facts.kind.lower()
        problem = None
        if facts.epoch != members.epoch:
            problem = f"is of epoch {facts.epoch}"
        elif any(index >= members.n for index in facts.signers):
            problem = "names a replica that is not a member"
        elif len(facts.signers) != len(facts.signatures):
            problem = f"has {len(facts.signatures)} signatures for {len(facts.signers)} signers"
        elif len(facts.signers) < (members.n + members.f) // 2 + 1:
            problem = f"has {len(facts.signers)} signers, which is no quorum"
        if problem is not None:
            self._add(f"sequence {sequence}: the {kind} certificate {problem}")
            return
        if self._scheme is None:
            return
        for index, signature in zip(facts.signers, facts.signatures, strict=True):
            body = encode(
                (PROTOCOL_VERSION, self._genesis.chain, facts.epoch, facts.kind, index, *facts.fields)
            )
            if is_signature(signature) and self._scheme.verify(members.replica_key(index), body, signature):
                self._findings.signatures_verified += 1
            else:
                problem = f"the signature of replica {index} in the {kind} certificate does not verify"
                self._add(f"sequence {sequence}: {problem}")

    def _add(self, problem: str, header: HeaderFacts | None = None) -> None:
        self._findings.add(self._height if header is None else header.height, CERTIFICATES, problem)
