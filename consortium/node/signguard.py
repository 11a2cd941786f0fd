"""The one place where a bank signs (pbft.md A.8): it never signs two different things for one slot.

Records are kept per (epoch, view, sequence, kind); the same body again gives the identical message, a
different one is refused, and so is a vote in a lower (epoch, view) than the highest one signed. The records
are persisted before what they cover is sent, and given back at boot.
"""

from collections.abc import Iterable
from typing import Any

from consortium.consensus.messages import COMMIT, PRE_PREPARE, PREPARE, Message, Signed, SlotKey, seal
from consortium.consensus.output import Record
from consortium.crypto import Signer

VOTES = frozenset({PRE_PREPARE, PREPARE, COMMIT})


class EquivocationRefusedError(Exception):
    """Our own code asked for a second, different signature for one slot: a bug, never sent."""


class SignGuard:
    """Signs message contents for one replica of one chain."""

    def __init__(self, signer: Signer, chain: bytes) -> None:
        self._signer = signer
        self._chain = chain
        self._signed: dict[tuple[Any, ...], Signed] = {}
        self._highest_view = (0, 0)
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
            if content.KIND in VOTES and slot[:2] < self._highest_view:
                raise EquivocationRefusedError(f"a {content.KIND} for {slot} below view {self._highest_view}")
        signed = seal(content, self._chain, self._signer, attachment)
        self.signs += 1
        if slot is not None:
            self._keep(slot, signed)
        return signed

    def _keep(self, slot: SlotKey, signed: Signed) -> None:
        self._signed[slot] = signed
        self._highest_view = max(self._highest_view, slot[:2])

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
        self._signed = {slot: signed for slot, signed in self._signed.items() if slot[2] > sequence}
