"""Checkers of what a bank must keep to across its own crashes: its word, and what it has acknowledged.

`NoEquivocation` harvests every message that really left an honest bank, before and after restarts. It reads
the signed bytes themselves, and knows of messages only which of their fields name what they are about.
"""

from typing import Any, ClassVar

from consortium.consensus.messages import Signed
from consortium.crypto import hash_bytes
from consortium.encoding import EncodingError, decode
from consortium.journal.verdict import Checker
from consortium.node.effects import Executed, Recovered, Reply

SLOT_FIELDS = {
    "PRE-PREPARE": 2,  # view, sequence
    "PREPARE": 2,
    "COMMIT": 2,
    "CHECKPOINT": 1,  # sequence
    "REPLY": 1,  # height
    "VIEW-CHANGE": 1,  # view
    "NEW-VIEW": 1,
}
"""How many fields of a body, from the first, name the slot that may be signed for only once."""

DOMAIN_FIELDS = 5  # version, chain, epoch, kind, sender
SLOTS_KEPT = 1 << 16
UNSETTLED_MAX = 512


class NoEquivocation(Checker):
    """No honest bank signs two different contents for one slot, however often it crashes and returns."""

    name: ClassVar[str] = "no_equivocation"
    seen_of: ClassVar[str] = "signed messages compared"

    def __init__(self) -> None:
        super().__init__()
        self._leaving: dict[int, list[tuple[int, tuple[Any, ...], bytes]]] = {}
        self._said: dict[int, dict[tuple[Any, ...], bytes]] = {}

    def sending(self, leaves_us: int, bank: int, signed: Signed) -> None:
        """Note what is to leave; it counts once its moment is over."""
        slot = _slot_in(signed.body, bank)
        if slot is None:
            return
        leaving = self._leaving.setdefault(bank, [])
        leaving.append((leaves_us, slot, signed.body))
        if len(leaving) > UNSETTLED_MAX:
            self._settle(bank, self.now_us)

    def stopped(self, now_us: int, bank: int) -> None:
        """What had not left by now has never been said."""
        self._settle(bank, now_us)
        self._leaving.pop(bank, None)

    def finish(self) -> None:
        """Count what is still under way: nothing stops it any more."""
        for bank in self._leaving:
            self._settle(bank, None)

    def _settle(self, bank: int, now_us: int | None) -> None:
        leaving = self._leaving.get(bank, [])
        later = []
        for entry in leaving:
            if now_us is None or entry[0] <= now_us:
                self._compare(bank, entry[1], entry[2])
            else:
                later.append(entry)
        self._leaving[bank] = later

    def _compare(self, bank: int, slot: tuple[Any, ...], body: bytes) -> None:
        self.seen += 1
        said = self._said.setdefault(bank, {})
        content = hash_bytes(body)
        if said.setdefault(slot, content) != content:
            epoch, kind, *place = slot
            where = ", ".join(str(number) for number in place)
            self.violated(f"bank {bank} signed two different {kind} for ({where}) of epoch {epoch}")
        if len(said) > SLOTS_KEPT:
            del said[next(iter(said))]


class AcknowledgedIsKept(Checker):
    """What a bank has answered a client for is still there after any crash of the bank."""

    name: ClassVar[str] = "acknowledged_is_kept"
    seen_of: ClassVar[str] = "answers given"

    def __init__(self) -> None:
        super().__init__()
        self._acknowledged: dict[int, int] = {}

    def replied(self, bank: int, reply: Reply) -> None:
        if reply.height:
            self.seen += 1
            self._acknowledged[bank] = max(self._acknowledged.get(bank, 0), reply.height)

    def executed(self, bank: int, event: Executed) -> None:
        if event.transactions and event.height <= self._acknowledged.get(bank, 0):
            self.violated(f"bank {bank} had answered for height {event.height}, and had to execute it again")

    def recovered(self, bank: int, event: Recovered) -> None:
        answered = self._acknowledged.get(bank, 0)
        if event.height < answered:
            self.violated(f"bank {bank} had answered for height {answered}, and came back at {event.height}")


def _slot_in(body: bytes, author: int) -> tuple[Any, ...] | None:
    """Return (epoch, kind, what it is about) of what `author` may say only once; None for all else."""
    try:
        parts = decode(body)
    except EncodingError:
        return None
    if not isinstance(parts, tuple) or len(parts) <= DOMAIN_FIELDS or parts[4] != author:
        return None
    kind = parts[3]
    count = SLOT_FIELDS.get(kind) if isinstance(kind, str) else None
    if count is None:
        return None
    return (parts[2], kind, *parts[DOMAIN_FIELDS : DOMAIN_FIELDS + count])
