"""One test for each claim of Castro & Liskov, "Practical Byzantine Fault Tolerance" (OSDI'99, TOCS'02).

The section is in the docstring. Claims about recovery and read-only requests follow with their parts of the
protocol; where this project decides otherwise than the paper, the test says so.
"""

from consensus_cluster import CHAIN, Cluster, batch, matches

from consortium.consensus.messages import Commit, Prepare, PrePrepare, ViewChange, decode_signed
from consortium.consensus.output import Prepared
from consortium.consensus.transitions import Phase
from consortium.crypto import Ed25519Scheme
from consortium.membership import max_faulty, quorum_size

A, BATCH_A = batch("A")
B, BATCH_B = batch("B")


def phase(cluster: Cluster, index: int, sequence: int = 1) -> Phase:
    for slot in cluster.replica(index).status().open:
        if slot.sequence == sequence:
            return slot.phase
    raise AssertionError(f"{sequence} is not open")


def deliver_only(cluster: Cluster, kind: str) -> None:
    """Deliver everything of one kind that is in flight now."""
    for delivery in list(cluster.in_flight):
        if matches(delivery, kind, None, None):
            cluster.in_flight.remove(delivery)
            cluster.give(delivery.receiver, delivery.signed)


def test_3f_plus_1_replicas_are_needed_to_tolerate_f():
    """Section 3: the resiliency is optimal: 3f+1 is the least number of replicas for f faulty ones."""
    for f in range(1, 20):
        assert max_faulty(3 * f + 1) == f
        assert max_faulty(3 * f) == f - 1


def test_a_quorum_is_2f_plus_1_of_3f_plus_1():
    """Section 4.2 counts 2f+1 of n = 3f+1; for other n this project uses the general quorum."""
    for f in range(1, 20):
        assert quorum_size(3 * f + 1, f) == 2 * f + 1


def test_the_primary_is_v_mod_n():
    """Section 4.1 (4.2 in TOCS): replicas move through views; the primary of view v is p = v mod |R|."""
    cluster = Cluster(7)
    assert [cluster.replica(3).config.primary(view) for view in (0, 1, 6, 7, 20)] == [0, 1, 6, 0, 6]
    assert cluster.replica(3).status().primary == 0


def test_messages_are_signed_and_a_forged_one_does_not_verify():
    """Section 2: the adversary cannot produce a valid signature of a non-faulty node."""
    cluster = Cluster(scheme=Ed25519Scheme())
    cluster.propose("A")
    signed = decode_signed(cluster.in_flight[0].signed.wire, CHAIN)
    verify = cluster.scheme.verify
    assert verify(cluster.signers[0].public_key, signed.body, signed.signature)
    assert not verify(cluster.signers[1].public_key, signed.body, signed.signature)
    other = cluster.seal(PrePrepare(0, 0, 2, A, 0))
    assert not verify(cluster.signers[0].public_key, other.body, signed.signature)


def test_the_primary_assigns_ascending_sequence_numbers():
    """Section 4.2, pre-prepare: the primary assigns a sequence number n and multicasts <<PRE-PREPARE, v, n, d>>."""
    cluster = Cluster()
    for name in "ABC":
        cluster.propose(name)
    numbers = [delivery.signed.content.sequence for delivery in cluster.in_flight]
    assert numbers == [1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_the_pre_prepare_is_small_and_the_request_travels_beside_it():
    """Section 4.2: requests are not included in the pre-prepare, which the signature covers, to keep it small."""
    cluster = Cluster()
    cluster.carry_out(0, cluster.replica(0).propose(A, bytes(10_000)))
    signed = cluster.in_flight[0].signed
    assert len(signed.body) < 100
    assert signed.attachment == bytes(10_000)


def test_a_backup_accepts_a_pre_prepare_only_in_its_view_from_the_primary_between_the_watermarks():
    """Section 4.2: accepted if the signatures are right, it is in view v, and h < n <= H."""
    cluster = Cluster(window=8, checkpoint_interval=4)
    for refused in (
        PrePrepare(0, 1, 1, A, 1),
        PrePrepare(0, 0, 1, A, 2),
        PrePrepare(0, 0, 9, A, 0),
        PrePrepare(1, 0, 1, A, 0),
    ):
        assert cluster.give(1, cluster.seal(refused, BATCH_A)).broadcast == ()
    assert len(cluster.give(1, cluster.seal(PrePrepare(0, 0, 8, A, 0), BATCH_A)).broadcast) == 1


def test_a_backup_accepts_no_second_pre_prepare_with_another_digest():
    """Section 4.2: it has not accepted a pre-prepare for view v and sequence number n with a different digest."""
    cluster = Cluster()
    cluster.give(1, cluster.seal(PrePrepare(0, 0, 1, A, 0), BATCH_A))
    output = cluster.give(1, cluster.seal(PrePrepare(0, 0, 1, B, 0), BATCH_B))
    assert output.broadcast == ()
    assert len(output.evidence) == 1


def test_a_backup_enters_the_prepare_phase_by_multicasting_prepare_and_logging_both():
    """Section 4.2: it multicasts <PREPARE, v, n, d, i> to all and adds both messages to its log."""
    cluster = Cluster()
    cluster.propose("A")
    output = cluster.deliver()
    assert [vote.content for vote in output.broadcast] == [Prepare(0, 0, 1, A, 1)]
    assert [record.content.KIND for record in output.records] == ["PRE-PREPARE", "PREPARE"]


def test_the_primary_sends_no_prepare():
    """Section 4.2, figure 1: the primary takes part in pre-prepare and commit only."""
    cluster = Cluster()
    cluster.propose("A")
    cluster.deliver_all()
    assert cluster.sent["PREPARE"] == 9
    assert all(vote.content.KIND != "PREPARE" for vote in cluster.members[0].signed.values())


def test_prepared_needs_the_pre_prepare_and_2f_prepares_of_different_backups():
    """Section 4.2: prepared(m, v, n, i) is true iff i has m, its pre-prepare, and 2f matching prepares."""
    cluster = Cluster(7)
    cluster.propose("A")
    cluster.deliver()
    for sender in (2, 2, 3, 3):
        cluster.give(1, cluster.seal(Prepare(0, 0, 1, A, sender)))
    assert phase(cluster, 1) is Phase.PRE_PREPARED
    cluster.give(1, cluster.seal(Prepare(0, 0, 1, A, 4)))
    assert phase(cluster, 1) is Phase.PREPARED


def test_prepares_without_the_pre_prepare_do_not_prepare():
    """Section 4.2: the pre-prepare is part of the predicate; prepares may come first and are kept."""
    cluster = Cluster()
    for sender in (1, 2):
        cluster.give(3, cluster.seal(Prepare(0, 0, 1, A, sender)))
    assert phase(cluster, 3) is Phase.WAITING
    cluster.give(3, cluster.seal(PrePrepare(0, 0, 1, A, 0), BATCH_A))
    assert phase(cluster, 3) is Phase.PREPARED


def test_two_replicas_are_never_prepared_for_different_digests_in_one_view():
    """Section 4.2: if prepared(m, v, n, i) then prepared(m', v, n, j) is false for any m' with another digest."""
    for split in range(1, 6):
        cluster = Cluster(7)
        for index in range(1, 7):
            digest, attachment = (A, BATCH_A) if index <= split else (B, BATCH_B)
            cluster.give(index, cluster.seal(PrePrepare(0, 0, 1, digest, 0), attachment))
        deliver_only(cluster, "PREPARE")
        prepared = {
            record.pre_prepare.content.digest
            for member in cluster.members
            for record in member.durable
            if isinstance(record, Prepared)
        }
        assert len(prepared) <= 1


def test_a_replica_multicasts_commit_when_it_is_prepared():
    """Section 4.2: replica i multicasts <COMMIT, v, n, D(m), i> when prepared(m, v, n, i) becomes true."""
    cluster = Cluster()
    cluster.propose("A")
    cluster.deliver()
    output = cluster.give(1, cluster.seal(Prepare(0, 0, 1, A, 2)))
    assert [vote.content for vote in output.broadcast] == [Commit(0, 0, 1, A, 1)]


def test_commits_are_logged_before_the_replica_is_prepared():
    """Section 4.2: replicas accept commit messages provided view, signature and watermarks fit, prepared or not."""
    cluster = Cluster()
    for sender in (0, 1, 2):
        cluster.give(3, cluster.seal(Commit(0, 0, 1, A, sender)))
    cluster.give(3, cluster.seal(PrePrepare(0, 0, 1, A, 0), BATCH_A))
    assert cluster.members[3].executed == []
    cluster.give(3, cluster.seal(Prepare(0, 0, 1, A, 1)))
    assert cluster.members[3].executed == [A]


def test_committed_local_needs_prepared_and_2f_plus_1_commits():
    """Section 4.2: committed-local(m, v, n, i) iff prepared and 2f+1 commits (its own possibly included)."""
    cluster = Cluster(7)
    cluster.propose("A")
    cluster.deliver()
    for sender in (2, 3, 4):
        cluster.give(1, cluster.seal(Prepare(0, 0, 1, A, sender)))
    for sender in (2, 3, 4, 4, 4):
        cluster.give(1, cluster.seal(Commit(0, 0, 1, A, sender)))
    assert phase(cluster, 1) is Phase.PREPARED
    cluster.give(1, cluster.seal(Commit(0, 0, 1, A, 5)))
    assert cluster.members[1].executed == [A]


def test_committed_local_at_one_means_prepared_at_f_plus_1_correct_ones():
    """Section 4.2: if committed-local holds for some non-faulty i, then committed(m, v, n) holds."""
    cluster = Cluster(7)
    cluster.propose("A")
    while not any(member.executed for member in cluster.members):
        cluster.deliver()
    prepared = [
        index
        for index, member in enumerate(cluster.members)
        if any(isinstance(record, Prepared) for record in member.durable)
    ]
    assert len(prepared) >= cluster.f + 1


def test_all_correct_replicas_execute_in_the_same_order_though_they_commit_out_of_order():
    """Section 4.2: requests are executed after all with lower sequence numbers, committed in any order."""
    cluster = Cluster()
    for name in "ABC":
        cluster.propose(name)
    cluster.in_flight.reverse()
    while cluster.in_flight:
        cluster.deliver(len(cluster.in_flight) // 2)
    expected = [batch(name)[0] for name in "ABC"]
    assert all(member.executed == expected for member in cluster.members)


def test_no_ordered_delivery_is_relied_on():
    """Section 4.2: we do not rely on ordered message delivery."""
    cluster = Cluster()
    cluster.propose("A")
    while cluster.in_flight:
        cluster.deliver(len(cluster.in_flight) - 1)
    assert all(member.executed == [A] for member in cluster.members)


def test_a_checkpoint_is_sent_every_k_with_the_digest_of_the_state():
    """Section 4.3: checkpoints when n is divisible by K; <CHECKPOINT, n, d, i> is multicast.

    Here it carries height, header hash and state root, and an idle group makes one for any executed number.
    """
    cluster = Cluster(window=8, checkpoint_interval=4)
    for name in "ABCDE":
        cluster.propose(name)
    cluster.deliver_all()
    for member in cluster.members:
        own = [vote.content for vote in member.signed.values() if vote.content.KIND == "CHECKPOINT"]
        assert [content.sequence for content in own] == [4]
        assert own[0].height == 4


def test_a_checkpoint_is_stable_with_2f_plus_1_matching_messages_which_are_its_proof():
    """Section 4.3: 2f+1 messages with the same n and d, signed by different replicas, prove the checkpoint."""
    cluster = Cluster(window=4, checkpoint_interval=2)
    for name in "AB":
        cluster.propose(name)
    while cluster.replica(0).status().stable == 0:
        cluster.deliver()
    proof = cluster.members[0].stable[0]
    assert proof.kind == "CHECKPOINT"
    assert proof.signers.bit_count() >= 3


def test_a_stable_checkpoint_discards_everything_at_or_below_it():
    """Section 4.3: a replica with a proof discards all pre-prepares, prepares and commits with n <= its number."""
    cluster = Cluster(window=4, checkpoint_interval=2)
    for name in "ABC":
        cluster.propose(name)
    cluster.deliver_all()
    for member in cluster.members:
        kept = [slot.sequence for slot in member.replica._log.slots(0)]
        assert kept == [3]
        assert member.replica._checkpoints.size == 0


def test_the_low_watermark_is_the_last_stable_checkpoint_and_the_high_one_h_plus_k():
    """Section 4.3: h is the number of the last stable checkpoint, H = h + k (k is called W here)."""
    cluster = Cluster(window=6, checkpoint_interval=2)
    for name in "ABCD":
        cluster.propose(name)
        cluster.deliver_all()
    status = cluster.replica(2).status()
    assert (status.stable, status.high) == (4, 10)


def test_a_faulty_primary_cannot_exhaust_the_sequence_numbers():
    """Section 4.2: the watermarks prevent a faulty primary from choosing a very large one."""
    cluster = Cluster()
    output = cluster.give(1, cluster.seal(PrePrepare(0, 0, 2**62, A, 0), BATCH_A))
    assert output.broadcast == ()
    assert not cluster.replica(1).in_flight


def test_the_window_stalls_the_primary_until_a_checkpoint_is_stable():
    """Section 4.3: k must be large enough that replicas do not stall waiting for a checkpoint to be stable."""
    cluster = Cluster(window=2, checkpoint_interval=1)
    cluster.propose("A")
    cluster.propose("B")
    assert not cluster.replica(0).can_propose
    cluster.deliver_all()
    assert cluster.replica(0).can_propose


def test_messages_can_be_lost_and_duplicated_and_are_retransmitted():
    """Section 2: the network may fail to deliver messages, delay, duplicate, or deliver them out of order."""
    cluster = Cluster()
    cluster.propose("A")
    cluster.drop(sender=0, receiver=1)
    cluster.drop(sender=0, receiver=2)
    cluster.deliver_all()
    assert all(member.executed == [] for member in cluster.members)
    cluster.settle()
    assert all(member.executed == [A] for member in cluster.members)


def test_f_silent_replicas_do_not_stop_the_others():
    """Section 3: at most f = (n-1)/3 faulty replicas; the algorithm provides safety and liveness."""
    cluster = Cluster(10)
    cluster.propose("A")
    while cluster.in_flight:
        delivery = cluster.in_flight.pop(0)
        if max(delivery.sender, delivery.receiver) < 7:
            cluster.give(delivery.receiver, delivery.signed)
    assert all(member.executed == [A] for member in cluster.members[:7])


def test_with_more_than_f_silent_replicas_nothing_is_decided():
    """Section 3: the bound is tight; with f+1 silent replicas there is no progress, and no harm."""
    cluster = Cluster(10)
    cluster.propose("A")
    while cluster.in_flight:
        delivery = cluster.in_flight.pop(0)
        if max(delivery.sender, delivery.receiver) < 6:
            cluster.give(delivery.receiver, delivery.signed)
    assert all(member.executed == [] for member in cluster.members)


def test_a_missing_request_is_fetched_before_the_replica_votes_for_it():
    """TOCS 5.1 (separate request transmission): a pre-prepare may come before the request it names."""
    cluster = Cluster()
    signed = cluster.seal(PrePrepare(0, 0, 1, A, 0), BATCH_A)
    assert cluster.give(1, signed.header).broadcast == ()
    assert len(cluster.give(1, signed).broadcast) == 1


def test_the_primary_limits_what_is_in_flight():
    """Section 5 (TOCS 5.4, batching): when too many are in progress the primary waits and batches the rest."""
    cluster = Cluster(pipeline=2)
    cluster.propose("A")
    cluster.propose("B")
    assert not cluster.replica(0).can_propose
    cluster.deliver_all()
    assert cluster.replica(0).can_propose


def suspect(cluster: Cluster, *who: int) -> None:
    for index in who:
        cluster.carry_out(index, cluster.replica(index).start_view_change("test"))


def test_a_replica_that_changes_view_accepts_only_checkpoints_view_changes_and_new_views():
    """Section 4.4: it stops accepting messages other than checkpoint, view-change, and new-view messages."""
    cluster = Cluster()
    suspect(cluster, 3)
    assert cluster.give(3, cluster.seal(PrePrepare(0, 0, 1, A, 0), BATCH_A)).broadcast == ()
    assert not cluster.replica(3).in_flight


def test_the_new_primary_needs_a_quorum_of_view_changes():
    """Section 4.4: with 2f valid view-change messages from other replicas it multicasts a new-view message."""
    cluster = Cluster()
    suspect(cluster, 1)
    assert "NEW-VIEW" not in cluster.sent
    suspect(cluster, 2, 3)
    for delivery in list(cluster.in_flight):
        if matches(delivery, "VIEW-CHANGE", None, 1):
            cluster.give(1, delivery.signed)
    assert cluster.sent["NEW-VIEW"] == 3


def test_f_plus_1_view_changes_are_joined_at_the_smallest_view():
    """Section 4.5.2: with f+1 view-changes for greater views it sends one for the smallest view in the set."""
    cluster = Cluster(7)
    for sender, view in ((2, 4), (3, 3)):
        cluster.give(6, cluster.seal(ViewChange(0, view, 0, None, (), sender)))
    assert cluster.replica(6).view == 0
    cluster.give(6, cluster.seal(ViewChange(0, 5, 0, None, (), 4)))
    assert cluster.replica(6).view == 3


def test_the_time_to_wait_doubles():
    """Section 4.5.2: it starts view change v+2 after 2T if there was none for v+1 in time."""
    cluster = Cluster()
    for doublings in (0, 1, 2):
        suspect(cluster, 3)
        assert cluster.replica(3).doublings == doublings
