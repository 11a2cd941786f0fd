"""State keys: parts that keep their order as bytes, and none of which is the beginning of another.

    section 1 byte | contract text | collection or index text | parts
    0x01 system (due index: moment | contract | declaration | record key), 0x03 contract data

Text is UTF-8 and a zero byte (so it holds none); integers, days and amounts are 8 bytes, big-endian, with the
sign bit flipped; enumerations are their place in the declaration; where None is possible it is 00, and 01
stands before a value. `a < b` and `key(a) < key(b)` say the same.
"""

from consortium.vm.exceptions import ARGS, VALUE_SIZE, Refused
from consortium.vm.language import KEY_BYTES_MAX

SYSTEM = b"\x01"
CONTRACT_DATA = b"\x03"
_OFFSET = 2**63


def key_text(text: str) -> bytes:
    """Return the key part of a text. Raises Refused (E-ARGS) for one with a NUL in it."""
    data = text.encode()
    if b"\0" in data:
        raise Refused(ARGS, "text in a key cannot hold the character NUL")
    return data + b"\0"


def key_int(number: int) -> bytes:
    """Return the key part of a number. Raises Refused (E-VALUE-SIZE) beyond 64 bits."""
    if not -_OFFSET <= number < _OFFSET:
        raise Refused(VALUE_SIZE, "a number in a key has at most 64 bits")
    return (number + _OFFSET).to_bytes(8, "big")


def key_bool(flag: bool) -> bytes:
    return b"\x01" if flag else b"\x00"


def key_of(*parts: bytes) -> bytes:
    """Join parts into a state key. Raises Refused (E-VALUE-SIZE) for one that is too long."""
    key = b"".join(parts)
    if len(key) > KEY_BYTES_MAX:
        raise Refused(VALUE_SIZE, f"a key has at most {KEY_BYTES_MAX} bytes")
    return key


DUE_PREFIX = SYSTEM + key_text("due")


def read_text(data: bytes, start: int) -> tuple[str, int]:
    """Read a text part; return it and where the next part begins."""
    end = data.index(b"\0", start)
    return data[start:end].decode(), end + 1


def read_int(data: bytes, start: int) -> tuple[int, int]:
    return int.from_bytes(data[start : start + 8], "big") - _OFFSET, start + 8
