"""Three schemes, one set of public keys; nobody signs for a key that he does not hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.crypto import SCHEMES, SIGNATURE_BYTES, digest, hash_bytes, scheme_named
from consortium.errors import InputError

SEED, OTHER = bytes(32), bytes([7]) * 32


@pytest.mark.parametrize("name", SCHEMES)
def test_a_signature_verifies_and_has_64_bytes(name):
    scheme = scheme_named(name)
    signer = scheme.signer(SEED)
    signature = signer.sign(b"body")
    assert len(signature) == SIGNATURE_BYTES
    assert scheme.verify(signer.public_key, b"body", signature)


@pytest.mark.parametrize("name", ["ed25519", "mac"])
def test_a_signature_holds_for_one_body_and_one_key_only(name):
    scheme = scheme_named(name)
    signer, other = scheme.signer(SEED), scheme.signer(OTHER)
    signature = signer.sign(b"body")
    assert not scheme.verify(signer.public_key, b"other", signature)
    assert not scheme.verify(other.public_key, b"body", signature)
    for place in range(SIGNATURE_BYTES):
        forged = signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :]
        assert not scheme.verify(signer.public_key, b"body", forged)


def test_all_schemes_derive_the_same_public_keys():
    keys = {scheme_named(name).signer(SEED).public_key for name in SCHEMES}
    assert len(keys) == 1


@given(st.binary(max_size=70), st.binary(max_size=70), st.binary(max_size=70))
def test_verifying_any_bytes_never_raises(key, body, signature):
    for name in SCHEMES:
        assert scheme_named(name).verify(key, body, signature) in (True, False)


def test_a_mac_signer_of_one_scheme_is_unknown_to_another():
    first, second = scheme_named("mac"), scheme_named("mac")
    signer = first.signer(SEED)
    assert not second.verify(signer.public_key, b"body", signer.sign(b"body"))


def test_ed25519_is_the_one_of_rfc_8032():
    # Test vector 2 of section 7.1.
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    signer = scheme_named("ed25519").signer(seed)
    assert signer.public_key.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert signer.sign(b"\x72").hex().startswith("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8f")


def test_digests_are_blake2b_256_of_the_encoding():
    assert hash_bytes(b"").hex().startswith("0e5751c026e543b2e8ab2eb06099daa1")
    assert digest("a", 1) != digest("a", "1") != digest("b", 1)


def test_an_unknown_scheme_names_the_known_ones():
    with pytest.raises(InputError, match="ed25519, mac, none"):
        scheme_named("rsa")
