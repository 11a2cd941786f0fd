"""The state map by examples and properties, against a plain dictionary and a plainly rebuilt tree."""

import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from state_strategies import contents, keys, naive_root, values

from consortium.crypto import hash_bytes
from consortium.ledger.state import Branch, Leaf, diff, get, items, root_digest, under, update


def test_the_empty_state_is_none_and_has_a_digest_of_its_own():
    assert update(None, {}) is None
    assert root_digest(None) == hash_bytes(b"E")
    assert get(None, b"a") is None
    assert list(items(None)) == []


def test_what_was_put_is_read():
    root = update(None, {b"a": b"1", b"b": b"2", b"ab": b""})
    assert [get(root, key) for key in (b"a", b"b", b"ab", b"abc", b"", b"c")] == [
        b"1",
        b"2",
        b"",
        None,
        None,
        None,
    ]


def test_deleting_the_last_key_gives_the_empty_state():
    root = update(None, {b"a": b"1"})
    assert update(root, {b"a": None}) is None
    root = update(root, {b"b": b"2", b"c": b"3"})
    assert update(root, {b"a": None, b"b": None, b"c": None}) is None


def test_an_update_that_changes_nothing_gives_the_same_object():
    root = update(None, {b"a": b"1", b"b": b"2", b"abc": b"3"})
    for changes in (
        {},
        {b"a": b"1"},
        {b"zz": None},
        {b"": None},
        {b"ab": None},
        {b"a": b"1", b"b": b"2", b"x": None},
    ):
        assert update(root, changes) is root
    assert update(None, {b"a": None}) is None
    assert update(None, {b"a": None, b"b": None}) is None


def test_an_update_shares_what_it_does_not_change():
    root = update(None, {bytes([high, low]): b"v" for high in range(16) for low in range(16)})
    changed = update(root, {bytes([3, 3]): b"w"})
    shared = {id(node) for node in _all_nodes(root)} & {id(node) for node in _all_nodes(changed)}
    assert len(list(_all_nodes(changed))) - len(shared) == 3


def test_a_key_may_be_the_beginning_of_another():
    chain = {b"k" * length: b"%d" % length for length in range(20)}
    root = update(None, chain)
    assert dict(items(root)) == chain
    assert root_digest(root) == naive_root(chain)
    assert dict(items(update(root, {b"k" * 7: None}))) == {
        key: value for key, value in chain.items() if len(key) != 7
    }


def test_keys_have_at_most_255_bytes():
    longest = bytes(255)
    assert get(update(None, {longest: b"1"}), longest) == b"1"
    with pytest.raises(AssertionError):
        update(None, {bytes(256): b"1"})


def test_the_deepest_tree_there_can_be_needs_no_deep_stack():
    """One branch at each of the 510 digits of a key: an attacker who chooses keys can get no further."""
    deep = bytes(255)
    entries = {deep: b"end"}
    for place in range(255):
        entries[deep[:place] + b"\x10"] = b"high"
        entries[deep[:place] + b"\x01"] = b"low"
    depth = len(_frames())
    sys.setrecursionlimit(depth + 620)
    try:
        at_once = update(None, entries)
        one_by_one = None
        for key, value in sorted(entries.items(), reverse=True):
            one_by_one = update(one_by_one, {key: value})
        assert at_once.digest == one_by_one.digest
        assert get(at_once, deep) == b"end"
        assert list(items(at_once)) == sorted(entries.items())
        assert list(diff(at_once, update(at_once, {deep: b"new"}))) == [(deep, b"end", b"new")]
    finally:
        sys.setrecursionlimit(1000)


@given(contents, st.randoms(use_true_random=False))
def test_same_contents_same_root_whatever_the_order_and_the_batches(entries, rng):
    order = list(entries.items())
    rng.shuffle(order)
    noise = {key + b"noise": b"x" for key in entries if len(key) < 250}
    root = update(None, noise)
    while order:
        size = rng.randrange(1, 6)
        root = update(root, dict(order[:size]))
        order = order[size:]
    root = update(root, {key: None for key in noise if key not in entries})
    root = update(root, entries)
    assert root_digest(root) == root_digest(update(None, entries)) == naive_root(entries)


@given(contents, contents)
def test_different_contents_have_different_roots(one, other):
    assert (root_digest(update(None, one)) == root_digest(update(None, other))) == (one == other)


@given(contents, st.dictionaries(keys, st.none() | values, max_size=20))
def test_an_update_is_that_of_a_dictionary(entries, changes):
    root = update(None, entries)
    after = {**entries, **changes}
    for key in list(after):
        if after[key] is None:
            del after[key]
    changed = update(root, changes)
    assert dict(items(changed)) == after
    assert root_digest(changed) == naive_root(after)
    assert dict(items(root)) == entries, "the old root must stay as it was"


@given(contents, keys, keys | st.none())
def test_items_walks_in_key_order_from_start_under_prefix(entries, prefix, start):
    root = update(None, entries)
    for beginning in (b"", prefix, prefix[:1]):
        expected = [
            (key, value)
            for key, value in sorted(entries.items())
            if key.startswith(beginning) and (start is None or key >= start)
        ]
        assert list(items(root, beginning, start)) == expected


@given(contents)
def test_a_walk_can_start_at_and_beside_every_key(entries):
    root = update(None, entries)
    ordered = sorted(entries)
    for key in ordered:
        assert [found for found, _ in items(root, start=key)] == ordered[ordered.index(key) :]
        assert [found for found, _ in items(root, start=key + b"\x00")] == [
            k for k in ordered if k >= key + b"\x00"
        ]
        assert [found for found, _ in items(root, key)] == [k for k in ordered if k.startswith(key)]


@given(contents, keys)
def test_a_subtree_is_a_state_of_its_own(entries, prefix):
    part = under(update(None, entries), prefix)
    inside = {key: value for key, value in entries.items() if key.startswith(prefix)}
    assert dict(items(part)) == inside
    assert root_digest(part) == naive_root(inside)


@given(contents, contents)
def test_diff_is_that_of_two_dictionaries(one, other):
    expected = [
        (key, one.get(key), other.get(key))
        for key in sorted(one.keys() | other.keys())
        if one.get(key) != other.get(key)
    ]
    assert list(diff(update(None, one), update(None, other))) == expected


@settings(max_examples=30)
@given(contents, st.lists(st.dictionaries(keys, st.none() | values, max_size=5), max_size=10))
def test_every_past_root_stays_readable(entries, history):
    root = update(None, entries)
    kept = [(root, dict(entries))]
    for changes in history:
        root = update(root, changes)
        after = {**kept[-1][1], **changes}
        kept.append((root, {key: value for key, value in after.items() if value is not None}))
    for old_root, old_entries in kept:
        assert dict(items(old_root)) == old_entries
        assert root_digest(old_root) == naive_root(old_entries)
        assert dict(_replay(diff(old_root, root), old_entries)) == kept[-1][1]


def test_a_thousand_random_blocks_stay_equal_to_a_rebuilt_tree():
    rng = random.Random(20260302)
    pool = [
        b"\x03" + rng.choice([b"claim\x00", b"letter\x00by_date\x00"]) + rng.randbytes(2) for _ in range(300)
    ]
    root, entries = None, {}
    for block in range(1000):
        changes = {
            rng.choice(pool): rng.choice([None, rng.randbytes(3)]) for _ in range(rng.randrange(1, 12))
        }
        root = update(root, changes)
        entries.update(changes)
        entries = {key: value for key, value in entries.items() if value is not None}
        if block % 50 == 0:
            assert root_digest(root) == naive_root(entries)
            assert list(items(root)) == sorted(entries.items())
    assert root_digest(root) == naive_root(entries)


def _replay(changes, entries):
    result = dict(entries)
    for key, old, new in changes:
        assert result.get(key) == old
        if new is None:
            del result[key]
        else:
            result[key] = new
    return result


def _all_nodes(root):
    yield root
    if isinstance(root, Branch):
        assert len(root.children) >= 2
        for child in root.children:
            yield from _all_nodes(child)
    else:
        assert isinstance(root, Leaf)


def _frames():
    frame, found = sys._getframe(), []
    while frame is not None:
        found.append(frame)
        frame = frame.f_back
    return found
