"""Storing a state's nodes and reading them back."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from state_strategies import contents, keys, values

from consortium.crypto import hash_bytes
from consortium.ledger.state import from_nodes, items, nodes, root_digest, update
from consortium.ledger.state_form import StateNodeError, parse_branch, parse_leaf


@given(contents)
def test_a_state_is_read_back_from_its_nodes(entries):
    root = update(None, entries)
    store = dict(nodes(root))
    assert all(hash_bytes(data) == digest for digest, data in store.items())
    again = from_nodes(root_digest(root), store.get)
    assert root_digest(again) == root_digest(root)
    assert dict(items(again)) == entries
    assert dict(nodes(again)) == store


@given(contents, st.dictionaries(keys, st.none() | values, max_size=10))
def test_only_new_nodes_are_listed_since_an_older_root(entries, changes):
    old = update(None, entries)
    new = update(old, changes)
    before, after = dict(nodes(old)), dict(nodes(new))
    assert dict(nodes(new, old)) == {digest: data for digest, data in after.items() if digest not in before}
    assert dict(nodes(old, new)) == {digest: data for digest, data in before.items() if digest not in after}


def test_several_roots_read_with_one_memory_share_their_nodes():
    old = update(None, {bytes([high, low]): b"v" for high in range(16) for low in range(16)})
    new = update(old, {b"\x03\x03": b"w"})
    store = dict(nodes(old)) | dict(nodes(new))
    shared = {}
    one = from_nodes(old.digest, store.get, shared)
    other = from_nodes(new.digest, store.get, shared)
    assert sum(left is right for left, right in zip(one.children, other.children, strict=True)) == 15


def test_a_missing_node_is_named():
    root = update(None, {b"a": b"1", b"b": b"2"})
    store = dict(nodes(root))
    lost = root.children[0].digest
    del store[lost]
    with pytest.raises(StateNodeError, match=lost.hex()):
        from_nodes(root.digest, store.get)


@settings(max_examples=30)
@given(contents.filter(bool), st.data())
def test_every_changed_byte_of_a_stored_node_is_refused(entries, data):
    root = update(None, entries)
    store = dict(nodes(root))
    digest = data.draw(st.sampled_from(sorted(store)))
    at = data.draw(st.integers(0, len(store[digest]) - 1))
    changed = bytearray(store[digest])
    changed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(StateNodeError):
        from_nodes(root.digest, (store | {digest: bytes(changed)}).get)


def test_a_node_in_a_place_where_it_does_not_belong_is_refused():
    """All digests fit, but the tree is not the one form of its contents."""
    root = update(None, {b"a": b"1", b"b": b"2"})
    stranger = update(None, {b"zz": b"3"})
    store = dict(nodes(root)) | dict(nodes(stranger))
    forged = store[root.digest].replace(root.children[1].digest, stranger.digest)
    store[hash_bytes(forged)] = forged
    with pytest.raises(StateNodeError, match="does not belong"):
        from_nodes(hash_bytes(forged), store.get)


@given(st.binary(max_size=200))
def test_other_bytes_are_no_node_and_never_another_error(data):
    for parse in (parse_leaf, parse_branch):
        for form in (data, b"L" + data, b"B" + data, b"B\x00\x01\x60\x00\x00\x06" + data):
            with contextlib.suppress(StateNodeError):
                parse(form)


def test_a_branch_has_one_form():
    root = update(None, {b"a": b"1", b"b": b"2"})
    good = dict(nodes(root))[root.digest]
    assert parse_branch(good)[0] == "6"
    assert good[3] == 0x60
    for bad in (
        good[:3] + b"\x61" + good[4:],  # the filling digit is not 0
        good[:4] + b"\x02\x00\x06" + good[7:],  # a label that does not exist
        good[:4] + b"\x00\x00\x02" + good[7:39],  # one child only
        good + b"\x00",
        good[:-1],
    ):
        with pytest.raises(StateNodeError):
            parse_branch(bad)
