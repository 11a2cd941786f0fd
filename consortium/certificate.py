"""Quorum certificates: many signatures over one vote, checkable by anybody who knows the members.

The shared fields stand once, the signers are a bitmap, and each signer's number is filled into his own vote
body when it is verified. A commit certificate proves (sequence, digest), not results; a checkpoint or header
certificate proves results.
"""

from dataclasses import dataclass
from typing import Any

from consortium.crypto import PROTOCOL_VERSION, SIGNATURE_BYTES, SignatureScheme
from consortium.encoding import EncodingError, encode
from consortium.membership import Membership


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Votes of distinct replicas for one body.

    `fields` is what they voted for, after the domain; bit i of `signers` says that replica i signed;
    `signatures` are in the order of the bits.
    """

    epoch: int
    kind: str
    fields: tuple[Any, ...]
    signers: int
    signatures: tuple[bytes, ...]

    def as_value(self) -> tuple[Any, ...]:
        """Return the canonical form: (epoch, kind, fields, bitmap bytes, signatures)."""
        bitmap = self.signers.to_bytes((self.signers.bit_length() + 7) // 8, "big")
        return (self.epoch, self.kind, self.fields, bitmap, self.signatures)

    @classmethod
    def from_value(cls, value: Any) -> "Certificate":
        """Read the canonical form back. Raises EncodingError for any other shape."""
        match value:
            case (int(epoch), str(kind), tuple(fields), bytes(bitmap), tuple(signatures)):
                pass
            case _:
                raise EncodingError("not a certificate")
        if isinstance(epoch, bool) or not all(type(s) is bytes for s in signatures):
            raise EncodingError("not a certificate")
        if bitmap[:1] == b"\0":
            raise EncodingError("the bitmap of a certificate is not in its shortest form")
        return cls(
            epoch=epoch,
            kind=kind,
            fields=fields,
            signers=int.from_bytes(bitmap, "big"),
            signatures=signatures,
        )


def vote_body(chain: bytes, epoch: int, kind: str, sender: int, fields: tuple[Any, ...]) -> bytes:
    """Return the bytes that replica `sender` signs: the domain, then what is voted for."""
    return encode((PROTOCOL_VERSION, chain, epoch, kind, sender, *fields))


def certificate_of(
    epoch: int, kind: str, fields: tuple[Any, ...], signatures: dict[int, bytes], needed: int
) -> Certificate:
    """Build a certificate from the `needed` lowest-numbered of `signatures` (replica number -> signature)."""
    chosen = sorted(signatures)[:needed]
    signers = 0
    for index in chosen:
        signers |= 1 << index
    return Certificate(
        epoch=epoch,
        kind=kind,
        fields=fields,
        signers=signers,
        signatures=tuple(signatures[index] for index in chosen),
    )


def problem_with(
    certificate: Certificate, membership: Membership, chain: bytes, scheme: SignatureScheme, needed: int
) -> str | None:
    """Return why the certificate does not hold, or None if `needed` distinct members really signed it."""
    if certificate.epoch != membership.epoch:
        return f"is of epoch {certificate.epoch}, not {membership.epoch}"
    count = certificate.signers.bit_count()
    if certificate.signers.bit_length() > membership.n:
        return "names a replica that is not a member"
    if count != len(certificate.signatures):
        return f"has {len(certificate.signatures)} signatures for {count} signers"
    if count < needed:
        return f"has {count} signers, {needed} are needed"
    signatures = iter(certificate.signatures)
    for index in range(membership.n):
        if not certificate.signers >> index & 1:
            continue
        signature = next(signatures)
        body = vote_body(chain, certificate.epoch, certificate.kind, index, certificate.fields)
        if len(signature) != SIGNATURE_BYTES or not scheme.verify(
            membership.replica_key(index), body, signature
        ):
            return f"has a bad signature of replica {index}"
    return None
