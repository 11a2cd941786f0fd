"""Figures of one run: latency per transaction and phase, throughput. All on the virtual network clock.

An observer like the checkers. It keeps one row per transaction and one per open slot; a slot's row goes when
every bank has executed it. Times are integers in microseconds; nothing is averaged that a percentile would
hide.

    submitted -> ordered (pre-prepare) -> prepared (commit sent) -> executed -> answered
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from consortium.consensus.messages import COMMIT, PRE_PREPARE
from consortium.ledger.transaction import Transaction
from consortium.node.effects import Effects, Executed

CLOCK: Final = "virtual"
PHASES: Final = ("order", "prepare", "commit", "answer")


@dataclass(slots=True)
class TransactionRow:
    """One transaction at the bank that its client gave it to. None: it has not come so far."""

    transaction_id: bytes
    bank: int
    submitted_us: int
    ordered_us: int | None = None
    prepared_us: int | None = None
    executed_us: int | None = None
    answered_us: int | None = None
    status: str | None = None

    @property
    def latency_us(self) -> int | None:
        return None if self.answered_us is None else self.answered_us - self.submitted_us

    def phases_us(self) -> dict[str, int]:
        """How long each phase took, as far as both of its ends are known."""
        marks = (self.submitted_us, self.ordered_us, self.prepared_us, self.executed_us, self.answered_us)
        return {
            name: end - start
            for name, start, end in zip(PHASES, marks, marks[1:], strict=False)
            if start is not None and end is not None
        }


@dataclass(slots=True)
class _Slot:
    ordered_us: int | None = None
    prepared_us: dict[int, int] = field(default_factory=dict)
    executed: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a run. `clock` names the one they were measured on."""

    clock: str
    submitted: int
    answered: int
    duration_us: int
    """From the first submission to the last answer."""
    throughput_per_s: int
    """Answers per virtual second, rounded down; 0 if there were none."""
    latency_us: dict[str, int]
    """p50, p95, p99 and max over all answered transactions."""
    phases_us: dict[str, dict[str, int]]
    """The same for each phase."""


class Metrics:
    """Watches a run of `banks` banks."""

    def __init__(self, banks: int) -> None:
        self._banks = banks
        self._rows: dict[tuple[int, bytes], TransactionRow] = {}
        self._slots: dict[int, _Slot] = {}

    def submitted(self, now_us: int, bank: int, transaction: Transaction) -> None:
        row = TransactionRow(transaction.id, bank, now_us)
        self._rows.setdefault((bank, transaction.id), row)

    def observe(self, now_us: int, bank: int, effects: Effects) -> None:
        for send in effects.send:
            content = send.signed.content
            kind = content.KIND
            if content.sender == bank and (kind in (PRE_PREPARE, COMMIT)):
                slot = self._slots.setdefault(content.fields()[1], _Slot())
                if kind == COMMIT:
                    slot.prepared_us.setdefault(bank, now_us)
                elif slot.ordered_us is None:
                    slot.ordered_us = now_us
        for event in effects.trace:
            if isinstance(event, Executed):
                self._executed(now_us, bank, event)
        for reply in effects.replies:
            row = self._rows.get((bank, reply.transaction_id))
            if row is not None and row.answered_us is None and reply.status != "busy":
                row.answered_us = now_us
                row.status = reply.status

    def _executed(self, now_us: int, bank: int, event: Executed) -> None:
        slot = self._slots.setdefault(event.sequence, _Slot())
        for _, _, _, transaction_id, _ in event.transactions:
            row = self._rows.get((bank, transaction_id))
            if row is not None and row.executed_us is None:
                row.ordered_us = slot.ordered_us
                row.prepared_us = slot.prepared_us.get(bank)
                row.executed_us = now_us
        slot.executed += 1
        if slot.executed >= self._banks:
            del self._slots[event.sequence]

    def rows(self) -> Iterator[TransactionRow]:
        """Every transaction, in the order of submission."""
        return iter(self._rows.values())

    def summary(self) -> Summary:
        answered = [row for row in self._rows.values() if row.answered_us is not None]
        latencies = [row.latency_us or 0 for row in answered]
        first_us = min((row.submitted_us for row in self._rows.values()), default=0)
        duration_us = max((row.answered_us or 0 for row in answered), default=first_us) - first_us
        phases = [row.phases_us() for row in answered]
        return Summary(
            clock=CLOCK,
            submitted=len(self._rows),
            answered=len(answered),
            duration_us=duration_us,
            throughput_per_s=len(answered) * 1_000_000 // duration_us if duration_us else 0,
            latency_us=distribution(latencies),
            phases_us={name: distribution([row[name] for row in phases if name in row]) for name in PHASES},
        )


def distribution(values: Sequence[int]) -> dict[str, int]:
    """Return p50, p95, p99 and max (nearest rank); empty if there are no values."""
    if not values:
        return {}
    ordered = sorted(values)
    return {
        "p50": percentile(ordered, 500),
        "p95": percentile(ordered, 950),
        "p99": percentile(ordered, 990),
        "max": ordered[-1],
    }


def percentile(ordered: Sequence[int], per_mille: int) -> int:
    """Return the smallest of the ascending values that at least `per_mille` of 1,000 do not exceed."""
    rank = -(-len(ordered) * per_mille // 1_000)
    return ordered[max(rank, 1) - 1]
