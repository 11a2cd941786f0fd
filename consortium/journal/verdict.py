"""What a checker is and what it says: the three-valued verdict, and the events every checker is told of."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from consortium.node.effects import Diverged, Executed, Recovered, Stable


class VerdictValue(StrEnum):
    """Unknown is never shown as success."""

    TRUE = "true"
    UNKNOWN = "unknown"
    FALSE = "false"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one checker says of a run. `reason`: what was seen, what is missing, or the first violation."""

    name: str
    verdict: VerdictValue
    reason: str


class Checker:
    """One property of a run. The first violation stands; later ones are counted.

    Told only of honest banks. Subclasses override the events they need and call `violated` and `saw`.
    """

    name: ClassVar[str]
    seen_of: ClassVar[str]
    """What it counts, in words: `412 executed slots compared`."""

    def __init__(self) -> None:
        self.now_us = 0
        """Virtual time of the event that is being told."""
        self.seen = 0
        self.violations = 0
        self.first_violation = ""

    def executed(self, bank: int, event: Executed) -> None:
        """A bank executed a slot."""

    def stable(self, bank: int, event: Stable) -> None:
        """A checkpoint became stable at a bank."""

    def diverged(self, bank: int, event: Diverged) -> None:
        """A bank found that its own results are not those of a quorum."""

    def recovered(self, bank: int, event: Recovered) -> None:
        """A bank came back from its log."""

    def violated(self, reason: str) -> None:
        self.violations += 1
        self.first_violation = self.first_violation or f"at {self.now_us} us: {reason}"

    def verdict(self) -> Verdict:
        """Judge what was seen so far."""
        if self.violations:
            more = f" (and {self.violations - 1} more)" if self.violations > 1 else ""
            return Verdict(self.name, VerdictValue.FALSE, self.first_violation + more)
        if not self.seen:
            return Verdict(self.name, VerdictValue.UNKNOWN, f"no {self.seen_of}")
        return Verdict(self.name, VerdictValue.TRUE, f"{self.seen} {self.seen_of}")
