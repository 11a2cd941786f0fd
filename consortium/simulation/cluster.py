"""The driver of a simulated consortium: it feeds inputs to nodes and carries out their effects.

It hosts any object with `handle`, `wanted` and `status`, and holds no rules of the protocol. What it
guarantees is the order of `Effects`: nothing leaves a bank before the flush it waits for is durable. One
input at a time is handled on each bank's processor; what the input leads to happens when its cost is paid.

Reading order: `Cluster.run`, then how a message is delivered, how effects are carried out, faults.
"""

import gc
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from consortium.consensus.messages import MessageError, Signed
from consortium.crypto import SignatureScheme
from consortium.journal.journal import Journal
from consortium.ledger.transaction import Transaction
from consortium.node.effects import (
    ALL,
    NOTHING_DONE,
    Boot,
    BusinessTime,
    Check,
    Durable,
    Effects,
    Halted,
    Input,
    Received,
    Reply,
    Send,
    Submit,
    Timer,
    TimerFired,
    Work,
)
from consortium.simulation.costs import FREE, CostProfile
from consortium.simulation.events import (
    AFTER_MESSAGES,
    BEFORE_MESSAGES,
    PROCESSOR_FREE,
    Call,
    Flight,
    Pending,
    ReplyDue,
    Stop,
    kind_of,
    packet_of,
)
from consortium.simulation.faults import Fault
from consortium.simulation.host import Host, Hosted
from consortium.simulation.injection import Injector
from consortium.simulation.network import PRESETS, AtDownlink, Network, NetworkSettings
from consortium.simulation.randomness import Randomness
from consortium.simulation.scheduler import Entry, Rank, Scheduler
from consortium.simulation.store import MemoryStore, StoreFullError
from consortium.simulation.verification import Verifier


class StopReason(StrEnum):
    """Why a run came to a stop."""

    DONE = "done"  # the predicate holds
    IDLE = "idle"  # nothing is under way but background timers
    TIME = "time bound"


@dataclass(frozen=True, slots=True)
class Stopped:
    reason: StopReason
    now_us: int
    deliveries: int
    """Messages handed to nodes during this call of `run`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSettings:
    """How one run is simulated."""

    seed: int = 0
    network: NetworkSettings = PRESETS["custom"]
    costs: CostProfile = FREE
    decode: Callable[[bytes], Signed] | None = None
    """None: the receivers of a broadcast share one message. Otherwise each of them decodes the wire bytes
    itself with this, so that no two banks share an object (checks that sharing hides nothing)."""


class Observer(Protocol):
    """Watches a run from outside: a checker, metrics. Told only of inputs that led to something."""

    def submitted(self, now_us: int, bank: int, transaction: Transaction) -> None: ...

    def observe(self, now_us: int, bank: int, effects: Effects) -> None: ...


@runtime_checkable
class Harvester(Protocol):
    """An observer that collects what banks say: every message with the moment at which it leaves.

    What was to leave after a bank stopped has never left.
    """

    def sending(self, leaves_us: int, bank: int, signed: Signed) -> None: ...

    def stopped(self, now_us: int, bank: int) -> None: ...


class Cluster:
    """`nodes[i]` is bank i. Nothing happens before `start`, and then only inside `run`."""

    def __init__(
        self,
        nodes: Sequence[Hosted],
        settings: ClusterSettings,
        scheme: SignatureScheme,
        *,
        observers: Sequence[Observer] = (),
        journal: Journal | None = None,
        on_reply: Callable[[int, int, Reply], None] | None = None,
        make_node: Callable[[int], Hosted] | None = None,
    ) -> None:
        """`on_reply(now_us, bank, reply)` is the banks' clients; it may submit again.

        `make_node(bank)` makes the node that starts on the store of a bank that was down.
        """
        self.settings = settings
        self.randomness = Randomness(settings.seed)
        self.scheduler = Scheduler()
        self.network = Network(settings.network, len(nodes), self.randomness, self.scheduler)
        self.hosts = [
            Host(index, node, MemoryStore(settings.costs.flush_us)) for index, node in enumerate(nodes)
        ]
        self.deliveries = 0
        self.malformed: Counter[int] = Counter()
        """By sender: messages whose bytes a receiver could not read (only decoded with share off)."""
        self._observers = tuple(observers)
        self._harvesters = tuple(each for each in observers if isinstance(each, Harvester))
        self._make_node = make_node
        self._business_time: BusinessTime | None = None
        self._journal = journal
        self._on_reply = on_reply
        self._verifier = Verifier(scheme)
        self._decode = settings.decode
        self._costs = None if settings.costs.is_free() else settings.costs
        self._unnumbered: Counter[tuple[int, str]] = Counter()
        self._calls = 0
        self._stop: Entry | None = None
        self._injector = Injector(
            self.hosts, self.network, self.scheduler, self.at, self._note, self._stopped, self._start_again
        )

    @property
    def now_us(self) -> int:
        return self.scheduler.now_us

    def start(self) -> None:
        """Boot every bank with what its store holds."""
        for host in self.hosts:
            self._boot(host)

    # --- inputs from outside ------------------------------------------------------------------------------

    def submit(self, bank: int, transaction: Transaction, together: Sequence[Transaction] = ()) -> None:
        """A client hands a transaction to its bank now; those of `together` go into the same bundle."""
        host = self.hosts[bank]
        if host.is_down:
            return
        for observer in self._observers:
            for one in (transaction, *together):
                observer.submitted(self.now_us, bank, one)
        checks = tuple(check for one in (transaction, *together) for check in host.wanted(one))
        entry = Submit(transaction, self._verifier.verdicts(checks), tuple(together))
        self._take(host, Pending("submit", entry, checks))

    def business_time(self, time_us: int) -> None:
        """Tell every bank the consortium's business time."""
        self._business_time = BusinessTime(time_us)
        for host in self.hosts:
            self.give(host.index, self._business_time)

    def give(self, bank: int, entry: Input) -> None:
        """Give one bank an input now (it waits for its processor like any other)."""
        host = self.hosts[bank]
        if not host.is_down:
            self._take(host, Pending(kind_of(entry), entry))

    def at(self, time_us: int, action: Callable[[], None]) -> None:
        """Do something at a later time; actions of one microsecond run in the order of these calls."""
        self._calls += 1
        self.scheduler.schedule(time_us, (BEFORE_MESSAGES, "call", self._calls), -1, Call(action))

    # --- the loop -----------------------------------------------------------------------------------------

    def run(
        self,
        *,
        until_us: int | None = None,
        predicate: Callable[[], bool] | None = None,
        background: frozenset[str] = frozenset(),
    ) -> Stopped:
        """Run until `predicate` holds, nothing is under way, or the next event lies beyond `until_us`.

        The predicate is asked after every input that led to something. Timers named in `background` repeat
        for ever: with nothing else under way the cluster counts as idle.
        """
        before = self.deliveries
        if until_us is not None and until_us > self.now_us:
            rank = (AFTER_MESSAGES, "stop", 0)
            self._stop = self.scheduler.schedule(until_us, rank, -1, Stop())
        collected = gc.isenabled()
        gc.disable()  # the collector would walk every message under way, again and again
        try:
            reason = self._loop(predicate, background)
        finally:
            if collected:
                gc.enable()
            if self._stop is not None:
                stop, self._stop = self._stop, None
                self.scheduler.remove(lambda entry: entry is stop)
        return Stopped(reason, self.now_us, self.deliveries - before)

    def _loop(self, predicate: Callable[[], bool] | None, background: frozenset[str]) -> StopReason:
        hosts = self.hosts
        scheduler = self.scheduler
        # Nothing to decode anew, to charge or to record: what is left of a delivery stands right in the loop.
        is_bare = self._decode is None and self._costs is None and self._journal is None
        if predicate is not None and predicate():
            return StopReason.DONE
        for bucket in scheduler.buckets():
            for now_us, rank, receiver, payload in bucket:
                scheduler.now_us = now_us
                if payload.__class__ is Flight:
                    host = hosts[receiver]
                    if host.free_us > now_us:
                        self._wait(host, payload)
                        continue
                    if is_bare:
                        self.deliveries += 1
                        checks = host.wanted(payload.message)
                        received = payload.received
                        if received is None or checks != payload.checks:
                            received = self._verified(payload, checks)
                        effects = host.handle(received, now_us)
                        if effects is NOTHING_DONE:
                            continue
                        self._carry_out(host, effects, now_us, now_us)
                    elif self._deliver(host, payload, now_us) is NOTHING_DONE:
                        continue
                elif payload.__class__ is Stop:
                    return StopReason.TIME if self._is_busy(background) else StopReason.IDLE
                elif self._is_left_over(payload, background):
                    # A later call of `run` goes on with this timer.
                    scheduler.schedule(now_us + 1, rank, receiver, payload)
                    return StopReason.IDLE
                else:
                    self._happen(receiver, payload, now_us)
                if predicate is not None and predicate():
                    return StopReason.DONE
        return StopReason.IDLE

    def _is_left_over(self, payload: Any, background: frozenset[str]) -> bool:
        """Whether this is a timer that repeats for ever, and nothing else is under way."""
        if payload.__class__ is not TimerFired or payload.name not in background:
            return False
        return not self._is_busy(background)

    def _is_busy(self, background: frozenset[str]) -> bool:
        """Whether anything is under way: not stale timers, nor those that repeat for ever.

        A processor with a backlog has an event of its own, so nothing but events need be looked at.
        """
        for _, _, receiver, payload in self.scheduler.pending():
            if payload.__class__ is TimerFired:
                if payload.name in background:
                    continue
                if self.hosts[receiver].timers.get(payload.name) != payload.generation:
                    continue
            elif payload.__class__ is Stop:
                continue
            return True
        return False

    def _happen(self, receiver: int, payload: Any, now_us: int) -> None:
        """An event that is no delivery of a message."""
        if payload.__class__ is Call:
            payload.action()
            return
        host = self.hosts[receiver]
        if payload.__class__ is AtDownlink:
            self.network.arrived(payload, receiver, now_us)
        elif payload.__class__ is TimerFired:
            if host.timers.get(payload.name) == payload.generation:
                del host.timers[payload.name]
                self._take(host, Pending("timer", payload))
        elif payload.__class__ is Durable:
            self._take(host, Pending("durable", payload))
        elif payload is PROCESSOR_FREE:
            self._work_off(host, now_us)
        elif self._on_reply is not None:
            self._on_reply(now_us, receiver, payload.reply)

    # --- inputs on a bank's processor -----------------------------------------------------------------------

    def _deliver(self, host: Host, flight: Flight, now_us: int) -> Effects:
        """Hand a message to its receiver, with the verdicts on the checks that this receiver wants."""
        self.deliveries += 1
        if self._decode is None:
            checks = host.wanted(flight.message)
            received = flight.received
            if received is None or checks != flight.checks:
                received = self._verified(flight, checks)
        else:
            try:
                signed = self._decode(flight.message.wire)
            except MessageError:
                self.malformed[flight.sender] += 1
                return NOTHING_DONE
            checks = host.wanted(signed)
            received = Received(signed, self._verifier.verdicts(checks))
        effects = host.handle(received, now_us)
        if self._journal is not None:
            self._journal.delivered(now_us, host.index, flight.text)
        done_us = self._charge(host, flight.kind, checks, effects.work, now_us)
        if effects is not NOTHING_DONE:
            self._carry_out(host, effects, now_us, done_us)
        return effects

    def _verified(self, flight: Flight, checks: tuple[Check, ...]) -> Received:
        """Verify what a receiver wants; the next one that wants the same shares the result."""
        flight.received = received = Received(flight.message, self._verifier.verdicts(checks))
        flight.checks = checks
        return received

    def _handle(self, host: Host, pending: Pending, now_us: int) -> None:
        """Hand over an input that is no message of a peer."""
        effects = host.handle(pending.entry, now_us)
        if self._journal is not None:
            self._journal.given(now_us, host.index, pending.entry)
        done_us = self._charge(host, pending.kind, pending.checks, effects.work, now_us)
        if effects is not NOTHING_DONE:
            self._carry_out(host, effects, now_us, done_us)

    def _charge(self, host: Host, kind: str, checks: Sequence[Check], work: Work, now_us: int) -> int:
        """Keep the processor busy for what the input costs; return when it is done."""
        if self._costs is None:
            return now_us
        host.free_us = now_us + self._costs.input_us(kind, host.charged(checks), work)
        return host.free_us

    def _take(self, host: Host, pending: Pending) -> None:
        if host.free_us > self.now_us:
            self._wait(host, pending)
        else:
            self._handle(host, pending, self.now_us)

    def _wait(self, host: Host, item: Flight | Pending) -> None:
        """The processor is busy: queue the input. A bank that is down takes none."""
        if host.is_down:
            if isinstance(item, Flight):
                self.network.counts.lost[item.kind] += 1
            return
        if not host.backlog:
            self._schedule_processor(host)
        host.backlog.append(item)

    def _schedule_processor(self, host: Host) -> None:
        rank = (BEFORE_MESSAGES, "processor", host.index)
        self.scheduler.schedule(host.free_us, rank, host.index, PROCESSOR_FREE)

    def _work_off(self, host: Host, now_us: int) -> None:
        """Take inputs from the backlog until the processor is busy again."""
        while host.backlog and host.free_us <= now_us:
            item = host.backlog.popleft()
            if isinstance(item, Flight):
                self._deliver(host, item, now_us)
            else:
                self._handle(host, item, now_us)
        if host.backlog:
            self._schedule_processor(host)

    # --- effects --------------------------------------------------------------------------------------------

    def _carry_out(self, host: Host, effects: Effects, now_us: int, done_us: int) -> None:
        """In the order of the type: persist, send, timers, replies. `done_us`: when the processor is done."""
        texts: Sequence[str] | None = None
        if self._journal is not None:
            texts = self._journal.effects(now_us, host.index, effects)
        token = effects.token
        durable_us: int | None = done_us
        if token:
            try:
                durable_us = host.persist(effects.persist, token, done_us)
            except StoreFullError as error:
                self._injector.stop(host.index, str(error))
                return
            if effects.notify and durable_us is not None:
                rank: Rank = (BEFORE_MESSAGES, "durable", host.index, token)
                self.scheduler.schedule(max(durable_us, now_us + 1), rank, host.index, Durable(token))
        for position, send in enumerate(effects.send):
            # It leaves when its work is done and the flush that it waits for is durable.
            after = send.after
            if after == token:
                leaves_us = durable_us
            else:
                leaves_us = host.may_leave_us(after, done_us) if after else done_us
            self._send(host, send, leaves_us, texts[position] if texts else "")
        if effects.timers:
            for timer in effects.timers:
                self._set_timer(host, timer, done_us)
        if effects.replies:
            for reply in effects.replies:
                rank = (BEFORE_MESSAGES, "reply", host.index, reply.transaction_id)
                self.scheduler.schedule(max(done_us, now_us + 1), rank, host.index, ReplyDue(reply))
        for observer in self._observers:
            observer.observe(done_us, host.index, effects)
        if effects.trace and effects.trace[0].__class__ is Halted:
            self._injector.stop(host.index, effects.trace[0].reason)

    def _send(self, host: Host, send: Send, leaves_us: int | None, text: str) -> None:
        """Give a message to the network, to leave at `leaves_us` (None: it waits for a flush for ever)."""
        if leaves_us is None:
            host.held.append(send)
            return
        signed = send.signed
        if host.signer is not None:
            signature = host.signer.sign(signed.body)
            signed = Signed(signed.body, signature, signed.content, signed.attachment)
        sequence = getattr(signed.content, "sequence", None)
        if sequence is None:
            sequence = self._next_unnumbered(host.index, signed.content.KIND)
        for harvester in self._harvesters:
            harvester.sending(leaves_us, host.index, signed)
        flight = Flight(host.index, sequence, leaves_us, signed, text)
        if send.to == ALL:
            self.network.broadcast(flight, leaves_us)
        else:
            self.network.unicast(flight, send.to, leaves_us)

    def _next_unnumbered(self, bank: int, kind: str) -> int:
        """Messages without a sequence number are counted per sender and kind: each has its own delay."""
        self._unnumbered[bank, kind] += 1
        return self._unnumbered[bank, kind]

    def _set_timer(self, host: Host, timer: Timer, now_us: int) -> None:
        """A timer that is replaced or cancelled stays scheduled and is found stale when its time comes."""
        if timer.delay_us is None:
            host.timers.pop(timer.name, None)
            return
        host.timers[timer.name] = timer.generation
        rank = (BEFORE_MESSAGES, "timer", host.index, timer.name, timer.generation)
        due_us = now_us + max(timer.delay_us, 1)
        self.scheduler.schedule(due_us, rank, host.index, TimerFired(timer.name, timer.generation))

    def _boot(self, host: Host) -> None:
        self._take(host, Pending("boot", Boot(host.store.boot(self.now_us))))

    # --- faults ---------------------------------------------------------------------------------------------

    def inject(self, fault: Fault) -> None:
        """Let a fault happen at its time (at once, if that has come)."""
        self._injector.inject(fault)

    def restart(self, bank: int, node: Hosted) -> None:
        """Start a new node on the machine and store of a bank that is down."""
        host = self.hosts[bank]
        assert host.is_down, "only a bank that is down can be restarted"
        host.start(node, self.now_us)
        self._note("restart", (bank,))
        self._boot(host)
        if self._business_time is not None:
            self.give(bank, self._business_time)

    def _start_again(self, bank: int) -> None:
        assert self._make_node is not None, "a restart needs a maker of nodes"
        if self.hosts[bank].is_down:
            self.restart(bank, self._make_node(bank))

    def _stopped(self, bank: int) -> None:
        for harvester in self._harvesters:
            harvester.stopped(self.now_us, bank)

    def _note(self, fault: str, banks: Sequence[int]) -> None:
        if self._journal is not None:
            self._journal.fault(self.now_us, fault, banks)

    # --- what a run may be asked ----------------------------------------------------------------------------

    def message_counts(self) -> dict[str, dict[str, int]]:
        """Copies of messages by type: sent, delivered, lost, duplicated."""
        under_way = Counter(
            packet.kind for entry in self.scheduler.pending() if (packet := packet_of(entry[3])) is not None
        )
        for host in self.hosts:
            under_way.update(item.kind for item in host.backlog if isinstance(item, Flight))
        return self.network.counts.as_dicts(under_way)
