"""A run as one party may see it: what it may not see is taken out of the view before anything is rendered.

A validator bank reads everything that it executes (private payloads do not exist yet), and the operator sees
all. A company keeps what it did and what names it; a regulator the contracts that the scenario opens to it; a
central bank the money of the banks. Where that is less than a contract's `visible_to` would allow, less is
shown: a report for one party never says too much.
"""

from dataclasses import dataclass, replace

from consortium.timeline.views import OPERATOR, PartyView, RunView, StepView

BANK, REGULATOR, CENTRAL_BANK = "bank", "regulator", "central_bank"
HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewpoint:
    """Whose eyes a report is for. `sees` are a regulator's patterns (`letter_of_credit.*`)."""

    party: str = OPERATOR
    kind: str = ""
    is_validator: bool = False
    sees: tuple[str, ...] = ()

    @property
    def sees_all(self) -> bool:
        return self.party == OPERATOR or self.is_validator

    def sees_step(self, step: StepView) -> bool:
        if self.sees_all or step.actor == self.party:
            return True
        if self.kind == REGULATOR:
            return self._is_open(step.contract)
        return any(argument.value == self.party for argument in step.arguments)

    def sees_party(self, party: PartyView) -> bool:
        if self.sees_all or party.party == self.party:
            return True
        if self.kind == REGULATOR:
            return self._is_open("settlement")
        return self.kind == CENTRAL_BANK and party.kind == BANK

    def of(self, view: RunView) -> RunView:
        """Return the run as this party may see it."""
        if self.sees_all:
            return replace(view, viewpoint=self.party)
        return replace(
            view,
            viewpoint=self.party,
            steps=tuple(step for step in view.steps if self.sees_step(step)),
            parties=tuple(party for party in view.parties if self.sees_party(party)),
            expectations=tuple(replace(each, text=HIDDEN, found="") for each in view.expectations),
            checkers=tuple(replace(each, reason="") for each in view.checkers),
            nodes=tuple(replace(node, waits_for=()) for node in view.nodes),
            outcome_reason=(),
            warnings=(),
        )

    def _is_open(self, contract: str) -> bool:
        """Only a pattern for a whole contract opens its actions; one for a single record does not."""
        return any(pattern in ("*", "*.*", f"{contract}.*", contract) for pattern in self.sees)
