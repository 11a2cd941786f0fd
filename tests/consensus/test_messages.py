"""Contents, their signed form, and the decoder."""

import pickle
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.certificate import Certificate, vote_body
from consortium.consensus.frozen import frozen
from consortium.consensus.messages import (
    MESSAGE_KINDS,
    Checkpoint,
    Commit,
    Decided,
    Envelope,
    MessageError,
    OpenSlot,
    Prepare,
    PrePrepare,
    Signed,
    StableCheckpoint,
    Status,
    certificates_in,
    decode_signed,
    seal,
)
from consortium.crypto import PROTOCOL_VERSION, Ed25519Scheme, NullScheme
from consortium.encoding import decode, encode

CHAIN = b"8 bytes!"
SIGNER = NullScheme().signer(bytes(32))

numbers = st.integers(0, 2**63 - 1)
sequences = st.integers(1, 2**63 - 1)
senders = st.integers(0, 1023)
digests = st.binary(min_size=32, max_size=32)
masks = st.integers(0, 2**1024 - 1)


@st.composite
def certificates(draw):
    signers = draw(st.sets(senders, max_size=5))
    return Certificate(
        epoch=draw(numbers),
        kind=draw(st.sampled_from(["COMMIT", "CHECKPOINT"])),
        fields=(draw(numbers), draw(sequences), draw(digests)),
        signers=sum(1 << index for index in signers),
        signatures=tuple(bytes([index % 256]) * 64 for index in sorted(signers)),
    )


@st.composite
def open_slots(draw):
    chosen = sorted(draw(st.sets(sequences, max_size=6)))
    return tuple(OpenSlot(sequence, draw(st.booleans()), draw(masks), draw(masks)) for sequence in chosen)


contents = st.one_of(
    *(
        st.builds(kind, numbers, numbers, sequences, digests, senders)
        for kind in (PrePrepare, Prepare, Commit)
    ),
    st.builds(Checkpoint, numbers, sequences, numbers, digests, digests, senders),
    st.builds(Status, numbers, numbers, numbers, numbers, open_slots(), senders),
    st.builds(Decided, numbers, sequences, digests, certificates(), senders),
    st.builds(StableCheckpoint, numbers, certificates(), senders),
)


def wire_of(body, signature=bytes(64), attachment=None):
    return encode((encode(body), signature, attachment))


def body_of(*rest, version=PROTOCOL_VERSION, chain=CHAIN, epoch=0, kind="PREPARE", sender=1):
    return (version, chain, epoch, kind, sender, *rest)


VOTE = (0, 1, bytes(32))


@given(contents)
def test_what_is_encoded_is_read_back_equal(content):
    attachment = b"batch" if content.KIND in ("PRE-PREPARE", "DECIDED") else None
    signed = seal(content, CHAIN, SIGNER, attachment)
    read = decode_signed(signed.wire, CHAIN)
    assert read.content == content
    assert read == signed
    assert read.wire == signed.wire
    assert signed.size_bytes == len(signed.wire)


@given(contents, contents)
def test_contents_are_equal_exactly_if_their_bytes_are(one, other):
    bodies = [seal(content, CHAIN, SIGNER).body for content in (one, other)]
    assert (one == other) == (bodies[0] == bodies[1])


@pytest.mark.parametrize("length", [0, 1, 255, 256, 65535, 65536])
def test_the_size_is_known_without_encoding(length):
    signed = seal(PrePrepare(0, 0, 1, bytes(32), 0), CHAIN, SIGNER, bytes(length))
    assert signed.size_bytes == len(signed.wire)


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_refused_without_any_other_exception(data):
    with pytest.raises(MessageError):
        decode_signed(data, CHAIN)


@settings(max_examples=300)
@given(contents, st.data())
def test_changed_bytes_are_refused_or_are_another_message(content, data):
    wire = bytearray(seal(content, CHAIN, SIGNER).wire)
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(wire) - 1))
        wire[position] = data.draw(st.integers(0, 255))
    try:
        read = decode_signed(bytes(wire), CHAIN)
    except MessageError:
        return
    assert read.wire == bytes(wire)


@settings(max_examples=300)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        | st.binary(max_size=40)
        | st.text(max_size=5),
        lambda values: st.lists(values, max_size=5).map(tuple),
        max_leaves=12,
    ),
    st.sampled_from([*MESSAGE_KINDS, "VIEW-CHANGE"]),
)
def test_any_fields_of_any_kind_are_read_strictly_or_refused(value, kind):
    fields = value if isinstance(value, tuple) else (value,)
    wire = wire_of(body_of(*fields, kind=kind))
    try:
        read = decode_signed(wire, CHAIN)
    except MessageError:
        return
    assert vote_body(CHAIN, 0, kind, 1, read.content.fields()) == read.body


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"", "canonical"),
        (encode((b"", bytes(64))), "envelope"),
        (encode(("text", bytes(64), None)), "envelope"),
        (wire_of(body_of(*VOTE), signature=bytes(63)), "64 bytes"),
        (wire_of(body_of(*VOTE)) + b"\0", "canonical"),
        (wire_of((PROTOCOL_VERSION, CHAIN, 0)), "starts with"),
        (wire_of(body_of(*VOTE, version=2)), "version"),
        (wire_of(body_of(*VOTE, version=True)), "version"),
        (wire_of(body_of(*VOTE, chain=b"another!")), "another chain"),
        (wire_of(body_of(*VOTE, kind="VIEWS")), "unknown kind"),
        (wire_of(body_of(*VOTE, sender=1024)), "no replica"),
        (wire_of(body_of(*VOTE, sender=True)), "number"),
        (wire_of(body_of(*VOTE, epoch=-1)), "number"),
        (wire_of(body_of(0, 0, bytes(32))), "no sequence number 0"),
        (wire_of(body_of(True, 1, bytes(32))), "number"),
        (wire_of(body_of(0, 1, bytes(31))), "digest"),
        (wire_of(body_of(0, 1)), "a vote is"),
        (wire_of(body_of(*VOTE), attachment=b"batch"), "no attachment"),
        (wire_of(body_of(0, 0, 0, ((2, True, b"", b""), (1, True, b"", b"")), kind="STATUS")), "ascend"),
        (wire_of(body_of(0, 0, 0, ((1, True, b"\0\1", b""),), kind="STATUS")), "shortest"),
        (wire_of(body_of(0, 0, 0, ((1, 1, b"", b""),), kind="STATUS")), "open slot"),
        (
            wire_of(body_of(0, 0, 0, tuple((i, True, b"", b"") for i in range(1, 4098)), kind="STATUS")),
            "more than",
        ),
        (wire_of(body_of(((0, "CHECKPOINT", (), b"\1", ()),)[0], kind="STABLE")), "one signature"),
        (wire_of(body_of((0, "CHECKPOINT", (), b"\1", (b"x",)), kind="STABLE")), "64 bytes"),
    ],
)
def test_the_reason_of_a_refusal_is_named(wire, reason):
    with pytest.raises(MessageError, match=reason):
        decode_signed(wire, CHAIN)


def test_a_body_is_bounded():
    with pytest.raises(MessageError, match="allowed"):
        decode_signed(encode((bytes(12 * 1024 * 1024 + 1), bytes(64), None)), CHAIN)


def test_a_signature_holds_for_the_exact_bytes_and_their_domain():
    scheme = Ed25519Scheme()
    signer = scheme.signer(bytes(32))
    prepare = Prepare(0, 0, 1, bytes(32), 2)
    signed = seal(prepare, CHAIN, signer)
    assert scheme.verify(signer.public_key, signed.body, signed.signature)
    others = [
        seal(Commit(0, 0, 1, bytes(32), 2), CHAIN, signer),
        seal(Prepare(1, 0, 1, bytes(32), 2), CHAIN, signer),
        seal(Prepare(0, 0, 1, bytes(32), 3), CHAIN, signer),
        seal(prepare, b"chain  2", signer),
    ]
    for other in others:
        assert not scheme.verify(signer.public_key, other.body, signed.signature)


def test_the_body_of_a_vote_is_what_a_certificate_verifies():
    content = Commit(3, 1, 7, bytes(32), 2)
    assert seal(content, CHAIN, SIGNER).body == vote_body(CHAIN, 3, "COMMIT", 2, content.fields())
    assert decode(seal(content, CHAIN, SIGNER).body)[:5] == (PROTOCOL_VERSION, CHAIN, 3, "COMMIT", 2)


def test_the_attachment_is_outside_the_signature_and_can_be_taken_off_and_put_on():
    signed = seal(PrePrepare(0, 0, 1, bytes(32), 0), CHAIN, SIGNER, b"batch")
    header = signed.header
    assert (header.attachment, header.body, header.signature) == (None, signed.body, signed.signature)
    assert header.header is header
    assert header.with_attachment(b"batch") == signed


def test_only_what_may_be_signed_once_has_a_slot():
    assert Prepare(1, 2, 3, bytes(32), 0).slot == (1, 2, 3, "PREPARE")
    assert Checkpoint(1, 3, 3, bytes(32), bytes(32), 0).slot == (1, 0, 3, "CHECKPOINT")
    assert Status(1, 2, 0, 0, (), 0).slot is None


def test_certificates_inside_are_named_for_verification():
    certificate = Certificate(epoch=0, kind="COMMIT", fields=(), signers=0, signatures=())
    assert certificates_in(Decided(0, 1, bytes(32), certificate, 0)) == (certificate,)
    assert certificates_in(StableCheckpoint(0, certificate, 0)) == (certificate,)
    assert certificates_in(Prepare(0, 0, 1, bytes(32), 0)) == ()


def test_further_kinds_can_be_read():
    def read(envelope: Envelope):
        return Prepare(envelope.epoch, 0, 1, envelope.attachment, envelope.sender)

    read_back = decode_signed(wire_of(body_of(kind="REQUEST"), attachment=b"x"), CHAIN, {"REQUEST": read})
    assert read_back.content.digest == b"x"
    with pytest.raises(MessageError, match="unknown kind"):
        decode_signed(wire_of(body_of(*VOTE)), CHAIN, {"REQUEST": read})


@pytest.mark.parametrize(
    "value",
    [Prepare(0, 0, 1, bytes(32), 0), seal(Commit(0, 0, 1, bytes(32), 0), CHAIN, SIGNER)],
    ids=["content", "signed"],
)
def test_values_are_frozen_hashable_and_can_be_pickled(value):
    name = "view" if isinstance(value, Prepare) else "body"
    with pytest.raises(FrozenInstanceError):
        setattr(value, name, 1)
    with pytest.raises(FrozenInstanceError):
        delattr(value, name)
    with pytest.raises(AttributeError):
        value.anything = 1
    assert pickle.loads(pickle.dumps(value)) == value
    assert hash(value) == hash(pickle.loads(pickle.dumps(value)))


def test_frozen_keeps_the_name_and_documentation_of_a_class():
    @frozen
    class Sample:
        """A sample."""

        number: int = 0

    assert repr(Sample()).endswith("Sample(number=0)")
    assert isinstance(Sample(), Sample)
    assert type(Sample()).__doc__ == "A sample."
    assert isinstance(seal(Prepare(0, 0, 1, bytes(32), 0), CHAIN, SIGNER), Signed)
