"""The view change (Castro & Liskov 4.4 and 4.5.2, the variant with signatures), as far as it can be computed.

Pure rules first: what a VIEW-CHANGE and a NEW-VIEW must prove, and what follows from a quorum's
VIEW-CHANGEs (`choose`: the same at the new primary and at every backup). Then the data that a replica keeps
meanwhile: one VIEW-CHANGE of each sender, votes that came before their view, and how long to wait.

Nothing in here decides to change view; the replica does. The signatures were verified before.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from consortium.certificate import Certificate
from consortium.consensus.log import Slot
from consortium.consensus.messages import (
    CHECKPOINT,
    NewView,
    PreparedProof,
    PrePrepare,
    Signed,
    SlotKey,
    ViewChange,
)
from consortium.consensus.quorum import ConsensusConfig, is_quorum, mask_of

VIEWS_AHEAD = 2
"""Votes of so many views above ours are kept until we are there; later ones are asked for by STATUS."""
DOUBLINGS_MAX = 16


# --- what a message must prove --------------------------------------------------------------------------


def problem_with_view_change(content: ViewChange, config: ConsensusConfig) -> str | None:
    """Return why a VIEW-CHANGE proves less than it says, or None (4.4: C and P must be valid)."""
    if content.epoch != config.epoch:
        return "is of another epoch"
    if not 0 <= content.sender < config.n:
        return "is not from a member"
    if content.view < 1:
        return "leads into no later view"
    certificate, stable = content.checkpoint, content.stable
    if certificate is None:
        if stable != 0:
            return "has no certificate for its checkpoint"
    elif stable == 0 or not is_quorum(certificate, CHECKPOINT, config):
        return "has a certificate that proves no checkpoint"
    elif len(certificate.fields) != 4 or certificate.fields[0] != stable:
        return "has a certificate for another checkpoint"
    last = stable
    for proof in content.prepared:
        if not last < proof.sequence <= stable + config.window:
            return "has a prepared certificate outside its window, or two for one sequence number"
        last = proof.sequence
        if proof.view >= content.view:
            return "has a prepared certificate of a view that it does not leave"
        if not is_prepared(proof, config):
            return "has a prepared certificate that proves nothing"
    return None


def is_prepared(proof: PreparedProof, config: ConsensusConfig) -> bool:
    """4.2: the pre-prepare of the view's primary and PREPAREs of q-1 distinct backups, not the primary's."""
    return (
        proof.primary == config.primary(proof.view)
        and proof.signers.bit_length() <= config.n
        and not proof.signers >> proof.primary & 1
        and proof.signers.bit_count() >= config.quorum - 1
        and len(proof.signatures) == proof.signers.bit_count()
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """What a new view starts with, as a quorum's VIEW-CHANGEs determine it (4.4)."""

    low: int
    """min-s: the highest stable checkpoint in V."""
    checkpoint: Certificate | None
    """Its certificate; None for genesis."""
    high: int
    """max-s: the highest sequence number in any P, or min-s."""
    digests: tuple[bytes, ...]
    """For min-s+1 to max-s: what was prepared in the highest view, else the null batch."""


def choose(view_changes: Sequence[ViewChange], config: ConsensusConfig) -> Choice:
    """Compute min-s, max-s and the digests of O from V (4.4); a pure function of V as a set."""
    highest = max(view_changes, key=lambda change: change.stable)
    low = highest.stable
    best: dict[int, PreparedProof] = {}
    for change in view_changes:
        for proof in change.prepared:
            known = best.get(proof.sequence)
            if proof.sequence > low and (known is None or proof.view > known.view):
                best[proof.sequence] = proof
    high = max(best, default=low)
    null = config.null_digest
    return Choice(
        low=low,
        checkpoint=highest.checkpoint,
        high=high,
        digests=tuple(
            best[sequence].digest if sequence in best else null for sequence in range(low + 1, high + 1)
        ),
    )


def pre_prepares_of(choice: Choice, view: int, config: ConsensusConfig) -> Iterator[PrePrepare]:
    """Yield O: the pre-prepares that the new view begins with."""
    primary = config.primary(view)
    for offset, digest in enumerate(choice.digests, 1):
        yield PrePrepare(config.epoch, view, choice.low + offset, digest, primary)


def problem_with_new_view(content: NewView, config: ConsensusConfig) -> str | None:
    """Return why a NEW-VIEW does not start its view, or None. O is computed again from V (4.4)."""
    if content.epoch != config.epoch:
        return "is of another epoch"
    if content.view < 1 or content.sender != config.primary(content.view):
        return "is not from the primary of its view"
    changes: list[ViewChange] = []
    for signed in content.view_changes:
        change = signed.content
        if not isinstance(change, ViewChange) or change.view != content.view:
            return "holds a view change for another view"
        problem = problem_with_view_change(change, config)
        if problem is not None:
            return f"holds a view change that {problem}"
        changes.append(change)
    senders = mask_of(change.sender for change in changes)
    if senders.bit_count() != len(changes):
        return "holds two view changes of one sender"
    if len(changes) < config.quorum:
        return f"holds {len(changes)} view changes, {config.quorum} are needed"
    proposed = tuple(signed.content for signed in content.pre_prepares)
    if proposed != tuple(pre_prepares_of(choose(changes, config), content.view, config)):
        return "proposes something else than follows from its view changes"
    return None


def proofs_of(slots: Iterable[Slot]) -> tuple[PreparedProof, ...]:
    """Return P: the prepared certificate of the highest view for each slot that has one."""
    proofs = []
    for slot in slots:
        if slot.prepared is None:
            continue
        certificate = slot.prepared.certificate
        header = slot.prepared.pre_prepare
        view, sequence, digest = header.content.fields()
        proofs.append(
            PreparedProof(
                view,
                sequence,
                digest,
                header.content.sender,
                header.signature,
                certificate.signers,
                certificate.signatures,
            )
        )
    return tuple(proofs)


# --- what is kept ---------------------------------------------------------------------------------------


class ViewChangeLog:
    """The VIEW-CHANGE of the highest view of each sender: n messages at most, whatever views they name."""

    __slots__ = ("_of",)

    def __init__(self) -> None:
        self._of: dict[int, Signed] = {}

    def of(self, sender: int) -> Signed | None:
        """Return the VIEW-CHANGE of a sender's highest view."""
        return self._of.get(sender)

    def add(self, signed: Signed, content: ViewChange) -> bool:
        """Keep it if it is of a higher view than what its sender sent before; tell whether it is."""
        before = self._of.get(content.sender)
        if before is not None and _view_of(before) >= content.view:
            return False
        self._of[content.sender] = signed
        return True

    def for_view(self, view: int) -> tuple[Signed, ...]:
        """Return the VIEW-CHANGEs for one view in the order of their senders."""
        return tuple(self._of[sender] for sender in sorted(self._of) if _view_of(self._of[sender]) == view)

    def view_to_join(self, view: int, weak_quorum: int) -> int | None:
        """4.5.2: f+1 distinct senders want views above `view`: the smallest of these, else None."""
        above = [wanted for wanted in map(_view_of, self._of.values()) if wanted > view]
        return min(above) if len(above) >= weak_quorum else None


def _view_of(signed: Signed) -> int:
    content = signed.content
    assert isinstance(content, ViewChange)
    return content.view


class EarlyVotes:
    """Messages of views that we have not entered yet, a bounded number of each sender."""

    __slots__ = ("_held", "_limit")

    def __init__(self, window: int) -> None:
        self._limit = 2 * window
        self._held: dict[int, dict[SlotKey, Signed]] = {}

    def keep(self, signed: Signed) -> None:
        """Keep the first message of its sender for its slot, while there is room for this sender."""
        held = self._held.setdefault(signed.content.sender, {})
        slot = signed.content.slot
        if slot is not None and len(held) < self._limit:
            held.setdefault(slot, signed)

    def take(self, view: int) -> list[Signed]:
        """Take out what is of this view, by sender, and forget what is of earlier ones."""
        taken: list[Signed] = []
        for sender in sorted(self._held):
            held = self._held[sender]
            taken += [signed for slot, signed in held.items() if slot[1] == view]
            self._held[sender] = {slot: signed for slot, signed in held.items() if slot[1] > view}
        return taken

    @property
    def size(self) -> int:
        """How many messages are held."""
        return sum(len(held) for held in self._held.values())


@dataclass(slots=True)
class Patience:
    """How long to wait (4.5.2): twice as long for each view change in a row, less again after success."""

    changes: int = 0
    """View changes that were started and not yet forgiven."""

    @property
    def doublings(self) -> int:
        """How often the basic timeout is doubled for the present view."""
        return min(max(0, self.changes - 1), DOUBLINGS_MAX)

    def started(self) -> None:
        self.changes += 1

    def succeeded(self) -> None:
        """A checkpoint became stable in a view that runs: be half as patient from now on."""
        self.changes = max(0, self.changes - 1)
