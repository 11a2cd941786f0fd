import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest
from scripted import CHAIN, SCHEME, Chatter, Scripted, broadcasts, vote

from consortium.consensus.messages import Commit, decode_signed, seal
from consortium.crypto import MacScheme
from consortium.node.effects import (
    ALL,
    BusinessTime,
    Check,
    Durable,
    Effects,
    Received,
    Reply,
    Send,
    Timer,
    TimerFired,
    Work,
)
from consortium.node.record_log import frame
from consortium.simulation.cluster import Cluster, ClusterSettings, StopReason
from consortium.simulation.costs import CostProfile
from consortium.simulation.faults import Crash, CutLink, SwappedKey
from consortium.simulation.latency import Jitter, Latency
from consortium.simulation.network import NetworkSettings

EVEN = NetworkSettings(latency=Latency(1_000))
UNEVEN = NetworkSettings(latency=Latency(500, Jitter("lognormal", 2_000, 20_000)))


def cluster_of(*nodes, scheme=SCHEME, observers=(), on_reply=None, **settings):
    cluster = Cluster(
        nodes,
        ClusterSettings(**{"network": EVEN, **settings}),
        scheme,
        observers=observers,
        on_reply=on_reply,
    )
    cluster.start()
    return cluster


# --- persist before send ------------------------------------------------------------------------------------


def test_a_send_waits_for_its_flush_and_others_do_not():
    sends = (Send(ALL, vote(0, 1), 1), Send(ALL, vote(0, 2), 0))
    node = Scripted(Effects(persist=(b"a",), token=1, send=sends))
    other = Scripted()
    cluster = cluster_of(node, other, costs=CostProfile(flush_us=300))
    cluster.run()
    assert other.received() == [(1_000, 0, 2), (1_300, 0, 1)]


def test_a_disk_that_never_flushes_lets_nothing_out_that_waits():
    sends = (Send(ALL, vote(0, 1), 1), Send(ALL, vote(0, 2), 0), Send(1, vote(0, 3), 1))
    node = Scripted(Effects(persist=(b"a",), token=1, notify=True, send=sends))
    other = Scripted()
    cluster = cluster_of(node, other, costs=CostProfile(flush_us=None))
    assert cluster.run().reason is StopReason.IDLE
    assert other.received() == [(1_000, 0, 2)]
    assert [send.signed.content.sequence for send in cluster.hosts[0].held] == [1, 3]
    assert node.log == []
    assert cluster.message_counts()["PREPARE"]["sent"] == 1


def test_a_send_may_wait_for_an_earlier_flush():
    first = Effects(persist=(b"a",), token=1, send=(Send(ALL, vote(0, 1), 1),))
    then = Effects(send=(Send(ALL, vote(0, 2), 1),))
    node = Scripted(first, {1: then})
    other = Scripted()
    cluster = cluster_of(node, other, costs=CostProfile(flush_us=300))
    cluster.at(100, lambda: cluster.business_time(5))
    cluster.run()
    assert other.received() == [(1_300, 0, 1), (1_300, 0, 2)]


def test_a_send_that_waits_for_no_known_flush_is_our_own_bug():
    with pytest.raises(AssertionError):
        cluster_of(Scripted(Effects(send=(Send(ALL, vote(0, 1), 3),))), Scripted())


def test_the_node_is_told_when_its_flush_has_ended():
    node = Scripted(Effects(persist=(b"a",), token=1, notify=True))
    cluster = cluster_of(node, costs=CostProfile(flush_us=300))
    cluster.run()
    assert node.log == [(300, Durable(1))]


# --- timers, replies, clients ---------------------------------------------------------------------------------


def test_a_timer_fires_once_and_a_replaced_or_cancelled_one_does_not():
    timers = (Timer("a", 1, 100), Timer("b", 1, 200), Timer("c", 1, 300))
    later = Effects(timers=(Timer("a", 2, 500), Timer("b", 1, None)))
    node = Scripted(Effects(timers=timers), {1: later})
    cluster = cluster_of(node)
    cluster.at(50, lambda: cluster.give(0, BusinessTime(1)))
    cluster.run()
    assert node.log[1:] == [(300, TimerFired("c", 1)), (550, TimerFired("a", 2))]


def test_replies_reach_the_clients_who_may_go_on():
    reply = Reply(b"id", "applied")
    node = Scripted(answers={1: Effects(replies=(reply,))})
    seen = []

    def on_reply(now_us, bank, what):
        seen.append((now_us, bank, what))
        cluster.give(0, BusinessTime(2))

    cluster = cluster_of(node, on_reply=on_reply)
    cluster.at(50, lambda: cluster.give(0, BusinessTime(1)))
    cluster.run()
    assert seen == [(51, 0, reply)]
    assert node.log == [(50, BusinessTime(1)), (51, BusinessTime(2))]


# --- the processor --------------------------------------------------------------------------------------------


def test_inputs_are_served_one_after_the_other_and_pay_what_they_cost():
    sender = Scripted(broadcasts(0, 3))
    receiver = Scripted(answers={2: broadcasts(1, 1, first=9)})
    cluster = cluster_of(sender, receiver, costs=CostProfile(handlers_ns={"PREPARE": 400_000}))
    cluster.run()
    assert [now_us for now_us, _, _ in receiver.received()] == [1_000, 1_400, 1_800]
    assert sender.received() == [(2_800, 1, 9)]  # 1,400 + 400 of work + 1,000 on the way


def test_costs_are_summed_in_nanoseconds_and_rounded_up_once():
    costs = CostProfile(verify_ns=1_300, sign_ns=700, hash_ns_per_kib=1_000, gas_ns=2, transaction_ns=5)
    work = Work(signs=2, hashed_bytes=1_025, gas=100, transactions=3)
    # 1,300 + 1,400 + 1,001 (rounded up to whole ns) + 200 + 15 = 3,916 ns
    assert costs.input_us("PREPARE", 1, work) == 4
    assert costs.input_us("PREPARE", 0, Work()) == 0
    assert CostProfile(handler_ns=1).input_us("x", 0, Work()) == 1


def test_every_bank_pays_for_a_check_but_only_once():
    checks = tuple(Check(bytes([i]) * 32, b"body", bytes(64)) for i in range(3))
    sender = Scripted(Effects(send=(Send(ALL, vote(0, 1)), Send(ALL, vote(0, 2)))))
    receivers = [Scripted(checks=checks), Scripted(checks=checks)]
    cluster = cluster_of(sender, *receivers, costs=CostProfile(verify_ns=100_000, handler_ns=1_000))
    cluster.run()
    # The first message costs 301 us; the checks of the second were verified before.
    assert [host.free_us for host in cluster.hosts[1:]] == [1_303, 1_303]  # booted for 1 us at 0


def test_effects_happen_when_their_work_is_paid():
    node = Scripted(Effects(work=Work(signs=1), send=(Send(ALL, vote(0, 1)),), timers=(Timer("a", 1, 10),)))
    other = Scripted()
    cluster = cluster_of(node, other, costs=CostProfile(sign_ns=20_000))
    cluster.run()
    assert other.received() == [(1_020, 0, 1)]
    assert node.log == [(30, TimerFired("a", 1))]


# --- verification and sharing -----------------------------------------------------------------------------------


def test_receivers_of_a_broadcast_share_one_received():
    sender, *receivers = Scripted(broadcasts(0, 1)), Scripted(), Scripted(), Scripted()
    cluster_of(sender, *receivers).run()
    first = receivers[0].log[0][1]
    assert isinstance(first, Received)
    assert all(receiver.log[0][1] is first for receiver in receivers)


def test_without_sharing_every_receiver_decodes_for_itself():
    sender, *receivers = Scripted(broadcasts(0, 1)), Scripted(), Scripted()
    cluster_of(sender, *receivers, decode=lambda wire: decode_signed(wire, CHAIN)).run()
    one, two = (receiver.log[0][1].signed for receiver in receivers)
    assert one == two == vote(0, 1)
    assert one is not two
    assert one is not sender.on_boot.send[0].signed


@pytest.mark.parametrize("costs", [CostProfile(), CostProfile(verify_ns=1)])
def test_a_receiver_with_other_checks_gets_its_own_verdicts(costs):
    good = Check(b"k" * 32, b"body", bytes(64))
    bad = Check(b"k" * 32, b"body", b"x" * 64)
    nodes = [Scripted(broadcasts(0, 1)), *(Scripted(checks=(check,)) for check in (good, bad, good))]
    cluster_of(*nodes, costs=costs).run()
    assert [node.log[0][1].verdicts for node in nodes[1:]] == [(True,), (False,), (True,)]


def test_each_signature_is_verified_once_for_all_banks():
    class Counting(MacScheme):
        calls = 0

        def verify(self, *check):
            Counting.calls += 1
            return super().verify(*check)

    scheme = Counting()
    signed = vote(0, 1, scheme=scheme)
    check = Check(scheme.signer(bytes(32)).public_key, signed.body, signed.signature)
    nodes = [Scripted(Effects(send=(Send(ALL, signed),)))] + [Scripted(checks=(check,)) for _ in range(5)]
    cluster_of(*nodes, scheme=scheme).run()
    assert Counting.calls == 1
    assert all(node.log[0][1].verdicts == (True,) for node in nodes[1:])


def test_what_arrives_at_one_moment_is_taken_by_sequence_then_kind_then_sender():
    def commit(sender, sequence):
        content = Commit(0, 0, sequence, b"\1" * 32, sender)
        return seal(content, CHAIN, SCHEME.signer(bytes([sender]) * 32))

    one = Effects(
        send=tuple(Send(ALL, each) for each in (commit(0, 2), vote(0, 1), commit(0, 1), vote(0, 2)))
    )
    two = Effects(send=tuple(Send(ALL, each) for each in (vote(1, 1), commit(1, 1))))
    receiver = Scripted()
    cluster_of(Scripted(one), Scripted(two), receiver).run()
    contents = [entry.signed.content for _, entry in receiver.log]
    names = [(content.sequence, content.KIND, content.sender) for content in contents]
    assert names == sorted(names)
    assert len(names) == 6


# --- when a run stops ---------------------------------------------------------------------------------------------


def test_a_run_stops_when_nothing_is_under_way():
    stopped = cluster_of(Scripted(broadcasts(0, 2)), Scripted()).run()
    assert (stopped.reason, stopped.now_us, stopped.deliveries) == (StopReason.IDLE, 1_000, 2)


def test_a_run_stops_at_its_time_bound_and_goes_on_from_there():
    node = Scripted(Effects(timers=(Timer("a", 1, 5_000),)))
    cluster = cluster_of(node)
    stopped = cluster.run(until_us=2_000)
    assert (stopped.reason, stopped.now_us) == (StopReason.TIME, 2_000)
    assert node.log == []
    assert cluster.run(until_us=9_000).reason is StopReason.IDLE
    assert node.log == [(5_000, TimerFired("a", 1))]


def test_a_run_stops_when_the_predicate_holds():
    receiver = Scripted(answers={n: Effects(trace=("x",)) for n in range(1, 9)})
    cluster = cluster_of(Scripted(broadcasts(0, 5)), receiver)
    stopped = cluster.run(predicate=lambda: len(receiver.log) == 3)
    assert (stopped.reason, len(receiver.log)) == (StopReason.DONE, 3)
    assert cluster.run().reason is StopReason.IDLE
    assert len(receiver.log) == 5


def test_background_timers_alone_are_idle_and_go_on_later():
    class Ticking(Scripted):
        def handle(self, entry, now_us):
            super().handle(entry, now_us)
            generation = len(self.log) + 1
            return Effects(timers=(Timer("status", generation, 1_000),))

    node = Ticking()
    cluster = cluster_of(node, Scripted(broadcasts(1, 1)))
    background = frozenset({"status"})
    stopped = cluster.run(background=background)
    assert stopped.reason is StopReason.IDLE
    assert stopped.now_us <= 2_000
    ticks = len(node.log)
    assert cluster.run(until_us=10_000).reason is StopReason.TIME
    assert len(node.log) > ticks + 5


def test_the_collector_is_off_while_running_and_on_again_afterwards():
    seen = []

    class Looking(Scripted):
        def handle(self, entry, now_us):
            seen.append(gc.isenabled())
            if now_us >= 1_000:
                raise RuntimeError
            return super().handle(entry, now_us)

    cluster = cluster_of(Scripted(broadcasts(0, 1)), Looking())
    with pytest.raises(RuntimeError):
        cluster.run()
    assert seen == [True, False]
    assert gc.isenabled()


# --- faults -------------------------------------------------------------------------------------------------------


def test_a_crashed_bank_hears_and_says_nothing_more():
    one, two = Chatter(0, every=1), Chatter(1, every=1)
    cluster = cluster_of(one, two)
    cluster.inject(Crash(bank=1, at_us=3_500))
    cluster.run()
    assert [now_us for now_us, _, _ in two.log] == [1_000, 2_000, 3_000]
    assert [now_us for now_us, _, _ in one.log] == [1_000, 2_000, 3_000, 4_000]  # the last one had left
    counts = cluster.message_counts()["PREPARE"]
    assert counts["sent"] == counts["delivered"] + counts["lost"]


def test_what_had_not_left_a_crashed_bank_is_taken_back():
    """The flush would have ended after the crash: the record is lost, so the message must not arrive."""
    node = Scripted(broadcasts(0, 1, after=1, token=1))
    other = Scripted()
    cluster = cluster_of(node, other, costs=CostProfile(flush_us=300))
    cluster.inject(Crash(bank=0, at_us=299))
    cluster.run()
    assert other.log == []
    assert cluster.hosts[0].store.records(10_000) == ()


def test_what_had_left_before_the_crash_arrives_and_its_record_is_durable():
    node = Scripted(broadcasts(0, 1, after=1, token=1))
    other = Scripted()
    cluster = cluster_of(node, other, costs=CostProfile(flush_us=300))
    cluster.inject(Crash(bank=0, at_us=300))
    cluster.run()
    assert len(other.log) == 1
    assert cluster.hosts[0].store.records(10_000) == (b"record",)


@pytest.mark.parametrize("crash_us", range(200, 8_000, 613))
def test_whatever_arrived_from_a_crashed_bank_is_on_its_disk(crash_us):
    nodes = [Chatter(i, every=1, flush=True) for i in range(3)]
    cluster = cluster_of(*nodes, network=UNEVEN, costs=CostProfile(flush_us=700, handler_ns=50_000))
    cluster.inject(Crash(bank=0, at_us=crash_us))
    cluster.run()
    arrived = {sequence for node in nodes[1:] for _, sender, sequence in node.log if sender == 0}
    durable = {int(record) for record in cluster.hosts[0].store.records(10**9)}
    assert arrived <= durable


def test_a_restarted_bank_boots_with_what_was_durable():
    cluster = cluster_of(Scripted(broadcasts(0, 1, after=1, token=1)), Scripted())
    cluster.inject(Crash(bank=0, at_us=500))
    reborn = Scripted(broadcasts(0, 1, first=5))
    cluster.at(2_000, lambda: cluster.restart(0, reborn))
    cluster.run()
    assert reborn.booted_with == (frame(1, b"record"),)
    assert cluster.hosts[1].node.received() == [(1_000, 0, 1), (3_000, 0, 5)]


def test_a_crashed_banks_timers_do_not_fire():
    node = Scripted(Effects(timers=(Timer("a", 1, 1_000),)))
    cluster = cluster_of(node)
    cluster.inject(Crash(bank=0, at_us=500))
    cluster.run()
    assert node.log == []


def test_a_cut_takes_effect_on_what_leaves_later_even_if_it_was_decided_before():
    node = Scripted(broadcasts(0, 1, after=1, token=1))
    others = [Scripted(), Scripted()]
    cluster = cluster_of(node, *others, costs=CostProfile(flush_us=300))
    cluster.inject(CutLink(sender=0, receiver=1, from_us=200))
    cluster.run()
    assert [len(other.log) for other in others] == [0, 1]


def test_a_swapped_key_spoils_the_signatures_and_nothing_else():
    scheme = MacScheme()
    signed = vote(0, 1, scheme=scheme)
    key = scheme.signer(bytes(32)).public_key

    class Checking(Scripted):
        def wanted(self, what):
            return (Check(key, what.body, what.signature),)

    nodes = [Scripted(Effects(send=(Send(ALL, signed),))), Checking()]
    cluster = Cluster(nodes, ClusterSettings(network=EVEN), scheme)
    cluster.inject(SwappedKey(bank=0, signer=scheme.signer(b"w" * 32)))
    cluster.start()
    cluster.run()
    received = nodes[1].log[0][1]
    assert received.verdicts == (False,)
    assert received.signed.content is signed.content
    assert received.signed.body == signed.body


def test_bytes_that_a_receiver_cannot_read_are_counted_and_dropped():
    receiver = Scripted()
    cluster = cluster_of(
        Scripted(broadcasts(0, 2)), receiver, decode=lambda wire: decode_signed(wire[:-1], CHAIN)
    )
    cluster.run()
    assert receiver.log == []
    assert cluster.malformed == {0: 2}


# --- determinism --------------------------------------------------------------------------------------------------


def log_of(seed, network=UNEVEN, **settings):
    nodes = [Chatter(index) for index in range(5)]
    cluster_of(*nodes, seed=seed, network=network, **settings).run()
    return [node.log for node in nodes]


def test_the_same_seed_gives_the_same_log_and_another_seed_another():
    assert log_of(1) == log_of(1)
    assert log_of(1) != log_of(2)


def test_limits_that_never_bind_change_no_order():
    """Wide bandwidth and a cut that never comes take the careful way through the network."""
    careful = NetworkSettings(latency=UNEVEN.latency, loss_ppm=0, uplink_bits_per_second=10**12)
    quick, slow = log_of(1), log_of(1, careful)
    assert [len(log) for log in quick] == [len(log) for log in slow]


SCRIPT = """
import hashlib, sys
sys.path[:0] = {paths!r}
from consortium.simulation.latency import Jitter, Latency
from consortium.simulation.network import Network, NetworkSettings, Packet
from consortium.simulation.randomness import Randomness
from consortium.simulation.scheduler import Scheduler

class Message:
    def __init__(self, wire): self.wire = wire
    size_bytes = 180

scheduler, log = Scheduler(), hashlib.sha256()
latency = Latency(500, Jitter("lognormal", 2_000, 20_000))
settings = NetworkSettings(latency, loss_ppm=20_000, duplication_ppm=20_000, reordering_ppm=20_000,
                           uplink_bits_per_second=50_000_000)
network = Network(settings, 7, Randomness(int(sys.argv[1])), scheduler)
sent = [0] * 7
def broadcast(sender, now_us):
    sent[sender] += 1
    kind = ("PREPARE", "COMMIT")[sent[sender] % 2]
    network.broadcast(Packet(sender, kind, sent[sender], now_us, Message(b"%d" % sent[sender])), now_us)
for sender in range(7):
    broadcast(sender, 0)
for count, (now_us, rank, receiver, packet) in enumerate(scheduler.events()):
    log.update(repr((now_us, rank, receiver, packet.sender)).encode())
    if count % 5 == 0 and sent[receiver] < 200:
        broadcast(receiver, now_us)
print(count, log.hexdigest())
"""


def run_script(python, seed, hash_seed):
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    result = subprocess.run(
        [python, "-c", SCRIPT.format(paths=[root]), str(seed)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout


def test_the_log_is_the_same_under_every_hash_seed():
    logs = {run_script(sys.executable, 5, hash_seed) for hash_seed in ("0", "1", "random")}
    assert len(logs) == 1
    assert logs != {run_script(sys.executable, 6, "0")}


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_the_log_is_the_same_under_another_python(version):
    found = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}*/bin/python"))
    if not found:
        pytest.skip(f"no Python {version} here")
    assert run_script(str(found[-1]), 5, "random") == run_script(sys.executable, 5, "0")
