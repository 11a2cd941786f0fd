"""Carrying out faults: on the network, the processors and the outgoing messages, never inside a node.

What a bank had decided to send and what had not left yet when it crashed is taken back: messages wait for
the processor and for the disk after the scheduler already knows their time.
"""

from collections.abc import Callable, Sequence

from consortium.simulation.events import Flight, packet_of
from consortium.simulation.faults import Crash, CutLink, Fault, SwappedKey
from consortium.simulation.host import Host
from consortium.simulation.network import Network
from consortium.simulation.scheduler import Entry, Scheduler


class Injector:
    """Knows the machines of one cluster; `at` plans an action, `note` tells the journal."""

    def __init__(
        self,
        hosts: Sequence[Host],
        network: Network,
        scheduler: Scheduler,
        at: Callable[[int, Callable[[], None]], None],
        note: Callable[[str, Sequence[int]], None],
    ) -> None:
        self._hosts = hosts
        self._network = network
        self._scheduler = scheduler
        self._at = at
        self._note = note

    def inject(self, fault: Fault) -> None:
        match fault:
            case Crash():
                if fault.at_us > self._scheduler.now_us:
                    self._at(fault.at_us, lambda: self._crash(fault.bank))
                else:
                    self._crash(fault.bank)
            case CutLink():
                self._cut(fault)
            case SwappedKey():
                self._hosts[fault.bank].signer = fault.signer
                self._note("swapped key", (fault.bank,))

    def _crash(self, bank: int) -> None:
        host = self._hosts[bank]
        if host.is_down:
            return
        now_us = self._scheduler.now_us
        self._note("crash", (bank,))
        for item in host.backlog:
            if isinstance(item, Flight):
                self._network.counts.lost[item.kind] += 1
        host.stop(now_us)
        self._network.reset_links(bank, now_us)

        def doomed(entry: Entry) -> bool:
            """Messages that had not left the bank, and its own timers, flushes and replies."""
            packet = packet_of(entry[3])
            if packet is None:
                return entry[2] == bank
            return packet.sender == bank and packet.released_us > now_us

        self._retract(doomed)

    def _cut(self, fault: CutLink) -> None:
        from_us = max(fault.from_us, self._scheduler.now_us)
        self._network.cut(fault.sender, fault.receiver, from_us, fault.until_us)
        self._note("cut link", (fault.sender, fault.receiver))

        def doomed(entry: Entry) -> bool:
            """Messages that were decided on before the fault was known and leave while it lasts."""
            packet = packet_of(entry[3])
            if packet is None or (packet.sender, entry[2]) != (fault.sender, fault.receiver):
                return False
            return from_us <= packet.released_us < fault.until_us

        self._retract(doomed)

    def _retract(self, doomed: Callable[[Entry], bool]) -> None:
        for entry in self._scheduler.remove(doomed):
            packet = packet_of(entry[3])
            if packet is not None:
                self._network.counts.lost[packet.kind] += 1
