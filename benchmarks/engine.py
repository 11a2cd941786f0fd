"""How fast is the simulation engine itself, and where does its time go?

Row (a), consensus only: bare replicas that order opaque digests through the real driver: calendar queue,
latency with log-normal jitter, persist before send, the full normal case with checkpoints. Signature scheme
none, no journal. A batch is a list of 32-byte request ids; every backup checks that they hash to the digest.

Row (b), whole nodes, is in `whole_nodes.py` and printed below row (a).

All times are CPU time of one process on one core (`time.process_time`), median of the repeats; memory is the
peak of a fresh process for each size. `python benchmarks/engine.py` prints everything; `--only 4 --batch 1`
measures one case, `--profile` splits it by stage.
"""

import argparse
import cProfile
import json
import platform
import pstats
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import whole_nodes  # row (b), beside this file

from consortium.certificate import Certificate
from consortium.consensus.messages import Message, Signed, seal
from consortium.consensus.output import NOTHING, Committed, Output
from consortium.consensus.quorum import ConsensusConfig
from consortium.consensus.replica import Replica
from consortium.crypto import NullScheme, Signer, hash_bytes
from consortium.membership import max_faulty
from consortium.node.effects import ALL, NOTHING_DONE, Check, Effects, Input, Received, Send, Timer
from consortium.simulation.cluster import Cluster, ClusterSettings
from consortium.simulation.costs import CostProfile
from consortium.simulation.latency import Jitter, Latency
from consortium.simulation.network import NetworkSettings

CHAIN = b"benchmrk"
NETWORK = NetworkSettings(latency=Latency(5_000, Jitter("lognormal", 5_000, 40_000)))
COSTS = CostProfile(flush_us=300)
ID_BYTES = 32
STATUS_TIMER = "status"
STATUS_US = 1_000_000
IDLE_STATUS_EVERY = 5


class BareReplica:
    """A replica without a node: the primary proposes batches of ids, everybody 'executes' by hashing on.

    A bank that is behind asks by STATUS, as nodes do: long delays make laggards without any fault.
    """

    __slots__ = (
        "_batch",
        "_decided",
        "_generation",
        "_proposed",
        "_replica",
        "_root",
        "_signer",
        "_slots",
        "_token",
        "executed",
    )

    def __init__(self, config: ConsensusConfig, signer: Signer, slots: int, batch: int) -> None:
        self.executed = 0
        self._signer = signer
        self._slots = slots
        self._batch = batch
        self._proposed = 0
        self._token = 0
        self._generation = 0
        self._root = bytes(32)
        self._decided: dict[int, Committed] = {}
        self._replica = Replica(config, self._sign, self._batch_of)

    def handle(self, entry: Input, _now_us: int) -> Effects:
        if entry.__class__ is Received:
            signed = entry.signed
            if signed.attachment is not None and hash_bytes(signed.attachment) != signed.content.digest:
                return NOTHING_DONE
            output = self._replica.step(signed)
            return NOTHING_DONE if output is NOTHING else self._carry_out(output)
        # Made even if it is not sent, because it ends a period. A laggard may not know that there is more, so
        # it is sent now and then in any case.
        status = self._replica.status_message()
        is_due = self._replica.in_flight or self._generation % IDLE_STATUS_EVERY == 0
        at_once = (Send(ALL, status),) if is_due else ()
        return self._carry_out(NOTHING, at_once, (self._next_timer(),))

    @staticmethod
    def wanted(_what: object) -> tuple[Check, ...]:
        return ()

    def status(self) -> object:
        return self._replica.status()

    def _carry_out(
        self, output: Output, at_once: tuple[Send, ...] = (), timers: tuple[Timer, ...] = ()
    ) -> Effects:
        """Execute what was committed, propose what there is room for, and put all effects together."""
        records, broadcast, unicast = output.records, output.broadcast, output.unicast
        for committed in output.committed:
            following = self._execute(committed)
            records += following.records
            broadcast += following.broadcast
        while self._proposed < self._slots and self._replica.can_propose:
            following = self._propose()
            records += following.records
            broadcast += following.broadcast
        if records:
            self._token += 1
        token = self._token
        send = at_once
        if broadcast:
            send += tuple([Send(ALL, signed, token) for signed in broadcast])
        if unicast:
            send += tuple([Send(to, signed, token) for to, signed in unicast])
        if not (records or send or timers):
            return NOTHING_DONE
        return Effects(persist=records, token=token if records else 0, send=send, timers=timers)

    def _execute(self, committed: Committed) -> Output:
        sequence = committed.sequence
        self.executed = sequence
        self._root = hash_bytes(self._root + committed.digest)
        self._decided[sequence] = committed
        return self._replica.executed(sequence, sequence, self._root, self._root)

    def _propose(self) -> Output:
        self._proposed += 1
        ids = self._proposed.to_bytes(ID_BYTES, "big") * self._batch
        return self._replica.propose(hash_bytes(ids), ids)

    def _next_timer(self) -> Timer:
        self._generation += 1
        return Timer(STATUS_TIMER, self._generation, STATUS_US)

    def _sign(self, content: Message, attachment: bytes | None) -> Signed:
        return seal(content, CHAIN, self._signer, attachment)

    def _batch_of(self, sequence: int) -> tuple[bytes, bytes | None, Certificate] | None:
        decided = self._decided.get(sequence)
        return decided and (decided.digest, decided.carrier.attachment, decided.certificate)


@dataclass(frozen=True)
class Measured:
    n: int
    batch: int
    slots: int
    deliveries: int
    cpu_s: float
    virtual_s: float

    @property
    def deliveries_per_s(self) -> float:
        return self.deliveries / self.cpu_s

    @property
    def requests_per_s(self) -> float:
        return self.slots * self.batch / self.cpu_s


def consensus_only(n: int, batch: int, slots: int, seed: int = 1) -> Measured:
    """Order `slots` batches, with a checkpoint every 64 of them in a small group, every 16 in a large one."""
    scheme = NullScheme()
    interval = 64 if n < 16 else 16
    nodes = []
    for index in range(n):
        config = ConsensusConfig(
            n=n,
            f=max_faulty(n),
            index=index,
            chain=CHAIN,
            window=4 * interval,
            checkpoint_interval=interval,
        )
        nodes.append(BareReplica(config, scheme.signer(index.to_bytes(32, "big")), slots, batch))
    cluster = Cluster(nodes, ClusterSettings(seed=seed, network=NETWORK, costs=COSTS), scheme)
    start = time.process_time()
    cluster.start()
    background = frozenset({STATUS_TIMER})
    stopped = cluster.run(background=background)
    while not all(node.executed == slots for node in nodes):  # laggards ask at the next STATUS
        cluster.run(until_us=cluster.now_us + STATUS_US)
        stopped = cluster.run(background=background)
    cpu_s = time.process_time() - start
    assert all(node.executed == slots for node in nodes), "every replica executes every slot"
    return Measured(n, batch, slots, cluster.deliveries, cpu_s, stopped.now_us / 1e6)


CASES = ((4, 1, 6_000), (4, 400, 3_000), (16, 1, 512), (64, 1, 64), (128, 1, 32), (256, 1, 24))
DELIVERIES_AIMS = {(4, 1): 250_000, (16, 1): 400_000, (64, 1): 400_000, (128, 1): 400_000, (256, 1): 400_000}
REQUESTS_AIMS = {(4, 400): 500_000}
MEMORY_AIM_MIB = 256


def verdict(run: Measured, memory_mib: float) -> str:
    """The aim of a case and whether it was reached."""
    case = (run.n, run.batch)
    if case in REQUESTS_AIMS:
        aim, what, reached = REQUESTS_AIMS[case], "requests/s", run.requests_per_s
    else:
        aim, what, reached = DELIVERIES_AIMS[case], "deliveries/s", run.deliveries_per_s
    words = f"aim {aim:,} {what}: {'reached' if reached >= aim else f'missed, {reached / aim:.0%}'}"
    if memory_mib > MEMORY_AIM_MIB:
        words += f"; above the {MEMORY_AIM_MIB} MiB allowed"
    return words


STAGES = (
    ("scheduler", ("simulation/scheduler", "heapq", "_bisect")),
    (
        "network and jitter",
        ("simulation/network", "simulation/randomness", "blake2", "Struct", "simulation/latency"),
    ),
    ("driver: deliver, effects, disk", ("simulation/", "node/effects")),
    ("consensus", ("consensus/",)),
    (
        "encoding, digests, signatures",
        ("consortium/encoding", "consortium/crypto", "consortium/certificate", "msgpack", "nacl"),
    ),
    ("the adapter of this benchmark", ("benchmarks/engine",)),
)


def stages(profile: cProfile.Profile) -> list[tuple[str, float]]:
    """Own time by stage, as shares; built-ins count where nothing else claims them."""
    totals = {name: 0.0 for name, _ in STAGES}
    totals["other"] = 0.0
    for (file, _line, function), (_calls, _primitive, own_s, _cumulative, _callers) in pstats.Stats(
        profile
    ).stats.items():
        place = f"{file.replace(chr(92), '/')}:{function}"
        name = next((name for name, marks in STAGES if any(mark in place for mark in marks)), "other")
        totals[name] += own_s
    total_s = sum(totals.values())
    return [(name, own_s / total_s) for name, own_s in totals.items()]


def profile_case(n: int, batch: int, slots: int) -> None:
    profile = cProfile.Profile()
    profile.enable()
    consensus_only(n, batch, slots)
    profile.disable()
    shares = ", ".join(f"{name} {share:.0%}" for name, share in stages(profile))
    print(f"  n = {n}, batch {batch}: {shares}")


def calibration_s() -> float:
    """A fixed loop of plain Python: compare machines and days by the ratio to it."""
    start = time.process_time()
    table: dict[int, int] = {}
    for i in range(1_000_000):
        table[i & 1023] = table.get(i & 1023, 0) + i
    return time.process_time() - start


def machine() -> str:
    name = platform.processor() or platform.machine()
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        models = [
            line.split(":", 1)[1].strip() for line in cpu.read_text().splitlines() if "model name" in line
        ]
        name = f"{models[0]} x {len(models)}" if models else name
    return f"{name}, {platform.system()}, Python {platform.python_version()}"


def measure_in_fresh_process(n: int, batch: int, slots: int, repeats: int) -> tuple[list[Measured], float]:
    command = [
        sys.executable,
        __file__,
        "--only",
        str(n),
        "--batch",
        str(batch),
        "--slots",
        str(slots),
        "--json",
    ]
    runs, memory_mib = [], 0.0
    for _ in range(repeats):
        answer = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        memory_mib = max(memory_mib, answer.pop("memory_mib"))
        runs.append(Measured(**answer))
    return runs, memory_mib


def print_table(repeats: int) -> None:
    print(f"machine: {machine()}")
    print(f"clock: CPU time of one process; median of {repeats} runs, each in a fresh process")
    print(f"calibration loop: {statistics.median(calibration_s() for _ in range(5)) * 1000:.0f} ms")
    print("(a) consensus only: bare replicas, opaque digests, signature scheme none, no journal")
    print("    n  batch  slots  deliveries  deliveries/s  requests/s  peak MiB")
    for n, batch, slots in CASES:
        runs, memory_mib = measure_in_fresh_process(n, batch, slots, repeats)
        median = sorted(runs, key=lambda run: run.cpu_s)[len(runs) // 2]
        print(
            f"{n:>5}{batch:>7}{slots:>7}{median.deliveries:>12,}{median.deliveries_per_s:>14,.0f}"
            f"{median.requests_per_s:>12,.0f}{memory_mib:>10.0f}  {verdict(median, memory_mib)}"
        )
    print("where the time goes (profiler's own share of each stage; profiling slows small functions most):")
    for n, batch, slots in ((4, 1, 1_500), (4, 400, 1_500), (64, 1, 16)):
        profile_case(n, batch, slots)
    whole_nodes.print_table(min(repeats, 3))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=int, metavar="N", help="measure one size")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--slots", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="split one size by stage")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    options = parser.parse_args()
    if options.only is None:
        print_table(options.repeats)
        return
    if options.profile:
        profile_case(options.only, options.batch, options.slots)
        return
    run = consensus_only(options.only, options.batch, options.slots)
    memory_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if options.json:
        print(json.dumps({**run.__dict__, "memory_mib": memory_mib}))
    else:
        print(
            f"n = {run.n}, batch {run.batch}: {run.deliveries:,} deliveries in {run.cpu_s:.2f} s CPU, "
            f"{run.deliveries_per_s:,.0f} deliveries/s, {run.requests_per_s:,.0f} requests/s, "
            f"{run.virtual_s:.1f} s of virtual time, peak {memory_mib:.0f} MiB"
        )


if __name__ == "__main__":
    main()
