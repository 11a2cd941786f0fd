"""Faults as data: what goes wrong, where and when. `Cluster.inject` carries them out.

All of them act from outside, on the network, the processor and the outgoing messages: a node has no fault
switches. A fault's times are virtual microseconds. A bank that a fault makes deviate from the protocol is
named by `faulty_bank`; checkers hold only the others to their promises (a crashed bank keeps its promises).
"""

from dataclasses import dataclass
from typing import TypeAlias

from consortium.crypto import Signer
from consortium.simulation.network import FOREVER_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """The bank stops at `at_us`. What it had not sent by then never leaves; its durable records stay."""

    bank: int
    at_us: int


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


Fault: TypeAlias = Crash | CutLink | SwappedKey


def faulty_bank(fault: Fault) -> int | None:
    """Return the bank that no longer follows the protocol because of this fault, if any."""
    return fault.bank if isinstance(fault, SwappedKey) else None
