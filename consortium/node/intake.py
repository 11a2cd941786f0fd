"""What a node accepts into agreement: batches that are whole, match their digest and have a fitting time.

A body is complete only when every signature that it names verifies: sender, each `agreed_by`, bundle. A bank
neither votes for an incomplete one nor executes it, even under a commit certificate (design decision 5).
A fresh pre-prepare needs own - 60 s <= t <= own + 60 s against the present or the previous reading of
business time; one that is ahead is held until the reading catches up (design decision 1).
"""

from consortium.certificate import Certificate, vote_body
from consortium.consensus.messages import (
    CHECKPOINT,
    COMMIT,
    PRE_PREPARE,
    PREPARE,
    STATUS,
    Decided,
    PrePrepare,
    Signed,
    ViewChange,
    certificates_in,
    messages_in,
)
from consortium.ledger.transaction import Batch, Bundle, Party, Transaction, null_batch_digest
from consortium.ledger.transition import Rules
from consortium.node.effects import Check
from consortium.node.messages import REPLY, Request
from consortium.node.shared import SharedWork

VERIFIED_KEPT = 4096
HELD_MAX = 64
NO_KEY = b""
SIGNED_ONLY = frozenset({PREPARE, COMMIT, CHECKPOINT, STATUS, REPLY})
"""Messages that carry nothing but what their sender signed."""


class Intake:
    """Batches by digest, held pre-prepares, verified bundles, and the readings of business time."""

    def __init__(self, rules: Rules, epoch: int, shared: SharedWork, time_us: int) -> None:
        self._rules = rules
        self._epoch = epoch
        self._shared = shared
        membership = rules.membership
        self._replica_keys = tuple(membership.replica_key(index) for index in range(membership.n))
        self._null_digest = null_batch_digest(rules.chain, epoch)
        self._batches: dict[tuple[int, bytes], tuple[Batch, bytes]] = {}
        self._held: list[Signed] = []
        self._verified: dict[bytes, Bundle] = {}
        self._view_changes: dict[int, Signed] = {}
        self.business_time_us = time_us
        self._previous_time_us = time_us

    def business_time(self, time_us: int) -> list[Signed]:
        """Take a reading; return the held pre-prepares that it makes acceptable. Never goes back."""
        if time_us > self.business_time_us:
            self._previous_time_us = self.business_time_us
            self.business_time_us = time_us
        free = [signed for signed in self._held if not self._is_ahead(signed)]
        self._held = [signed for signed in self._held if self._is_ahead(signed)]
        return free

    def problem_with(self, signed: Signed, *, is_complete: bool, is_timed: bool = True) -> str | None:
        """Return why a pre-prepare's batch is not acceptable, or None; a good batch is kept.

        A pre-prepare without a body is no problem: the replica asks for the body. The time of what a new view
        began with is not judged again (`is_timed`).
        """
        content = signed.content
        assert isinstance(content, PrePrepare)
        if signed.attachment is None:
            return None
        batch = self._shared.batch(signed.attachment, self._rules.chain, content.epoch)
        if batch is None:
            return "malformed batch"
        if batch.digest != content.digest:
            return "batch does not match its digest"
        if not is_complete:
            return "incomplete batch"
        bound_us = self._rules.genesis.limits.time_bound_us
        if is_timed and batch.time_us < self._previous_time_us - bound_us:
            return "business time behind"
        self.keep(batch, signed.attachment, content.sequence)
        return None

    def is_held(self, signed: Signed) -> bool:
        """Tell whether a pre-prepare's business time is ahead of ours; such a one is kept for later."""
        if not self._is_ahead(signed):
            return False
        if len(self._held) < HELD_MAX:
            self._held.append(signed)
        return True

    def problem_with_decided(self, signed: Signed) -> str | None:
        """Return why an executed slot that a peer sent is not acceptable, or None; its batch is kept."""
        content = signed.content
        assert isinstance(content, Decided)
        if signed.attachment is None:
            return None if content.digest == self._null_digest else "decided slot without its batch"
        batch = self._shared.batch(signed.attachment, self._rules.chain, content.epoch)
        if batch is None or batch.digest != content.digest:
            return "decided slot with another batch"
        self.keep(batch, signed.attachment, content.sequence)
        return None

    def keep(self, batch: Batch, attachment: bytes, sequence: int) -> None:
        """Keep a whole batch until its slot is executed."""
        self._batches[sequence, batch.digest] = (batch, attachment)
        for bundle in batch.bundles:
            self.remember(bundle)

    def take(self, sequence: int, digest: bytes) -> tuple[Batch, bytes] | None:
        """Take out the batch that a slot is to execute, with its bytes; None for the null batch."""
        return None if digest == self._null_digest else self._batches.pop((sequence, digest))

    def forget_below(self, sequence: int) -> None:
        """Drop what was proposed for slots up to a stable checkpoint and then not decided."""
        for key in [key for key in self._batches if key[0] <= sequence]:
            del self._batches[key]

    def remember(self, bundle: Bundle) -> None:
        """Note that every signature of this very copy of a bundle was verified here."""
        if len(self._verified) >= VERIFIED_KEPT:
            del self._verified[next(iter(self._verified))]
        self._verified[bundle.digest] = bundle

    def remember_view_change(self, signed: Signed) -> None:
        """Note that this VIEW-CHANGE was verified here: it will come again inside a NEW-VIEW."""
        assert isinstance(signed.content, ViewChange)
        self._view_changes[signed.content.sender] = signed

    def bundles_of(self, proposals: tuple[tuple[int, bytes], ...]) -> set[bytes]:
        """Return the digests of the bundles in the batches that are here of these (sequence, digest)."""
        found = (self._batches.get(each) for each in proposals)
        return {bundle.digest for each in found if each is not None for bundle in each[0].bundles}

    # --- checks -----------------------------------------------------------------------------------------

    def wanted(self, signed: Signed) -> tuple[Check, ...]:
        """Return the signature checks of a message, the sender's first; none for a stranger's."""
        content = signed.content
        sender = content.sender
        keys = self._replica_keys
        if content.epoch != self._epoch or not 0 <= sender < len(keys):
            return ()
        own = Check(keys[sender], signed.body, signed.signature)
        if content.KIND in SIGNED_ONLY:
            return (own,)
        if isinstance(content, Request):
            return (own, *self._bundle_checks(content.bundle, with_bundle=False))
        checks = [own]
        for certificate in certificates_in(content):
            checks += self._certificate_checks(certificate)
        for part in messages_in(content):
            checks += self._part_checks(part)
        if signed.attachment is not None:
            checks += self._batch_checks(signed)
        return tuple(checks)

    def checks_of(self, transactions: tuple[Transaction, ...]) -> tuple[Check, ...]:
        """Return the checks of every signature that these transactions name."""
        checks = []
        for transaction in transactions:
            body, signatures = transaction.body, transaction.signatures
            checks.append(Check(self._key_of(transaction.sender), body, signatures[0]))
            for party, signature in zip(transaction.agreed_by, signatures[1:], strict=True):
                checks.append(Check(self._key_of(party), body, signature))
        return tuple(checks)

    def _batch_checks(self, signed: Signed) -> tuple[Check, ...]:
        assert signed.attachment is not None
        batch = self._shared.batch(signed.attachment, self._rules.chain, signed.content.epoch)
        if batch is None:
            return ()
        checks: list[Check] = []
        for bundle in batch.bundles:
            checks += self._bundle_checks(bundle, with_bundle=True)
        return tuple(checks)

    def _bundle_checks(self, bundle: Bundle, *, with_bundle: bool) -> tuple[Check, ...]:
        """Return the checks of a bundle, none if this very copy was verified here before."""
        known = self._verified.get(bundle.digest)
        if known is bundle or (known is not None and known == bundle):
            return ()
        checks = self._shared.checks(bundle, self._checks_with_bundle)
        return checks if with_bundle else checks[1:]

    def _checks_with_bundle(self, bundle: Bundle) -> tuple[Check, ...]:
        keys = self._replica_keys
        key = keys[bundle.bank] if bundle.bank < len(keys) else NO_KEY
        return (Check(key, bundle.body, bundle.signature), *self.checks_of(bundle.transactions))

    def _part_checks(self, part: Signed) -> list[Check]:
        """Return the checks of a message inside a NEW-VIEW; none of a VIEW-CHANGE that was verified here."""
        content = part.content
        if self._view_changes.get(content.sender) == part:
            return []
        keys = self._replica_keys
        is_member = content.epoch == self._epoch and 0 <= content.sender < len(keys)
        checks = [Check(keys[content.sender] if is_member else NO_KEY, part.body, part.signature)]
        for certificate in certificates_in(content):
            checks += self._certificate_checks(certificate)
        return checks

    def _certificate_checks(self, certificate: Certificate) -> tuple[Check, ...]:
        """Return the checks of a certificate's signatures, one that fails if there are too few.

        A quorum is needed, but q-1 for PREPAREs, beside which the primary's pre-prepare stands alone.
        """
        membership = self._rules.membership
        needed = membership.quorum
        if certificate.kind == PREPARE:
            needed -= 1
        elif certificate.kind == PRE_PREPARE:
            needed = 1
        signers = [index for index in range(membership.n) if certificate.signers >> index & 1]
        if (
            certificate.signers.bit_length() > membership.n
            or len(signers) != len(certificate.signatures)
            or len(signers) < needed
        ):
            return (Check(NO_KEY, b"", b""),)
        return tuple(
            Check(
                membership.replica_key(index),
                vote_body(self._rules.chain, certificate.epoch, certificate.kind, index, certificate.fields),
                signature,
            )
            for index, signature in zip(signers, certificate.signatures, strict=True)
        )

    def _key_of(self, party: Party) -> bytes:
        """Return a member's key of that number; an empty one, under which nothing verifies, for others."""
        member = self._rules.membership.organisation(party.organisation)
        return member.public_key if member is not None and member.key_number == party.key_number else NO_KEY

    def _is_ahead(self, signed: Signed) -> bool:
        attachment = signed.attachment
        if attachment is None:
            return False
        batch = self._shared.batch(attachment, self._rules.chain, signed.content.epoch)
        bound_us = self._rules.genesis.limits.time_bound_us
        return batch is not None and batch.time_us > self.business_time_us + bound_us
