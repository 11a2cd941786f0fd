"""Digests and signatures.

Digests are BLAKE2b-256 over canonical encodings that start with a domain text, so that a digest of one kind
is never one of another. Signatures are Ed25519; the simulation may swap in a keyed MAC (which a puppet cannot
forge, because it only ever holds its own signer) or none at all. All three schemes derive the same public
keys and give 64 bytes, so a run's digest does not depend on the scheme.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Protocol

from nacl.bindings import crypto_sign as _ed25519_sign
from nacl.bindings import (
    crypto_sign_BYTES,
    crypto_sign_open,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import BadSignatureError

from consortium.encoding import encode
from consortium.errors import InputError

PROTOCOL_VERSION = 1
DIGEST_BYTES = 32
SIGNATURE_BYTES = 64
SEED_BYTES = 32
CHAIN_BYTES = 8

NO_SIGNATURE = bytes(SIGNATURE_BYTES)


def hash_bytes(data: bytes) -> bytes:
    """Return the BLAKE2b-256 digest of `data`."""
    return blake2b(data, digest_size=DIGEST_BYTES).digest()


def digest(*fields: Any) -> bytes:
    """Return the digest of the canonical encoding of `fields`; the first one is the domain text."""
    return blake2b(encode(fields), digest_size=DIGEST_BYTES).digest()


class Signer(Protocol):
    """Holds one secret key and signs with it."""

    @property
    def public_key(self) -> bytes: ...

    def sign(self, body: bytes) -> bytes:
        """Return the 64-byte signature of `body`."""
        ...


class SignatureScheme(Protocol):
    """Makes signers and verifies what they signed."""

    @property
    def name(self) -> str: ...

    def signer(self, seed: bytes) -> Signer:
        """Return the signer of the 32-byte `seed`; a seed gives the same public key in every scheme."""
        ...

    def verify(self, public_key: bytes, body: bytes, signature: bytes) -> bool:
        """Tell whether `signature` is that of `body` under `public_key`; never raises on any bytes."""
        ...


class _Ed25519Signer:
    __slots__ = ("_secret_key", "public_key")

    def __init__(self, seed: bytes) -> None:
        self.public_key, self._secret_key = crypto_sign_seed_keypair(seed)

    def sign(self, body: bytes) -> bytes:
        return _ed25519_sign(body, self._secret_key)[:crypto_sign_BYTES]


class Ed25519Scheme:
    """The real one: Ed25519 by libsodium (RFC 8032)."""

    name = "ed25519"

    def signer(self, seed: bytes) -> Signer:
        return _Ed25519Signer(seed)

    def verify(self, public_key: bytes, body: bytes, signature: bytes) -> bool:
        if len(signature) != SIGNATURE_BYTES or len(public_key) != DIGEST_BYTES:
            return False
        try:
            crypto_sign_open(signature + body, public_key)
        except (BadSignatureError, ValueError, TypeError):
            return False
        return True


class _MacSigner:
    __slots__ = ("_secret", "public_key")

    def __init__(self, public_key: bytes, secret: bytes) -> None:
        self.public_key = public_key
        self._secret = secret

    def sign(self, body: bytes) -> bytes:
        return blake2b(body, key=self._secret, digest_size=SIGNATURE_BYTES).digest()


class MacScheme:
    """A keyed BLAKE2b MAC for simulations: 80 times cheaper, and nobody forges for a key he does not hold.

    The scheme object itself knows every secret, so it must stay with the driver.
    """

    name = "mac"

    def __init__(self) -> None:
        self._secrets: dict[bytes, bytes] = {}

    def signer(self, seed: bytes) -> Signer:
        public_key, _ = crypto_sign_seed_keypair(seed)
        secret = digest("mac-secret", seed)
        self._secrets[public_key] = secret
        return _MacSigner(public_key, secret)

    def verify(self, public_key: bytes, body: bytes, signature: bytes) -> bool:
        secret = self._secrets.get(public_key)
        if secret is None:
            return False
        return blake2b(body, key=secret, digest_size=SIGNATURE_BYTES).digest() == signature


class _NullSigner:
    __slots__ = ("public_key",)

    def __init__(self, public_key: bytes) -> None:
        self.public_key = public_key

    def sign(self, body: bytes) -> bytes:  # noqa: ARG002  the signature does not depend on the body
        return NO_SIGNATURE


class NullScheme:
    """No signatures: for measuring everything else."""

    name = "none"

    def signer(self, seed: bytes) -> Signer:
        return _NullSigner(crypto_sign_seed_keypair(seed)[0])

    def verify(self, public_key: bytes, body: bytes, signature: bytes) -> bool:  # noqa: ARG002
        return signature == NO_SIGNATURE


SCHEMES: dict[str, Callable[[], SignatureScheme]] = {
    "ed25519": Ed25519Scheme,
    "mac": MacScheme,
    "none": NullScheme,
}


def scheme_named(name: str) -> SignatureScheme:
    """Return a new scheme. Raises InputError for an unknown name."""
    if name not in SCHEMES:
        raise InputError(f"unknown signature scheme '{name}': use one of {', '.join(SCHEMES)}")
    return SCHEMES[name]()
