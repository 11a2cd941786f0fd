"""Proofs hold for what is in a state and for nothing else; no changed proof is accepted."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from state_strategies import contents, keys, values

from consortium.encoding import decode, encode
from consortium.ledger.proof import prove, verify
from consortium.ledger.state import nodes, root_digest, update
from consortium.ledger.state_form import leaf_bytes, parse_branch, path_of


@given(contents, keys)
def test_presence_and_absence_are_proved(entries, key):
    root = update(None, entries)
    for asked in [key, *entries]:
        proof = prove(root, asked)
        assert verify(root_digest(root), asked, entries.get(asked), proof)


@given(contents, keys, values)
def test_nothing_else_is_proved(entries, key, value):
    root = update(None, entries)
    for asked in [key, *list(entries)[:5]]:
        proof = prove(root, asked)
        truth = entries.get(asked)
        for claim in (None, value, b""):
            assert verify(root_digest(root), asked, claim, proof) == (claim == truth)


@settings(max_examples=40)
@given(contents, contents, keys)
def test_a_proof_is_for_one_state(entries, others, key):
    root, other = update(None, entries), update(None, others)
    if root_digest(root) != root_digest(other):
        assert not verify(root_digest(other), key, entries.get(key), prove(root, key))


@settings(max_examples=40)
@given(contents.filter(bool), st.data())
def test_the_proof_of_one_key_is_none_of_another(entries, data):
    root = update(None, entries)
    one, other = data.draw(st.sampled_from(sorted(entries))), data.draw(st.sampled_from(sorted(entries)))
    if one != other:
        assert not verify(root_digest(root), other, entries[one], prove(root, one))
        assert not verify(root_digest(root), other, None, prove(root, one))


@settings(max_examples=40)
@given(contents.filter(bool))
def test_the_absence_of_a_present_key_cannot_be_forged(entries):
    """With genuine nodes: stop at any branch on the way, or end with the key's own leaf."""
    root = update(None, entries)
    stored = dict(nodes(root))
    for key, value in entries.items():
        steps, end = decode(prove(root, key))
        assert end is None
        digest = root_digest(root)
        for stop, step in enumerate([*steps, None]):
            data = stored[digest]
            assert not verify(root_digest(root), key, None, encode((steps[:stop], data)))
            if step is not None:
                prefix, labels, digests = parse_branch(data)
                digest = digests[labels.index(path_of(key)[len(prefix)])]
        assert data == leaf_bytes(key, value)


def _example_proofs():
    rng = random.Random(7)
    entries = {b"\x03c\x00" + rng.randbytes(2): rng.randbytes(5) for _ in range(60)}
    entries[b"\x03c"] = b"short"
    root = update(None, entries)
    present = sorted(entries)[13]
    absent = [
        b"\x03c\x00" + rng.randbytes(2),
        b"\x03",
        b"\x04zz",
        b"",
        b"\x03c\x00\x00\x00\x00",
        present + b"\x00",
    ]
    for key in [present, b"\x03c", *absent]:
        yield root.digest, key, entries.get(key), prove(root, key)
    yield root_digest(None), b"any", None, prove(None, b"any")


def test_no_proof_survives_a_changed_byte():
    for digest, key, value, proof in _example_proofs():
        assert verify(digest, key, value, proof)
        for at in range(len(proof)):
            for change in (1, 0x80, 0xFF):
                changed = bytearray(proof)
                changed[at] ^= change
                assert not verify(digest, key, value, bytes(changed)), (at, change)


def test_no_proof_survives_a_cut_an_addition_or_another_form():
    for digest, key, value, proof in _example_proofs():
        for end in range(len(proof)):
            assert not verify(digest, key, value, proof[:end])
        assert not verify(digest, key, value, proof + b"\x00")
        steps, end = decode(proof)
        for other in (
            (steps[1:], end),
            (steps[:-1], end),
            (steps[::-1], end),
            (steps + steps[-1:], end),
            (steps, None if end is not None else b""),
            (steps, (end or b"") + b"\x00"),
            (steps, end, None),
            (tuple((depth, bits | 1 << 20, others) for depth, bits, others in steps), end),
            (tuple((depth, bits - 2**40, others) for depth, bits, others in steps), end),
            (tuple((-depth - 1, bits, others) for depth, bits, others in steps), end),
            (tuple((depth, bits) for depth, bits, _ in steps), end),
            (tuple((depth, bits, others + bytes(32)) for depth, bits, others in steps), end),
            (tuple((depth, bits, others.hex()) for depth, bits, others in steps), end),
            (tuple((bool(depth), bits, others) for depth, bits, others in steps), end),
            tuple(steps),
            None,
        ):
            if other != (steps, end):
                assert not verify(digest, key, value, encode(other)), other


@given(st.binary(max_size=300), keys, st.none() | values)
def test_verify_never_raises(proof, key, value):
    assert not verify(bytes(32), key, value, proof)
    assert not verify(b"", key + bytes(256), value, proof)


wide = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 600)
steps_of_the_right_types = st.lists(st.tuples(wide, wide, st.binary(max_size=70)), max_size=3).map(tuple)


@given(steps_of_the_right_types, st.none() | st.binary(max_size=50))
def test_verify_never_raises_for_values_of_nearly_the_right_form(steps, end):
    proof = encode((steps, end))
    assert not verify(bytes(32), b"key", b"value", proof)
    assert not verify(bytes(32), b"key", None, proof)
