"""Keys, values and contents for the tests of the state, and a plain rebuilt tree to compare it with."""

from hypothesis import strategies as st

from consortium.crypto import hash_bytes

# Few different bytes, so that keys share beginnings of every length, and some are beginnings of others.
key_bytes = st.sampled_from([0x00, 0x01, 0x0F, 0x10, 0x61, 0x62, 0xFF])
keys = st.one_of(
    st.lists(key_bytes, max_size=6).map(bytes),
    st.lists(key_bytes, min_size=1, max_size=3).map(
        lambda part: b"\x03contract\x00collection\x00" + bytes(part)
    ),
    st.binary(max_size=255),
)
values = st.binary(max_size=40)
contents = st.dictionaries(keys, values, max_size=40)


def naive_root(entries: dict[bytes, bytes]) -> bytes:
    """The root digest by the definition: sort, split where keys first differ, hash."""
    pairs = sorted((key.hex() + "!", key, value) for key, value in entries.items())
    return _naive(pairs) if pairs else hash_bytes(b"E")


def _naive(pairs):
    if len(pairs) == 1:
        _, key, value = pairs[0]
        return hash_bytes(b"L" + bytes([len(key)]) + key + value)
    depth = 0
    while len({path[depth] for path, _, _ in pairs}) == 1:
        depth += 1
    groups = {}
    for pair in pairs:
        groups.setdefault(pair[0][depth], []).append(pair)
    prefix = pairs[0][0][:depth]
    bits = sum(1 << "!0123456789abcdef".index(label) for label in groups)
    packed = bytes.fromhex(prefix + "0" * (len(prefix) % 2))
    header = b"B" + len(prefix).to_bytes(2, "big") + packed + bits.to_bytes(3, "big")
    return hash_bytes(header + b"".join(_naive(groups[label]) for label in sorted(groups)))
