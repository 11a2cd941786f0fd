"""Row (b) of the engine benchmark: whole banks, with sessions, ledger, receipts and a no-op contract.

Nothing is left out of the node: requests are admitted, bundled and countersigned, batches are decoded and
checked, blocks executed and chained, headers signed, replies counted, and what must be durable is flushed
before it is sent. Honest banks of one process share decoded batches and executed blocks, as in every
simulation (each keeps its own chain, mempool and replica). Signature scheme none, no journal, no checkers.
"""

import cProfile
import pstats
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from consortium.calendar import DAY_US, Calendar
from consortium.consensus.quorum import ConsensusConfig
from consortium.crypto import Signer, digest, scheme_named
from consortium.ledger.genesis import Deployment, Genesis
from consortium.ledger.sessions import WINDOW
from consortium.ledger.transaction import SESSIONS, Party, Transaction, transaction_body, transaction_of
from consortium.ledger.transition import Rules, genesis_block
from consortium.membership import Membership, Organisation, OrganisationKind, max_faulty
from consortium.money import Day
from consortium.node.effects import Reply
from consortium.node.node import Node, NodeConfig
from consortium.node.shared import SharedWork
from consortium.simulation.cluster import Cluster, ClusterSettings
from consortium.simulation.costs import CostProfile
from consortium.simulation.latency import Jitter, Latency
from consortium.simulation.network import NetworkSettings
from consortium.vm.execute import ContractSet, load_contract

NOOP = Path(__file__).resolve().parents[1] / "contracts" / "noop.py"
NETWORK = NetworkSettings(latency=Latency(5_000, Jitter("lognormal", 5_000, 40_000)))
COSTS = CostProfile(flush_us=300)
START_US = Day.of("2026-03-02").ordinal * DAY_US
BATCH_EVERY_US = 4_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: what was done, and in how much CPU time of this process."""

    n: int
    batches: int
    batch: int
    deliveries: int
    requests: int
    cpu_s: float


def run(n: int, batches: int, batch: int, *, scheme: str = "none", seed: int = 1) -> Measured:
    """Order `batches` batches of `batch` requests through n banks; the set-up is not measured."""
    wanted = batches * batch
    answered = 0

    def on_reply(_now_us: int, _bank: int, _reply: Reply) -> None:
        nonlocal answered
        answered += 1

    cluster, submissions = prepare(n, batches, batch, on_reply, scheme=scheme, seed=seed)
    cluster.start()
    for number, (bank, transactions) in enumerate(submissions):
        cluster.at(1 + number * BATCH_EVERY_US, lambda b=bank, t=transactions: cluster.submit(b, t[0], t[1:]))
    began = time.process_time()
    cluster.run(predicate=lambda: answered >= wanted)
    cpu_s = time.process_time() - began
    return Measured(n, batches, batch, cluster.deliveries, answered, cpu_s)


def prepare(
    n: int, batches: int, batch: int, on_reply: Callable[[int, int, Reply], None], *, scheme: str, seed: int
) -> tuple[Cluster, list[tuple[int, list[Transaction]]]]:
    """Found a consortium of n banks and sign everything that they will submit, in turn."""
    signing = scheme_named(scheme)
    signers = [signing.signer(digest("benchmark", index)) for index in range(n)]
    banks = tuple(
        Organisation(id=f"bank{i:03d}", name=f"Bank {i}", kind=OrganisationKind.BANK, public_key=s.public_key)
        for i, s in enumerate(signers)
    )
    membership = Membership(
        epoch=0, organisations=banks, validators=tuple(bank.id for bank in banks), f=max_faulty(n)
    )
    noop = load_contract("noop", 1, NOOP.read_bytes(), "contracts/noop.py")
    calendar = Calendar(years=(2026,), holidays=(), make_up_days=())
    genesis = Genesis(
        name="engine",
        start_us=START_US,
        membership=membership,
        consensus=(),
        calendar=calendar,
        contracts=(Deployment(name="noop", version=1, source_hash=noop.source_hash),),
        openings=(),
    )
    rules = Rules(
        genesis=genesis,
        chain=genesis.chain,
        membership=membership,
        contracts=ContractSet([noop]),
        calendar=calendar,
    )
    block = genesis_block(rules)
    shared = SharedWork()
    config = NodeConfig(
        bundle_max=batch,
        bundle_wait_us=1,
        batch_max=batch,
        batch_wait_us=1,
        batch_bytes_max=1 << 24,
        view_timeout_us=3_600_000_000,
    )
    nodes = [
        Node(
            identity=bank.id,
            rules=rules,
            genesis=block,
            consensus=ConsensusConfig(n=n, f=membership.f, index=index, chain=genesis.chain),
            config=config,
            signer=signers[index],
            shared=shared,
        )
        for index, bank in enumerate(banks)
    ]
    cluster = Cluster(
        nodes, ClusterSettings(seed=seed, network=NETWORK, costs=COSTS), signing, on_reply=on_reply
    )
    counts = [0] * n
    submissions = []
    for number in range(batches):
        bank = number % n
        transactions = []
        for _ in range(batch):
            transactions.append(_transaction(genesis.chain, banks[bank].id, signers[bank], counts[bank]))
            counts[bank] += 1
        submissions.append((bank, transactions))
    return cluster, submissions


def _transaction(chain: bytes, bank: str, signer: Signer, count: int) -> Transaction:
    """The bank's next no-op: its sessions in turn, the floor following behind."""
    session, number = count % SESSIONS, count // SESSIONS + 1
    body = transaction_body(
        chain=chain,
        sender=Party(organisation=bank, key_number=1),
        session=session,
        number=number,
        contract="noop@1",
        action="run",
        arguments=(),
        floor=number - WINDOW // 2 if number > WINDOW // 2 else None,
    )
    return transaction_of(body, (signer.sign(body),))


def stages(n: int, batches: int, batch: int) -> list[tuple[str, float]]:
    """Return the share of CPU time by package, from a profiled run of its own."""
    profiler = cProfile.Profile()
    profiler.enable()
    run(n, batches, batch)
    profiler.disable()
    sums: dict[str, float] = {}
    total = 0.0
    for (file, _, _), (_, _, own_s, _, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        parts = Path(file).parts
        name = parts[parts.index("consortium") + 1] if "consortium" in parts[:-1] else "libraries"
        name = name.removesuffix(".py")
        sums[name] = sums.get(name, 0.0) + own_s
        total += own_s
    return sorted(((name, share / total) for name, share in sums.items()), key=lambda item: -item[1])


CASES = (
    # (n, batches, batch, scheme, what is aimed at)
    (4, 3_000, 1, "none", "deliveries/s", 100_000),
    (4, 100, 400, "none", "requests/s", 25_000),
    (100, 100, 400, "none", "seconds", 30),
    (4, 25, 400, "ed25519", "", 0),
)


def print_table(repeats: int) -> None:
    """Print every case of row (b): the median of `repeats` runs (one of the long one), with its aim."""
    print("(b) whole nodes: sessions, ledger, receipts, no-op contract; no journal")
    print("    n  batches  batch  signatures  deliveries  deliveries/s  requests/s  CPU s  us/batch")
    for n, batches, batch, scheme, unit, aim in CASES:
        count = repeats if n < 100 else 1
        runs = sorted((run(n, batches, batch, scheme=scheme) for _ in range(count)), key=lambda r: r.cpu_s)
        median = runs[len(runs) // 2]
        print(
            f"{n:>5}{batches:>9}{batch:>7}{scheme:>12}{median.deliveries:>12,}"
            f"{median.deliveries / median.cpu_s:>14,.0f}{median.requests / median.cpu_s:>12,.0f}"
            f"{median.cpu_s:>7.2f}{median.cpu_s / batches * 1e6:>10,.0f}  {_verdict(median, unit, aim)}"
        )
    print("    where the time goes, n = 4, batch 1: " + _shares(4, 1_000, 1))
    print("    where the time goes, n = 4, batch 400: " + _shares(4, 25, 400))
    verify_us = _verify_us()
    print(
        f"    with real signatures the bound is Ed25519: {verify_us:.0f} us for each request (banks of one "
        f"process share verdicts), so at most {1e6 / verify_us:,.0f} requests/s on this core"
    )


def _verdict(done: Measured, unit: str, aim: int) -> str:
    if unit == "seconds":
        reached = done.cpu_s <= aim
        return f"aim {aim} s: {'reached' if reached else 'missed'}"
    if not unit:
        return ""
    rate = (done.deliveries if unit == "deliveries/s" else done.requests) / done.cpu_s
    return f"aim {aim:,} {unit}: {'reached' if rate >= aim else f'missed, {rate / aim:.0%}'}"


def _shares(n: int, batches: int, batch: int) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in stages(n, batches, batch)[:8])


def _verify_us() -> float:
    """Measure one Ed25519 verification of a transaction-sized body."""
    scheme = scheme_named("ed25519")
    signer = scheme.signer(bytes(32))
    body = bytes(200)
    signature = signer.sign(body)
    began = time.process_time()
    for _ in range(2_000):
        scheme.verify(signer.public_key, body, signature)
    return (time.process_time() - began) / 2_000 * 1e6


if __name__ == "__main__":
    print_table(3)
