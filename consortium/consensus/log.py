"""The message log of one replica: a ring of slots between the watermarks (Castro & Liskov 4.2, 4.3).

A slot holds one sequence number's pre-prepare and votes. Votes are counted once, when they arrive, into bits
of an int; they are never counted again. The signed votes are kept by the sender's number, for certificates,
for evidence and for sending our own again. Everything here is bounded: one PREPARE and one COMMIT for each
(view, sequence, sender), W slots.

These are data structures; the replica alone changes them. A new view will start the tallies of a slot anew
and keep `prepared`, which only a prepared certificate of a higher view or the watermark may replace.
"""

from collections.abc import Iterator

from consortium.consensus.messages import Signed
from consortium.consensus.output import Committed, Prepared
from consortium.consensus.transitions import Phase

NOBODY = -1


class Tally:
    """The votes of one kind for one slot in the present view: the first vote of each replica counts."""

    __slots__ = ("barred", "early", "mask", "needed", "votes")

    def __init__(self, n: int, needed: int, barred: int) -> None:
        self.votes: list[Signed | None] = [None] * n
        """By sender."""
        self.mask = 0
        """Who voted for the accepted digest."""
        self.early: dict[bytes, int] = {}
        """Votes for digests that are not accepted (yet): digest -> who voted for it."""
        self.needed = needed
        """The count at which the slot may move on."""
        self.barred = barred
        """The primary, among PREPAREs: its pre-prepare stands for it and must not count twice."""

    def accept(self, digest: bytes) -> None:
        """Count what was voted for the digest that is now accepted."""
        self.mask |= self.early.pop(digest, 0)

    @property
    def held(self) -> int:
        """Whose votes are here, for whatever digest."""
        return sum(1 << sender for sender, vote in enumerate(self.votes) if vote is not None)

    def matching(self) -> tuple[Signed, ...]:
        """Return the votes for the accepted digest in the order of their senders."""
        votes = self.votes
        if self.early:
            return tuple(vote for sender, vote in enumerate(votes) if vote and self.mask >> sender & 1)
        return tuple(filter(None, votes))


class Slot:
    """What one replica knows of one sequence number."""

    __slots__ = (
        "accused",
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

    def advance(self, low: int) -> None:
        """Move the watermarks up to a certified checkpoint and drop the slots at or below it (4.3)."""
        assert low > self.low, "watermarks only move up"
        for sequence in range(self.low + 1, min(low, self.high) + 1):
            self.ring[sequence % self.window] = None
        self.low = low
        self.high = low + self.window
