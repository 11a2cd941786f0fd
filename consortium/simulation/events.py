"""What the scheduler of a simulated consortium holds: messages under way and everything else that happens.

Timers (`TimerFired`) and flushes (`Durable`) are scheduled as the very inputs that they become.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from consortium.consensus.messages import Signed
from consortium.node.effects import Check, Input, Received, Reply
from consortium.simulation.network import AtDownlink, Packet

BEFORE_MESSAGES = -1
"""The sequence of events that are no messages: they come first in their microsecond."""
AFTER_MESSAGES = 1 << 64


class Flight(Packet):
    """A message under way. Its receivers share one `received`, made when the first of them gets it."""

    __slots__ = ("checks", "received", "text")

    def __init__(self, sender: int, sequence: int, released_us: int, signed: Signed, text: str) -> None:
        self.rank = (sequence, signed.content.KIND, sender)
        self.released_us = released_us
        self.message = signed
        self.text = text  # how the journal names it
        self.received: Received | None = None
        self.checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """An input that is no message of a peer, waiting for the processor."""

    kind: str
    entry: Input
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplyDue:
    reply: Reply


@dataclass(frozen=True, slots=True)
class Call:
    action: Callable[[], None]


class ProcessorFree:
    """The processor of a bank with a backlog takes its next input."""


class Stop:
    """The time bound of one call of `run`."""


PROCESSOR_FREE = ProcessorFree()


def packet_of(payload: Any) -> Packet | None:
    """Return the message that a scheduled payload is, wherever it is on its way; None for other events."""
    if isinstance(payload, AtDownlink):
        return payload.packet
    return payload if isinstance(payload, Packet) else None


def kind_of(entry: Input) -> str:
    """Return the type of an input as cost profiles name it: BusinessTime is business_time."""
    name = type(entry).__name__
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")
