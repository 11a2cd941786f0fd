"""Random schedules: whatever the network does, correct replicas agree; once it behaves, they finish."""

from random import Random

from consensus_cluster import Cluster, Delivery, batch
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.consensus.messages import Checkpoint, Commit, Prepare, PrePrepare, Status
from consortium.crypto import NullScheme
from consortium.membership import max_faulty

schedules = st.integers(0, 2**32).map(Random)


@st.composite
def shapes(draw):
    n = draw(st.integers(4, 13))
    interval = draw(st.integers(1, 4))
    return {
        "n": n,
        "f": draw(st.integers(1, max_faulty(n))),
        "checkpoint_interval": interval,
        "window": interval * draw(st.integers(2, 4)),
        "pipeline": draw(st.sampled_from([1, 3, 64])),
        "answer_limit": draw(st.sampled_from([2, 16])),
    }


def disturb(cluster: Cluster, random, steps: int, loss: float, batches: int, after_each=None) -> int:
    """Propose, deliver in any order, lose, duplicate, and end periods at random; return how many were proposed."""
    proposed = 0
    for _ in range(steps):
        draw = random.random()
        if draw < 0.1 and proposed < batches and cluster.replica(0).can_propose:
            cluster.propose(f"batch {proposed}")
            proposed += 1
        elif draw < 0.12:
            index = random.randrange(cluster.n)
            cluster.send(index, cluster.replica(index).status_message())
        elif cluster.in_flight:
            position = random.randrange(len(cluster.in_flight))
            fate = random.random()
            if fate < loss:
                del cluster.in_flight[position]
            elif fate < loss + 0.1:
                delivery = cluster.in_flight[position]
                cluster.in_flight.append(Delivery(delivery.sender, delivery.receiver, delivery.signed))
            else:
                cluster.deliver(position)
        if after_each is not None:
            after_each()
    return proposed


@settings(max_examples=40, deadline=None)
@given(shapes(), schedules, st.sampled_from([0.0, 0.1, 0.4]))
def test_all_replicas_execute_everything_once_the_network_behaves(shape, random, loss):
    cluster = Cluster(scheme=NullScheme(), **shape)
    proposed = disturb(cluster, random, steps=600, loss=loss, batches=12)
    cluster.settle(rounds=40)
    cluster.check_agreement()
    assert [len(member.executed) for member in cluster.members] == [proposed] * cluster.n
    assert not any(member.evidence for member in cluster.members)
    for member in cluster.members:
        status = member.replica.status()
        assert status.stable <= status.executed <= status.high
        assert not member.replica._ready


@settings(max_examples=20, deadline=None)
@given(shapes(), schedules)
def test_a_replica_that_heard_nothing_for_long_catches_up_without_new_traffic(shape, random):
    cluster = Cluster(scheme=NullScheme(), **shape)
    last = cluster.n - 1
    proposed = 0
    for _ in range(200):
        if proposed < 20 and cluster.replica(0).can_propose:
            cluster.propose(f"batch {proposed}")
            proposed += 1
        elif proposed < 20:
            # Votes that overtook a checkpoint were above the window of their receiver.
            cluster.end_period()
        while cluster.in_flight:
            delivery = cluster.in_flight.pop(random.randrange(len(cluster.in_flight)))
            if last not in (delivery.receiver, delivery.sender):
                cluster.give(delivery.receiver, delivery.signed)
    cluster.settle(rounds=60)
    assert [len(member.executed) for member in cluster.members] == [20] * cluster.n
    cluster.check_agreement()


def forged(cluster: Cluster, random, sender: int):
    """Any message that a faulty replica could sign."""
    sequence = random.randrange(1, 16)
    digest, attachment = batch(f"batch {random.randrange(3)}")
    kind = random.choice([PrePrepare, Prepare, Prepare, Commit, Commit, Checkpoint, Status])
    if kind is Checkpoint:
        return cluster.seal(Checkpoint(0, sequence, sequence, digest, digest, sender))
    if kind is Status:
        return cluster.seal(Status(0, 0, random.randrange(9), random.randrange(9), (), sender))
    view = random.choice([0, 0, 0, 1])
    content = kind(0, view, sequence, digest, sender)
    return cluster.seal(content, attachment if kind is PrePrepare else None)


@settings(max_examples=30, deadline=None)
@given(shapes(), schedules)
def test_faulty_backups_that_sign_anything_neither_break_agreement_nor_stop_the_others(shape, random):
    cluster = Cluster(scheme=NullScheme(), **shape)
    faulty = list(range(cluster.n - cluster.f, cluster.n))

    def lie() -> None:
        cluster.give(random.randrange(cluster.n - cluster.f), forged(cluster, random, random.choice(faulty)))

    proposed = disturb(cluster, random, steps=300, loss=0.1, batches=6, after_each=lie)
    cluster.settle(rounds=40)
    correct = cluster.members[: cluster.n - cluster.f]
    assert [len(member.executed) for member in correct] == [proposed] * len(correct)
    cluster.members = correct
    cluster.check_agreement()


@settings(max_examples=30, deadline=None)
@given(shapes(), schedules)
def test_a_primary_that_says_different_things_cannot_make_correct_backups_differ(shape, random):
    cluster = Cluster(scheme=NullScheme(), **shape)
    faulty = [0, *range(cluster.n - cluster.f + 1, cluster.n)]
    correct = [index for index in range(cluster.n) if index not in faulty]
    for _ in range(400):
        if random.random() < 0.3:
            cluster.give(random.choice(correct), forged(cluster, random, random.choice(faulty)))
        elif cluster.in_flight:
            delivery = cluster.in_flight.pop(random.randrange(len(cluster.in_flight)))
            if delivery.receiver in correct and random.random() > 0.05:
                cluster.give(delivery.receiver, delivery.signed)
        else:
            cluster.end_period()
    cluster.members = [cluster.members[index] for index in correct]
    cluster.check_agreement()
