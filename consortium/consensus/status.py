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
    PREPARES = "PREPAREs"
    COMMITS = "COMMITs"
    EARLIER = "an earlier sequence number"
    EXECUTION = "execution"
    NOTHING = "nothing"


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
    slot: Slot | None, sequence: int, config: ConsensusConfig, primary: int, executed: int
) -> SlotStatus:
    """Return what is to be said about one sequence number above `executed`."""
    if slot is None:
        phase, digest, prepared, committed = Phase.WAITING, None, 0, 0
    else:
        phase, digest, committed = slot.phase, slot.digest, slot.commits.mask
        prepared = slot.prepares.mask | (0 if digest is None else 1 << primary)
    waits_for, missing, needed = _wait(slot, sequence, config, primary, executed)
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


def _wait(
    slot: Slot | None, sequence: int, config: ConsensusConfig, primary: int, executed: int
) -> tuple[Wait, int, int]:
    """Return what the slot waits for, from whom that can come (a mask), and how many of them are needed."""
    everybody = all_of(config.n)
    phase = Phase.WAITING if slot is None else slot.phase
    if slot is None or (phase is Phase.WAITING and slot.pre_prepare is None):
        return (Wait.PROPOSAL if primary == config.index else Wait.PRE_PREPARE, 1 << primary, 1)
    if phase is Phase.WAITING:
        return Wait.BODY, everybody & ~(1 << config.index), 1
    if phase is Phase.PRE_PREPARED:
        have = slot.prepares.mask
        return Wait.PREPARES, everybody & ~have & ~(1 << primary), slot.prepares.needed - have.bit_count()
    if phase is Phase.PREPARED:
        have = slot.commits.mask
        return Wait.COMMITS, everybody & ~have, slot.commits.needed - have.bit_count()
    return (Wait.EXECUTION if sequence == executed + 1 else Wait.EARLIER), 0, 0


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
            return f"{sequence} is {slot.phase}, waits for {_reason(slot)}"
    return f"{sequence} is unknown here; {explain(status, status.executed + 1)}"


def _reason(slot: SlotStatus) -> str:
    wait = slot.waits_for
    if wait in (Wait.PREPARES, Wait.COMMITS):
        return f"{slot.needed} more {wait} (of {_listed(slot.missing)})"
    if wait in (Wait.PRE_PREPARE, Wait.BODY):
        return f"{wait} (from {_listed(slot.missing)})"
    return str(wait)


def _listed(indices: tuple[int, ...]) -> str:
    return ", ".join(str(index) for index in indices)
