"""Carrying out faults: on the network, the processors and the outgoing messages, never inside a node.

What a bank had decided to send and what had not left yet when it crashed is taken back: messages wait for
the processor and for the disk after the scheduler already knows their time.
"""

from collections.abc import Callable, Sequence

from consortium.simulation.events import Flight, packet_of
from consortium.simulation.faults import Crash, CutLink, Fault, FullDisk, RollBack, SwappedKey
from consortium.simulation.host import Host
from consortium.simulation.network import Network
from consortium.simulation.scheduler import Entry, Scheduler
from consortium.simulation.store import Tail


class Injector:
    """Knows the machines of one cluster; `at` plans an action, `note` tells the journal.

    `stopped(bank)` is told of every bank that goes down; `restart(bank)` starts a new node on its store.
    """

    def __init__(
        self,
        hosts: Sequence[Host],
        network: Network,
        scheduler: Scheduler,
        at: Callable[[int, Callable[[], None]], None],
        note: Callable[[str, Sequence[int]], None],
        stopped: Callable[[int], None],
        restart: Callable[[int], None],
    ) -> None:
        self._hosts = hosts
        self._network = network
        self._scheduler = scheduler
        self._at = at
        self._note = note
        self._stopped = stopped
        self._restart = restart

    def inject(self, fault: Fault) -> None:
        match fault:
            case Crash():
                self._when(fault.at_us, lambda: self._crash(fault))
            case FullDisk():
                self._when(fault.at_us, lambda: self._fill(fault))
            case RollBack():
                self._when(fault.at_us, lambda: self._roll_back(fault))
            case CutLink():
                self._cut(fault)
            case SwappedKey():
                self._hosts[fault.bank].signer = fault.signer
                self._note("swapped key", (fault.bank,))

    def _when(self, at_us: int, action: Callable[[], None]) -> None:
        """Do it at that time, or at once if it has come."""
        if at_us > self._scheduler.now_us:
            self._at(at_us, action)
        else:
            action()

    def _crash(self, fault: Crash) -> None:
        self.stop(fault.bank, "crash", fault.tail)
        self._start_after(fault.bank, fault.for_us)

    def _fill(self, fault: FullDisk) -> None:
        """The bank finds out when it next writes: the driver then calls `stop`."""
        store = self._hosts[fault.bank].store
        store.is_full = True
        self._note("disk full", (fault.bank,))
        if fault.for_us is not None:

            def make_room() -> None:
                store.is_full = False
                if self._hosts[fault.bank].is_down:
                    self._restart(fault.bank)

            self._at(self._scheduler.now_us + fault.for_us, make_room)

    def _roll_back(self, fault: RollBack) -> None:
        self.stop(fault.bank, "crash")
        self._hosts[fault.bank].store.roll_back(fault.flushes)
        self._note("disk rolled back", (fault.bank,))
        self._start_after(fault.bank, fault.for_us)

    def _start_after(self, bank: int, for_us: int | None) -> None:
        if for_us is not None:
            self._at(self._scheduler.now_us + max(1, for_us), lambda: self._restart(bank))

    def stop(self, bank: int, reason: str, tail: Tail = Tail.LOST) -> None:
        """Take a bank down: what had not left it never will."""
        host = self._hosts[bank]
        if host.is_down:
            return
        now_us = self._scheduler.now_us
        self._note(reason, (bank,))
        self._stopped(bank)
        for item in host.backlog:
            if isinstance(item, Flight):
                self._network.counts.lost[item.kind] += 1
        host.stop(now_us, reason, tail)
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
