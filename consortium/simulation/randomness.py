"""One seed, named streams: every bit of chance in a simulated run comes from here.

A stream is named by (label, entity), so that a draw more in one place shifts no draw in another: removing
one fault or one client leaves all others as they were. `choose` draws are recorded; a run repeats from its
seed alone, or from the recorded choices, which survive changes of the code around them.

Delays of messages are not drawn from a stream. They are pure functions of the message (`MessageHash`), one
hash for all receivers of a broadcast.

Only integers, and BLAKE2b of the standard library: the same bytes on every machine and Python version.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from struct import Struct

_BLOCK_BYTES = 64


@dataclass(frozen=True, slots=True)
class Choice:
    """One recorded draw: `value` of `count` alternatives, in the stream (label, entity)."""

    label: str
    entity: str
    count: int
    value: int


class Randomness:
    """All streams of one run."""

    def __init__(self, seed: int, replay: Sequence[Choice] = ()) -> None:
        """With `replay`, recorded choices answer before the streams do. A choice that does not fit (another
        count than recorded, or none left) is drawn from the stream and listed in `mismatches`.
        """
        self.seed = seed
        self.choices: list[Choice] = []
        self.mismatches: list[str] = []
        self._streams: dict[tuple[str, str], Stream] = {}
        self._replay: dict[tuple[str, str], deque[Choice]] | None = None
        if replay:
            self._replay = {}
            for choice in replay:
                self._replay.setdefault((choice.label, choice.entity), deque()).append(choice)

    def key(self, label: str, entity: str = "") -> bytes:
        """32 bytes that only (seed, label, entity) determine."""
        name = f"{self.seed}\0{label}\0{entity}".encode()
        return blake2b(name, digest_size=32, person=b"consortium-seed").digest()

    def stream(self, label: str, entity: str = "") -> "Stream":
        """The stream of this name; asking again gives the same one, further on."""
        stream = self._streams.get((label, entity))
        if stream is None:
            stream = self._streams[label, entity] = Stream(self.key(label, entity))
        return stream

    def choose(self, label: str, entity: str, count: int) -> int:
        """One of `count` alternatives (0 is the plainest), recorded."""
        value = self._replayed(label, entity, count)
        if value is None:
            value = self.stream(label, entity).below(count)
        self.choices.append(Choice(label, entity, count, value))
        return value

    def _replayed(self, label: str, entity: str, count: int) -> int | None:
        if self._replay is None:
            return None
        recorded = self._replay.get((label, entity))
        if not recorded:
            self.mismatches.append(f"{label}/{entity}: no recorded choice left")
            return None
        choice = recorded.popleft()
        if choice.count != count:
            self.mismatches.append(f"{label}/{entity}: {count} alternatives, recorded were {choice.count}")
            return None
        return choice.value


class Stream:
    """An endless sequence of numbers from one key: BLAKE2b in counter mode."""

    __slots__ = ("_block", "_key", "_words")

    _UNPACK = Struct("<8Q").unpack

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._block = 0
        self._words: list[int] = []

    def word(self) -> int:
        """The next 64 bits."""
        if not self._words:
            block = blake2b(self._block.to_bytes(8, "little"), key=self._key).digest()
            self._block += 1
            self._words = list(reversed(self._UNPACK(block)))
        return self._words.pop()

    def below(self, count: int) -> int:
        """A number in [0, count), each equally likely (draws of the uneven rest are repeated)."""
        assert 0 < count <= 1 << 64, "the number of alternatives must be in 1..2**64"
        limit = (1 << 64) - (1 << 64) % count
        word = self.word()
        while word >= limit:
            word = self.word()
        return word % count

    def between(self, low: int, high: int) -> int:
        """A number in [low, high], both included."""
        return low + self.below(high - low + 1)


class MessageHash:
    """Numbers that belong to a message: a keyed hash of (sender, kind, sequence, occurrence).

    `lanes(...)` gives `count` unsigned numbers of `bits` bits (16 or 32): one hash for each 64 bytes of them.
    Lane i does not depend on `count`.
    """

    __slots__ = ("_blocks", "_key", "_states", "_unpack")

    _NAME = Struct("<qII").pack

    def __init__(self, key: bytes, bits: int, count: int) -> None:
        self._key = key
        self._unpack = Struct(f"<{count}{ {16: 'H', 32: 'I'}[bits] }").unpack_from
        self._blocks = range(1, -(-count * bits // (8 * _BLOCK_BYTES)))
        # Hashing starts from a prepared state for each (sender, kind): half the time of a keyed hash.
        self._states: dict[tuple[int, str], blake2b] = {}

    def lanes(self, sender: int, kind: str, sequence: int, occurrence: int) -> tuple[int, ...]:
        state = self._states.get((sender, kind))
        if state is None:
            state = self._states[sender, kind] = blake2b(key=self._key)
            state.update(sender.to_bytes(4, "little") + kind.encode() + b"\0")
        block = state.copy()
        block.update(self._NAME(sequence, occurrence, 0))
        found = block.digest()
        for number in self._blocks:
            block = state.copy()
            block.update(self._NAME(sequence, occurrence, number))
            found += block.digest()
        return self._unpack(found)
