"""Faults as data: what goes wrong, where and when. `Cluster.inject` carries them out.

All of them act from outside, on the network, the processor and the outgoing messages: a node has no fault
switches. A fault's times are virtual microseconds. A bank that a fault makes deviate from the protocol is
named by `faulty_bank`; checkers hold only the others to their promises (a crashed bank keeps its promises, a
bank whose disk forgot what it had signed cannot).
"""

from dataclasses import dataclass
from typing import TypeAlias

from consortium.crypto import Signer
from consortium.simulation.network import FOREVER_US
from consortium.simulation.store import Tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """The bank stops at `at_us`. What it had not sent by then never leaves; its durable records stay.

    `tail` says what becomes of records that were not durable yet. After `for_us` a new node starts on the
    store that is left; None: never.
    """

    bank: int
    at_us: int
    for_us: int | None = None
    tail: Tail = Tail.LOST


@dataclass(frozen=True, slots=True, kw_only=True)
class FullDisk:
    """From `at_us` on nothing can be written: the bank stops at its next record.

    After `for_us` there is room again, and the bank is started; None: never.
    """

    bank: int
    at_us: int
    for_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack:
    """The bank crashes at `at_us`, and its disk loses the last `flushes` flushes that had been durable.

    It starts again after `for_us`, without knowing that it has forgotten what it signed.
    """

    bank: int
    at_us: int
    flushes: int
    for_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CutLink:
    """Nothing that `sender` sends to `receiver` in [from_us, until_us) arrives; the other way is open."""

    sender: int
    receiver: int
    from_us: int
    until_us: int = FOREVER_US


@dataclass(frozen=True, slots=True, kw_only=True)
class SwappedKey:
    """From the moment it is injected, everything the bank sends carries the signature of another key."""

    bank: int
    signer: Signer


Fault: TypeAlias = Crash | FullDisk | RollBack | CutLink | SwappedKey


def faulty_bank(fault: Fault) -> int | None:
    """Return the bank that no longer follows the protocol because of this fault, if any."""
    return fault.bank if isinstance(fault, SwappedKey | RollBack) else None
