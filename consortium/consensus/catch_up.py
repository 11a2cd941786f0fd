"""What a peer's STATUS is answered with: what it lacks and we have (Castro & Liskov 5.2, pbft.md A.7).

Only what is overdue is sent: it must have been there for a whole STATUS period, here or (for a slot that
the peer lists) there, so that a message that is merely on its way is not sent twice. Sequence numbers that we
have executed, and slots that we have committed, are sent as DECIDED with the certificate and the batch; for
the others our own votes again, and the pre-prepare with its batch. What any replica can send, f+1 of them do,
another f+1 for each sequence number and period: one of them is correct, and nobody is flooded by all.

A pure function of what it is given. Transfer of state will answer for what lies below the batches still held.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from consortium.certificate import Certificate
from consortium.consensus.checkpoint import CheckpointLog
from consortium.consensus.log import Log, Slot
from consortium.consensus.messages import Decided, Message, OpenSlot, Signed, StableCheckpoint, Status
from consortium.consensus.quorum import ConsensusConfig, all_of
from consortium.consensus.transitions import Phase

SignPort: TypeAlias = Callable[[Message, bytes | None], Signed]
"""Signs a content (the same again for the same one) and puts the attachment beside it."""
BatchPort: TypeAlias = Callable[[int], tuple[bytes, bytes | None, Certificate] | None]
"""The (digest, batch, commit certificate) of an executed sequence number, or None if it is held no more."""


@dataclass(slots=True)
class Periods:
    """Counts STATUS periods, and with them what is overdue. A period ends with each call of `end`."""

    count: int = 0
    executed: int = 0
    """Executed one whole period ago."""
    _executed_at_end: int = 0

    def end(self, executed: int) -> None:
        """Begin the next period."""
        self.count += 1
        self.executed, self._executed_at_end = self._executed_at_end, executed

    def is_overdue(self, slot: Slot) -> bool:
        """Tell whether a slot has been open for a whole period."""
        return slot.opened + 1 < self.count


def open_slots(log: Log, executed: int, periods: Periods) -> tuple[OpenSlot, ...]:
    """Return what our own STATUS lists: overdue slots, with what we have of each."""
    return tuple(_listing(slot, log.n) for slot in log.slots(executed) if periods.is_overdue(slot))


def _listing(slot: Slot, n: int) -> OpenSlot:
    """List whose votes are held, for whatever digest; a committed slot lacks nothing, which is all bits."""
    if slot.committed is not None:
        return OpenSlot(slot.sequence, True, all_of(n), all_of(n))
    return OpenSlot(slot.sequence, slot.digest is not None, slot.prepares.held, slot.commits.held)


def answer(
    status: Status,
    *,
    config: ConsensusConfig,
    view: int,
    new_view: Signed | None,
    log: Log,
    checkpoints: CheckpointLog,
    periods: Periods,
    batch_of: BatchPort,
    sign: SignPort,
) -> tuple[Signed, ...]:
    """Return the messages that the sender of `status` lacks, the most useful ones first.

    `view` is the view in which we vote, and `new_view` what started it; a replica in a lower view gets that.
    """
    question = _Question(status, config, log, periods)
    messages = list(_checkpoints(question, checkpoints, sign))
    if new_view is not None and status.view < view and question.is_our_turn(view):
        messages.append(new_view)
    messages.extend(_decisions(question, batch_of, sign))
    if status.view == view:
        messages.extend(_votes(question, primary=config.primary(view)))
    return tuple(messages)


class _Question:
    """A STATUS beside our own log."""

    __slots__ = ("config", "listed", "log", "peer", "periods", "status")

    def __init__(self, status: Status, config: ConsensusConfig, log: Log, periods: Periods) -> None:
        self.status = status
        self.peer = status.sender
        self.config = config
        self.log = log
        self.periods = periods
        self.listed = {slot.sequence: slot for slot in status.open}

    def is_our_turn(self, sequence: int) -> bool:
        """Tell whether we are among the f+1 that answer for this sequence number in this period."""
        n, f = self.config.n, self.config.f
        place = (self.config.index - self.peer - 1) % n  # 0 to n-2 among the peers of the one who asks
        return (place + sequence + self.periods.count) % (n - 1) <= f


def _checkpoints(question: _Question, checkpoints: CheckpointLog, sign: SignPort) -> Iterator[Signed]:
    """Yield the stable checkpoint's certificate, or our own votes for checkpoints that are not stable yet."""
    config, status, low = question.config, question.status, question.log.low
    overdue = question.periods.executed
    if checkpoints.stable is not None and status.stable < low <= overdue and question.is_our_turn(low):
        yield sign(StableCheckpoint(config.epoch, checkpoints.stable, config.index), None)
    for sequence, own in checkpoints.own.items():
        if max(low, status.stable) < sequence <= overdue:
            yield own


def _decisions(question: _Question, batch_of: BatchPort, sign: SignPort) -> Iterator[Signed]:
    """Yield DECIDED for what the peer has not executed and is decided here, a limited number."""
    config, status = question.config, question.status
    for sequence in range(status.executed + 1, status.executed + 1 + config.answer_limit):
        decision = _decision(question, sequence, batch_of)
        if decision is not None and question.is_our_turn(sequence):
            digest, attachment, certificate = decision
            yield sign(Decided(config.epoch, sequence, digest, certificate, config.index), attachment)


def _decision(
    question: _Question, sequence: int, batch_of: BatchPort
) -> tuple[bytes, bytes | None, Certificate] | None:
    if sequence <= question.periods.executed:
        return batch_of(sequence)
    slot = question.log.find(sequence)
    if slot is None or slot.committed is None or not question.periods.is_overdue(slot):
        return None
    listed = question.listed.get(sequence)
    if listed is not None and listed.commit_mask == all_of(question.config.n):
        return None
    committed = slot.committed
    return committed.digest, committed.carrier.attachment, committed.certificate


def _votes(question: _Question, primary: int) -> Iterator[Signed]:
    """Yield the pre-prepare and our own votes of slots that are not decided here either."""
    index = question.config.index
    for slot in question.log.slots(question.status.executed):
        listed = question.listed.get(slot.sequence)
        if slot.phase is Phase.COMMITTED or not (listed or question.periods.is_overdue(slot)):
            continue
        has_pre_prepare, prepares, commits = listed[1:] if listed else (False, 0, 0)
        if slot.digest is not None and not has_pre_prepare:
            assert slot.pre_prepare is not None
            if index == primary or question.is_our_turn(slot.sequence):
                yield slot.pre_prepare
        for vote, mask in ((slot.prepares.votes[index], prepares), (slot.commits.votes[index], commits)):
            if vote is not None and not mask >> index & 1:
                yield vote
