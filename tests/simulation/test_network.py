from collections import Counter

import pytest
from scripted import status, vote

from consortium.simulation.latency import Jitter, Latency
from consortium.simulation.network import PRESETS, AtDownlink, Network, NetworkSettings, Packet
from consortium.simulation.randomness import Randomness
from consortium.simulation.scheduler import Scheduler

LOGNORMAL = Latency(1_000, Jitter("lognormal", 4_000, 18_000))


def network_of(count=4, seed=1, **settings):
    scheduler = Scheduler()
    return Network(NetworkSettings(**settings), count, Randomness(seed), scheduler), scheduler


def packet(sender, sequence=1, released_us=0):
    return Packet(sender, "PREPARE", sequence, released_us, vote(sender, sequence))


def arrivals(network, scheduler):
    """(receiver, sequence) -> times of arrival; waits at downlinks are carried on."""
    seen = {}
    for now_us, _, receiver, payload in scheduler.events():
        if isinstance(payload, AtDownlink):
            network.arrived(payload, receiver, now_us)
        else:
            seen.setdefault((receiver, payload.sender, payload.sequence), []).append(now_us)
    return seen


def test_a_broadcast_reaches_everybody_else_once():
    network, scheduler = network_of(5, latency=LOGNORMAL)
    network.broadcast(packet(2), 100)
    seen = arrivals(network, scheduler)
    assert sorted(receiver for receiver, _, _ in seen) == [0, 1, 3, 4]
    assert all(len(times) == 1 and times[0] > 1_100 for times in seen.values())
    assert network.counts.sent == {"PREPARE": 4}


def test_a_constant_latency_is_exact():
    network, scheduler = network_of(3, latency=Latency(700, Jitter("constant", 50)))
    network.broadcast(packet(0), 1_000)
    assert arrivals(network, scheduler) == {(1, 0, 1): [1_750], (2, 0, 1): [1_750]}


def test_a_matrix_gives_each_direction_its_own_delay():
    matrix = ((0, 10, 20), (30, 0, 40), (50, 60, 0))
    network, scheduler = network_of(3, latency=Latency(matrix_us=matrix))
    for sender in range(3):
        network.broadcast(packet(sender), 0)
    times = {(sender, receiver): t[0] for (receiver, sender, _), t in arrivals(network, scheduler).items()}
    assert times == {(i, j): matrix[i][j] for i in range(3) for j in range(3) if i != j}


def test_a_zero_latency_still_takes_a_microsecond():
    network, scheduler = network_of(2, latency=Latency(0))
    network.broadcast(packet(0), 5)
    assert arrivals(network, scheduler) == {(1, 0, 1): [6]}


def test_a_unicast_has_the_delay_of_the_broadcast():
    network, scheduler = network_of(6, latency=LOGNORMAL)
    network.broadcast(packet(3), 0)
    broadcast = arrivals(network, scheduler)
    for receiver in (0, 2, 4, 5):
        network, scheduler = network_of(6, latency=LOGNORMAL)
        network.unicast(packet(3), receiver, 0)
        assert arrivals(network, scheduler)[receiver, 3, 1] == broadcast[receiver, 3, 1]


@pytest.mark.parametrize(
    "fates", [{}, {"loss_ppm": 100_000, "duplication_ppm": 50_000, "reordering_ppm": 50_000}]
)
def test_removing_one_message_leaves_all_other_delays_unchanged(fates):
    def run(skipped):
        network, scheduler = network_of(5, latency=LOGNORMAL, **fates)
        for sequence in range(1, 21):
            for sender in range(5):
                if (sender, sequence) != skipped:
                    network.broadcast(packet(sender, sequence), sequence * 1_000)
        return arrivals(network, scheduler)

    whole, less = run(None), run((3, 7))
    assert {name: times for name, times in whole.items() if name[1:] != (3, 7)} == less
    assert whole != less


def test_another_seed_gives_other_delays():
    def times(seed):
        network, scheduler = network_of(4, seed, latency=LOGNORMAL)
        network.broadcast(packet(0), 0)
        return arrivals(network, scheduler)

    assert times(1) == times(1)
    assert times(1) != times(2)


@pytest.mark.parametrize("count", [4, 16, 40])
def test_every_message_has_delays_of_its_own(count):
    """Also those whose delays come from one hash: blocks of sequence numbers in a small group."""
    network, scheduler = network_of(count, latency=LOGNORMAL)
    for sequence in range(1, 41):
        network.broadcast(packet(0, sequence), 0)
    delays = {}
    for (receiver, _, sequence), (at_us,) in arrivals(network, scheduler).items():
        delays.setdefault(sequence, []).append((receiver, at_us))
    assert len({tuple(sorted(row)) for row in delays.values()}) == 40


def test_delays_do_not_depend_on_the_order_of_sending():
    seen = []
    for order in (range(1, 41), range(40, 0, -1), [*range(1, 41, 3), *range(2, 41, 3), *range(3, 41, 3)]):
        network, scheduler = network_of(4, latency=LOGNORMAL)
        for sequence in order:
            network.broadcast(packet(0, sequence), 0)
        seen.append(arrivals(network, scheduler))
    assert seen[0] == seen[1] == seen[2]


def test_the_median_of_the_delays_is_the_one_asked_for():
    network, scheduler = network_of(10, latency=LOGNORMAL)
    for sequence in range(1, 401):
        network.broadcast(packet(0, sequence), 0)
    times = sorted(t[0] - 1_000 for t in arrivals(network, scheduler).values())
    assert abs(times[len(times) // 2] - 4_000) < 150
    assert abs(times[len(times) * 99 // 100] - 18_000) < 3_000


@pytest.mark.parametrize("ppm", [1_000, 100_000, 500_000])
def test_messages_are_lost_at_the_rate_asked_for(ppm):
    network, scheduler = network_of(11, loss_ppm=ppm)
    for sequence in range(1, 1_001):
        network.broadcast(packet(0, sequence), 0)
    delivered = len(arrivals(network, scheduler))
    assert delivered + network.counts.lost["PREPARE"] == network.counts.sent["PREPARE"] == 10_000
    assert abs(network.counts.lost["PREPARE"] - ppm / 100) < 4 * (ppm / 100) ** 0.5


def test_messages_are_duplicated_at_the_rate_asked_for():
    network, scheduler = network_of(11, duplication_ppm=200_000, latency=LOGNORMAL)
    for sequence in range(1, 501):
        network.broadcast(packet(0, sequence), 0)
    copies = Counter(len(times) for times in arrivals(network, scheduler).values())
    assert copies[1] + copies[2] == 5_000
    assert copies[2] == network.counts.duplicated["PREPARE"]
    assert abs(copies[2] - 1_000) < 130


def test_everything_or_nothing_is_lost_at_the_ends():
    for ppm, expected in ((0, 3), (1_000_000, 0)):
        network, scheduler = network_of(4, loss_ppm=ppm, duplication_ppm=1)
        network.broadcast(packet(0), 0)
        assert len(arrivals(network, scheduler)) == expected


def test_a_message_that_is_sent_again_has_another_fate():
    network, _scheduler = network_of(2, loss_ppm=500_000)
    for _ in range(200):
        network.broadcast(packet(0, 9), 0)
    assert 60 < network.counts.lost["PREPARE"] < 140


def test_messages_held_back_are_overtaken():
    settings = {"latency": Latency(1_000), "reordering_ppm": 300_000, "reordering_us": 50_000}
    network, scheduler = network_of(2, **settings)
    for sequence in range(1, 201):
        network.broadcast(packet(0, sequence), sequence * 100)
    order = [payload.sequence for _, _, _, payload in scheduler.events()]
    assert order != sorted(order)
    assert sorted(order) == list(range(1, 201))


# --- bandwidth --------------------------------------------------------------------------------------------


def test_the_uplink_sends_one_copy_after_the_other():
    size = vote(0, 1).size_bytes
    rate = size * 8 * 1_000  # one copy takes exactly 1 ms
    network, scheduler = network_of(4, latency=Latency(200), uplink_bits_per_second=rate)
    network.broadcast(packet(0), 10_000)
    assert arrivals(network, scheduler) == {
        (1, 0, 1): [11_200],
        (2, 0, 1): [12_200],
        (3, 0, 1): [13_200],
    }


def test_a_later_message_waits_until_the_uplink_is_free():
    size = vote(0, 1).size_bytes
    network, scheduler = network_of(2, latency=Latency(200), uplink_bits_per_second=size * 8 * 1_000)
    network.broadcast(packet(0, 1), 10_000)
    network.broadcast(packet(0, 2), 10_400)
    network.broadcast(packet(0, 3), 20_000)
    times = {sequence: t for (_, _, sequence), t in arrivals(network, scheduler).items()}
    assert times == {1: [11_200], 2: [12_200], 3: [21_200]}


def test_the_downlink_takes_one_message_after_the_other_in_order_of_arrival():
    size = vote(0, 1).size_bytes
    matrix = ((0, 1, 300), (1, 0, 100), (1, 1, 0))
    network, scheduler = network_of(
        3, latency=Latency(matrix_us=matrix), downlink_bits_per_second=size * 8 * 1_000
    )
    network.unicast(packet(0), 2, 1_000)  # at the downlink at 1,300
    network.unicast(packet(1), 2, 1_000)  # at 1,100: the first one in
    assert arrivals(network, scheduler) == {(2, 1, 1): [2_100], (2, 0, 1): [3_100]}


def test_link_times_are_not_rounded_up_for_every_copy():
    """1,000 copies of 0.1 us each take 0.1 ms, not 1 ms."""
    size = vote(0, 1).size_bytes
    network, scheduler = network_of(1_001, latency=Latency(1), uplink_bits_per_second=size * 8 * 10_000_000)
    network.broadcast(packet(0), 1_000)
    assert max(times[0] for times in arrivals(network, scheduler).values()) == 1_101


def test_bandwidth_without_a_limit_changes_nothing():
    plain, scheduler = network_of(4, latency=LOGNORMAL)
    wide, wide_scheduler = network_of(4, latency=LOGNORMAL, uplink_bits_per_second=10**15)
    for network in (plain, wide):
        network.broadcast(packet(0), 10)
    assert {name: [t[0] + 1] for name, t in arrivals(plain, scheduler).items()} == arrivals(
        wide, wide_scheduler
    )


# --- cut links --------------------------------------------------------------------------------------------


def test_a_cut_is_one_way_and_ends():
    network, scheduler = network_of(2, latency=Latency(100))
    network.cut(0, 1, 1_000, 2_000)
    for sequence, leaves_us in ((1, 999), (2, 1_000), (3, 1_999), (4, 2_000)):
        network.broadcast(packet(0, sequence), leaves_us)
        network.broadcast(packet(1, sequence), leaves_us)
    seen = arrivals(network, scheduler)
    assert [sequence for receiver, _, sequence in seen if receiver == 1] == [1, 4]
    assert [sequence for receiver, _, sequence in seen if receiver == 0] == [1, 2, 3, 4]
    assert network.counts.lost == {"PREPARE": 2}


def test_a_cut_without_an_end_can_be_healed():
    network, scheduler = network_of(2, latency=Latency(100))
    network.cut(0, 1, 0)
    network.broadcast(packet(0, 1), 10)
    network.heal(0, 1, 20)
    network.broadcast(packet(0, 2), 20)
    assert [sequence for _, _, sequence in arrivals(network, scheduler)] == [2]


def test_the_careful_way_gives_the_same_times_as_the_quick_one():
    quick, scheduler = network_of(7, latency=LOGNORMAL)
    careful, careful_scheduler = network_of(7, latency=LOGNORMAL)
    careful.cut(0, 1, 10**9)
    for network in (quick, careful):
        for sequence in range(1, 6):
            network.broadcast(packet(0, sequence), 10)
    assert arrivals(quick, scheduler) == arrivals(careful, careful_scheduler)


# --- settings ---------------------------------------------------------------------------------------------


def test_presets_lie_apart():
    base = [PRESETS[name].latency.base_us for name in ("metro", "national", "wan")]
    assert base == sorted(base)


@pytest.mark.parametrize(
    "wrong",
    [
        {"loss_ppm": -1},
        {"loss_ppm": 1_000_001},
        {"duplication_ppm": 2_000_000},
        {"reordering_us": 0},
        {"uplink_bits_per_second": 0},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError):
        NetworkSettings(**wrong)


def test_packets_of_equal_rank_are_ordered_by_their_bytes():
    a = Packet(0, "STATUS", 1, 0, status(0, executed=1))
    b = Packet(0, "STATUS", 1, 0, status(0, executed=2))
    forward, backward = Scheduler(), Scheduler()
    for scheduler, packets in ((forward, (a, b)), (backward, (b, a))):
        for one in packets:
            scheduler.schedule(5, one.rank, 1, one)
    assert list(forward.events()) == list(backward.events())
