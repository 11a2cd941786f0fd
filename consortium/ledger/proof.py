"""Proofs that a key has a value in a state, or that it is not there, against the state's root digest alone.

A proof is the way from the root to where the key is, or to the node that shows that it cannot be there: for
each branch on the way what the verifier cannot compute himself. It is one canonical encoded value:

    (steps, end)
    step = (hexadecimal digits of the key above the branch, its label bits, its other children's digests)
    end  = nil when the key is there; else the stored bytes of the last node, empty for the empty state

The branch's prefix and the label taken are not in it: they follow from the key. What a proof of absence ends
with is a neighbour's node; if that is a leaf, its key and value are in the proof.
"""

from typing import Any

from consortium.crypto import DIGEST_BYTES, hash_bytes
from consortium.encoding import EncodingError, decode, encode
from consortium.ledger.state import Branch, Root, node_bytes
from consortium.ledger.state_form import (
    EMPTY_DIGEST,
    KEY_BYTES_MAX,
    StateNodeError,
    branch_header,
    is_leaf,
    label_bits,
    labels_of,
    leaf_bytes,
    parse_branch,
    parse_leaf,
    path_of,
)

_PROOF_BYTES_MAX = 1024 * 1024


def prove(root: Root, key: bytes) -> bytes:
    """The proof of what `root` holds for `key`: its value, or that it has none."""
    path = path_of(key)
    steps = []
    node = root
    while isinstance(node, Branch) and path.startswith(node.prefix):
        place = node.labels.find(path[len(node.prefix)])
        if place < 0:
            break
        others = node.children[:place] + node.children[place + 1 :]
        steps.append(
            (len(node.prefix), label_bits(node.labels), b"".join([child.digest for child in others]))
        )
        node = node.children[place]
    if node is None:
        return encode((tuple(steps), b""))
    present = not isinstance(node, Branch) and node.key == key
    return encode((tuple(steps), None if present else node_bytes(node)))


def verify(root_digest: bytes, key: bytes, value: bytes | None, proof: bytes) -> bool:
    """Whether `proof` shows that the state of `root_digest` has `value` at `key` (None: nothing there).

    Never raises, whatever the bytes.
    """
    if len(key) > KEY_BYTES_MAX:
        return False
    try:
        return _digest_shown(path_of(key), key, value, proof) == root_digest
    except (EncodingError, StateNodeError):
        return False


def _digest_shown(path: str, key: bytes, value: bytes | None, proof: bytes) -> bytes | None:
    """The root digest of the states that the proof fits; None if it does not show what it should."""
    steps, end = _parse(proof)
    if value is None:
        below = None if end is None else _digest_without(path, end)
    else:
        below = hash_bytes(leaf_bytes(key, value)) if end is None else None
    if below is None:
        return None
    for depth, bits, others in reversed(steps):
        labels = labels_of(bits)
        place = labels.find(path[depth]) if depth < len(path) else -1
        if place < 0:
            return None
        at = DIGEST_BYTES * place  # a wrong number of others is a node that does not exist
        below = hash_bytes(branch_header(path[:depth], labels) + others[:at] + below + others[at:])
    return below


def _parse(proof: bytes) -> tuple[list[tuple[int, int, bytes]], bytes | None]:
    """Steps and end, with the types and the order they must have."""
    parts: Any = decode(proof, max_bytes=_PROOF_BYTES_MAX)
    if type(parts) is not tuple or len(parts) != 2 or type(parts[0]) is not tuple:
        raise EncodingError("not a proof")
    steps, end = parts
    if end is not None and type(end) is not bytes:
        raise EncodingError("not a proof's end")
    least_depth = 0
    for step in steps:
        if type(step) is not tuple or [type(part) for part in step] != [int, int, bytes]:
            raise EncodingError("not a proof's step")
        if step[0] < least_depth:
            raise EncodingError("not a step downwards")
        least_depth = step[0] + 1
    return list(steps), end


def _digest_without(path: str, end: bytes) -> bytes | None:
    """The digest of a node that shows that nothing is at `path`; None if it does not show that."""
    if not end:
        return EMPTY_DIGEST
    if is_leaf(end):
        other, _ = parse_leaf(end)
        return None if path_of(other) == path else hash_bytes(end)
    prefix, labels, _ = parse_branch(end)
    if path.startswith(prefix) and path[len(prefix)] in labels:
        return None
    return hash_bytes(end)
