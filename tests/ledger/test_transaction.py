"""Transactions, bundles and batches: one form each, and nothing else is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.encoding import EncodingError, decode, encode
from consortium.ledger.transaction import (
    Party,
    TransactionError,
    batch_of,
    bundle_body,
    bundle_of,
    decode_batch,
    null_batch_digest,
    transaction_body,
    transaction_of,
)

CHAIN = b"chain---"
SIGNATURE = bytes(64)


def body(**changes):
    fields = {
        "chain": CHAIN,
        "sender": Party(organisation="maker", key_number=1),
        "session": 0,
        "number": 7,
        "contract": "noop@1",
        "action": "run",
        "arguments": (1, "a", (b"x", None)),
    }
    return transaction_body(**{**fields, **changes})


def transaction(**changes):
    return transaction_of(body(**changes), (SIGNATURE,) * (1 + len(changes.get("agreed_by", ()))))


def bundle(*transactions, bank=0, epoch=0):
    ids = tuple(each.id for each in transactions)
    return bundle_of(bundle_body(CHAIN, epoch, bank, ids), SIGNATURE, transactions)


def test_a_transaction_reads_back_what_was_written():
    agreed = (Party(organisation="bank1", key_number=2),)
    read = transaction(agreed_by=agreed, not_after_us=5, floor=6)
    assert read.agreed_by == agreed
    assert (read.session, read.number, read.floor, read.not_after_us) == (0, 7, 6, 5)
    assert read.arguments == (1, "a", (b"x", None))
    assert read.body == body(agreed_by=agreed, not_after_us=5, floor=6)


def test_the_id_covers_everything_but_the_signatures():
    base = transaction()
    for change in (
        {"chain": b"another-"}, {"sender": Party(organisation="x", key_number=1)}, {"sender": Party(organisation="maker", key_number=2)},
        {"session": 1}, {"number": 8}, {"contract": "noop@2"}, {"action": "other"}, {"arguments": ()}, {"not_after_us": 1}, {"floor": 1},
        {"agreed_by": (Party(organisation="b", key_number=1),)},
    ):  # fmt: skip
        assert transaction(**change).id != base.id
    assert transaction_of(base.body, (b"s" * 64,)).id == base.id


@pytest.mark.parametrize(
    "change",
    [
        {"session": 16},
        {"session": -1},
        {"number": 0},
        {"floor": 7},
        {"floor": -1},
        {"chain": b"short"},
        {"not_after_us": "x"},
        {"session": True},
    ],
    ids=str,
)
def test_numbers_outside_their_range_are_refused(change):
    with pytest.raises(EncodingError):
        transaction(**change)


@pytest.mark.parametrize("signatures", [(), (SIGNATURE, SIGNATURE), (b"short",), (1,), [SIGNATURE]], ids=str)
def test_there_is_one_signature_for_each_signer(signatures):
    with pytest.raises(TransactionError):
        transaction_of(body(), signatures)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_batch_or_refused(data):
    try:
        batch = decode_batch(data, CHAIN, 0)
    except EncodingError:
        return
    assert batch.encoded() == data


@given(st.data())
def test_a_changed_byte_changes_the_digest_or_is_refused_or_is_a_signature(data):
    batch = batch_of(CHAIN, 0, (bundle(transaction(), transaction(number=8)),), 1000)
    encoded = bytearray(batch.encoded())
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))
    try:
        other = decode_batch(bytes(encoded), CHAIN, 0)
    except EncodingError:
        return
    bodies = [b.body for b in batch.bundles]
    if [b.body for b in other.bundles] == bodies and other.time_us == batch.time_us:
        assert other.digest == batch.digest  # only a signature was changed: digests are over bodies
    else:
        assert other.digest != batch.digest


def test_a_batch_survives_its_bytes():
    batch = batch_of(CHAIN, 0, (bundle(transaction()), bundle(transaction(number=9), bank=2)), 1000)
    assert decode_batch(batch.encoded(), CHAIN, 0) == batch


def test_a_batch_of_another_epoch_or_chain_is_refused():
    batch = batch_of(CHAIN, 0, (bundle(transaction()),), 1000)
    with pytest.raises(TransactionError, match="epoch"):
        decode_batch(batch.encoded(), CHAIN, 1)


def test_a_bundle_lists_exactly_what_it_carries():
    one, two = transaction(), transaction(number=8)
    for ids, carried in (((one.id,), (one, two)), ((two.id, one.id), (one, two)), ((), ())):
        with pytest.raises(TransactionError, match="exactly"):
            bundle_of(bundle_body(CHAIN, 0, 0, ids), SIGNATURE, carried)
    with pytest.raises(TransactionError, match="chain"):
        bundle(transaction(chain=b"another-"))


def test_the_null_batch_is_none_of_the_others():
    assert null_batch_digest(CHAIN, 0) != batch_of(CHAIN, 0, (), 0).digest
    assert null_batch_digest(CHAIN, 0) != null_batch_digest(CHAIN, 1)


def test_too_long_a_transaction_is_refused():
    with pytest.raises(TransactionError, match="bytes"):
        transaction(arguments=("x" * 70_000,))
    assert decode(body()) is not None
    assert encode(()) == b"\x90"
