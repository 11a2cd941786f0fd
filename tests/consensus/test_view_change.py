"""Changes of view: what is kept, what is refused, and that random ones break nothing (4.4, 4.5.2)."""

import pytest
from consensus_cluster import CHAIN, Cluster, batch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_agreement import disturb, schedules, shapes

from consortium.consensus.messages import (
    NewView,
    Prepare,
    PreparedProof,
    PrePrepare,
    ViewChange,
    decode_signed,
)
from consortium.consensus.output import NOTHING
from consortium.consensus.view_change import EarlyVotes, Patience, choose, problem_with_new_view
from consortium.crypto import NullScheme

A, BATCH_A = batch("A")
B, BATCH_B = batch("B")


def suspect(cluster: Cluster, *who: int) -> None:
    for index in who:
        cluster.carry_out(index, cluster.replica(index).start_view_change("test"))


def deliver_among(cluster: Cluster, *alive: int) -> None:
    while cluster.in_flight:
        delivery = cluster.in_flight.pop(0)
        if delivery.sender in alive and delivery.receiver in alive:
            cluster.give(delivery.receiver, delivery.signed)


def views(cluster: Cluster, *who: int) -> list[int]:
    return [cluster.replica(index).status().view for index in who]


def test_a_dead_idle_primary_is_replaced():
    cluster = Cluster()
    suspect(cluster, 1, 2)
    deliver_among(cluster, 1, 2, 3)
    assert views(cluster, 1, 2, 3) == [1, 1, 1]
    cluster.propose("A", primary=1)
    deliver_among(cluster, 1, 2, 3)
    assert [member.executed for member in cluster.members] == [[], [A], [A], [A]]


def test_c6_what_one_replica_committed_is_proposed_again_while_it_is_cut_off():
    cluster = Cluster()
    cluster.propose("A")
    while cluster.in_flight:
        delivery = cluster.in_flight.pop(0)
        if delivery.signed.content.KIND != "COMMIT" or delivery.receiver == 3:
            cluster.give(delivery.receiver, delivery.signed)
    assert [len(member.executed) for member in cluster.members] == [0, 0, 0, 1]
    suspect(cluster, 1, 2)
    deliver_among(cluster, 0, 1, 2)
    assert [member.executed for member in cluster.members] == [[A]] * 4
    cluster.settle()
    cluster.check_agreement()
    assert views(cluster, 0, 1, 2, 3) == [1, 1, 1, 1]


def test_what_was_prepared_survives_a_view_in_which_it_was_not_prepared_again():
    cluster = Cluster()
    cluster.propose("A")
    for kind in ("PRE-PREPARE", "PREPARE"):
        for delivery in [each for each in cluster.in_flight if kind == each.signed.content.KIND]:
            cluster.in_flight.remove(delivery)
            cluster.give(delivery.receiver, delivery.signed)
    cluster.drop()
    for _ in range(2):
        suspect(cluster, 1, 2, 3)
        while any(each.signed.content.KIND in ("VIEW-CHANGE", "NEW-VIEW") for each in cluster.in_flight):
            delivery = cluster.in_flight.pop(0)
            if delivery.signed.content.KIND in ("VIEW-CHANGE", "NEW-VIEW"):
                cluster.give(delivery.receiver, delivery.signed)
        last = list(cluster.in_flight)
        cluster.in_flight.clear()
    cluster.in_flight = last
    cluster.deliver_all()
    assert views(cluster, 0, 1, 2, 3) == [2] * 4
    assert [member.executed for member in cluster.members] == [[A]] * 4


def test_a_gap_is_filled_with_the_null_batch():
    cluster = Cluster()
    cluster.propose("A")
    cluster.drop()
    cluster.propose("B")
    cluster.drop(kind="COMMIT")
    while cluster.in_flight:
        delivery = cluster.in_flight.pop(0)
        if delivery.signed.content.KIND != "COMMIT":
            cluster.give(delivery.receiver, delivery.signed)
    suspect(cluster, 1, 2)
    deliver_among(cluster, 1, 2, 3)
    null = cluster.replica(1).config.null_digest
    assert [member.executed for member in cluster.members[1:]] == [[null, B]] * 3


def test_c7_two_dead_primaries_of_seven():
    cluster = Cluster(7)
    alive = range(2, 7)
    suspect(cluster, 2, 3, 4)
    deliver_among(cluster, *alive)
    assert views(cluster, *alive) == [1] * 5
    suspect(cluster, 2, 3, 4)
    deliver_among(cluster, *alive)
    cluster.propose("A", primary=2)
    deliver_among(cluster, *alive)
    assert all(member.executed == [A] for member in cluster.members[2:])
    assert cluster.replica(2).doublings == 1


def test_c10_one_sender_with_an_enormous_view_moves_nobody():
    cluster = Cluster()
    for view in (2**60, 2**60 + 1, 2**62):
        cluster.give(1, cluster.seal(ViewChange(0, view, 0, None, (), 3)))
    assert views(cluster, 1) == [0]
    cluster.give(1, cluster.seal(ViewChange(0, 5, 0, None, (), 2)))
    assert 5 in [step.content.view for step in cluster.members[1].durable]


def new_view(cluster: Cluster, changes, proposed, view: int = 1, sender: int = 1):
    signed = tuple(cluster.seal(each) for each in changes)
    return NewView(0, view, signed, tuple(cluster.seal(each) for each in proposed), sender)


CHANGES = tuple(ViewChange(0, 1, 0, None, (), sender) for sender in (1, 2, 3))
PROOF = PreparedProof(0, 1, A, 0, bytes(64), 0b0110, (bytes(64), bytes(64)))
PREPARED = (*CHANGES[:2], ViewChange(0, 1, 0, None, (PROOF,), 3))


@pytest.mark.parametrize(
    ("changes", "proposed", "problem"),
    [
        (CHANGES, (), None),
        (PREPARED, (PrePrepare(0, 1, 1, A, 1),), None),
        (PREPARED, (), "something else"),  # C8: a prepared batch left out
        (PREPARED, (PrePrepare(0, 1, 1, B, 1),), "something else"),
        (CHANGES, (PrePrepare(0, 1, 1, A, 1),), "something else"),
        (CHANGES[:2], (), "3 are needed"),
        ((*CHANGES[:2], CHANGES[1]), (), "of one sender"),  # C9
        ((*CHANGES[:2], ViewChange(0, 2, 0, None, (), 3)), (), "for another view"),
        ((*CHANGES[:2], ViewChange(1, 1, 0, None, (), 3)), (), "another epoch"),
        ((*CHANGES[:2], ViewChange(0, 1, 4, None, (), 3)), (), "no certificate"),
        (
            # C5: the primary's PREPARE does not count
            (*CHANGES[:2], ViewChange(0, 1, 0, None, (PreparedProof(0, 1, A, 0, bytes(64), 0b0011, (bytes(64),) * 2),), 3)),
            (PrePrepare(0, 1, 1, A, 1),),
            "proves nothing",
        ),
    ],
)  # fmt: skip
def test_c8_c9_a_new_view_must_follow_from_its_view_changes(changes, proposed, problem):
    cluster = Cluster()
    content = new_view(cluster, changes, proposed)
    found = problem_with_new_view(content, cluster.replica(2).config)
    assert (found is None) if problem is None else problem in str(found)
    if problem is not None:
        suspect(cluster, 2)
        cluster.give(2, cluster.seal(content))
        assert views(cluster, 2) == [2]


def test_the_digest_of_the_highest_view_is_chosen():
    later = PreparedProof(1, 1, B, 1, bytes(64), 0b1100, (bytes(64),) * 2)
    changes = [
        ViewChange(0, 2, 0, None, (proof,), sender) for sender, proof in ((0, PROOF), (2, later), (3, PROOF))
    ]
    assert choose(changes, Cluster().replica(0).config).digests == (B,)


def test_votes_of_a_left_view_change_nothing_and_those_of_the_next_are_kept_in_bounds():
    cluster = Cluster()
    suspect(cluster, 3)
    assert cluster.give(3, cluster.seal(PrePrepare(0, 0, 1, A, 0), BATCH_A)) is NOTHING
    early = EarlyVotes(4)
    for sequence in range(1, 100):
        early.keep(cluster.seal(Prepare(0, 1, sequence, A, 2)))
    assert early.size == 8


def test_patience_doubles_and_decays():
    patience = Patience()
    for _ in range(4):
        patience.started()
    assert patience.doublings == 3
    patience.succeeded()
    assert patience.doublings == 2


def test_view_changes_survive_the_wire():
    cluster = Cluster()
    content = new_view(cluster, PREPARED, (PrePrepare(0, 1, 1, A, 1),))
    signed = cluster.seal(content)
    again = decode_signed(signed.wire, CHAIN)
    assert again.content == content
    assert again.content.view_changes[2].content == PREPARED[2]


@settings(max_examples=25, deadline=None)
@given(shapes(), schedules, st.sampled_from([0.0, 0.1, 0.3]))
def test_random_view_changes_break_no_agreement_and_end(shape, random, loss):
    cluster = Cluster(scheme=NullScheme(), **shape)

    def suspect_someone() -> None:
        if random.random() < 0.02:
            suspect(cluster, random.randrange(cluster.n))

    disturb(cluster, random, steps=400, loss=loss, batches=8, after_each=suspect_someone)
    for _ in range(12):
        cluster.settle(rounds=3)
        stuck = [i for i in range(cluster.n) if cluster.replica(i).is_changing]
        if not stuck:
            break
        suspect(cluster, *range(cluster.n))
    cluster.settle(rounds=20)
    cluster.check_agreement()
    assert not any(member.evidence for member in cluster.members)
