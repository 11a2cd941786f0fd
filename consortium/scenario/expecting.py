"""Holding a run against what its scenario expects: balances, states, agreement, visibility, liveness.

Each expectation is looked at once, at its business moment or at the end. One that could not be looked at
(the run ended before) is not met, and says so.
"""

from dataclasses import dataclass

from consortium.money import Money
from consortium.scenario.comparison import compare
from consortium.scenario.model import (
    AgreementExpectation,
    BalanceExpectation,
    ComparisonExpectation,
    Expectation,
    LivenessExpectation,
    Scenario,
    StateExpectation,
    VisibilityExpectation,
)
from consortium.scenario.reading import LedgerReader
from consortium.scenario.story import Story
from consortium.timeline.views import ExpectationView

NOT_REACHED = "the run ended before this could be looked at"


@dataclass(frozen=True, slots=True)
class Found:
    """Whether an expectation holds, and what there is instead if not."""

    is_met: bool
    instead: str = ""


class Expecting:
    """The expectations of one run and what was found."""

    def __init__(self, scenario: Scenario, reader: LedgerReader) -> None:
        self._expectations = scenario.expectations
        self._reader = reader
        self._found: dict[int, Found] = {}

    def moments(self) -> list[int]:
        """Return the business times at which something must be looked at before the end."""
        return sorted({at for each in self._expectations if (at := _at_us(each)) is not None})

    def moment(self, at_us: int | None, story: Story) -> None:
        """Look at everything that is expected at this business time (None: at the end)."""
        for place, expectation in enumerate(self._expectations):
            if _at_us(expectation) == at_us and place not in self._found:
                self._found[place] = self._look(expectation, story)

    def results(self) -> tuple[ExpectationView, ...]:
        """Return every expectation of the run with what was found."""
        return tuple(
            ExpectationView(
                text=expectation.text,
                is_met=(found := self._found.get(place, Found(is_met=False, instead=NOT_REACHED))).is_met,
                found=found.instead,
                place=str(expectation.place),
            )
            for place, expectation in enumerate(self._expectations)
        )

    def _look(self, expectation: Expectation, story: Story) -> Found:
        match expectation:
            case BalanceExpectation():
                return self._balance(expectation)
            case StateExpectation():
                state = self._reader.status_of(expectation.instrument)
                return Found(state == expectation.state, state or "no such instrument")
            case AgreementExpectation():
                tips = {(node.tip.header.height, node.tip.hash) for node in story.live_nodes()}
                return Found(len(tips) == 1, f"{len(tips)} different ledgers")
            case VisibilityExpectation():
                sees = self._reader.sees(expectation.party, expectation.pattern)
                if sees is None:
                    return Found(is_met=False, instead=f"there is no record for {expectation.pattern}")
                return Found(sees == expectation.visible, "visible" if sees else "hidden")
            case LivenessExpectation():
                gap_us = story.longest_gap_us(expectation.from_us, expectation.to_us)
                return Found(gap_us <= expectation.max_gap_us, f"a gap of {gap_us / 1000:g} ms")
            case ComparisonExpectation():
                compared = compare(expectation.comparison, self._reader.saved)
                instead = compared.reason or f"{compared.left} and {compared.right}"
                return Found(compared.holds, instead)

    def _balance(self, expectation: BalanceExpectation) -> Found:
        amount = self._reader.balance(expectation.party, expectation.account)
        is_met = expectation.least <= amount <= expectation.most
        return Found(is_met, _money_text(amount))


def _at_us(expectation: Expectation) -> int | None:
    return expectation.to_us if isinstance(expectation, LivenessExpectation) else expectation.at_us


def _money_text(amount: Money) -> str:
    return f"{amount.grouped()} {amount.currency}"
