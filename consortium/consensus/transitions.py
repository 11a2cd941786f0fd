"""The normal case as tables and pure functions (Castro & Liskov 4.2): nothing in here changes anything.

`TABLE` is the whole life of a slot: the replica takes no step that is not an entry of it, and the diagram in
the documentation is drawn from it. `due` says which step the tallies allow; the `refusal` functions are the
conditions under which a message is accepted.
"""

from dataclasses import dataclass
from enum import StrEnum

from consortium.consensus.messages import Commit, Prepare, PrePrepare


class Phase(StrEnum):
    """How far one slot is at one replica."""

    WAITING = "waiting"  # no pre-prepare accepted; votes may be there already
    PRE_PREPARED = "pre-prepared"
    PREPARED = "prepared"
    COMMITTED = "committed"  # committed-local, or decided elsewhere and proven by a certificate


class Cause(StrEnum):
    """What moves a slot on."""

    PRE_PREPARE = "a complete pre-prepare of the primary is accepted"
    PREPARES = "q-1 distinct backups sent matching PREPAREs"
    COMMITS = "q distinct replicas sent matching COMMITs"
    CERTIFICATE = "a commit certificate arrived"
    NEW_VIEW = "a new view is entered"


@dataclass(frozen=True, slots=True)
class Transition:
    """One legal step; `action` is what the replica does with it, in the order in which it must be done."""

    phase: Phase
    cause: Cause
    next_phase: Phase
    action: str


ACCEPT = Transition(
    Phase.WAITING,
    Cause.PRE_PREPARE,
    Phase.PRE_PREPARED,
    "persist the pre-prepare; a backup persists and sends its PREPARE",
)
PREPARE_QUORUM = Transition(
    Phase.PRE_PREPARED,
    Cause.PREPARES,
    Phase.PREPARED,
    "persist the prepared certificate and the COMMIT, send the COMMIT",
)
COMMIT_QUORUM = Transition(
    Phase.PREPARED, Cause.COMMITS, Phase.COMMITTED, "hand over for execution, in sequence"
)
DECISIONS = tuple(
    Transition(phase, Cause.CERTIFICATE, Phase.COMMITTED, "hand over for execution, in sequence")
    for phase in (Phase.WAITING, Phase.PRE_PREPARED, Phase.PREPARED)
)

RESTARTS = tuple(
    Transition(phase, Cause.NEW_VIEW, Phase.WAITING, "keep the prepared certificate and what was decided")
    for phase in Phase
)

TABLE = (ACCEPT, PREPARE_QUORUM, COMMIT_QUORUM, *DECISIONS, *RESTARTS)
"""Every legal step of a slot."""


class Refusal(StrEnum):
    """Why a message was not accepted. `LATE` and `EARLIER_VIEW` are nobody's fault; the others count."""

    STRANGER = "not a member of this epoch"
    ANOTHER_EPOCH = "of another epoch"
    ANOTHER_VIEW = "of another view"
    EARLIER_VIEW = "of a view that was left"
    LATE = "at or below the stable checkpoint"
    BEYOND_WINDOW = "above the high watermark"
    NOT_FROM_PRIMARY = "a pre-prepare that is not from the primary of its view"
    PREPARE_FROM_PRIMARY = "a PREPARE from the primary, whose pre-prepare stands for it"
    CONFLICT = "contradicts what the same sender signed before"
    UNPROVEN = "a certificate that does not prove what it comes with"
    UNKNOWN_KIND = "of a kind that this replica does not know"


def due(phase: Phase, prepares: int, commits: int, quorum: int) -> Transition | None:
    """Return the step that these counts of matching votes allow, if any.

    prepared: the pre-prepare and q-1 PREPAREs of distinct backups, q replicas in all; the primary's own
    PREPARE is never among them. committed-local: prepared, and q matching COMMITs, the own one included.
    Ask again after every step, and after a pre-prepare that arrives behind its votes.
    """
    if phase is _PRE_PREPARED:
        return PREPARE_QUORUM if prepares >= quorum - 1 else None
    if phase is _PREPARED:
        return COMMIT_QUORUM if commits >= quorum else None
    return None


def on_certificate(phase: Phase) -> Transition | None:
    """Return the step that a commit certificate of somebody else allows; None if the slot is committed."""
    for transition in DECISIONS:
        if transition.phase is phase:
            return transition
    return None


def pre_prepare_refusal(
    content: PrePrepare, *, epoch: int, view: int, primary: int, low: int, high: int
) -> Refusal | None:
    """4.2: accepted in the present view, from its primary, between the watermarks."""
    if content.epoch != epoch:
        return Refusal.ANOTHER_EPOCH
    if content.view != view:
        return Refusal.EARLIER_VIEW if content.view < view else Refusal.ANOTHER_VIEW
    if content.sender != primary:
        return Refusal.NOT_FROM_PRIMARY
    return window_refusal(content.sequence, low, high)


def vote_refusal(
    content: Prepare | Commit, *, epoch: int, view: int, n: int, low: int, high: int
) -> Refusal | None:
    """4.2: logged in the present view, from a member, between the watermarks."""
    if content.epoch != epoch:
        return Refusal.ANOTHER_EPOCH
    if content.view != view:
        return Refusal.EARLIER_VIEW if content.view < view else Refusal.ANOTHER_VIEW
    if not 0 <= content.sender < n:
        return Refusal.STRANGER
    return window_refusal(content.sequence, low, high)


def window_refusal(sequence: int, low: int, high: int) -> Refusal | None:
    """4.2: h < n <= H."""
    if sequence <= low:
        return Refusal.LATE
    if sequence > high:
        return Refusal.BEYOND_WINDOW
    return None


# A member of an enumeration costs a slow lookup; `due` is asked after every vote that completes a count.
_PRE_PREPARED = Phase.PRE_PREPARED
_PREPARED = Phase.PREPARED
