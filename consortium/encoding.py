"""The one canonical binary form: hashing, signing, wire and storage all use it.

A value is None, a bool, a signed 64-bit integer, bytes, text, or a sequence of values. Maps, floats and
extension types do not exist here. There is exactly one encoding of a value (msgpack in its shortest form),
and the decoder accepts nothing else, so equal digests mean equal values.
"""

from typing import Any, NoReturn, TypeAlias

import msgpack

from consortium.errors import PeerError

Value: TypeAlias = "bool | int | bytes | str | tuple[Value, ...] | None"

INTEGER_MIN = -(2**63)
INTEGER_MAX = 2**63 - 1
BYTES_MAX = 16 * 1024 * 1024
DEPTH_MAX = 32

_WITHOUT_RANGE = frozenset({bytes, str, bool, type(None)})
# One packer, reused: a new one for each call costs three times as much. It keeps nothing between calls.
_packer = msgpack.Packer(use_bin_type=True)


class EncodingError(PeerError):
    """The bytes (or the value) have no place in the canonical form."""


def encode(value: Any) -> bytes:
    """Return the canonical bytes of `value` (tuples and lists become arrays).

    Raises EncodingError for floats, maps, integers beyond 64 bits and anything else without a form.
    """
    _check(value, DEPTH_MAX)
    try:
        data: bytes = _packer.pack(value)
    except UnicodeEncodeError:
        _packer.reset()
        raise EncodingError("text with a lone surrogate has no canonical form") from None
    return data


def decode(data: bytes, *, max_bytes: int = BYTES_MAX, max_depth: int = DEPTH_MAX) -> Any:
    """Return the value whose canonical encoding is `data`; arrays come back as tuples.

    Raises EncodingError for any other bytes: another form of the same value, trailing bytes, maps, floats,
    extension types, integers beyond signed 64 bits, invalid UTF-8, too long or too deep.
    """
    if len(data) > max_bytes:
        raise EncodingError(f"{len(data)} bytes are more than the {max_bytes} allowed")
    try:
        value = msgpack.unpackb(
            data, use_list=False, raw=False, ext_hook=_refuse_extension, object_pairs_hook=_refuse_map
        )
    except (ValueError, TypeError, RecursionError, OverflowError, msgpack.UnpackException) as error:
        raise EncodingError(f"not a canonical value: {type(error).__name__}") from None
    _check(value, max_depth)
    if _packer.pack(value) != data:
        raise EncodingError("not the shortest form of the value")
    return value


def _check(value: Any, depth_left: int) -> None:
    """Refuse what has no form. Exact types only: a subclass of int or text could carry a second meaning."""
    kind = type(value)
    if kind is tuple or kind is list:
        if depth_left <= 0:
            raise EncodingError("nested too deep")
        for part in value:
            part_kind = type(part)
            if part_kind in _WITHOUT_RANGE:
                continue
            if part_kind is int and INTEGER_MIN <= part <= INTEGER_MAX:
                continue
            _check(part, depth_left - 1)
    elif kind is int:
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise EncodingError("an integer is beyond signed 64 bits")
    elif kind not in _WITHOUT_RANGE:
        raise EncodingError(f"{kind.__name__} has no canonical form")


def _refuse_extension(_code: int, _data: bytes) -> NoReturn:
    raise EncodingError("extension types have no canonical form")


def _refuse_map(_pairs: Any) -> NoReturn:
    raise EncodingError("maps have no canonical form")
