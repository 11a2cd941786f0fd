"""The message log of one replica: a ring of slots between the watermarks (Castro & Liskov 4.2, 4.3).

A slot holds one sequence number's pre-prepare and votes. The signed votes are kept by the sender's number, so
each replica counts once, and they are there for certificates, for evidence and for sending our own again.
They are counted when they arrive, never again. Everything here is bounded: one PREPARE and one COMMIT for
each (view, sequence, sender), W slots.

These are data structures; the replica alone changes them. A new view starts the tallies of a slot anew and
keeps `prepared`, which only a prepared certificate of a higher view or the watermark may replace.
"""

from collections.abc import Iterator

from consortium.consensus.messages import Commit, Prepare, PrePrepare, Signed
from consortium.consensus.output import Committed, Prepared
from consortium.consensus.quorum import mask_of
from consortium.consensus.transitions import Phase

NOBODY = -1
BODIES_MAX = 8
"""Batches of earlier views that one slot keeps; it takes a faulty primary to fill them up."""


class Tally:
    """The votes of one kind for one slot in the present view: the first vote of each replica counts."""

    __slots__ = ("barred", "count", "early", "needed", "votes")

    def __init__(self, n: int, needed: int, barred: int) -> None:
        self.votes: list[Signed | None] = [None] * n
        """The first vote of each sender, for whatever digest: no replica can count twice."""
        self.count = 0
        """How many voted for the accepted digest. Kept, because counting again for each vote costs most."""
        self.early: dict[bytes, int] = {}
        """Votes for digests that are not accepted (yet): digest -> how many voted for it."""
        self.needed = needed
        """The count at which the slot may move on."""
        self.barred = barred
        """The primary, among PREPAREs: its pre-prepare stands for it and must not count twice."""

    def accept(self, digest: bytes) -> None:
        """Count what was voted for the digest that is now accepted."""
        self.count += self.early.pop(digest, 0)

    def matching(self, digest: bytes) -> tuple[Signed, ...]:
        """Return the votes for a digest in the order of their senders."""
        votes = tuple(filter(None, self.votes))
        if not self.early:
            return votes
        return tuple(vote for vote in votes if digest_of(vote) == digest)

    @property
    def held(self) -> int:
        """The bitmask of those whose vote is here, for whatever digest."""
        return mask_of(sender for sender, vote in enumerate(self.votes) if vote is not None)

    def voters(self, digest: bytes | None) -> int:
        """Return the bitmask of those who voted for this digest."""
        votes = enumerate(self.votes)
        return mask_of(sender for sender, vote in votes if vote is not None and digest_of(vote) == digest)


def digest_of(vote: Signed) -> bytes:
    """Return what a PRE-PREPARE, PREPARE or COMMIT is for."""
    content = vote.content
    assert isinstance(content, PrePrepare | Prepare | Commit)
    return content.digest


class Slot:
    """What one replica knows of one sequence number."""

    __slots__ = (
        "accused",
        "bodies",
        "commits",
        "committed",
        "digest",
        "opened",
        "phase",
        "pre_prepare",
        "prepared",
        "prepares",
        "sequence",
        "view",
    )

    def __init__(self, sequence: int, view: int, primary: int, n: int, quorum: int, opened: int) -> None:
        self.sequence = sequence
        self.view = view
        """Of the pre-prepare and the votes below."""
        self.phase = Phase.WAITING
        self.opened = opened
        """The STATUS period in which the slot was opened: tells what is overdue."""
        self.pre_prepare: Signed | None = None
        """The first one of this view; while its batch is missing it is known, but not accepted."""
        self.digest: bytes | None = None
        """Of the accepted pre-prepare."""
        self.prepares = Tally(n, quorum - 1, primary)
        self.commits = Tally(n, quorum, NOBODY)
        self.prepared: Prepared | None = None
        """The prepared certificate of the highest view."""
        self.committed: Committed | None = None
        self.accused = 0
        """Replicas of which evidence was given for this slot (once is enough)."""
        self.bodies: dict[bytes, bytes] = {}
        """Batches of earlier views by digest: whoever prepared one may have it proposed again."""

    @property
    def is_active(self) -> bool:
        """Whether anything of the present view is here, or a decision."""
        return (
            self.pre_prepare is not None
            or self.committed is not None
            or bool(self.prepares.early)
            or bool(self.commits.early)
        )

    def body(self, digest: bytes) -> bytes | None:
        """Return the batch with this digest if it was ever accepted for this slot."""
        if self.committed is not None and self.committed.digest == digest:
            return self.committed.carrier.attachment
        prepared = self.prepared
        if prepared is not None and digest_of(prepared.pre_prepare) == digest:
            return prepared.pre_prepare.attachment
        return self.bodies.get(digest)

    def restart(self, view: int, primary: int, n: int, quorum: int, opened: int) -> None:
        """Start anew in another view: certificates, decision and batches stay, votes and proposal go."""
        pre_prepare = self.pre_prepare
        if pre_prepare is not None and pre_prepare.attachment is not None and self.digest is not None:
            if len(self.bodies) >= BODIES_MAX:
                del self.bodies[next(iter(self.bodies))]
            self.bodies[self.digest] = pre_prepare.attachment
        self.view = view
        self.phase = Phase.WAITING
        self.opened = opened
        self.pre_prepare = None
        self.digest = None
        self.prepares = Tally(n, quorum - 1, primary)
        self.commits = Tally(n, quorum, NOBODY)
        self.accused = 0


class Log:
    """The slots in (low, high]. low is h_vote, the highest certified checkpoint; high = low + W."""

    __slots__ = ("high", "low", "n", "quorum", "ring", "window")

    def __init__(self, n: int, quorum: int, window: int) -> None:
        self.n = n
        self.quorum = quorum
        self.window = window
        self.low = 0
        self.high = window
        self.ring: list[Slot | None] = [None] * window

    def find(self, sequence: int) -> Slot | None:
        """Return the slot of a sequence number inside the window, if anything is known of it."""
        return self.ring[sequence % self.window] if self.low < sequence <= self.high else None

    def open(self, sequence: int, view: int, primary: int, period: int) -> Slot:
        """Return the slot of a sequence number inside the window, opened if need be."""
        assert self.low < sequence <= self.high, "slots exist between the watermarks only"
        place = sequence % self.window
        slot = self.ring[place]
        if slot is None:
            slot = self.ring[place] = Slot(sequence, view, primary, self.n, self.quorum, period)
        return slot

    def slots(self, above: int) -> Iterator[Slot]:
        """Yield what is known of sequence numbers above `above`, ascending."""
        for sequence in range(max(above, self.low) + 1, self.high + 1):
            slot = self.ring[sequence % self.window]
            if slot is not None:
                yield slot

    def restart(self, view: int, primary: int, period: int) -> None:
        """Start every slot anew in another view."""
        for slot in self.slots(self.low):
            slot.restart(view, primary, self.n, self.quorum, period)

    def advance(self, low: int) -> None:
        """Move the watermarks up to a certified checkpoint and drop the slots at or below it (4.3)."""
        assert low > self.low, "watermarks only move up"
        for sequence in range(self.low + 1, min(low, self.high) + 1):
            self.ring[sequence % self.window] = None
        self.low = low
        self.high = low + self.window
