"""CHECKPOINT votes are bounded, and make a checkpoint stable at a quorum."""

import pytest
from consensus_cluster import CHAIN, Cluster
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.consensus.checkpoint import CheckpointLog
from consortium.consensus.messages import Checkpoint, Decided, StableCheckpoint, seal
from consortium.crypto import NullScheme

SIGNER = NullScheme().signer(bytes(32))
HIGH = 8


def vote(sequence: int, sender: int, root: bytes = bytes(32)):
    return seal(Checkpoint(0, sequence, sequence, bytes(32), root, sender), CHAIN, SIGNER)


def add(log: CheckpointLog, sequence: int, sender: int, root: bytes = bytes(32)) -> int:
    signed = vote(sequence, sender, root)
    return log.add(signed, signed.content, HIGH)


def test_only_equal_results_are_counted_together():
    log = CheckpointLog()
    assert add(log, 4, 0) == 0b001
    assert add(log, 4, 1, b"x" * 32) == 0b010
    assert add(log, 4, 2) == 0b101
    assert log.certificate(vote(4, 2).content).signers == 0b101


def test_above_the_window_only_the_highest_of_each_sender_is_kept():
    log = CheckpointLog()
    assert add(log, 10, 1) == 0b10
    assert add(log, 12, 1) == 0b10
    assert add(log, 11, 1) == 0
    assert add(log, 12, 2) == 0b110
    assert log.size == 2
    assert log.vote_of(10, 1) is None


def test_f_plus_1_equal_ones_above_the_window_say_that_the_group_is_there():
    log = CheckpointLog()
    add(log, 8, 0)
    add(log, 8, 1)
    add(log, 12, 1)
    add(log, 12, 2, b"x" * 32)
    assert log.attested_above(HIGH, 2) == 0
    add(log, 12, 3)
    assert log.attested_above(HIGH, 2) == 12


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 3)), min_size=60, max_size=120), st.booleans()
)
def test_memory_is_bounded_whatever_a_sender_says(votes, ascending):
    log = CheckpointLog()
    for sequence, sender in sorted(votes) if ascending else votes:
        if log.vote_of(sequence, sender) is None:
            add(log, sequence, sender)
    assert log.size <= 4 * (HIGH + 1)
    assert len(log._masks) <= log.size


def test_nothing_at_or_below_the_stable_one_is_kept():
    log = CheckpointLog()
    for sender in range(3):
        add(log, 2, sender)
        add(log, 4, sender)
        add(log, 12, sender)
    log.own = {2: vote(2, 0), 6: vote(6, 0)}
    log.advance(log.certificate(vote(4, 0).content), 4, 12)
    assert log.size == 3
    assert list(log.own) == [6]
    # 12 lies inside the window now, so a higher one does not take its place any more.
    assert log.add(vote(13, 0), vote(13, 0).content, 12) == 1
    assert log.vote_of(12, 0) is not None


def test_a_laggard_keeps_two_marks_and_votes_above_a_checkpoint_it_has_not_executed():
    cluster = Cluster(window=4, checkpoint_interval=2)
    for name in "ABCDEF":
        cluster.propose(name)
        cluster.drop(receiver=3)
        while any(delivery.receiver != 3 for delivery in cluster.in_flight):
            cluster.drop(receiver=3)
            cluster.deliver()
    certificate = cluster.members[0].stable[-1]
    cluster.give(3, cluster.seal(StableCheckpoint(0, certificate, 0)))
    status = cluster.replica(3).status()
    assert (status.executed, status.stable, status.high) == (0, 6, 10)
    cluster.in_flight.clear()
    cluster.propose("G")
    cluster.deliver_all()
    assert {vote.content.sender for vote in cluster.in_flight} == set()
    assert cluster.sent["PREPARE"] > 0
    assert any(slot[:3] == (0, 0, 7) and slot[3] == "COMMIT" for slot in cluster.members[3].signed)
    cluster.settle()
    assert len(cluster.members[3].executed) == 7
    cluster.check_agreement()


def test_what_waits_for_an_earlier_number_survives_the_discarding_of_its_slot():
    cluster = Cluster(window=4, checkpoint_interval=2)
    for name in "ABCD":
        cluster.propose(name)
    cluster.in_flight = [
        d for d in cluster.in_flight if not (d.receiver == 3 and d.signed.content.sequence == 1)
    ]
    cluster.deliver_all()
    # Replica 3 decided 2, 3 and 4, missed 1, and now holds the certificate of 4.
    assert cluster.replica(3).status().stable == 4
    assert cluster.members[3].executed == []
    digest, attachment, certificate = cluster.members[0].decided[1]
    cluster.give(3, cluster.seal(Decided(0, 1, digest, certificate, 0), attachment))
    assert len(cluster.members[3].executed) == 4
    cluster.check_agreement()


def test_lost_checkpoints_are_sent_again():
    cluster = Cluster(window=4, checkpoint_interval=2)
    for name in "AB":
        cluster.propose(name)
    while cluster.in_flight:
        cluster.deliver()
        cluster.drop(kind="CHECKPOINT")
    assert [cluster.replica(index).status().stable for index in range(4)] == [0, 0, 0, 0]
    cluster.settle(rounds=4)
    assert [cluster.replica(index).status().stable for index in range(4)] == [2, 2, 2, 2]
    assert not cluster.sent.get("STABLE")


def test_a_primary_that_learns_of_a_checkpoint_above_its_proposals_goes_on_above_it():
    others = Cluster(window=4, checkpoint_interval=2)
    for name in "AB":
        others.propose(name)
    others.deliver_all()
    cluster = Cluster(window=4, checkpoint_interval=2)
    cluster.give(0, cluster.seal(StableCheckpoint(0, others.members[1].stable[0], 1)))
    cluster.propose("C")
    assert cluster.in_flight[0].signed.content.sequence == 3


def test_a_checkpoint_is_not_sent_twice_and_not_for_what_is_stable():
    cluster = Cluster(window=4, checkpoint_interval=2)
    assert cluster.replica(0).checkpoint_now().broadcast == ()
    cluster.propose("A")
    cluster.deliver_all()
    assert len(cluster.replica(0).checkpoint_now().broadcast) == 1
    assert cluster.replica(0).checkpoint_now().broadcast == ()


def test_a_single_replica_is_its_own_quorum():
    cluster = Cluster(n=1, window=4, checkpoint_interval=2)
    for name in "ABCDEFG":
        cluster.propose(name)
    assert len(cluster.members[0].executed) == 7
    assert [certificate.fields[0] for certificate in cluster.members[0].stable] == [2, 4, 6]


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"signers": 0b11, "signatures": (bytes(64),) * 2}, "too few"), ({"kind": "COMMIT"}, "another kind")],
)
def test_a_certificate_that_proves_nothing_moves_nothing(changes, why):
    cluster = Cluster(window=4, checkpoint_interval=2)
    for name in "AB":
        cluster.propose(name)
    cluster.deliver_all()
    stable = cluster.members[0].stable[0]
    fields = {name: getattr(stable, name) for name in ("epoch", "kind", "fields", "signers", "signatures")}
    fields["fields"] = (4, *stable.fields[1:])
    forged = type(stable)(**{**fields, **changes})
    cluster.give(1, cluster.seal(StableCheckpoint(0, forged, 3)))
    assert cluster.replica(1).status().stable == 2
    assert ("a certificate that does not prove what it comes with", 1) in cluster.replica(1).status().refused
