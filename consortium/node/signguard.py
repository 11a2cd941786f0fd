"""The one place where a bank signs (pbft.md A.8): it never signs two different things for one slot.

Records are kept per (epoch, view, sequence, kind); the same body again gives the identical message, a
different one is refused. Once anything is signed for a view, no vote of a lower (epoch, view) is, ever. The
records are persisted before what they cover is sent, and given back at boot.
"""

from collections.abc import Iterable
from typing import Any

from consortium.consensus.messages import (
    COMMIT,
    NEW_VIEW,
    PRE_PREPARE,
    PREPARE,
    VIEW_CHANGE,
    Message,
    Signed,
    SlotKey,
    seal,
)
from consortium.consensus.output import Record
from consortium.crypto import Signer

OF_A_VIEW = frozenset({PRE_PREPARE, PREPARE, COMMIT, VIEW_CHANGE, NEW_VIEW})
"""What is signed for a view, and no more once that view was left."""


class EquivocationRefusedError(Exception):
    """Our own code asked for a second, different signature for one slot: a bug, never sent."""


class SignGuard:
    """Signs message contents for one replica of one chain."""

    def __init__(self, signer: Signer, chain: bytes) -> None:
        self._signer = signer
        self._chain = chain
        self._signed: dict[tuple[Any, ...], Signed] = {}
        self.left = (0, 0)
        """The highest (epoch, view) for which anything was signed: every lower view was left for good."""
        self.signs = 0
        """Signatures made so far; the node charges the difference over a turn."""

    def sign(self, content: Message, attachment: bytes | None) -> Signed:
        """Return `content` signed. Raises EquivocationRefusedError for a second body in one slot."""
        slot = content.slot
        if slot is not None:
            before = self._signed.get(slot)
            if before is not None:
                if before.content.fields() != content.fields():
                    raise EquivocationRefusedError(f"a second {content.KIND} for {slot}")
                return before
            if slot[:2] < self.left and slot[3] in OF_A_VIEW:
                raise EquivocationRefusedError(f"a {content.KIND} for {slot} below (epoch, view) {self.left}")
        signed = seal(content, self._chain, self._signer, attachment)
        self.signs += 1
        if slot is not None:
            self._keep(slot, signed)
        return signed

    def _keep(self, slot: SlotKey, signed: Signed) -> None:
        self._signed[slot] = signed
        if slot[3] in OF_A_VIEW:
            self.left = max(self.left, slot[:2])

    def restore(self, records: Iterable[Record], own_index: int) -> None:
        """Take back, after a restart, what this bank had signed before it."""
        for record in records:
            if isinstance(record, Signed) and record.content.sender == own_index:
                slot = record.content.slot
                if slot is not None:
                    self._keep(slot, record)

    def knows(self, slot: SlotKey) -> bool:
        """Whether this bank remembers what it signed for a slot."""
        return slot in self._signed

    def sign_bytes(self, body: bytes) -> bytes:
        """Sign a body that has no slot (a bundle)."""
        self.signs += 1
        return self._signer.sign(body)

    def forget_below(self, sequence: int) -> None:
        """Drop the records of slots at or below a stable checkpoint: nothing is signed there any more."""
        self._signed = {
            slot: signed
            for slot, signed in self._signed.items()
            if slot[2] > sequence or (slot[2] == 0 and slot[:2] >= self.left)
        }
