"""The byte form of the state's nodes: what is hashed, stored and sent, and nothing else.

A node's digest is the hash of exactly its bytes, and a node has one form only.

    leaf    L, key length (1 byte), key, value
    branch  B, number of hexadecimal digits in the prefix (2), the prefix (an odd one filled up with 0),
            the labels as one bit each (3; the lowest is the end mark), the children's digests (32 each)

The first bytes keep them apart from all other digests of the ledger: a list tree's nodes begin with 00 and
01, an encoded tuple with 90 or more.
"""

from consortium.crypto import DIGEST_BYTES, hash_bytes
from consortium.errors import PeerError

KEY_BYTES_MAX = 255
EMPTY_DIGEST = hash_bytes(b"E")

# A key's path is its hexadecimal text and this end mark. The mark sorts before every digit, as a key sorts
# before its extensions, and it makes paths prefix-free even where keys are not.
END_MARK = "!"
_LABELS = END_MARK + "0123456789abcdef"
_LABEL_BIT = {label: 1 << place for place, label in enumerate(_LABELS)}
_LENGTH_BYTE = tuple(bytes([length]) for length in range(KEY_BYTES_MAX + 1))


class StateNodeError(PeerError):
    """Stored or received bytes are not the node that they are said to be."""


def path_of(key: bytes) -> str:
    """The labels from the root to the leaf of `key`."""
    return key.hex() + END_MARK


def leaf_bytes(key: bytes, value: bytes) -> bytes:
    assert len(key) <= KEY_BYTES_MAX, "keys have at most 255 bytes"
    return b"L" + _LENGTH_BYTE[len(key)] + key + value


def branch_header(prefix: str, labels: str) -> bytes:
    """The bytes of a branch up to its children's digests."""
    packed = bytes.fromhex(prefix + "0" if len(prefix) & 1 else prefix)
    return b"B" + len(prefix).to_bytes(2, "big") + packed + label_bits(labels).to_bytes(3, "big")


def label_bits(labels: str) -> int:
    """The labels as one bit each."""
    return sum([_LABEL_BIT[label] for label in labels])


def labels_of(bits: int) -> str:
    """The labels of these bits, ascending. Raises StateNodeError for bits without a label."""
    if bits >> len(_LABELS):
        raise StateNodeError("a branch with labels that do not exist")
    return "".join([label for label, bit in _LABEL_BIT.items() if bits & bit])


def is_leaf(data: bytes) -> bool:
    """Whether these bytes can only be a leaf's."""
    return data[:1] == b"L"


def parse_leaf(data: bytes) -> tuple[bytes, bytes]:
    """Key and value of a leaf's bytes. Raises StateNodeError."""
    if data[:1] != b"L" or len(data) < 2 or len(data) < 2 + data[1]:
        raise StateNodeError("not the bytes of a leaf")
    return data[2 : 2 + data[1]], data[2 + data[1] :]


def parse_branch(data: bytes) -> tuple[str, str, list[bytes]]:
    """Prefix, labels and children's digests of a branch's bytes. Raises StateNodeError."""
    digits = int.from_bytes(data[1:3], "big")
    packed_end = 3 + (digits + 1) // 2
    prefix = data[3:packed_end].hex()[:digits]
    labels = labels_of(int.from_bytes(data[packed_end : packed_end + 3], "big"))
    digests = data[packed_end + 3 :]
    if len(labels) < 2 or len(digests) != DIGEST_BYTES * len(labels):
        raise StateNodeError("not the bytes of a branch")
    if branch_header(prefix, labels) + digests != data:
        raise StateNodeError("not the one form of a branch")
    return prefix, labels, [digests[at : at + DIGEST_BYTES] for at in range(0, len(digests), DIGEST_BYTES)]
