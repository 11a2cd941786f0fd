"""Records are read back as they were persisted."""

import pytest
from consensus_cluster import CHAIN, Cluster
from hypothesis import given
from hypothesis import strategies as st

from consortium.consensus.messages import Signed
from consortium.consensus.output import NOTHING, Output, Prepared, decode_record, encode_record
from consortium.encoding import EncodingError, encode
from consortium.errors import PeerError


@pytest.fixture(scope="module")
def records():
    cluster = Cluster(window=4, checkpoint_interval=2)
    for name in "ABC":
        cluster.propose(name)
        cluster.deliver_all()
    return cluster.members[1].durable


def test_every_record_of_a_run_is_read_back(records):
    kinds = {type(record).__name__ for record in records}
    assert kinds == {"Signed", "Prepared", "Certificate"}
    for record in records:
        read = decode_record(encode_record(record), CHAIN)
        if isinstance(record, Prepared):
            # The batch is with the accepted pre-prepare already, so the certificate has its header only.
            assert read.pre_prepare == record.pre_prepare.header
            assert read.votes == record.votes
        else:
            assert read == record
        if isinstance(record, Signed):
            assert read.content == record.content


def test_a_record_of_another_chain_is_refused(records):
    with pytest.raises(PeerError):
        decode_record(encode_record(records[0]), b"another!")


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_no_record(data):
    with pytest.raises(PeerError):
        decode_record(data, CHAIN)


@pytest.mark.parametrize(
    "value",
    [
        ("signed", 1),
        ("prepared", b"", ()),
        ("unknown", b""),
        ("stable", ()),
    ],
)
def test_other_shapes_are_no_record(value):
    with pytest.raises(PeerError):
        decode_record(encode(value), CHAIN)


def test_a_prepared_record_takes_only_prepares(records):
    prepared = next(record for record in records if isinstance(record, Prepared))
    stable = next(record for record in records if not isinstance(record, Signed | Prepared))
    with pytest.raises(EncodingError, match="PREPAREs"):
        decode_record(encode(("prepared", prepared.pre_prepare.header.wire, stable.as_value())), CHAIN)


def test_the_kind_of_a_record_is_part_of_it(records):
    with pytest.raises(EncodingError, match="not a record"):
        decode_record(encode(("other", records[0].wire)), CHAIN)


def test_nothing_is_empty_and_equal_to_an_empty_output_but_only_itself_is_it():
    assert Output() == NOTHING
    assert Output() is not NOTHING
