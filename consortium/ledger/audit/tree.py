"""The auditor's own trees: the state's root from sorted keys, and the root of a list, both by definition.

The state's tree is never built: its digests follow from the sorted keys, by splitting where they differ.
Digests of parts that did not change since they were last asked for are remembered by their common beginning.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from consortium.crypto import hash_bytes

_LABELS = "!0123456789abcdef"
_AFTER_ALL = "~"


class StateTree:
    """Keys and values, and the digest that the definition of the world state gives them."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self._paths: list[str] = []
        self._known: dict[str, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.values.get(key)

    def items(self, prefix: bytes, start: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Walk the keys that begin with `prefix` and are not below `start`, in order."""
        place = bisect_left(self._paths, _path(max(prefix, start or b"")))
        while place < len(self._paths):
            key = bytes.fromhex(self._paths[place][:-1])
            if not key.startswith(prefix):
                return
            yield key, self.values[key]
            place += 1

    def change(self, writes: Mapping[bytes, bytes | None]) -> None:
        for key, value in writes.items():
            path = _path(key)
            place = bisect_left(self._paths, path)
            present = key in self.values
            if value is None:
                if present:
                    del self._paths[place], self.values[key]
            else:
                self.values[key] = value
                if not present:
                    self._paths.insert(place, path)
            for length in range(len(path) + 1):
                self._known.pop(path[:length], None)

    def root(self) -> bytes:
        if not self._paths:
            return hash_bytes(b"E")
        return self._digest(0, len(self._paths), "", None)

    def nodes(self) -> dict[bytes, bytes]:
        """All nodes of the tree: digest -> bytes."""
        found: dict[bytes, bytes] = {}
        if self._paths:
            self._digest(0, len(self._paths), "", found)
        return found

    def _digest(self, low: int, high: int, beginning: str, found: dict[bytes, bytes] | None) -> bytes:
        """The digest of the paths from number `low` to below `high`, all those with this beginning."""
        if found is None and beginning in self._known:
            return self._known[beginning]
        if high - low == 1:
            key = bytes.fromhex(self._paths[low][:-1])
            data = b"L" + bytes([len(key)]) + key + self.values[key]
        else:
            prefix = _common(self._paths[low], self._paths[high - 1])
            bits, digests = 0, []
            while low < high:
                label = self._paths[low][len(prefix)]
                end = bisect_left(self._paths, prefix + label + _AFTER_ALL, low, high)
                bits |= 1 << _LABELS.index(label)
                digests.append(self._digest(low, end, prefix + label, found))
                low = end
            data = b"B" + len(prefix).to_bytes(2, "big") + bytes.fromhex(prefix + "0" * (len(prefix) % 2))
            data += bits.to_bytes(3, "big") + b"".join(digests)
        digest = hash_bytes(data)
        self._known[beginning] = digest
        if found is not None:
            found[digest] = data
        return digest


def list_root(leaves: Sequence[bytes]) -> bytes:
    """The root of a list by the recursive definition of RFC 6962, section 2.1."""
    if not leaves:
        return hash_bytes(b"")
    if len(leaves) == 1:
        return hash_bytes(b"\x00" + leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hash_bytes(b"\x01" + list_root(leaves[:split]) + list_root(leaves[split:]))


def _path(key: bytes) -> str:
    return key.hex() + "!"


def _common(one: str, other: str) -> str:
    length = 0
    while one[length] == other[length]:
        length += 1
    return one[:length]
