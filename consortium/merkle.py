"""The list tree of RFC 6962 (section 2.1) over BLAKE2b-256: one digest for a list, short paths for entries.

Leaves and inner nodes are hashed with different first bytes, and a list of odd length is not filled up, so no
two lists have one root. Used for a block's transactions and receipts; the world state has its own tree.
"""

from collections.abc import Sequence

from consortium.crypto import DIGEST_BYTES, hash_bytes

EMPTY_ROOT = hash_bytes(b"")


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root of the list; its length is not in it by itself, but no other list has the same root."""
    level = [leaf_digest(leaf) for leaf in leaves]
    while len(level) > 1:
        level = _level_above(level)
    return level[0] if level else EMPTY_ROOT


def merkle_path(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The digests that lead from the leaf at `index` to the root, from below."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} in a list of {len(leaves)}")
    path = []
    level = [leaf_digest(leaf) for leaf in leaves]
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            path.append(level[beside])
        level = _level_above(level)
        index >>= 1
    return tuple(path)


def verify_path(root: bytes, leaf: bytes, index: int, count: int, path: Sequence[bytes]) -> bool:
    """Whether `leaf` is the entry `index` of the list of `count` entries with this root.

    Index and count must be known from elsewhere: some other pairs of them ask for a path of the same form.
    """
    if not 0 <= index < count:
        return False
    digest = leaf_digest(leaf)
    remaining = iter(path)
    last = count - 1
    while last > 0:
        if index & 1 or index < last:
            beside = next(remaining, None)
            if beside is None or len(beside) != DIGEST_BYTES:
                return False
            digest = _node_digest(beside, digest) if index & 1 else _node_digest(digest, beside)
        index >>= 1
        last >>= 1
    return next(remaining, None) is None and digest == root


def leaf_digest(leaf: bytes) -> bytes:
    return hash_bytes(b"\x00" + leaf)


def _node_digest(left: bytes, right: bytes) -> bytes:
    return hash_bytes(b"\x01" + left + right)


def _level_above(level: list[bytes]) -> list[bytes]:
    """Pairs joined; a last one without a pair goes up as it is, which gives the RFC's tree."""
    pairs = [_node_digest(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    if len(level) & 1:
        pairs.append(level[-1])
    return pairs
