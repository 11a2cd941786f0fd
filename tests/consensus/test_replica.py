"""What a replica accepts, counts, refuses, and says about itself."""

import pytest
from consensus_cluster import CHAIN, Cluster, batch

from consortium.certificate import problem_with
from consortium.consensus.messages import Checkpoint, Commit, Decided, Prepare, PrePrepare, Signed, Status
from consortium.consensus.output import NOTHING
from consortium.consensus.quorum import ConfigError, ConsensusConfig
from consortium.consensus.replica import Replica
from consortium.consensus.status import Mode, Wait, explain
from consortium.consensus.transitions import Phase, Refusal
from consortium.crypto import digest
from consortium.membership import Membership, Organisation, OrganisationKind

A, BATCH_A = batch("A")
B, BATCH_B = batch("B")


def refusals(cluster: Cluster, index: int) -> dict[str, int]:
    return dict(cluster.replica(index).status().refused)


@pytest.mark.parametrize("n", [4, 7, 10, 16])
def test_a_fault_free_batch_costs_exactly_the_messages_of_the_formula(n):
    cluster = Cluster(n)
    batches = 3
    for name in "ABC"[:batches]:
        cluster.propose(name)
    cluster.deliver_all()
    assert cluster.sent == {
        "PRE-PREPARE": batches * (n - 1),
        "PREPARE": batches * (n - 1) ** 2,
        "COMMIT": batches * n * (n - 1),
    }
    assert all(len(member.executed) == batches for member in cluster.members)


@pytest.mark.parametrize("n", [4, 10])
def test_a_status_in_a_fault_free_run_asks_for_nothing(n):
    cluster = Cluster(n)
    for name in "ABCDEFGH":
        cluster.propose(name)
        for _ in range(3 * n):
            if cluster.in_flight:
                cluster.deliver()
        cluster.end_period()
        cluster.deliver_all()
    assert cluster.sent["COMMIT"] == 8 * n * (n - 1)
    assert set(cluster.sent) == {"PRE-PREPARE", "PREPARE", "COMMIT", "STATUS"}


SIZES = [(n, f) for n in range(4, 14) for f in range((n - 1) // 3 + 1)]


@pytest.mark.parametrize(("n", "f"), SIZES)
def test_every_n_and_f_decides_with_f_silent_backups_and_not_with_fewer_than_a_quorum(n, f):
    cluster = Cluster(n, f)
    quorum = cluster.replica(0).config.quorum
    cluster.propose("A")
    silent = set(range(n - f, n))
    while cluster.in_flight:
        delivery = cluster.in_flight.pop(0)
        if delivery.sender not in silent and delivery.receiver not in silent:
            cluster.give(delivery.receiver, delivery.signed)
    assert all(cluster.members[index].executed == [A] for index in range(n - f))

    cluster = Cluster(n, f)
    cluster.propose("A")
    silent = set(range(quorum - 1, n))
    while cluster.in_flight:
        delivery = cluster.in_flight.pop(0)
        if delivery.sender not in silent:
            cluster.give(delivery.receiver, delivery.signed)
    assert all(member.executed == [] for member in cluster.members)


def test_a_partition_of_six_replicas_in_two_halves_decides_nothing_on_either_side():
    """2f+1 = 3 of 6 would let two halves decide differently; the general quorum is 4."""
    cluster = Cluster(6)
    cluster.propose("A")
    for index in (4, 5):
        cluster.give(index, cluster.seal(PrePrepare(0, 0, 1, B, 0), BATCH_B))
    cluster.give(3, cluster.seal(PrePrepare(0, 0, 1, B, 0), BATCH_B))
    while cluster.in_flight:
        delivery = cluster.in_flight.pop(0)
        if (delivery.sender < 3) == (delivery.receiver < 3):
            cluster.give(delivery.receiver, delivery.signed)
    assert all(member.executed == [] for member in cluster.members)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_than_four_replicas_order_without_tolerating_faults(n):
    cluster = Cluster(n)
    cluster.propose("A")
    cluster.deliver_all()
    assert all(member.executed == [A] for member in cluster.members)


def test_a_delivery_that_changes_nothing_returns_the_very_same_object():
    cluster = Cluster(7)
    cluster.propose("A")
    output = cluster.give(3, cluster.seal(Prepare(0, 0, 1, A, 2)))
    assert output is NOTHING
    assert cluster.give(3, cluster.seal(Prepare(0, 0, 1, A, 2))) is NOTHING


def test_the_primarys_own_prepare_never_counts():
    cluster = Cluster()
    cluster.propose("A")
    cluster.deliver(0)
    cluster.give(1, cluster.seal(Prepare(0, 0, 1, A, 0)))
    assert cluster.replica(1).status().open[0].phase is Phase.PRE_PREPARED
    assert refusals(cluster, 1) == {Refusal.PREPARE_FROM_PRIMARY: 1}


def test_prepares_of_different_digests_are_never_added_up():
    cluster = Cluster(7)
    cluster.propose("A")
    cluster.deliver(0)
    for sender, what in ((2, A), (3, B), (4, B), (5, A), (6, B)):
        cluster.give(1, cluster.seal(Prepare(0, 0, 1, what, sender)))
    slot = cluster.replica(1).status().open[0]
    assert slot.phase is Phase.PRE_PREPARED
    assert slot.prepared_by == (0, 1, 2, 5)
    assert slot.others == (("PREPARE", 3, B), ("PREPARE", 4, B), ("PREPARE", 6, B))


def test_commits_alone_do_not_commit_before_prepared():
    cluster = Cluster()
    cluster.propose("A")
    cluster.deliver(0)
    for sender in (0, 2, 3):
        assert cluster.give(1, cluster.seal(Commit(0, 0, 1, A, sender))) is NOTHING
    output = cluster.give(1, cluster.seal(Prepare(0, 0, 1, A, 2)))
    assert [committed.sequence for committed in output.committed] == [1]


def test_a_commit_certificate_verifies_for_anybody_who_knows_the_members():
    cluster = Cluster()
    cluster.propose("A")
    cluster.deliver_all()
    names = [f"bank{index}" for index in range(4)]
    membership = Membership(
        epoch=0,
        organisations=tuple(
            Organisation(id=name, name=name, kind=OrganisationKind.BANK, public_key=signer.public_key)
            for name, signer in zip(names, cluster.signers, strict=True)
        ),
        validators=tuple(names),
        f=1,
    )
    _, _, certificate = cluster.members[2].decided[1]
    assert certificate.fields == (0, 1, A)
    assert problem_with(certificate, membership, CHAIN, cluster.scheme, needed=3) is None


def test_the_pipeline_and_the_window_limit_the_primary():
    cluster = Cluster(window=4, checkpoint_interval=2, pipeline=3)
    for name in "ABC":
        cluster.propose(name)
    assert not cluster.replica(0).can_propose
    with pytest.raises(AssertionError, match="room"):
        cluster.propose("D")
    with pytest.raises(AssertionError, match="only a primary"):
        cluster.propose("D", primary=1)
    cluster.drop(kind="CHECKPOINT")
    while cluster.in_flight:
        cluster.deliver()
        cluster.drop(kind="CHECKPOINT")
    cluster.propose("D")
    while cluster.in_flight:
        cluster.deliver()
        cluster.drop(kind="CHECKPOINT")
    # Four are executed, none is certified: the window (0, 4] is full.
    assert not cluster.replica(0).can_propose


def test_a_null_batch_needs_no_body():
    cluster = Cluster()
    null = cluster.replica(0).config.null_digest
    assert null == digest("null", CHAIN, 0)
    cluster.carry_out(0, cluster.replica(0).propose(null, None))
    cluster.deliver_all()
    assert all(member.executed == [null] for member in cluster.members)


def test_a_missing_batch_is_asked_for_and_not_voted_on_before_it_is_here():
    cluster = Cluster()
    signed = cluster.seal(PrePrepare(0, 0, 1, A, 0), BATCH_A)
    output = cluster.give(1, signed.header)
    assert [tuple(wanted) for wanted in output.wanted] == [(1, A)]
    assert output.broadcast == ()
    assert cluster.give(1, signed.header) is NOTHING
    assert cluster.replica(1).status().open[0].waits_for is Wait.BODY
    output = cluster.give(1, signed.header.with_attachment(BATCH_A))
    assert [vote.content.KIND for vote in output.broadcast] == ["PREPARE"]


def test_what_is_persisted_stands_in_the_order_in_which_it_is_needed():
    cluster = Cluster()
    cluster.propose("A")
    accepted = cluster.deliver(0)
    assert [record.content.KIND for record in accepted.records] == ["PRE-PREPARE", "PREPARE"]
    prepared = cluster.give(1, cluster.seal(Prepare(0, 0, 1, A, 2)))
    certificate, commit = prepared.records
    assert [vote.content.sender for vote in certificate.votes] == [1, 2]
    assert commit.content.KIND == "COMMIT"
    assert commit in prepared.broadcast


def test_evidence_of_two_votes_is_given_once_and_neither_early_nor_late_votes_escape():
    cluster = Cluster()
    cluster.give(1, cluster.seal(Prepare(0, 0, 1, A, 2)))
    first = cluster.give(1, cluster.seal(Prepare(0, 0, 1, B, 2)))
    assert {found.content.digest for found in (first.evidence[0].first, first.evidence[0].second)} == {A, B}
    assert cluster.give(1, cluster.seal(Prepare(0, 0, 1, B, 2))) is NOTHING
    cluster.propose("A")
    cluster.deliver_all()
    late = cluster.give(1, cluster.seal(Commit(0, 0, 1, B, 3)))
    assert len(late.evidence) == 1


def test_the_same_vote_in_other_bytes_is_no_evidence():
    cluster = Cluster()
    prepare = cluster.seal(Prepare(0, 0, 1, A, 2))
    cluster.give(1, prepare)
    again = Signed(prepare.body, bytes(64), Prepare(0, 0, 1, bytes(A), 2))
    assert cluster.give(1, again) is NOTHING


def test_a_decision_needs_the_batch_and_a_certificate_of_just_that():
    cluster = Cluster()
    cluster.propose("A")
    cluster.drop(receiver=3)
    while cluster.in_flight:
        cluster.drop(receiver=3)
        if cluster.in_flight:
            cluster.deliver()
    _, _, certificate = cluster.members[0].decided[1]
    for content, attachment in (
        (Decided(0, 1, A, certificate, 2), None),
        (Decided(0, 1, B, certificate, 2), BATCH_B),
        (Decided(0, 2, A, certificate, 2), BATCH_A),
    ):
        assert cluster.give(3, cluster.seal(content, attachment)) is NOTHING
    assert refusals(cluster, 3) == {Refusal.UNPROVEN: 3}
    cluster.give(3, cluster.seal(Decided(0, 65, A, certificate, 2), BATCH_A))
    assert refusals(cluster, 3)[Refusal.BEYOND_WINDOW] == 1
    cluster.give(3, cluster.seal(Decided(0, 1, A, certificate, 2), BATCH_A))
    assert cluster.members[3].executed == [A]
    assert cluster.give(3, cluster.seal(Decided(0, 1, A, certificate, 1), BATCH_A)) is NOTHING


def test_messages_of_other_epochs_views_and_strangers_are_counted_and_change_nothing():
    cluster = Cluster()
    for signed in (
        cluster.seal(PrePrepare(1, 0, 1, A, 0), BATCH_A),
        cluster.seal(PrePrepare(0, 5, 1, A, 1), BATCH_A),
        cluster.seal(PrePrepare(0, 0, 1, A, 1), BATCH_A),
        cluster.seal(Commit(2, 0, 1, A, 1)),
        cluster.seal(Commit(0, 0, 65, A, 1)),
        cluster.seal(Checkpoint(1, 2, 2, A, A, 1)),
        cluster.seal(Status(1, 0, 0, 0, (), 1)),
    ):
        assert cluster.give(3, signed) is NOTHING
    for stranger in (4, -1):
        for content in (
            Commit(0, 0, 1, A, stranger),
            Checkpoint(0, 2, 2, A, A, stranger),
            Status(0, 0, 0, 0, (), stranger),
        ):
            assert cluster.give(3, Signed(b"", bytes(64), content)) is NOTHING

    class Unknown:
        KIND = "UNKNOWN"

    assert cluster.give(3, Signed(b"", bytes(64), Unknown())) is NOTHING
    assert refusals(cluster, 3) == {
        Refusal.STRANGER: 6,
        Refusal.ANOTHER_EPOCH: 4,
        Refusal.ANOTHER_VIEW: 1,
        Refusal.BEYOND_WINDOW: 1,
        Refusal.NOT_FROM_PRIMARY: 1,
        Refusal.UNKNOWN_KIND: 1,
    }
    assert not cluster.replica(3).in_flight


def test_own_messages_that_come_back_change_nothing():
    cluster = Cluster()
    cluster.propose("A")
    signed = cluster.in_flight[0].signed
    cluster.deliver(0)
    for own in [vote for vote in cluster.members[1].durable if vote.content.sender == 1]:
        assert cluster.give(1, own) is NOTHING
    assert cluster.give(0, signed) is NOTHING
    assert cluster.give(1, cluster.replica(1).status_message()) is NOTHING


def test_a_dead_primary_shows_as_what_everybody_waits_for():
    cluster = Cluster()
    status = cluster.replica(2).status()
    assert (status.primary, status.view, status.mode) == (0, 0, Mode.NORMAL)
    assert [(slot.sequence, slot.waits_for, slot.missing) for slot in status.open] == [
        (1, Wait.PRE_PREPARE, (0,))
    ]
    assert explain(status, 1) == "1 waits for the primary's pre-prepare (from 0)"
    assert explain(status, 3) == "3 is unknown here; 1 waits for the primary's pre-prepare (from 0)"
    assert explain(cluster.replica(0).status(), 1) == "1 waits for a batch to propose"


def test_status_names_who_is_missing_in_each_phase():
    cluster = Cluster(7)
    cluster.propose("A")
    cluster.deliver(0)
    slot = cluster.replica(1).status().open[0]
    assert (slot.waits_for, slot.missing, slot.needed) == (Wait.PREPARES, (2, 3, 4, 5, 6), 3)
    for sender in (2, 4, 6):
        cluster.give(1, cluster.seal(Prepare(0, 0, 1, A, sender)))
    slot = cluster.replica(1).status().open[0]
    assert (slot.phase, slot.waits_for, slot.missing) == (Phase.PREPARED, Wait.COMMITS, (0, 2, 3, 4, 5, 6))
    assert slot.prepared_by == (0, 1, 2, 4, 6)
    assert explain(cluster.replica(1).status(), 1).startswith("1 is prepared and waits for 4 more COMMITs")


def test_execution_is_reported_in_sequence_and_only_for_what_was_handed_over():
    cluster = Cluster()
    with pytest.raises(AssertionError, match="handed over"):
        cluster.replica(0).executed(1, 1, bytes(32), bytes(32))
    with pytest.raises(AssertionError, match="in sequence"):
        cluster.replica(0).executed(2, 1, bytes(32), bytes(32))


def test_a_replica_with_wrong_settings_is_not_built():
    config = ConsensusConfig(n=4, f=2, index=0, chain=CHAIN)
    with pytest.raises(ConfigError):
        Replica(config, lambda content, attachment: None, lambda sequence: None)


def test_the_log_of_a_long_run_stays_inside_its_window():
    cluster = Cluster(window=8, checkpoint_interval=4)
    for number in range(100):
        cluster.propose(f"batch {number}")
        cluster.deliver_all()
    for member in cluster.members:
        log = member.replica._log
        assert sum(slot is not None for slot in log.ring) <= 8
        assert not member.replica._ready
        assert member.replica._checkpoints.size <= 4
        assert log.low == 100


def test_what_is_decided_at_a_peer_and_waits_there_is_not_sent_to_it():
    cluster = Cluster()
    cluster.propose("A")
    cluster.drop()
    cluster.propose("B")
    cluster.deliver_all()
    for _ in range(3):
        cluster.end_period()
        cluster.drop(receiver=0)
        cluster.in_flight = [each for each in cluster.in_flight if each.signed.content.KIND == "STATUS"]
        cluster.deliver_all()
    # Everybody decided 2 and waits for 1, which only the primary knows.
    assert all(member.executed == [] for member in cluster.members)
    assert "DECIDED" not in cluster.sent


def test_an_answer_is_limited_whatever_a_peer_says_it_lacks():
    cluster = Cluster(window=64, checkpoint_interval=32, answer_limit=4)
    for number in range(20):
        cluster.propose(f"batch {number}")
        cluster.deliver_all()
    for _ in range(3):
        cluster.replica(1).status_message()
    output = cluster.replica(1).step(cluster.seal(Status(0, 0, 0, 0, (), 3)))
    assert 0 < len(output.unicast) <= 4
    assert {(to, message.content.KIND) for to, message in output.unicast} == {(3, "DECIDED")}
