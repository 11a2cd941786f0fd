"""CHECKPOINT votes and the stable checkpoint (Castro & Liskov 4.3).

A CHECKPOINT may be for any executed sequence number: every K is the regular trigger, an idle group and the
end of a run are the others. q matching ones of distinct replicas make a checkpoint stable, whether or not
this replica has executed so far itself; watermarks and discarding follow it (the replica does that).

Bounded: inside the window one vote for each sender and sequence number; above it only the highest of each
sender, which is enough to learn from q of them that the group is far ahead.
"""

from typing import Any

from consortium.certificate import Certificate
from consortium.consensus.messages import Checkpoint, Signed
from consortium.consensus.output import certificate_from


class CheckpointLog:
    """The CHECKPOINT votes above the stable checkpoint, and the certificate of that one."""

    __slots__ = ("_ahead", "_masks", "_votes", "accused", "own", "stable")

    def __init__(self) -> None:
        self.stable: Certificate | None = None
        """Of the low watermark; None at genesis, which needs no proof."""
        self.own: dict[int, Signed] = {}
        """Our own CHECKPOINTs above the stable one, by sequence number, ascending."""
        self.accused = 0
        """Replicas of which evidence was given (once each)."""
        self._votes: dict[int, dict[int, Signed]] = {}
        self._masks: dict[tuple[Any, ...], int] = {}
        self._ahead: dict[int, int] = {}

    def vote_of(self, sequence: int, sender: int) -> Signed | None:
        """Return the first CHECKPOINT of a sender for a sequence number."""
        return self._votes.get(sequence, {}).get(sender)

    def add(self, signed: Signed, content: Checkpoint, high: int) -> int:
        """Take the first vote of its sender for its sequence number; return who has voted the same.

        Above the high watermark it takes the place of an earlier one of the same sender; a lower one than
        that is dropped (the result is then 0).
        """
        sender, sequence = content.sender, content.sequence
        if sequence > high:
            before = self._ahead.get(sender, 0)
            if sequence < before:
                return 0
            if before:
                self._forget(before, sender)
            self._ahead[sender] = sequence
        self._votes.setdefault(sequence, {})[sender] = signed
        key = content.fields()
        mask = self._masks[key] = self._masks.get(key, 0) | 1 << sender
        return mask

    def certificate(self, content: Checkpoint) -> Certificate:
        """Return the certificate of everybody who has voted the same as `content`."""
        votes = self._votes[content.sequence]
        same = tuple(
            votes[sender] for sender in sorted(votes) if votes[sender].content.fields() == content.fields()
        )
        return certificate_from(same)

    def advance(self, stable: Certificate, low: int, high: int) -> None:
        """Keep the certificate of the new low watermark and forget the votes at or below it (4.3)."""
        self.stable = stable
        self.own = {sequence: signed for sequence, signed in self.own.items() if sequence > low}
        self._votes = {sequence: votes for sequence, votes in self._votes.items() if sequence > low}
        self._masks = {key: mask for key, mask in self._masks.items() if key[0] > low}
        self._ahead = {sender: sequence for sender, sequence in self._ahead.items() if sequence > high}

    def attested_above(self, high: int, weak_quorum: int) -> int:
        """Return the highest sequence number above `high` that f+1 replicas certify alike, or 0.

        One of them is correct, so the group really is there: time to catch up.
        """
        return max(
            (
                key[0]
                for key, mask in self._masks.items()
                if key[0] > high and mask.bit_count() >= weak_quorum
            ),
            default=0,
        )

    @property
    def size(self) -> int:
        """How many votes are held."""
        return sum(len(votes) for votes in self._votes.values())

    def _forget(self, sequence: int, sender: int) -> None:
        votes = self._votes[sequence]
        content = votes.pop(sender).content
        if not votes:
            del self._votes[sequence]
        mask = self._masks[content.fields()] & ~(1 << sender)
        if mask:
            self._masks[content.fields()] = mask
        else:
            del self._masks[content.fields()]
