"""What a replica shows of itself: frozen plain values, and the sentence that says what a slot waits for.

Drivers, reports and `explain` read protocol state only through these. Nothing in here decides anything.
"""

from dataclasses import dataclass
from enum import StrEnum

from consortium.consensus.log import Slot
from consortium.consensus.messages import Commit, Prepare
from consortium.consensus.quorum import ConsensusConfig, all_of, members_of
from consortium.consensus.transitions import Phase


class Mode(StrEnum):
    """What the replica takes part in. (A view change will be the other one.)"""

    NORMAL = "normal"


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


def slot_status(
    slot: Slot | None, sequence: int, *, config: ConsensusConfig, primary: int, low: int, executed: int
) -> SlotStatus:
    """Return what is to be said about one sequence number above `executed`; `slot` if anything is known."""
    others = all_of(config.n) & ~(1 << config.index)
    if slot is None:
        if sequence <= low:
            return _status(sequence, Phase.WAITING, Wait.DECISION, others, 1)
        return _status(sequence, Phase.WAITING, _who_proposes(config, primary), 1 << primary, 1)
    prepares, commits = slot.prepares, slot.commits
    have, backups = prepares.mask, all_of(config.n) & ~(1 << primary)
    match slot.phase:
        case Phase.WAITING if slot.pre_prepare is None:
            waits = (_who_proposes(config, primary), 1 << primary, 1)
        case Phase.WAITING:
            waits = (Wait.BODY, others, 1)
        case Phase.PRE_PREPARED:
            waits = (Wait.PREPARES, backups & ~have, prepares.needed - have.bit_count())
        case Phase.PREPARED:
            missing = all_of(config.n) & ~commits.mask
            waits = (Wait.COMMITS, missing, commits.needed - commits.mask.bit_count())
        case Phase.COMMITTED:
            waits = (Wait.EXECUTION if sequence == executed + 1 else Wait.EARLIER, 0, 0)
    return _status(sequence, slot.phase, *waits, slot=slot, primary=primary)


def _status(
    sequence: int,
    phase: Phase,
    waits_for: Wait,
    missing: int,
    needed: int,
    slot: Slot | None = None,
    primary: int = 0,
) -> SlotStatus:
    digest, prepared, committed = None, 0, 0
    if slot is not None:
        digest = slot.committed.digest if slot.committed is not None else slot.digest
        prepared = slot.prepares.mask | (0 if slot.digest is None else 1 << primary)
        committed = slot.commits.mask
    return SlotStatus(
        sequence=sequence,
        phase=phase,
        digest=digest,
        prepared_by=members_of(prepared),
        committed_by=members_of(committed),
        others=() if slot is None else _other_votes(slot),
        waits_for=waits_for,
        missing=members_of(missing),
        needed=needed,
    )


def _who_proposes(config: ConsensusConfig, primary: int) -> Wait:
    return Wait.PROPOSAL if primary == config.index else Wait.PRE_PREPARE


def _other_votes(slot: Slot) -> tuple[tuple[str, int, bytes], ...]:
    votes = []
    for tally in (slot.prepares, slot.commits):
        for signed in tally.votes:
            if signed is not None and not tally.mask >> signed.content.sender & 1:
                content = signed.content
                assert isinstance(content, Prepare | Commit)
                votes.append((content.KIND, content.sender, content.digest))
    return tuple(votes)


def explain(status: ReplicaStatus, sequence: int) -> str:
    """Say in one sentence why a sequence number is not executed at this replica."""
    if sequence <= status.executed:
        return f"{sequence} is executed"
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
