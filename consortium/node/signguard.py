"""The one place where a bank signs (pbft.md A.8): it never signs two different things for one slot.

Records are kept per (epoch, view, sequence, kind); the same body again gives the identical message, a
different one is refused. The records are persisted before what they cover is sent, and given back at boot.
"""

from typing import Any

from consortium.consensus.messages import Message, Signed, seal
from consortium.crypto import Signer


class EquivocationRefusedError(Exception):
    """Our own code asked for a second, different signature for one slot: a bug, never sent."""


class SignGuard:
    """Signs message contents for one replica of one chain."""

    def __init__(self, signer: Signer, chain: bytes) -> None:
        self._signer = signer
        self._chain = chain
        self._signed: dict[tuple[Any, ...], Signed] = {}
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
        signed = seal(content, self._chain, self._signer, attachment)
        self.signs += 1
        if slot is not None:
            self._signed[slot] = signed
        return signed

    def sign_bytes(self, body: bytes) -> bytes:
        """Sign a body that has no slot (a bundle)."""
        self.signs += 1
        return self._signer.sign(body)

    def forget_below(self, sequence: int) -> None:
        """Drop the records of slots at or below a stable checkpoint: nothing is signed there any more."""
        self._signed = {slot: signed for slot, signed in self._signed.items() if slot[2] > sequence}
