"""The list tree against the recursive definition of RFC 6962, section 2.1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.crypto import hash_bytes
from consortium.merkle import merkle_path, merkle_root, verify_path

lists = st.lists(st.binary(max_size=6), max_size=40)


def defined_root(leaves):
    if not leaves:
        return hash_bytes(b"")
    if len(leaves) == 1:
        return hash_bytes(b"\x00" + leaves[0])
    split = _split(len(leaves))
    return hash_bytes(b"\x01" + defined_root(leaves[:split]) + defined_root(leaves[split:]))


def defined_path(leaves, index):
    if len(leaves) == 1:
        return ()
    split = _split(len(leaves))
    if index < split:
        return (*defined_path(leaves[:split], index), defined_root(leaves[split:]))
    return (*defined_path(leaves[split:], index - split), defined_root(leaves[:split]))


def _split(count):
    return 1 << (count - 1).bit_length() - 1


@given(lists)
def test_roots_and_paths_are_those_of_the_definition(leaves):
    root = merkle_root(leaves)
    assert root == defined_root(leaves)
    for index, leaf in enumerate(leaves):
        path = merkle_path(leaves, index)
        assert path == defined_path(leaves, index)
        assert verify_path(root, leaf, index, len(leaves), path)


@given(lists, lists)
def test_two_lists_have_two_roots(one, other):
    assert (merkle_root(one) == merkle_root(other)) == (one == other)


def test_a_list_with_its_last_entry_twice_has_another_root():
    """The mistake of CVE-2012-2459: filling up an odd level with a copy."""
    assert merkle_root([b"a", b"b", b"c"]) != merkle_root([b"a", b"b", b"c", b"c"])


def test_an_inner_node_is_no_leaf():
    left, right = hash_bytes(b"\x00a"), hash_bytes(b"\x00b")
    assert merkle_root([left + right]) != merkle_root([b"a", b"b"])


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=20, unique=True), st.data())
def test_no_changed_path_is_accepted(leaves, data):
    root, count = merkle_root(leaves), len(leaves)
    index = data.draw(st.integers(0, count - 1))
    path = merkle_path(leaves, index)
    leaf = leaves[index]
    assert not verify_path(root, leaf + b"!", index, count, path)
    assert not verify_path(bytes(32), leaf, index, count, path)
    assert not verify_path(root, leaf, index, count, (*path, bytes(32)))
    for other in range(count):
        assert verify_path(root, leaf, other, count, path) == (other == index)
    for at in range(len(path)):
        assert not verify_path(root, leaf, index, count, path[:at] + path[at + 1 :])
        assert not verify_path(root, leaf, index, count, (*path[:at], path[at][:-1], *path[at + 1 :]))
        wrong = bytes([path[at][0] ^ 1]) + path[at][1:]
        assert not verify_path(root, leaf, index, count, (*path[:at], wrong, *path[at + 1 :]))


def test_an_index_outside_the_list_is_refused():
    root = merkle_root([b"a", b"b"])
    for index, count in ((-1, 2), (2, 2), (0, 0), (5, 2)):
        assert not verify_path(root, b"a", index, count, merkle_path([b"a", b"b"], 0))
    with pytest.raises(IndexError):
        merkle_path([b"a"], 1)
    with pytest.raises(IndexError):
        merkle_path([b"a"], -1)
