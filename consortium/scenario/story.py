"""Plays a scenario's timeline on a simulated cluster: what is submitted when, and what is waited for.

Business time jumps from moment to moment: the instants of the timeline, the moments of expectations, and due
work in between, which is visited at its own time so that nothing is late. Steps of one instant are submitted
concurrently; the next moment begins when every answer is final. Network time only runs while something is
waited for. A story that makes no progress is stalled, never hung.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from consortium.ledger.block import Block
from consortium.ledger.receipt import REPEATED, Receipt, decode_receipt
from consortium.ledger.transaction import Transaction
from consortium.node.effects import Finish, Reply
from consortium.node.node import Node
from consortium.scenario.model import Instant, Scenario, Step
from consortium.simulation.cluster import Cluster

STALL_TIMEOUTS = 100
"""A story is stalled after so many view timeouts without any bank executing anything."""
STALL_US_MIN = 5_000_000
DUE_MOMENTS_MAX = 10_000
BACKGROUND = frozenset({"status", "idle"})


class Outcome(StrEnum):
    FINISHED = "finished"
    STALLED = "stalled"
    INTERRUPTED = "interrupted"


@dataclass(slots=True)
class Played:
    """What became of one step: its transaction, when it was submitted and answered, and the answer.

    Without a transaction it could not be submitted, because a step that it builds on was not applied;
    `skipped` says which.
    """

    step: Step
    transaction: Transaction | None
    submitted_us: int
    skipped: str = ""
    reply: Reply | None = None
    answered_us: int | None = None


@dataclass(frozen=True, slots=True)
class DueWork:
    """One piece of due work, found in a block."""

    block: Block
    receipt: Receipt
    text: str


class Story:
    """One telling of a scenario. `play` runs it; what happened stands in `played`, `due` and `outcome`."""

    def __init__(
        self,
        scenario: Scenario,
        cluster: Cluster,
        nodes: Sequence[Node],
        honest: Sequence[int],
        make_transaction: Callable[[Step], Transaction],
        on_moment: Callable[[int | None], None],
        on_news: Callable[[Played | DueWork], None],
    ) -> None:
        """`make_transaction` signs a step; `on_moment(t)` is told when business moment t is over (None: the
        end); `on_news` of every answer and every piece of due work, in order.
        """
        self._scenario = scenario
        self._cluster = cluster
        self._nodes = nodes
        self._honest = honest
        self._make_transaction = make_transaction
        self._on_moment = on_moment
        self._on_news = on_news
        self._stall_us = max(STALL_US_MIN, STALL_TIMEOUTS * scenario.consensus.view_timeout_us)
        self._waiting: dict[bytes, Played] = {}
        self._told_height = 0
        self._bundles: dict[bytes, tuple[Played, ...]] = {}
        self._asked_again: set[bytes] = set()
        self._disturbed_until_us = 0
        self._actions: dict[int, list[Callable[[], None]]] = {}
        self.played: list[Played] = []
        self.due: list[DueWork] = []
        self.outcome = Outcome.FINISHED
        self.reasons: tuple[str, ...] = ()

    def play(self, moments: Sequence[int]) -> None:
        """Play the whole timeline, stopping at `moments` of business time as well."""
        instants = {instant.at_us: instant for instant in self._scenario.instants()}
        self._cluster.start()
        stops = sorted({*instants, *moments, *self._actions})
        for at_us in stops:
            if not self._go_to(at_us):
                return
            for action in self._actions.get(at_us, ()):
                action()
            instant = instants.get(at_us)
            if instant is not None and not self._submit(instant):
                return
            later = [instants[each] for each in stops if each > at_us and each in instants]
            if not later or not later[0].during_fault:
                self._outlast_faults()
            self._on_moment(at_us)
        if self._finish_due_work() and self._settle():
            self._on_moment(None)

    def at_moment(self, at_us: int, action: Callable[[], None]) -> None:
        """Do something from outside when the story reaches this business time, before its steps."""
        self._actions.setdefault(at_us, []).append(action)

    def disturbed_for(self, duration_us: int) -> None:
        """A fault has begun: the next moment waits for its end, unless it says `during: fault`."""
        self._disturbed_until_us = max(self._disturbed_until_us, self._cluster.now_us + duration_us)

    def bank_is_back(self, bank: int) -> None:
        """The clients of a bank that was down ask again for what it has not answered."""
        asked: list[tuple[Played, ...]] = []
        for transaction_id in self._waiting:
            bundle = self._bundles[transaction_id]
            if bundle not in asked and self._bank_of(bundle) == bank:
                asked.append(bundle)
        for bundle in asked:
            self._ask_again(bundle)

    def live_nodes(self) -> list[Node]:
        """Return the honest banks that run."""
        return [self._nodes[index] for index in self._live()]

    def longest_gap_us(self, from_us: int, to_us: int | None) -> int:
        """Return the longest wait for an answer among the steps of these business times."""
        waits = [
            each.answered_us - each.submitted_us
            for each in self.played
            if each.answered_us is not None and from_us <= each.step.at_us <= (to_us or each.step.at_us)
        ]
        return max(waits, default=0)

    def replied(self, now_us: int, _bank: int, reply: Reply) -> None:
        """Take a bank's answer to its client; a busy bank is asked again when it said."""
        played = self._waiting.get(reply.transaction_id)
        if played is None:
            return
        if reply.status == "busy":
            self._cluster.at(now_us + max(1, reply.retry_after_us), lambda: self._hand_over((played,)))
            return
        del self._waiting[reply.transaction_id]
        if reply.status == REPEATED and reply.transaction_id in self._asked_again:
            # The bank had ordered it before it went down: this is the first answer that arrives.
            receipt = decode_receipt(reply.receipt)
            reply = reply._replace(status=receipt.status)
            if any(_id_of(each) in self._waiting for each in self._bundles[reply.transaction_id]):
                bundle = self._bundles[reply.transaction_id]
                self._cluster.at(now_us + 1, lambda: self._ask_again(bundle))
        played.reply = reply
        played.answered_us = now_us

    # --- moments ----------------------------------------------------------------------------------------

    def _go_to(self, at_us: int) -> bool:
        """Let business time reach `at_us`, stopping wherever due work becomes due on the way."""
        for _ in range(DUE_MOMENTS_MAX):
            due_us = self._next_due_us()
            if due_us is None or due_us > at_us:
                self._cluster.business_time(at_us)
                return True
            if not self._work_off(due_us):
                return False
        return self._stalled(f"more than {DUE_MOMENTS_MAX} moments of due work before one step")

    def _finish_due_work(self) -> bool:
        """The end of a story is when nothing is left that happens by time alone."""
        for _ in range(DUE_MOMENTS_MAX):
            due_us = self._next_due_us()
            if due_us is None:
                return True
            if not self._work_off(due_us):
                return False
        return self._stalled(f"due work does not end after {DUE_MOMENTS_MAX} moments")

    def _work_off(self, due_us: int) -> bool:
        self._cluster.business_time(due_us)
        done = self._run(lambda: self._all_reach(lambda node: not _is_due(node, due_us)))
        self._tell_due_work()
        return done

    def _submit(self, instant: Instant) -> bool:
        """Submit all steps of an instant concurrently and wait for every answer."""
        told = len(self.played)
        for bundle in instant.bundles:
            played = [self._prepare(step) for step in bundle]
            self.played += played
            ready = tuple(each for each in played if each.transaction is not None)
            self._waiting.update((each.transaction.id, each) for each in ready if each.transaction)
            if ready:
                self._hand_over(ready)
        answered = self._run(lambda: not self._waiting)
        for each in self.played[told:]:
            self._on_news(each)
        self._tell_due_work()
        return answered

    def _prepare(self, step: Step) -> Played:
        try:
            return Played(step, self._make_transaction(step), self._cluster.now_us)
        except LookupError as error:
            return Played(step, None, self._cluster.now_us, skipped=str(error))

    def _hand_over(self, bundle: tuple[Played, ...]) -> None:
        first, *others = [each.transaction for each in bundle if each.transaction is not None]
        for each in bundle:
            self._bundles[_id_of(each)] = bundle
        self._cluster.submit(self._bank_of(bundle), first, others)

    def _ask_again(self, bundle: tuple[Played, ...]) -> None:
        left = tuple(each for each in bundle if _id_of(each) in self._waiting)
        if left:
            self._asked_again.update(_id_of(each) for each in left)
            self._hand_over(left)

    def _bank_of(self, bundle: tuple[Played, ...]) -> int:
        transaction = bundle[0].transaction
        assert transaction is not None, "only what could be signed is handed over"
        membership = self._nodes[0].membership
        bank = membership.validator_index(membership.carrier(transaction.sender.organisation) or "")
        assert bank is not None, "every party has a bank that carries its transactions"
        return bank

    def _outlast_faults(self) -> None:
        if self._disturbed_until_us > self._cluster.now_us:
            self._cluster.run(until_us=self._disturbed_until_us + 1)

    def _settle(self) -> bool:
        """End the run: every honest bank catches up, and a last checkpoint makes all results certain."""
        if not self._run(self._is_level):
            return False
        for index in self._honest:
            self._cluster.give(index, Finish())
        return self._run(lambda: self._all_reach(lambda node: node.stable == node.executed))

    def _is_level(self) -> bool:
        return len({self._nodes[index].tip.hash for index in self._live()}) <= 1

    # --- waiting ------------------------------------------------------------------------------------------

    def _run(self, is_done: Callable[[], bool]) -> bool:
        """Run the network until `is_done`; False, with the reasons noted, once nothing moves any more."""
        while not is_done():
            before = self._progress()
            self._cluster.run(until_us=self._cluster.now_us + self._stall_us, predicate=is_done)
            if not is_done() and self._progress() == before:
                seconds = self._stall_us / 1_000_000
                return self._stalled(f"nothing was executed for {seconds:g} s of network time")
        return True

    def _progress(self) -> tuple[int, int, int]:
        live = [self._nodes[index] for index in self._live()]
        return (sum(n.executed for n in live), sum(n.stable for n in live), len(self._waiting))

    def _stalled(self, reason: str) -> bool:
        self.outcome = Outcome.STALLED
        waits = [
            f"{self._nodes[index].identity}: {reason}"
            for index in self._live()
            for reason in self._nodes[index].status().waits_for
        ]
        self.reasons = (reason, *waits)
        return False

    def _all_reach(self, test: Callable[[Node], bool]) -> bool:
        return all(test(self._nodes[index]) for index in self._live())

    def _live(self) -> list[int]:
        """Return the honest banks that run."""
        return [index for index in self._honest if not self._cluster.hosts[index].is_down]

    def _next_due_us(self) -> int | None:
        live = self._live()
        return max((self._nodes[i].tip for i in live), key=lambda tip: tip.header.height).next_due_us

    def _tell_due_work(self) -> None:
        """Report the due work of the blocks since last time, as the foremost honest bank has them."""
        foremost = max((self._nodes[i] for i in self._live()), key=lambda node: node.tip.header.height)
        for block in foremost.blocks[self._told_height + 1 :]:
            for position in range(block.due_count):
                news = DueWork(block, block.receipts[position], block.texts[position])
                self.due.append(news)
                self._on_news(news)
        self._told_height = foremost.tip.header.height


def _id_of(played: Played) -> bytes:
    assert played.transaction is not None, "only what could be signed is asked for"
    return played.transaction.id


def _is_due(node: Node, at_us: int) -> bool:
    due_us = node.tip.next_due_us
    return due_us is not None and due_us <= at_us
