"""The messages that replicas exchange: contents, their signed form, and a decoder that believes nothing.

A content is what is said; `Signed` is what travels: the exact signed bytes, the signature, the content read
from those bytes, and an attachment (a batch) that the signature covers only through its digest. Every signed
body starts with the domain (protocol version, chain, epoch, kind, sender), so a signature never holds for
another chain, epoch or kind. There is one encoding of each content, so equal contents are equal bytes, and
equivocation is judged on contents.

Not here: signing (a port of the replica), signature checks (the node's `wanted`), rules of acceptance
(`replica`). VIEW-CHANGE and NEW-VIEW will be two more contents in this table.
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

WIRE_BYTES_MAX = 16 * 1024 * 1024
BODY_BYTES_MAX = 4 * 1024 * 1024
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


def certificates_in(content: Message) -> tuple[Certificate, ...]:
    """Return the certificates whose signatures must be verified besides the sender's own."""
    if isinstance(content, Decided | StableCheckpoint):
        return (content.certificate,)
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
        reader = (MESSAGE_KINDS if kinds is None else kinds).get(kind)
        if reader is None:
            raise MessageError(f"unknown kind of message '{kind[:32]}'")
        content = reader(Envelope(epoch, sender, tuple(fields), body, signature, attachment))
    except EncodingError as error:
        raise MessageError(str(error)) from None
    return Signed(body, signature, content, attachment)


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
}
"""How each kind is read; a new kind is a new line here."""
