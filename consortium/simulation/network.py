"""The simulated network: latency with jitter, loss, duplication, reordering, bandwidth, cut links.

Point to point. Every number that belongs to a message (its jitter, whether it is lost) is a hash of the
message itself: taking one message out of a run leaves all others as they were, and the network keeps no
random state. What leaves when is decided when it is sent, in one pass over the receivers of a broadcast.

This module knows nothing of nodes or messages' contents; `cluster.py` tells it who sends what.
"""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import cycle
from typing import Any, TypeAlias

from consortium.simulation.latency import LANE_BITS, LANE_SHIFT, TABLE_BITS, Jitter, Latency, delay_table
from consortium.simulation.randomness import MessageHash, Randomness
from consortium.simulation.scheduler import Scheduler

MILLION = 1_000_000
EVEN_MILLISECOND = Latency(base_us=1_000)
FOREVER_US = 1 << 62

_OCCURRENCES_KEPT = 8192
_HASH_LANES = 32  # of LANE_BITS each, in one hash
_FATE_BITS = 32
_LANES_FOR_FATE = 5
_LOSS, _DUPLICATE, _DUPLICATE_DELAY, _REORDER, _REORDER_DELAY = range(_LANES_FOR_FATE)


class Topology(StrEnum):
    """How banks reach each other. A broker (one uplink per broadcast, a processor per copy) belongs here."""

    POINT_TO_POINT = "point_to_point"


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """The network of one run. Shares are in millionths, so that no float decides anything."""

    latency: Latency = EVEN_MILLISECOND
    loss_ppm: int = 0
    """Share of messages that never arrive."""
    duplication_ppm: int = 0
    """Share of messages that arrive a second time, with a delay of their own."""
    reordering_ppm: int = 0
    """Share of messages held back by up to `reordering_us`, so that later ones overtake them."""
    reordering_us: int = 20_000
    uplink_bits_per_second: int | None = None
    """What one bank can send, one copy of a broadcast after the other. None: no limit."""
    downlink_bits_per_second: int | None = None
    topology: Topology = Topology.POINT_TO_POINT

    def __post_init__(self) -> None:
        for name in ("loss_ppm", "duplication_ppm", "reordering_ppm"):
            if not 0 <= getattr(self, name) <= MILLION:
                raise ValueError(f"{name} must be in 0..{MILLION}")
        if self.reordering_us < 1:
            raise ValueError("reordering_us must be at least 1")
        for name in ("uplink_bits_per_second", "downlink_bits_per_second"):
            limit = getattr(self, name)
            if limit is not None and limit <= 0:
                raise ValueError(f"{name} must be positive")


def _preset(base_us: int, median_us: int, p99_us: int, megabits: int) -> NetworkSettings:
    return NetworkSettings(
        latency=Latency(base_us, Jitter("lognormal", median_us, p99_us)),
        uplink_bits_per_second=megabits * MILLION,
        downlink_bits_per_second=megabits * MILLION,
    )


PRESETS: dict[str, NetworkSettings] = {
    # Data centres of one city: leased lines, about a millisecond.
    "metro": _preset(500, 500, 3_000, 1_000),
    # Beijing - Shanghai - Shenzhen: 1,000 to 2,000 km of fibre.
    "national": _preset(12_000, 3_000, 15_000, 500),
    # Between continents over the public network.
    "wan": _preset(70_000, 10_000, 60_000, 100),
    # What a file sets itself starts from a bare, even network.
    "custom": NetworkSettings(),
}


@dataclass(slots=True)
class MessageCounts:
    """Copies of messages by type. A broadcast to n-1 banks is n-1 messages.

    `sent` counts what senders handed over; `lost` what the network or a dead receiver dropped; `duplicated`
    the extra copies.
    """

    sent: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    duplicated: Counter[str] = field(default_factory=Counter)

    def as_dicts(self, under_way: Counter[str]) -> dict[str, dict[str, int]]:
        """The counts by type; delivered is what was neither lost nor is `under_way`."""
        return {
            kind: {
                "sent": self.sent[kind],
                "delivered": self.sent[kind] + self.duplicated[kind] - self.lost[kind] - under_way[kind],
                "lost": self.lost[kind],
                "duplicated": self.duplicated[kind],
            }
            for kind in sorted(self.sent)
        }


class Packet:
    """What the network moves: a message, and what names and orders it.

    One packet serves all receivers of a broadcast. Two packets with equal rank are ordered by their wire
    bytes, so that the order of events depends on contents alone.
    """

    __slots__ = ("message", "rank", "released_us")

    def __init__(self, sender: int, kind: str, sequence: int, released_us: int, message: Any) -> None:
        self.rank = (sequence, kind, sender)
        self.released_us = released_us  # when it leaves its bank: a crash before that takes it back
        self.message = message

    @property
    def sequence(self) -> int:
        return self.rank[0]

    @property
    def kind(self) -> str:
        return self.rank[1]

    @property
    def sender(self) -> int:
        return self.rank[2]

    def __lt__(self, other: "Packet") -> bool:
        before: bool = self.message.wire < other.message.wire
        return before


class AtDownlink:
    """A packet that has crossed the network and waits for its turn on the receiver's downlink."""

    __slots__ = ("packet",)

    def __init__(self, packet: Packet) -> None:
        self.packet = packet

    def __lt__(self, other: "AtDownlink") -> bool:
        return self.packet < other.packet


@dataclass(frozen=True, slots=True)
class Cut:
    """Nothing that leaves in [from_us, until_us) gets through."""

    from_us: int
    until_us: int


_KeptDelays: TypeAlias = dict[str, tuple[int, list[int]]]
"""Message kind -> a block of sequence numbers, and the delays of its messages."""


class Network:
    """Links between `count` banks, numbered from 0."""

    def __init__(
        self, settings: NetworkSettings, count: int, randomness: Randomness, scheduler: Scheduler
    ) -> None:
        self.settings = settings
        self.counts = MessageCounts()
        self._scheduler = scheduler
        self._others = [tuple(j for j in range(count) if j != i) for i in range(count)]
        self._table, self._bases = self._delay_tables()
        # One hash of 64 bytes serves a block of sequence numbers: a power of two, at least one.
        self._width = count - 1
        self._block_bits = max(0, (_HASH_LANES // max(1, self._width)).bit_length() - 1)
        self._block_mask = (1 << self._block_bits) - 1
        self._kept_delays: tuple[list[_KeptDelays], ...] = tuple([{} for _ in range(count)] for _ in range(2))
        lanes = self._width << self._block_bits
        self._jitter = MessageHash(randomness.key("network.jitter"), LANE_BITS, lanes)
        self._fate = MessageHash(randomness.key("network.fate"), _FATE_BITS, _LANES_FOR_FATE * count)
        self._cuts: dict[tuple[int, int], list[Cut]] = {}
        self._occurrences: list[dict[tuple[str, int], int]] = [{} for _ in range(count)]
        self._uplink_free_ns = [0] * count
        self._downlink_free_ns = [0] * count
        self._has_fates = bool(settings.loss_ppm or settings.duplication_ppm or settings.reordering_ppm)
        limits = (settings.uplink_bits_per_second, settings.downlink_bits_per_second)
        self._plain = not self._has_fates and limits == (None, None)

    # --- sending ------------------------------------------------------------------------------------

    def broadcast(self, packet: Packet, departure_us: int) -> None:
        """Send to every other bank, in one pass."""
        _, kind, sender = packet.rank
        others = self._others[sender]
        self.counts.sent[kind] += len(others)
        delays_us = self._delays_us(packet)
        if self._plain:
            self._scheduler.schedule_broadcast(departure_us, packet.rank, others, delays_us, packet)
        else:
            self._send_each(packet, departure_us, others, delays_us)

    def unicast(self, packet: Packet, receiver: int, departure_us: int) -> None:
        """Send to one bank; its delay is the one it would have in a broadcast."""
        self.counts.sent[packet.kind] += 1
        place = receiver if receiver < packet.sender else receiver - 1
        delays_us = self._delays_us(packet)[place : place + 1]
        if self._plain:
            self._scheduler.schedule_broadcast(departure_us, packet.rank, (receiver,), delays_us, packet)
        else:
            self._send_each(packet, departure_us, (receiver,), delays_us)

    def _delays_us(self, packet: Packet) -> list[int]:
        """Latency to every other bank, at least 1 us: a pure function of the seed and the message.

        One hash serves all receivers, and in a small consortium several sequence numbers as well. The delays
        of such a block are kept; two blocks, because slots in flight lie on both sides of a boundary.
        """
        sequence, kind, sender = packet.rank
        block = sequence >> self._block_bits
        kept_delays = self._kept_delays[block & 1][sender]
        kept = kept_delays.get(kind)
        if kept is None or kept[0] != block:
            kept = kept_delays[kind] = (block, self._block_delays_us(sender, kind, block))
        width = self._width
        start = (sequence & self._block_mask) * width
        return kept[1][start : start + width]

    def _block_delays_us(self, sender: int, kind: str, block: int) -> list[int]:
        """The delays of all sequence numbers of a block, one after the other."""
        table = self._table
        lanes = self._jitter.lanes(sender, kind, block, 0)
        if self._bases is None:
            return [table[lane >> LANE_SHIFT] for lane in lanes]
        bases = cycle(self._bases[sender])
        return [base + table[lane >> LANE_SHIFT] for base, lane in zip(bases, lanes, strict=False)]

    def _delay_tables(self) -> tuple["array[int]", list[list[int]] | None]:
        """The jitter's table and the base delays of each bank to all others.

        If all base delays are equal they are in the table, which then holds whole delays: twice as fast.
        """
        latency = self.settings.latency
        if latency.matrix_us is None:
            return delay_table(latency.jitter, latency.base_us, 1), None
        table = delay_table(latency.jitter, 0, 0)
        least_us = max(0, 1 - table[0])
        rows = [latency.base_row(sender, len(self._others)) for sender in range(len(self._others))]
        bases = [
            [max(least_us, rows[sender][receiver]) for receiver in others]
            for sender, others in enumerate(self._others)
        ]
        return table, bases

    def _send_each(
        self, packet: Packet, departure_us: int, receivers: Sequence[int], delays_us: Sequence[int]
    ) -> None:
        """The careful way: bandwidth, cuts and fates, one receiver after the other."""
        settings = self.settings
        sequence, kind, sender = packet.rank
        fates: Sequence[int] = ()
        if self._has_fates:
            occurrence = self._occurrence(packet)
            fates = self._fate.lanes(sender, kind, sequence, occurrence)
        payload: Packet | AtDownlink = packet
        if settings.downlink_bits_per_second is not None:
            payload = AtDownlink(packet)
        for receiver, delay_us in zip(receivers, delays_us, strict=True):
            leaves_us = self._through_uplink(packet, departure_us)
            if self._is_cut(sender, receiver, leaves_us):
                self.counts.lost[kind] += 1
                continue
            if fates:
                fate = fates[_LANES_FOR_FATE * receiver : _LANES_FOR_FATE * (receiver + 1)]
                if _happens(fate[_LOSS], settings.loss_ppm):
                    self.counts.lost[kind] += 1
                    continue
                if _happens(fate[_REORDER], settings.reordering_ppm):
                    delay_us += 1 + (fate[_REORDER_DELAY] * settings.reordering_us >> _FATE_BITS)
                if _happens(fate[_DUPLICATE], settings.duplication_ppm):
                    self.counts.duplicated[kind] += 1
                    second_us = (
                        leaves_us
                        + delay_us
                        + self._table[fate[_DUPLICATE_DELAY] >> (_FATE_BITS - TABLE_BITS)]
                        + 1
                    )
                    self._scheduler.schedule(second_us, packet.rank, receiver, payload)
            self._scheduler.schedule(leaves_us + delay_us, packet.rank, receiver, payload)

    def _occurrence(self, packet: Packet) -> int:
        """How often this bank has sent (kind, sequence) before: a repeated message has a fate of its own."""
        seen = self._occurrences[packet.sender]
        name = (packet.kind, packet.sequence)
        occurrence = seen.get(name, 0)
        seen[name] = occurrence + 1
        if len(seen) > _OCCURRENCES_KEPT:
            for old in list(seen)[: _OCCURRENCES_KEPT // 2]:
                del seen[old]
        return occurrence

    # --- bandwidth ----------------------------------------------------------------------------------

    def _through_uplink(self, packet: Packet, departure_us: int) -> int:
        """The moment the last bit is out: max(now, link free) + size / bandwidth, kept in nanoseconds."""
        rate = self.settings.uplink_bits_per_second
        if rate is None:
            return departure_us
        start_ns = max(departure_us * 1_000, self._uplink_free_ns[packet.sender])
        free_ns = start_ns + _transmission_ns(packet.message.size_bytes, rate)
        self._uplink_free_ns[packet.sender] = free_ns
        return -(-free_ns // 1_000)

    def arrived(self, waiting: AtDownlink, receiver: int, now_us: int) -> None:
        """A packet is at the downlink of `receiver`: deliver it when its last bit is in."""
        rate = self.settings.downlink_bits_per_second
        assert rate is not None, "nothing waits at a downlink without a limit"
        packet = waiting.packet
        start_ns = max(now_us * 1_000, self._downlink_free_ns[receiver])
        free_ns = start_ns + _transmission_ns(packet.message.size_bytes, rate)
        self._downlink_free_ns[receiver] = free_ns
        self._scheduler.schedule(max(-(-free_ns // 1_000), now_us + 1), packet.rank, receiver, packet)

    def reset_links(self, index: int, now_us: int) -> None:
        """The bank went down: what filled its links is gone."""
        self._uplink_free_ns[index] = min(self._uplink_free_ns[index], now_us * 1_000)
        self._downlink_free_ns[index] = min(self._downlink_free_ns[index], now_us * 1_000)

    # --- cut links ----------------------------------------------------------------------------------

    def cut(self, sender: int, receiver: int, from_us: int, until_us: int = FOREVER_US) -> None:
        """Cut one direction of a link for messages that leave in [from_us, until_us)."""
        self._cuts.setdefault((sender, receiver), []).append(Cut(from_us, until_us))
        self._plain = False

    def heal(self, sender: int, receiver: int, at_us: int) -> None:
        """End every cut of this direction at `at_us`."""
        cuts = self._cuts.pop((sender, receiver), [])
        ended = [Cut(cut.from_us, min(cut.until_us, at_us)) for cut in cuts if cut.from_us < at_us]
        if ended:
            self._cuts[sender, receiver] = ended

    def _is_cut(self, sender: int, receiver: int, leaves_us: int) -> bool:
        cuts = self._cuts.get((sender, receiver))
        return cuts is not None and any(cut.from_us <= leaves_us < cut.until_us for cut in cuts)


def _transmission_ns(size_bytes: int, bits_per_second: int) -> int:
    return -(-size_bytes * 8 * 1_000_000_000 // bits_per_second)


def _happens(lane: int, share_ppm: int) -> bool:
    """Whether a hashed number falls into the share."""
    return lane * MILLION < share_ppm << _FATE_BITS
