"""Checkers watch a run from outside and say at its end what held: true, unknown or false, with the reason.

Online and incremental: they see every message that an honest bank sends and everything that it reports, when
it happens, and keep only what later events may contradict. They share no code with what they check beyond
hashing, the encoding and the signature scheme (signatures and certificates are in `outside.py`). Banks that a
fault makes deviate are not held to anything.

A checker that saw nothing to judge says unknown: silence is not success.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, TypeAlias

from consortium.consensus.messages import Signed
from consortium.crypto import SignatureScheme, hash_bytes
from consortium.encoding import EncodingError, decode
from consortium.journal.outside import CertificateValidity, SignatureValidity
from consortium.journal.promises import AcknowledgedIsKept, NoEquivocation
from consortium.journal.verdict import Checker, Verdict, VerdictValue
from consortium.ledger.transaction import Transaction
from consortium.membership import Membership
from consortium.node.effects import Diverged, Effects, Executed, Recovered, Reply, Stable

Sums: TypeAlias = Callable[[Executed], Mapping[str, tuple[int, int]]]
"""For each currency after a block: (issued by the central bank, held in all accounts), in minor units."""

LIVENESS_BOUND_US = 4_000_000
"""An answer that takes longer than this, with no fault going on, is a failure of liveness."""

_HEADER_PREVIOUS = 6  # the place of the previous block's hash in an encoded header


class Agreement(Checker):
    """No two honest banks execute different batches at one sequence number, in whatever view or epoch."""

    name: ClassVar[str] = "agreement"
    seen_of: ClassVar[str] = "executed slots compared between banks"

    def __init__(self, honest: Sequence[int]) -> None:
        super().__init__()
        self._executed = dict.fromkeys(honest, 0)
        self._digests: dict[int, tuple[bytes, int]] = {}

    def executed(self, bank: int, event: Executed) -> None:
        first = self._digests.setdefault(event.sequence, (event.batch_digest, bank))
        if first[0] != event.batch_digest:
            self.violated(
                f"sequence {event.sequence}: bank {first[1]} executed {first[0].hex()[:16]}, "
                f"bank {bank} {event.batch_digest.hex()[:16]}"
            )
        if first[1] != bank or len(self._executed) == 1:
            self.seen += 1
        if event.sequence > self._executed[bank]:
            self._executed[bank] = event.sequence
            self._forget(min(self._executed.values()))

    def _forget(self, everybody_has: int) -> None:
        """What every bank has executed cannot be contradicted any more."""
        while self._digests and (oldest := next(iter(self._digests))) <= everybody_has:
            del self._digests[oldest]


class TotalOrder(Checker):
    """Every honest bank executes 1, 2, 3, ... without gap or repetition, and its blocks form one chain."""

    name: ClassVar[str] = "total_order"
    seen_of: ClassVar[str] = "executions in sequence"

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[int, Executed | Recovered] = {}

    def executed(self, bank: int, event: Executed) -> None:
        self.seen += 1
        last = self._last.get(bank)
        self._last[bank] = event
        before = 0 if last is None else last.sequence
        if event.sequence != before + 1:
            self.violated(f"bank {bank} executed sequence {event.sequence} after {before}")
        elif last is not None and event.height == last.height:
            if event.header_hash != last.header_hash:
                self.violated(f"bank {bank} has two blocks at height {event.height}")
        elif last is not None and event.height != last.height + 1:
            self.violated(f"bank {bank} made block {event.height} after {last.height}")
        elif last is not None and _previous_in(event.header) != last.header_hash:
            self.violated(f"bank {bank}: block {event.height} does not follow its block {last.height}")

    def stopped(self, bank: int) -> None:
        """A bank that comes back begins where its log ends; with an empty one, at genesis."""
        self._last.pop(bank, None)

    def recovered(self, bank: int, event: Recovered) -> None:
        self._last[bank] = event


class StateRootEquality(Checker):
    """At every height, all honest banks have the same header and the same state root; so do checkpoints."""

    name: ClassVar[str] = "state_root_equality"
    seen_of: ClassVar[str] = "results compared between banks"

    def __init__(self, honest: Sequence[int]) -> None:
        super().__init__()
        self._heights = dict.fromkeys(honest, 0)
        self._results: dict[int, tuple[bytes, bytes, int]] = {}

    def executed(self, bank: int, event: Executed) -> None:
        if hash_bytes(event.header) != event.header_hash:
            self.violated(f"bank {bank}: the hash of block {event.height} is not that of its header")
        self._compare(event.height, event.header_hash, event.state_root, bank)
        if event.height > self._heights[bank]:
            self._heights[bank] = event.height
            # The lowest height stays for checkpoints that are yet to come.
            lowest = min(self._heights.values())
            while (oldest := next(iter(self._results))) < lowest:
                del self._results[oldest]

    def stable(self, bank: int, event: Stable) -> None:
        _, height, header_hash, state_root = event.certificate.fields
        if height in self._results:
            self._compare(height, header_hash, state_root, bank)

    def diverged(self, bank: int, event: Diverged) -> None:
        self.violated(
            f"bank {bank} computed other results at sequence {event.sequence} than a quorum certified"
        )

    def recovered(self, bank: int, event: Recovered) -> None:
        if event.height in self._results:
            self._compare(event.height, event.header_hash, event.state_root, bank)

    def _compare(self, height: int, header_hash: bytes, state_root: bytes, bank: int) -> None:
        first = self._results.setdefault(height, (header_hash, state_root, bank))
        if first[2] != bank or len(self._heights) == 1:
            self.seen += 1
        for what, mine, others in (("header", header_hash, first[0]), ("state root", state_root, first[1])):
            if mine != others:
                self.violated(
                    f"height {height}: bank {first[2]} has {what} {others.hex()[:16]}, "
                    f"bank {bank} has {mine.hex()[:16]}"
                )


class ExactlyOnce(Checker):
    """A number of a sender's session takes effect at most once, in one block, on all honest banks."""

    name: ClassVar[str] = "exactly_once"
    seen_of: ClassVar[str] = "executed transactions"

    def __init__(self) -> None:
        super().__init__()
        self._applied: dict[tuple[str, int, int], tuple[int, bytes]] = {}

    def executed(self, bank: int, event: Executed) -> None:
        here: set[tuple[str, int, int]] = set()
        for sender, session, number, transaction_id, status in event.transactions:
            self.seen += 1
            if status != "applied":
                continue  # refused and repeated ones have no effect, however often they come
            key = (sender, session, number)
            first = self._applied.setdefault(key, (event.height, transaction_id))
            if first != (event.height, transaction_id) or key in here:
                self.violated(
                    f"number {number} of {sender} (session {session}) was applied at height {first[0]} "
                    f"and, on bank {bank}, again at height {event.height}"
                )
            here.add(key)


class ValueConservation(Checker):
    """After every block, each currency's accounts hold what the central bank issued, no more and no less."""

    name: ClassVar[str] = "value_conservation"
    seen_of: ClassVar[str] = "sums of a currency compared"

    def __init__(self, sums: Sums | None) -> None:
        super().__init__()
        self._sums = sums
        self._height = 0

    def executed(self, bank: int, event: Executed) -> None:
        # One bank's state is enough: that the others' is the same is another checker's matter.
        if self._sums is None or event.height <= self._height:
            return
        self._height = event.height
        for currency, (issued, held) in self._sums(event).items():
            self.seen += 1
            if issued != held:
                self.violated(
                    f"bank {bank}, height {event.height}: {issued} minor units of {currency} were issued, "
                    f"the accounts hold {held}"
                )


class Liveness(Checker):
    """Every submitted transaction is answered for good: applied, refused or repeated."""

    name: ClassVar[str] = "liveness"
    seen_of: ClassVar[str] = "transactions answered"

    def __init__(self) -> None:
        super().__init__()
        self._waiting: dict[tuple[int, bytes], int] = {}

    def submitted(self, bank: int, transaction: Transaction) -> None:
        self._waiting.setdefault((bank, transaction.id), self.now_us)

    def replied(self, bank: int, reply: Reply) -> None:
        if reply.status != "busy" and self._waiting.pop((bank, reply.transaction_id), None) is not None:
            self.seen += 1

    def judged(self, *, finished: bool) -> Verdict:
        """`finished`: the run came to its own end, so whatever still waits would wait for ever."""
        if not self._waiting:
            if finished and not self.violations:
                return Verdict(self.name, VerdictValue.TRUE, f"{self.seen} {self.seen_of}")
            return Verdict(self.name, VerdictValue.UNKNOWN, "the run did not come to its end")
        (bank, transaction_id), since_us = next(iter(self._waiting.items()))
        reason = (
            f"{len(self._waiting)} transactions are not answered; the oldest, {transaction_id.hex()[:16]} at "
            f"bank {bank}, has waited for {self.now_us - since_us} us"
        )
        too_long = finished or self.now_us - since_us >= LIVENESS_BOUND_US
        return Verdict(self.name, VerdictValue.FALSE if too_long else VerdictValue.UNKNOWN, reason)


class Checkers:
    """All checkers of one run, as one observer of its driver."""

    def __init__(
        self,
        membership: Membership,
        chain: bytes,
        scheme: SignatureScheme,
        *,
        honest: Sequence[int],
        sums: Sums | None = None,
    ) -> None:
        """`honest`: the banks held to their promises (crashed ones included). `sums` reads what
        `value_conservation` compares; without it that verdict is unknown.
        """
        self._honest = frozenset(honest)
        self._signatures = SignatureValidity(membership, chain, scheme)
        self._liveness = Liveness()
        self._order = TotalOrder()
        self._words = NoEquivocation()
        self._answers = AcknowledgedIsKept()
        self.all: tuple[Checker, ...] = (
            Agreement(honest),
            self._order,
            StateRootEquality(honest),
            ExactlyOnce(),
            self._words,
            self._answers,
            self._signatures,
            CertificateValidity(membership, chain, scheme),
            ValueConservation(sums),
            self._liveness,
        )

    def submitted(self, now_us: int, bank: int, transaction: Transaction) -> None:
        if bank in self._honest:
            self._liveness.now_us = now_us
            self._liveness.submitted(bank, transaction)

    def observe(self, now_us: int, bank: int, effects: Effects) -> None:
        """Tell every checker what an honest bank did; called only if it did something."""
        if bank not in self._honest:
            return
        for checker in self.all:
            checker.now_us = now_us
        for send in effects.send:
            self._signatures.sent(bank, send.signed)
        for event in effects.trace:
            for checker in self.all:
                if isinstance(event, Executed):
                    checker.executed(bank, event)
                elif isinstance(event, Stable):
                    checker.stable(bank, event)
                elif isinstance(event, Diverged):
                    checker.diverged(bank, event)
                elif isinstance(event, Recovered):
                    checker.recovered(bank, event)
        for reply in effects.replies:
            self._liveness.replied(bank, reply)
            self._answers.replied(bank, reply)

    def sending(self, leaves_us: int, bank: int, signed: Signed) -> None:
        """A message is to leave a bank at `leaves_us`, unless the bank stops before that."""
        if bank in self._honest:
            self._words.sending(leaves_us, bank, signed)

    def stopped(self, now_us: int, bank: int) -> None:
        """A bank went down: it forgets what it had not written, and what had not left it never will."""
        self._words.stopped(now_us, bank)
        self._order.stopped(bank)

    def verdicts(self, *, finished: bool) -> tuple[Verdict, ...]:
        """Judge the run. `finished`: it came to its own end, and was neither stopped nor stalled."""
        self._words.finish()
        return tuple(
            checker.judged(finished=finished) if isinstance(checker, Liveness) else checker.verdict()
            for checker in self.all
        )


def _previous_in(header: bytes) -> bytes | None:
    """The previous block's hash as an encoded header states it."""
    try:
        parts = decode(header)
    except EncodingError:
        return None
    if not isinstance(parts, tuple) or len(parts) <= _HEADER_PREVIOUS:
        return None
    previous = parts[_HEADER_PREVIOUS]
    return previous if isinstance(previous, bytes) else None
