"""One value, one encoding; one encoding, one value; everything else is refused."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.encoding import INTEGER_MAX, INTEGER_MIN, EncodingError, decode, encode

leaves = (
    st.none()
    | st.booleans()
    | st.integers(INTEGER_MIN, INTEGER_MAX)
    | st.binary(max_size=300)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=6).map(tuple), max_leaves=20)


def same(left, right):
    """Equal in type as well: 1 and True are two values here."""
    if type(left) is not type(right):
        return False
    if isinstance(left, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


@given(values)
def test_decoding_gives_back_what_was_encoded(value):
    assert same(decode(encode(value)), value)


@given(values, values)
def test_different_values_have_different_encodings(left, right):
    assert (encode(left) == encode(right)) == same(left, right)


@given(st.binary(max_size=80))
def test_any_bytes_are_the_encoding_of_their_value_or_refused(data):
    try:
        value = decode(data)
    except EncodingError:
        return
    assert encode(value) == data


@given(values, st.data())
def test_a_changed_byte_is_another_value_or_refused(value, data):
    encoded = bytearray(encode(value))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))
    try:
        other = decode(bytes(encoded))
    except EncodingError:
        return
    assert not same(other, value)


def test_lists_are_encoded_like_tuples():
    assert encode([1, [2, 3]]) == encode((1, (2, 3)))


@pytest.mark.parametrize(
    "value",
    [1.0, {"a": 1}, {1}, 2**63, -(2**63) - 1, (1, (2.5,)), "\ud800", bytearray(b"x"), object()],
    ids=["float", "map", "set", "too-large", "too-small", "float-inside", "surrogate", "bytearray", "object"],
)
def test_values_without_a_form_are_refused(value):
    with pytest.raises(EncodingError):
        encode(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xcc\x01",  # 1 in two bytes
        b"\xcd\x00\xff",
        b"\xd9\x01a",  # short text in its long form
        b"\xdc\x00\x01\x01",  # short array in its long form
        b"\xc5\x00\x01a",
        b"\x01\x01",  # trailing byte
        b"\x81\x01\x02",  # map
        b"\xcb" + bytes(8),  # float
        b"\xd4\x00\x00",  # extension
        b"\xcf" + b"\xff" * 8,  # beyond signed 64 bits
        b"\xa2\xc3\x28",  # invalid UTF-8
        b"\x92\x01",  # too short
        b"\xc1",
        msgpack.packb(msgpack.Timestamp(1, 1)),
    ],
    ids=lambda data: data.hex() or "empty",
)
def test_other_forms_are_refused(data):
    with pytest.raises(EncodingError):
        decode(data)


def test_depth_and_size_are_bounded():
    deep = ()
    for _ in range(31):
        deep = (deep,)
    assert decode(encode(deep)) == deep
    with pytest.raises(EncodingError, match="deep"):
        encode(((deep,),))
    with pytest.raises(EncodingError, match="deep"):
        decode(b"\x91" * 40 + b"\x01")
    with pytest.raises(EncodingError, match="StackError"):
        decode(b"\x91" * 200_000 + b"\x01")
    with pytest.raises(EncodingError, match="bytes"):
        decode(encode(b"x" * 100), max_bytes=99)


def test_a_refused_value_leaves_nothing_behind_in_the_packer():
    expected = encode((1, "two"))
    with pytest.raises(EncodingError):
        encode((1, "\ud800"))
    assert encode((1, "two")) == expected
