"""State keys keep the order of what they encode, and no part is the beginning of another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.money import Day, Money
from consortium.vm.conversion import ClassTable, converter_of
from consortium.vm.exceptions import Refused
from consortium.vm.keys import key_bool, key_int, key_of, key_text, read_int, read_text
from consortium.vm.types import DAY, INT, MONEY, TEXT, optional
from consortium.vm.values import Member

integers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
NO_CLASSES = ClassTable({}, {})


@given(integers, integers)
def test_numbers_keep_their_order(a, b):
    assert (a < b) == (key_int(a) < key_int(b))
    assert read_int(key_int(a), 0) == (a, 8)


@given(texts, texts)
def test_texts_keep_their_order(a, b):
    assert (a < b) == (key_text(a) < key_text(b))
    assert read_text(key_text(a), 0) == (a, len(key_text(a)))


@given(st.tuples(texts, integers, texts), st.tuples(texts, integers, texts))
def test_joined_parts_keep_their_order_and_stay_apart(a, b):
    def key(parts):
        return key_of(key_text(parts[0]), key_int(parts[1]), key_text(parts[2]))

    assert (a < b) == (key(a) < key(b))
    assert (a == b) == (key(a) == key(b))
    assert not (a != b and key(a).startswith(key(b)))


@given(st.one_of(st.none(), integers), st.one_of(st.none(), integers))
def test_none_comes_before_every_value(a, b):
    part = converter_of(optional(INT), NO_CLASSES).key
    order = (a is not None, a or 0) < (b is not None, b or 0)
    assert order == (part(a) < part(b))


@given(st.integers(-719162, 2932896), st.integers(-719162, 2932896))
def test_days_keep_their_order(a, b):
    part = converter_of(DAY, NO_CLASSES).key
    assert (a < b) == (part(Day(a)) < part(Day(b)))


@given(st.integers(-(10**17), 10**17), st.integers(-(10**17), 10**17))
def test_amounts_keep_their_order(a, b):
    part = converter_of(MONEY, NO_CLASSES).key
    assert (a < b) == (part(Money(a)) < part(Money(b)))


def test_enumerations_are_ordered_by_their_declaration():
    members = {name: Member("Kind", name, order, frozenset()) for order, name in enumerate(("Z", "A", "M"))}
    part = converter_of(TEXT.__class__("choice", name="Kind"), ClassTable({"Kind": members}, {})).key
    assert sorted(members.values(), key=part) == [members["Z"], members["A"], members["M"]]
    assert key_bool(False) < key_bool(True)


@pytest.mark.parametrize(
    ("left", "right"), [(("a:b", "c"), ("a", "b:c")), (("a/b", ""), ("a", "b")), (("a.b", "c"), ("a", "b.c"))]
)
def test_delimiters_in_text_make_no_equal_keys(left, right):
    assert key_of(*map(key_text, left)) != key_of(*map(key_text, right))


def test_a_nul_in_key_text_is_refused():
    with pytest.raises(Refused) as refused:
        key_text("a\0b")
    assert refused.value.code == "E-ARGS"


def test_a_key_over_255_bytes_is_refused():
    key_of(key_text("a" * 254))
    with pytest.raises(Refused) as refused:
        key_of(key_text("a" * 255))
    assert refused.value.code == "E-VALUE-SIZE"
