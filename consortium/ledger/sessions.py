"""Exactly once: the sender sessions of the world state (design decision 8).

Each organisation has 16 sessions; the state keeps a floor F and a 1,024-bit map for each, nothing else.
Number s may execute iff F < s <= F + 1,024 and its bit is unset. Because this lies under the state root, a
bank that takes over a snapshot refuses the same repeats as everybody else.
"""

from dataclasses import dataclass

from consortium.encoding import EncodingError, decode, encode

WINDOW = 1024
_SECTION = b"\x02"
_MASK = (1 << WINDOW) - 1


@dataclass(frozen=True, slots=True)
class Session:
    """The floor, and bit i for number floor + 1 + i."""

    floor: int = 0
    executed: int = 0

    def is_executed(self, number: int) -> bool:
        """Tell whether `number`'s bit is set; numbers outside the window have none."""
        place = number - self.floor - 1
        return 0 <= place < WINDOW and bool(self.executed >> place & 1)

    def in_window(self, number: int) -> bool:
        return self.floor < number <= self.floor + WINDOW

    def with_executed(self, number: int, floor: int | None) -> "Session":
        """Return the session after `number` was executed by a transaction that names `floor` (or None)."""
        executed = self.executed | 1 << (number - self.floor - 1)
        if floor is None or floor <= self.floor:
            return Session(self.floor, executed)
        return Session(floor, executed >> (floor - self.floor))

    def encoded(self) -> bytes:
        return encode((self.floor, self.executed.to_bytes((self.executed.bit_length() + 7) // 8, "big")))


FRESH = Session()


def session_key(organisation: str, session: int) -> bytes:
    """Return the state key: prefix-free and in order of organisation, then session."""
    return b"%b%b\0%c" % (_SECTION, organisation.encode(), session)


def decode_session(data: bytes) -> Session:
    """Read a session from the state. Raises EncodingError for any other bytes."""
    match decode(data):
        case (int(floor), bytes(bits)) if floor >= 0 and bits[:1] != b"\0":
            executed = int.from_bytes(bits, "big")
            if executed <= _MASK:
                return Session(floor, executed)
    raise EncodingError("not a sender session")
