"""Signatures and certificates, verified again from outside: nothing of the banks' own code is believed.

Quorum, vote body and bitmap are worked out here anew, from the definitions in Castro & Liskov and the
project's encoding. Verdicts on votes are remembered, because all banks' certificates hold the same votes.
"""

from typing import Any, ClassVar

from consortium.certificate import Certificate
from consortium.consensus.messages import Signed
from consortium.crypto import PROTOCOL_VERSION, SignatureScheme, hash_bytes
from consortium.encoding import EncodingError, decode, encode
from consortium.journal.verdict import Checker
from consortium.ledger.transaction import Transaction
from consortium.membership import Membership
from consortium.node.effects import Executed, Stable

_VOTES_KEPT = 1 << 14
_BLOCKS_KEPT = 1 << 10


class SignatureValidity(Checker):
    """Every message of an honest bank carries its own key's signature under the right domain, and every
    executed transaction the signatures of everybody it names.
    """

    name: ClassVar[str] = "signature_validity"
    seen_of: ClassVar[str] = "signatures verified"

    def __init__(self, membership: Membership, chain: bytes, scheme: SignatureScheme) -> None:
        super().__init__()
        self._membership = membership
        self._chain = chain
        self._scheme = scheme
        self._blocks: dict[bytes, None] = {}

    def sent(self, bank: int, signed: Signed) -> None:
        """Its own messages and those of others that it passes on: an honest bank passes on no bad ones."""
        kind, author = signed.content.KIND, signed.content.sender
        self.seen += 1
        if _domain(signed.body) != (PROTOCOL_VERSION, self._chain, self._membership.epoch, kind, author):
            self.violated(f"bank {bank} sent a {kind} under a wrong domain")
        elif not 0 <= author < len(self._membership.validators):
            self.violated(f"bank {bank} sent a {kind} of replica {author}, which is not a member")
        elif not self._scheme.verify(self._membership.replica_key(author), signed.body, signed.signature):
            self.violated(f"bank {bank} sent a {kind} of replica {author} with a bad signature")

    def executed(self, bank: int, event: Executed) -> None:
        if event.block is None or event.header_hash in self._blocks:
            return
        _remember(self._blocks, event.header_hash, None, _BLOCKS_KEPT)
        by_id = {transaction.id: transaction for transaction in event.block.transactions}
        for sender, _, number, transaction_id, _ in event.transactions:
            transaction = by_id.get(transaction_id)
            what = f"transaction {number} of {sender} at height {event.height}"
            if transaction is None or hash_bytes(transaction.body) != transaction_id:
                self.violated(f"{what} is not the one that bank {bank} reported")
            else:
                self._check_signers(transaction, what)

    def _check_signers(self, transaction: Transaction, what: str) -> None:
        signers = (transaction.sender, *transaction.agreed_by)
        if len(signers) != len(transaction.signatures):
            self.violated(f"{what} has not one signature for each of its signers")
            return
        for party, signature in zip(signers, transaction.signatures, strict=True):
            organisation = self._membership.organisation(party.organisation)
            if organisation is None or organisation.key_number != party.key_number:
                continue  # execution refuses it by E-KEY; there is no key to verify with
            self.seen += 1
            if not self._scheme.verify(organisation.public_key, transaction.body, signature):
                self.violated(f"{what} was executed with a bad signature of {party.organisation}")


class CertificateValidity(Checker):
    """Every commit certificate and every stable checkpoint holds: a quorum of distinct members of the epoch
    signed exactly what it is shown for.
    """

    name: ClassVar[str] = "certificate_validity"
    seen_of: ClassVar[str] = "certificates verified"

    def __init__(self, membership: Membership, chain: bytes, scheme: SignatureScheme) -> None:
        super().__init__()
        self._membership = membership
        self._chain = chain
        self._scheme = scheme
        self._votes: dict[tuple[Any, ...], bool] = {}
        # The smallest number such that any two sets of that size share more than f replicas.
        n, f = len(membership.validators), membership.f
        self._quorum = next(size for size in range(1, n + 1) if 2 * size - n > f)

    def executed(self, bank: int, event: Executed) -> None:
        expected = (event.sequence, event.batch_digest)
        self._check(event.certificate, "COMMIT", expected, f"bank {bank}, sequence {event.sequence}")

    def stable(self, bank: int, event: Stable) -> None:
        what = f"bank {bank}, checkpoint {event.sequence}"
        self._check(event.certificate, "CHECKPOINT", (event.sequence,), what)

    def _check(self, certificate: Any, kind: str, expected: tuple[Any, ...], what: str) -> None:
        self.seen += 1
        problem = self._problem(certificate, kind, expected)
        if problem is not None:
            self.violated(f"{what}: the certificate {problem}")

    def _problem(self, certificate: Any, kind: str, expected: tuple[Any, ...]) -> str | None:
        if not isinstance(certificate, Certificate):
            return "is missing"
        if certificate.kind != kind or certificate.epoch != self._membership.epoch:
            return f"is a {certificate.kind} of epoch {certificate.epoch}"
        subject = certificate.fields[1:] if kind == "COMMIT" else certificate.fields[:1]
        if subject != expected:
            return "is for something else"
        signers = [
            index for index in range(certificate.signers.bit_length()) if certificate.signers >> index & 1
        ]
        if any(index >= len(self._membership.validators) for index in signers):
            return "names a replica that is not a member"
        if len(signers) != len(certificate.signatures):
            return f"has {len(certificate.signatures)} signatures for {len(signers)} signers"
        if len(signers) < self._quorum:
            return f"has {len(signers)} signers where {self._quorum} are a quorum"
        for index, signature in zip(signers, certificate.signatures, strict=True):
            if not self._holds(index, certificate, signature):
                return f"has a bad signature of replica {index}"
        return None

    def _holds(self, index: int, certificate: Certificate, signature: bytes) -> bool:
        vote = (index, certificate.epoch, certificate.kind, certificate.fields, signature)
        known = self._votes.get(vote)
        if known is None:
            domain = (PROTOCOL_VERSION, self._chain, certificate.epoch, certificate.kind, index)
            body = encode((*domain, *certificate.fields))
            key = self._membership.organisation(self._membership.validators[index])
            known = key is not None and self._scheme.verify(key.public_key, body, signature)
            _remember(self._votes, vote, known, _VOTES_KEPT)
        return known


def _domain(body: bytes) -> tuple[Any, ...] | None:
    """The first five parts of a signed body."""
    try:
        parts = decode(body)
    except EncodingError:
        return None
    return parts[:5] if isinstance(parts, tuple) else None


def _remember(memory: dict[Any, Any], key: Any, value: Any, limit: int) -> None:
    if len(memory) >= limit:
        del memory[next(iter(memory))]
    memory[key] = value
