"""What a replica shows of itself: frozen plain values, and the sentence that says what a slot waits for.

Drivers, reports and `explain` read protocol state only through these. Nothing in here decides anything.
"""

from dataclasses import dataclass
from enum import StrEnum

from consortium.consensus.log import Slot, digest_of
from consortium.consensus.quorum import ConsensusConfig, all_of, members_of
from consortium.consensus.transitions import Phase


class Mode(StrEnum):
    """What the replica takes part in."""

    NORMAL = "normal"
    VIEW_CHANGE = "view change"


class Wait(StrEnum):
    """What keeps a slot from being executed."""

    PROPOSAL = "a batch to propose"
    PRE_PREPARE = "the primary's pre-prepare"
    BODY = "the batch of the pre-prepare"
    PREPARES = "PREPARE"
    COMMITS = "COMMIT"
    EARLIER = "an earlier sequence number"
    EXECUTION = "execution"
    DECISION = "the decision of a sequence number that others have executed"


@dataclass(frozen=True, slots=True)
class SlotStatus:
    """One sequence number at one replica: how far it is, who voted, what it waits for and who is missing."""

    sequence: int
    phase: Phase
    digest: bytes | None
    prepared_by: tuple[int, ...]
    """Replicas that stand behind the digest by pre-prepare or PREPARE."""
    committed_by: tuple[int, ...]
    others: tuple[tuple[str, int, bytes], ...]
    """Votes for a digest that is not the accepted one (or before there is one): (kind, sender, digest)."""
    waits_for: Wait
    missing: tuple[int, ...]
    """Replicas from which that could come."""
    needed: int
    """How many of those are needed."""


@dataclass(frozen=True, slots=True)
class ReplicaStatus:
    """A snapshot of one replica."""

    index: int
    epoch: int
    view: int
    primary: int
    mode: Mode
    stable: int
    """The low watermark: the highest certified checkpoint."""
    high: int
    executed: int
    """Below `stable` only in a replica that is behind and catches up."""
    next_sequence: int
    """What the primary proposes next; 0 at a backup."""
    can_propose: bool
    open: tuple[SlotStatus, ...]
    """Every sequence number that is not executed, up to the highest known one; at least the next."""
    behind: int
    """A sequence number above the window that f+1 replicas have executed; 0 if there is none."""
    diverged_at: int
    """Where our own results differ from what a quorum certified; 0 if nowhere."""
    refused: tuple[tuple[str, int], ...]
    """(cause, count) of messages that were not accepted."""
    view_changes: tuple[int, ...] = ()
    """While it changes view: from whom VIEW-CHANGEs for it are here."""
    quorum: int = 0


def slot_status(
    slot: Slot | None, sequence: int, *, config: ConsensusConfig, primary: int, low: int, executed: int
) -> SlotStatus:
    """Return what is to be said about one sequence number above `executed`; `slot` if anything is known."""
    if slot is None:
        return _unknown(sequence, config, primary, is_certified=sequence <= low)
    digest = slot.digest if slot.committed is None else slot.committed.digest
    prepared, committed = slot.prepares.voters(digest), slot.commits.voters(digest)
    if digest is not None and digest == slot.digest:
        prepared |= 1 << primary
    waits_for, missing, needed = _wait(slot, config, primary, executed)
    votes = (vote for vote in (*slot.prepares.votes, *slot.commits.votes) if vote is not None)
    return SlotStatus(
        sequence=sequence,
        phase=slot.phase,
        digest=digest,
        prepared_by=members_of(prepared),
        committed_by=members_of(committed),
        others=tuple(
            (vote.content.KIND, vote.content.sender, digest_of(vote))
            for vote in votes
            if digest_of(vote) != digest
        ),
        waits_for=waits_for,
        missing=members_of(missing),
        needed=needed,
    )


def _unknown(sequence: int, config: ConsensusConfig, primary: int, *, is_certified: bool) -> SlotStatus:
    """A sequence number of which nothing is here; a certified checkpoint may say that others are past it."""
    others = all_of(config.n) & ~(1 << config.index)
    return SlotStatus(
        sequence=sequence,
        phase=Phase.WAITING,
        digest=None,
        prepared_by=(),
        committed_by=(),
        others=(),
        waits_for=Wait.DECISION if is_certified else _who_proposes(config, primary),
        missing=members_of(others) if is_certified else (primary,),
        needed=1,
    )


def _wait(slot: Slot, config: ConsensusConfig, primary: int, executed: int) -> tuple[Wait, int, int]:
    """Return what a slot waits for, the mask of those from whom it can come, and how many are needed."""
    everybody = all_of(config.n)
    if slot.committed is not None:
        return (Wait.EXECUTION if slot.sequence == executed + 1 else Wait.EARLIER), 0, 0
    match slot.phase:
        case Phase.WAITING if slot.pre_prepare is None:
            return _who_proposes(config, primary), 1 << primary, 1
        case Phase.WAITING:
            return Wait.BODY, everybody & ~(1 << config.index), 1
        case Phase.PRE_PREPARED:
            have = slot.prepares.voters(slot.digest) | 1 << primary
            return Wait.PREPARES, everybody & ~have, slot.prepares.needed - slot.prepares.count
        case Phase.PREPARED:
            have = slot.commits.voters(slot.digest)
            return Wait.COMMITS, everybody & ~have, slot.commits.needed - slot.commits.count
        case Phase.COMMITTED:
            raise AssertionError("a committed slot has its decision")


def _who_proposes(config: ConsensusConfig, primary: int) -> Wait:
    return Wait.PROPOSAL if primary == config.index else Wait.PRE_PREPARE


def explain(status: ReplicaStatus, sequence: int) -> str:
    """Say in one sentence why a sequence number is not executed at this replica."""
    if sequence <= status.executed:
        return f"{sequence} is executed"
    if status.mode is Mode.VIEW_CHANGE:
        missing = status.quorum - len(status.view_changes)
        what = f"{missing} more VIEW-CHANGE" if missing > 0 else f"the NEW-VIEW (from {status.primary})"
        return f"{sequence} waits for view {status.view}, which waits for {what}"
    for slot in status.open:
        if slot.sequence == sequence:
            phase = "" if slot.phase is Phase.WAITING else f"is {slot.phase} and "
            return f"{sequence} {phase}waits for {reason(slot)}"
    return f"{sequence} is unknown here; {explain(status, status.executed + 1)}"


def reason(slot: SlotStatus) -> str:
    """Say what a slot waits for, from whom it can come, and which votes are here that do not help it."""
    wait = slot.waits_for
    from_whom = ", ".join(str(index) for index in slot.missing)
    if wait in (Wait.PREPARES, Wait.COMMITS):
        plural = "" if slot.needed == 1 else "s"
        text = f"{slot.needed} more {wait}{plural} (of {from_whom})"
    elif slot.missing and wait is not Wait.PROPOSAL:
        text = f"{wait} (from {from_whom})"
    else:
        text = str(wait)
    if not slot.others:
        return text
    votes = ", ".join(f"{kind} of {sender}" for kind, sender, _ in slot.others)
    return f"{text}; here for {'another' if slot.digest else 'a'} digest: {votes}"
