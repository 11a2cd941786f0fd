"""The messages that replicas exchange: contents, their signed form, and a decoder that believes nothing.

A content is what is said; `Signed` is what travels: the exact signed bytes, the signature, the content read
from those bytes, and an attachment (a batch) that the signature covers only through its digest. Every signed
body starts with the domain (protocol version, chain, epoch, kind, sender), so a signature never holds for
another chain, epoch or kind. There is one encoding of each content, so equal contents are equal bytes, and
equivocation is judged on contents.

Not here: signing (a port of the replica), signature checks (the node's `wanted`), rules of acceptance
(`replica`, and `view_change` for what proves a new view).
"""

from collections.abc import Callable, Mapping
from dataclasses import field
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias

from consortium.certificate import Certificate, vote_body
from consortium.consensus.frozen import frozen
from consortium.crypto import DIGEST_BYTES, PROTOCOL_VERSION, SIGNATURE_BYTES, Signer
from consortium.encoding import EncodingError, decode, encode
from consortium.errors import PeerError

PRE_PREPARE = "PRE-PREPARE"
PREPARE = "PREPARE"
COMMIT = "COMMIT"
CHECKPOINT = "CHECKPOINT"
STATUS = "STATUS"
DECIDED = "DECIDED"
STABLE = "STABLE"
VIEW_CHANGE = "VIEW-CHANGE"
NEW_VIEW = "NEW-VIEW"

WIRE_BYTES_MAX = 16 * 1024 * 1024
BODY_BYTES_MAX = 12 * 1024 * 1024
"""A NEW-VIEW is the largest body: q VIEW-CHANGEs, each with up to W certificates of q-1 signatures."""
REPLICAS_MAX = 1024
OPEN_SLOTS_MAX = 4096

SlotKey: TypeAlias = tuple[int, int, int, str]
"""(epoch, view, sequence, kind): a correct replica signs at most one content for each."""


class MessageError(PeerError):
    """The bytes are no message of this chain; whoever sent them is to blame."""


class Message(Protocol):
    """What every content offers."""

    @property
    def KIND(self) -> str: ...  # noqa: N802  a constant of the class

    @property
    def epoch(self) -> int: ...

    @property
    def sender(self) -> int: ...

    @property
    def slot(self) -> SlotKey | None:
        """What this content may be signed for only once; None if it may be signed again and again."""
        ...

    def fields(self) -> tuple[Any, ...]:
        """Return what stands in the signed body after the domain."""
        ...


@frozen
class PrePrepare:
    """The primary of `view` assigns `sequence` to the batch with this digest (Castro & Liskov 4.2)."""

    epoch: int
    view: int
    sequence: int
    digest: bytes
    sender: int

    KIND: ClassVar[str] = PRE_PREPARE

    @property
    def slot(self) -> SlotKey:
        return (self.epoch, self.view, self.sequence, PRE_PREPARE)

    def fields(self) -> tuple[Any, ...]:
        return (self.view, self.sequence, self.digest)


@frozen
class Prepare:
    """A backup accepted the pre-prepare (4.2). The primary sends none."""

    epoch: int
    view: int
    sequence: int
    digest: bytes
    sender: int

    KIND: ClassVar[str] = PREPARE

    @property
    def slot(self) -> SlotKey:
        return (self.epoch, self.view, self.sequence, PREPARE)

    def fields(self) -> tuple[Any, ...]:
        return (self.view, self.sequence, self.digest)


@frozen
class Commit:
    """The sender is prepared (4.2). A quorum of these is a commit certificate, valid in any view."""

    epoch: int
    view: int
    sequence: int
    digest: bytes
    sender: int

    KIND: ClassVar[str] = COMMIT

    @property
    def slot(self) -> SlotKey:
        return (self.epoch, self.view, self.sequence, COMMIT)

    def fields(self) -> tuple[Any, ...]:
        return (self.view, self.sequence, self.digest)


@frozen
class Checkpoint:
    """The sender's results after executing `sequence` (4.3): those of the last block."""

    epoch: int
    sequence: int
    height: int
    header_hash: bytes
    state_root: bytes
    sender: int

    KIND: ClassVar[str] = CHECKPOINT

    @property
    def slot(self) -> SlotKey:
        return (self.epoch, 0, self.sequence, CHECKPOINT)

    def fields(self) -> tuple[Any, ...]:
        return (self.sequence, self.height, self.header_hash, self.state_root)


class OpenSlot(NamedTuple):
    """One overdue slot in a STATUS: what its sender has of it. The masks hold a bit for each replica."""

    sequence: int
    has_pre_prepare: bool
    prepare_mask: int
    commit_mask: int


@frozen
class Status:
    """How far the sender is and what is overdue there; peers answer with what it lacks."""

    epoch: int
    view: int
    stable: int
    executed: int
    open: tuple[OpenSlot, ...]
    sender: int

    KIND: ClassVar[str] = STATUS
    slot: ClassVar[None] = None

    def fields(self) -> tuple[Any, ...]:
        slots = tuple(
            (sequence, has_pre_prepare, _mask_bytes(prepare_mask), _mask_bytes(commit_mask))
            for sequence, has_pre_prepare, prepare_mask, commit_mask in self.open
        )
        return (self.view, self.stable, self.executed, slots)


@frozen
class Decided:
    """A commit certificate for a sequence number that the receiver lacks; the batch is the attachment."""

    epoch: int
    sequence: int
    digest: bytes
    certificate: Certificate
    sender: int

    KIND: ClassVar[str] = DECIDED
    slot: ClassVar[None] = None

    def fields(self) -> tuple[Any, ...]:
        return (self.sequence, self.digest, self.certificate.as_value())


@frozen
class StableCheckpoint:
    """A checkpoint certificate above the receiver's; it proves itself, so any single peer may bring it."""

    epoch: int
    certificate: Certificate
    sender: int

    KIND: ClassVar[str] = STABLE
    slot: ClassVar[None] = None

    def fields(self) -> tuple[Any, ...]:
        return (self.certificate.as_value(),)


@frozen
class PreparedProof:
    """One entry of P in a VIEW-CHANGE (4.4): a prepared certificate in its compact form.

    The pre-prepare's header is what it is for, the number of the primary who signed it, and the signature.
    """

    view: int
    sequence: int
    digest: bytes
    primary: int
    signature: bytes
    signers: int
    """Bitmap of the backups whose PREPAREs these are, q-1 of them; the primary is not among them."""
    signatures: tuple[bytes, ...]

    def certificates(self, epoch: int) -> tuple[Certificate, Certificate]:
        """Return what must be verified: the primary's signature, and those of the PREPAREs."""
        fields = (self.view, self.sequence, self.digest)
        return (
            Certificate(
                epoch=epoch,
                kind=PRE_PREPARE,
                fields=fields,
                signers=1 << self.primary,
                signatures=(self.signature,),
            ),
            Certificate(
                epoch=epoch, kind=PREPARE, fields=fields, signers=self.signers, signatures=self.signatures
            ),
        )

    def as_value(self) -> tuple[Any, ...]:
        signers = _mask_bytes(self.signers)
        return (
            self.view,
            self.sequence,
            self.digest,
            self.primary,
            self.signature,
            signers,
            self.signatures,
        )


@frozen
class ViewChange:
    """The sender gives up every view below `view` and says what it brings into it (4.4).

    `stable` is its stable checkpoint with the certificate (None for genesis), `prepared` the set P: for each
    sequence number above it the prepared certificate of the highest view that the sender ever had.
    """

    epoch: int
    view: int
    stable: int
    checkpoint: Certificate | None
    prepared: tuple[PreparedProof, ...]
    sender: int

    KIND: ClassVar[str] = VIEW_CHANGE

    @property
    def slot(self) -> SlotKey:
        return (self.epoch, self.view, 0, VIEW_CHANGE)

    def fields(self) -> tuple[Any, ...]:
        checkpoint = None if self.checkpoint is None else self.checkpoint.as_value()
        return (self.view, self.stable, checkpoint, tuple(proof.as_value() for proof in self.prepared))


@frozen
class NewView:
    """The primary of `view` starts it (4.4): V, a quorum's VIEW-CHANGEs, and O, what follows from them.

    O are pre-prepares of the new view, each signed by itself, so that later certificates need no NEW-VIEW.
    """

    epoch: int
    view: int
    view_changes: "tuple[Signed, ...]"
    pre_prepares: "tuple[Signed, ...]"
    sender: int

    KIND: ClassVar[str] = NEW_VIEW

    @property
    def slot(self) -> SlotKey:
        return (self.epoch, self.view, 0, NEW_VIEW)

    def fields(self) -> tuple[Any, ...]:
        return (
            self.view,
            tuple((each.body, each.signature) for each in self.view_changes),
            tuple((*each.content.fields()[1:], each.signature) for each in self.pre_prepares),
        )


def certificates_in(content: Message) -> tuple[Certificate, ...]:
    """Return the certificates whose signatures must be verified besides the sender's own."""
    if isinstance(content, Decided | StableCheckpoint):
        return (content.certificate,)
    if isinstance(content, ViewChange):
        proofs = [each for proof in content.prepared for each in proof.certificates(content.epoch)]
        return tuple(proofs) if content.checkpoint is None else (content.checkpoint, *proofs)
    return ()


def messages_in(content: Message) -> "tuple[Signed, ...]":
    """Return the messages that a NEW-VIEW consists of: each must be verified like one that came alone."""
    if isinstance(content, NewView):
        return (*content.view_changes, *content.pre_prepares)
    return ()


# --- the signed form -----------------------------------------------------------------------------------


@frozen
class Signed:
    """A message as it travels. One object serves all receivers of a broadcast."""

    body: bytes
    signature: bytes
    content: Message = field(compare=False)
    attachment: bytes | None = field(default=None, repr=False)
    _wire: bytes | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def wire(self) -> bytes:
        """The bytes that are sent; made when first asked for, because a simulation seldom asks."""
        if self._wire is None:
            object.__setattr__(self, "_wire", encode((self.body, self.signature, self.attachment)))
        assert self._wire is not None
        return self._wire

    @property
    def size_bytes(self) -> int:
        """The length of `wire`, without making it."""
        attachment = self.attachment
        rest = 1 if attachment is None else _encoded_length(attachment)
        return 1 + _encoded_length(self.body) + _encoded_length(self.signature) + rest

    @property
    def header(self) -> "Signed":
        """The same message without its attachment (the signature covers the attachment's digest)."""
        return self if self.attachment is None else Signed(self.body, self.signature, self.content)

    def with_attachment(self, attachment: bytes) -> "Signed":
        """The same message with a batch that was fetched elsewhere; the caller has checked its digest."""
        return Signed(self.body, self.signature, self.content, attachment)


def seal(content: Message, chain: bytes, signer: Signer, attachment: bytes | None = None) -> Signed:
    """Return `content` signed. The node's guard against equivocation stands before this."""
    body = vote_body(chain, content.epoch, content.KIND, content.sender, content.fields())
    return Signed(body, signer.sign(body), content, attachment)


def _encoded_length(data: bytes) -> int:
    length = len(data)
    return length + (2 if length < 1 << 8 else 3 if length < 1 << 16 else 5)


def _mask_bytes(mask: int) -> bytes:
    return mask.to_bytes((mask.bit_length() + 7) // 8, "big")


# --- decoding ------------------------------------------------------------------------------------------


class Envelope(NamedTuple):
    """A message taken apart: `fields` is what stands in the body after the domain, of any shape yet."""

    epoch: int
    sender: int
    fields: tuple[Any, ...]
    body: bytes
    signature: bytes
    attachment: bytes | None
    chain: bytes


Reader: TypeAlias = Callable[[Envelope], Message]


def decode_signed(wire: bytes, chain: bytes, kinds: Mapping[str, Reader] | None = None) -> Signed:
    """Read any bytes as a message of this chain. Raises MessageError, and nothing else, for all others.

    `kinds` replaces MESSAGE_KINDS where a caller knows further kinds. Nothing is verified here but the form:
    the signature, the sender's membership and the attachment's digest are the caller's to check.
    """
    try:
        match decode(wire, max_bytes=WIRE_BYTES_MAX, max_depth=1):
            case (bytes(body), bytes(signature), None | bytes() as attachment):
                pass
            case _:
                raise MessageError("an envelope is (body, signature, attachment)")
        if len(signature) != SIGNATURE_BYTES:
            raise MessageError(f"a signature has {SIGNATURE_BYTES} bytes, not {len(signature)}")
        content = _content_of(body, signature, attachment, chain, MESSAGE_KINDS if kinds is None else kinds)
    except EncodingError as error:
        raise MessageError(str(error)) from None
    return Signed(body, signature, content, attachment)


def _content_of(
    body: bytes, signature: bytes, attachment: bytes | None, chain: bytes, kinds: Mapping[str, Reader]
) -> Message:
    """Read a signed body. Raises MessageError or EncodingError."""
    match decode(body, max_bytes=BODY_BYTES_MAX, max_depth=8):
        case (int(version), bytes(body_chain), int(epoch), str(kind), int(sender), *fields):
            pass
        case _:
            raise MessageError("a body starts with (version, chain, epoch, kind, sender)")
    if type(version) is bool or version != PROTOCOL_VERSION:
        raise MessageError(f"protocol version {version} is not {PROTOCOL_VERSION}")
    if body_chain != chain:
        raise MessageError("a message of another chain")
    _number(epoch)
    if _number(sender) >= REPLICAS_MAX:
        raise MessageError(f"no replica has number {sender}")
    reader = kinds.get(kind)
    if reader is None:
        raise MessageError(f"unknown kind of message '{kind[:32]}'")
    return reader(Envelope(epoch, sender, tuple(fields), body, signature, attachment, chain))


def refuse_attachment(envelope: Envelope) -> None:
    """Raise MessageError if something rides on a message that carries nothing."""
    if envelope.attachment is not None:
        raise MessageError("this kind of message carries no attachment")


def _read_vote(
    envelope: Envelope,
) -> tuple[int, int, int, bytes, int]:
    match envelope.fields:
        case (view, sequence, digest):
            return (envelope.epoch, _number(view), _sequence(sequence), _digest(digest), envelope.sender)
        case _:
            raise MessageError("a vote is (view, sequence, digest)")


def _read_pre_prepare(envelope: Envelope) -> Message:
    return PrePrepare(*_read_vote(envelope))


def _read_prepare(envelope: Envelope) -> Message:
    refuse_attachment(envelope)
    return Prepare(*_read_vote(envelope))


def _read_commit(envelope: Envelope) -> Message:
    refuse_attachment(envelope)
    return Commit(*_read_vote(envelope))


def _read_checkpoint(envelope: Envelope) -> Message:
    refuse_attachment(envelope)
    match envelope.fields:
        case (sequence, height, header_hash, state_root):
            return Checkpoint(
                envelope.epoch,
                _sequence(sequence),
                _number(height),
                _digest(header_hash),
                _digest(state_root),
                envelope.sender,
            )
        case _:
            raise MessageError("a checkpoint is (sequence, height, header hash, state root)")


def _read_status(envelope: Envelope) -> Message:
    refuse_attachment(envelope)
    match envelope.fields:
        case (view, stable, executed, tuple(entries)):
            pass
        case _:
            raise MessageError("a status is (view, stable, executed, open slots)")
    if len(entries) > OPEN_SLOTS_MAX:
        raise MessageError(f"{len(entries)} open slots are more than {OPEN_SLOTS_MAX}")
    slots = tuple(_open_slot(entry) for entry in entries)
    if any(later.sequence <= earlier.sequence for earlier, later in pairwise(slots)):
        raise MessageError("open slots must ascend")
    return Status(envelope.epoch, _number(view), _number(stable), _number(executed), slots, envelope.sender)


def _open_slot(entry: Any) -> OpenSlot:
    match entry:
        case (sequence, bool(has_pre_prepare), prepares, commits):
            return OpenSlot(_sequence(sequence), has_pre_prepare, _mask(prepares), _mask(commits))
        case _:
            raise MessageError("an open slot is (sequence, has pre-prepare, prepares, commits)")


def _read_decided(envelope: Envelope) -> Message:
    match envelope.fields:
        case (sequence, digest, certificate):
            return Decided(
                envelope.epoch,
                _sequence(sequence),
                _digest(digest),
                _certificate(certificate),
                envelope.sender,
            )
        case _:
            raise MessageError("a decision is (sequence, digest, certificate)")


def _read_stable(envelope: Envelope) -> Message:
    refuse_attachment(envelope)
    match envelope.fields:
        case (certificate,):
            return StableCheckpoint(envelope.epoch, _certificate(certificate), envelope.sender)
        case _:
            raise MessageError("a stable checkpoint is (certificate)")


def _read_view_change(envelope: Envelope) -> Message:
    refuse_attachment(envelope)
    match envelope.fields:
        case (view, stable, checkpoint, tuple(entries)):
            pass
        case _:
            raise MessageError("a view change is (view, stable, checkpoint, prepared)")
    if len(entries) > OPEN_SLOTS_MAX:
        raise MessageError(f"{len(entries)} prepared certificates are more than {OPEN_SLOTS_MAX}")
    prepared = tuple(_prepared_proof(entry) for entry in entries)
    if any(later.sequence <= earlier.sequence for earlier, later in pairwise(prepared)):
        raise MessageError("prepared certificates must ascend")
    certificate = None if checkpoint is None else _certificate(checkpoint)
    return ViewChange(envelope.epoch, _number(view), _number(stable), certificate, prepared, envelope.sender)


def _prepared_proof(entry: Any) -> PreparedProof:
    match entry:
        case (view, sequence, digest, primary, signature, signers, tuple(signatures)):
            pass
        case _:
            raise MessageError("a prepared certificate is (view, sequence, digest, primary, ...)")
    if _number(primary) >= REPLICAS_MAX:
        raise MessageError(f"no replica has number {primary}")
    mask = _mask(signers)
    if len(signatures) != mask.bit_count():
        raise MessageError("a certificate needs one signature for each signer")
    return PreparedProof(
        _number(view),
        _sequence(sequence),
        _digest(digest),
        primary,
        _signature(signature),
        mask,
        tuple(_signature(each) for each in signatures),
    )


def _read_new_view(envelope: Envelope) -> Message:
    refuse_attachment(envelope)
    match envelope.fields:
        case (view, tuple(changes), tuple(proposals)):
            pass
        case _:
            raise MessageError("a new view is (view, view changes, pre-prepares)")
    if len(changes) > REPLICAS_MAX or len(proposals) > OPEN_SLOTS_MAX:
        raise MessageError("a new view of too many parts")
    _number(view)
    return NewView(
        envelope.epoch,
        view,
        tuple(_view_change_in(each, envelope.chain) for each in changes),
        tuple(_pre_prepare_in(each, view, envelope) for each in proposals),
        envelope.sender,
    )


def _view_change_in(value: Any, chain: bytes) -> Signed:
    match value:
        case (bytes(body), bytes(signature)):
            content = _content_of(body, _signature(signature), None, chain, {VIEW_CHANGE: _read_view_change})
            return Signed(body, signature, content)
        case _:
            raise MessageError("a view change in a new view is (body, signature)")


def _pre_prepare_in(value: Any, view: int, envelope: Envelope) -> Signed:
    match value:
        case (sequence, digest, signature):
            pass
        case _:
            raise MessageError("a pre-prepare in a new view is (sequence, digest, signature)")
    content = PrePrepare(envelope.epoch, view, _sequence(sequence), _digest(digest), envelope.sender)
    body = vote_body(envelope.chain, content.epoch, PRE_PREPARE, content.sender, content.fields())
    return Signed(body, _signature(signature), content)


def _signature(value: Any) -> bytes:
    if type(value) is not bytes or len(value) != SIGNATURE_BYTES:
        raise MessageError(f"a signature has {SIGNATURE_BYTES} bytes")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise MessageError("a number from 0 up is expected")
    return value


def _sequence(value: Any) -> int:
    """Sequence numbers start at 1; 0 stands for genesis."""
    if _number(value) == 0:
        raise MessageError("there is no sequence number 0")
    return int(value)


def _digest(value: Any) -> bytes:
    if type(value) is not bytes or len(value) != DIGEST_BYTES:
        raise MessageError(f"a digest of {DIGEST_BYTES} bytes is expected")
    return value


def _mask(value: Any) -> int:
    if type(value) is not bytes or len(value) > REPLICAS_MAX // 8 or value[:1] == b"\0":
        raise MessageError("a bitmap of replicas in its shortest form is expected")
    return int.from_bytes(value, "big")


def _certificate(value: Any) -> Certificate:
    certificate = Certificate.from_value(value)
    if certificate.signers.bit_length() > REPLICAS_MAX or certificate.epoch < 0:
        raise MessageError("a certificate of no epoch or of no replica")
    if len(certificate.signatures) != certificate.signers.bit_count():
        raise MessageError("a certificate needs one signature for each signer")
    if any(len(signature) != SIGNATURE_BYTES for signature in certificate.signatures):
        raise MessageError(f"a signature has {SIGNATURE_BYTES} bytes")
    return certificate


MESSAGE_KINDS: Mapping[str, Reader] = {
    PRE_PREPARE: _read_pre_prepare,
    PREPARE: _read_prepare,
    COMMIT: _read_commit,
    CHECKPOINT: _read_checkpoint,
    STATUS: _read_status,
    DECIDED: _read_decided,
    STABLE: _read_stable,
    VIEW_CHANGE: _read_view_change,
    NEW_VIEW: _read_new_view,
}
"""How each kind is read; a new kind is a new line here."""
