"""Expectations of the run: from sections to what the run is held against."""

from dataclasses import dataclass

from consortium.calendar import DAY_US
from consortium.membership import OrganisationKind
from consortium.money import Money
from consortium.scenario.comparison import ComparisonError, Reference, parse_comparison, parse_reference
from consortium.scenario.contracts import Contracts
from consortium.scenario.model import (
    AgreementExpectation,
    BalanceExpectation,
    ComparisonExpectation,
    Expectation,
    LivenessExpectation,
    Place,
    StateExpectation,
    VisibilityExpectation,
)
from consortium.scenario.moments import Clock
from consortium.scenario.nodes import Mapping, Scalar, Span
from consortium.scenario.parties import Parties
from consortium.scenario.problems import Problems, hint, listing, shown
from consortium.scenario.references import References, Unusable
from consortium.scenario.schema import (
    ACCOUNTS,
    EXPECTATION_KINDS,
    BetweenSection,
    ExpectSection,
    VisibleSection,
)
from consortium.scenario.signatures import ChoiceShape
from consortium.scenario.tree import Path, place_of
from consortium.scenario.validation import Pieces, Placed

_NEEDS = {"account": "balance", "instrument": "state"}
_BELONGS = {"balance": "account", "state": "instrument", "during": "liveness"}


@dataclass(slots=True)
class ExpectationReader:
    """Reads the top-level `expect:` of one scenario."""

    pieces: Pieces
    problems: Problems
    parties: Parties
    clock: Clock | None
    contracts: Contracts
    references: References

    def expectations(self) -> tuple[Expectation, ...]:
        """Return all expectations; those that are wrong are left out and reported."""
        return tuple(each for placed in self.pieces.expect for each in self._read(placed))

    def _read(self, placed: Placed[ExpectSection]) -> list[Expectation]:
        section, path = placed.section, placed.path
        kind = self._kind(section, path)
        at_us, at_known = self._at(section, path)
        if kind is None or not at_known:
            return []
        place = place_of(self._span((*path, kind), key=True))
        match kind:
            case "balances":
                return self._balances(section, path, at_us)
            case "account":
                return self._account(section, path, at_us, place)
            case "instrument":
                return self._state(section, path, at_us, place)
            case "all_nodes_agree":
                return [AgreementExpectation(at_us=at_us, text="all nodes agree", place=place)]
            case "visible":
                assert section.visible is not None
                return self._visible(section.visible, (*path, "visible"), at_us, place)
            case "liveness":
                return self._liveness(section, path, place)
            case _:
                return self._comparison(section, path, at_us, place)

    def _kind(self, section: ExpectSection, path: Path) -> str | None:
        """Return the one kind of an expectation; reports none, several, or one that is not whole."""
        node = self.pieces.tree.node(path)
        keys = set(node.entries) if isinstance(node, Mapping) else set()
        present = [name for name in EXPECTATION_KINDS if name in keys]
        if len(present) > 1:
            self._report(
                self._span((*path, present[1]), key=True),
                f"one expectation checks one thing, this has {present[0]} and {present[1]}",
                "write two expectations",
            )
            return None
        if not present:
            lonely = [name for name in _NEEDS.values() if name in keys]
            for name in lonely:
                message = f"{name} needs {_BELONGS[name]} beside it"
                self._report(self._span((*path, name), key=True), message)
            if not lonely and keys <= set(ExpectSection.model_fields):
                advice = f"one of: {listing(EXPECTATION_KINDS)}"
                self._report(self._span(path), "this expectation says nothing to check", advice)
            return None
        kind = present[0]
        needed = _NEEDS.get(kind)
        if needed is not None and needed not in keys:
            self._report(self._span((*path, kind), key=True), f"{kind} needs {needed} beside it")
            return None
        strange = [name for name, owner in _BELONGS.items() if name in keys and owner != kind]
        if strange:
            self._report(self._span((*path, strange[0]), key=True), f"{strange[0]} does not go with {kind}")
            return None
        # What is None now was there in a wrong form, which is reported already.
        whole = [kind] if needed is None else [kind, needed]
        return kind if all(getattr(section, name) is not None for name in whole) else None

    def _at(self, section: ExpectSection, path: Path) -> tuple[int | None, bool]:
        """Return when it must hold (None: at the end), and whether that could be read.

        A day without a time means its end.
        """
        if section.at is None or section.at.kind == "end":
            return None, True
        span = self._span((*path, "at"))
        if self.clock is None:
            return None, False
        if section.at.clock_us is None:
            day = self.clock.day(section.at, span, self.problems)
            return (None, False) if day is None else ((day.ordinal + 1) * DAY_US - 1, True)
        at_us = self.clock.time(section.at, span, self.problems, what="this expectation")
        return at_us, at_us is not None

    def _balances(self, section: ExpectSection, path: Path, at_us: int | None) -> list[Expectation]:
        found: list[Expectation] = []
        for party, accounts in (section.balances or {}).items():
            party_path = (*path, "balances", party)
            known = self.parties.check(party, self._span(party_path, key=True))
            for account in ACCOUNTS:
                balance = getattr(accounts, account)
                if balance is not None and known:
                    span = self._span((*party_path, account), key=True)
                    found += self._balance(party, account, balance, at_us, span)
        return found

    def _account(
        self, section: ExpectSection, path: Path, at_us: int | None, place: Place
    ) -> list[Expectation]:
        assert section.account is not None
        assert section.balance is not None
        span = self._span((*path, "account"))
        party, dot, account = section.account.partition(".")
        if not self.parties.check(party, span):
            return []
        if not dot:
            account = "own" if self.parties.kinds[party] is OrganisationKind.BANK else "deposit"
        if not self._account_known(account, span):
            return []
        return self._balance(party, account, section.balance, at_us, self._span((*path, "balance")), place)

    def _account_known(self, account: str, span: Span) -> bool:
        if account in ACCOUNTS:
            return True
        self.problems.add(
            span.problem(
                "S-128",
                f"unknown account '{shown(account)}'",
                advice=hint(account, ACCOUNTS, f"accounts: {listing(ACCOUNTS)}"),
            )
        )
        return False

    def _balance(
        self,
        party: str,
        account: str,
        balance: Money | BetweenSection,
        at_us: int | None,
        span: Span,
        place: Place | None = None,
    ) -> list[Expectation]:
        least, most = balance.between if isinstance(balance, BetweenSection) else (balance, balance)
        if least.currency != most.currency or least > most:
            self._report(span, f"there is nothing between {least} and {most}")
            return []
        amount = str(least) if least == most else f"between {least} and {most}"
        return [
            BalanceExpectation(
                at_us=at_us,
                party=party,
                account=account,
                least=least,
                most=most,
                text=f"{party}.{account} is {amount}",
                place=place or place_of(span),
            )
        ]

    def _state(
        self, section: ExpectSection, path: Path, at_us: int | None, place: Place
    ) -> list[Expectation]:
        assert section.state is not None
        reference = parse_reference(section.instrument or "")
        assert reference is not None
        span = self._span((*path, "instrument"))
        status = Reference(reference.name, (*reference.fields, "status"))
        shape = self.references.shape_of(status, span)
        if isinstance(shape, Unusable):
            return []
        if isinstance(shape, ChoiceShape) and section.state not in shape.options:
            self.problems.add(
                self._span((*path, "state")).problem(
                    "S-106",
                    f"'{shown(section.state)}' is no state of {reference}",
                    advice=hint(section.state, shape.options, f"one of: {listing(shape.options, most=30)}"),
                )
            )
            return []
        text = f"{reference} is {section.state}"
        return [
            StateExpectation(at_us=at_us, instrument=reference, state=section.state, text=text, place=place)
        ]

    def _visible(
        self, section: VisibleSection, path: Path, at_us: int | None, place: Place
    ) -> list[Expectation]:
        known = self.parties.check(section.to, self._span((*path, "to")))
        if (section.what is None) == (section.hidden is None):
            self._report(
                self._span(path),
                "visible needs one of what and not",
                "write {to: vb1, not: letter_of_credit.documents}",
            )
            return []
        pattern = section.what or section.hidden or ""
        key = "what" if section.what is not None else "not"
        if not self.pattern_known(pattern, self._span((*path, key))) or not known:
            return []
        verb = "sees" if key == "what" else "does not see"
        return [
            VisibilityExpectation(
                at_us=at_us,
                party=section.to,
                pattern=pattern,
                visible=key == "what",
                text=f"{section.to} {verb} {pattern}",
                place=place,
            )
        ]

    def pattern_known(self, pattern: str, span: Span) -> bool:
        """Tell whether a pattern names a contract and something in it; reports it if not."""
        name, *rest = pattern.split(".")
        contract = self.contracts.named(name, span)
        if contract is None:
            return False
        fields = [each.name for record in contract.records.values() for each in record]
        words = dict.fromkeys((*contract.collections, *contract.records, *fields))
        for part in rest:
            if part != "*" and words and part not in words:
                advice = f"collections of {name}: {listing(contract.collections, most=30)}"
                self.problems.add(
                    span.problem(
                        "S-126",
                        f"{name} keeps nothing called '{shown(part)}'",
                        advice=hint(part, words, advice),
                    )
                )
                return False
        return True

    def _liveness(self, section: ExpectSection, path: Path, place: Place) -> list[Expectation]:
        assert section.liveness is not None
        if self.clock is None:
            return []
        from_us, to_us = self.clock.start_us, None
        text = f"no gap longer than {section.liveness.max_gap / 1_000_000:g} s"
        if section.during is not None and section.during.kind != "end":
            span = self._span((*path, "during"))
            text += f" during {section.during.text}"
            if section.during.clock_us is None:
                day = self.clock.day(section.during, span, self.problems)
                if day is None:
                    return []
                from_us, to_us = day.ordinal * DAY_US, (day.ordinal + 1) * DAY_US
            else:
                moment_us = self.clock.time(section.during, span, self.problems, what="this expectation")
                if moment_us is None:
                    return []
                from_us = moment_us
        return [
            LivenessExpectation(
                from_us=from_us, to_us=to_us, max_gap_us=section.liveness.max_gap, text=text, place=place
            )
        ]

    def _comparison(
        self, section: ExpectSection, path: Path, at_us: int | None, place: Place
    ) -> list[Expectation]:
        text = section.that or ""
        span = self._span((*path, "that"))
        try:
            comparison = parse_comparison(text)
        except ComparisonError as error:
            # A text in one piece stands in the file as it is read, so the place inside it is known.
            node = self.pieces.tree.node((*path, "that"))
            plain = isinstance(node, Scalar) and span.length == len(text)
            at = Span(span.source, span.line, span.column + error.offset, 1) if plain else span
            self.problems.add(at.problem("S-127", error.message, help_text=error.help))
            return []
        shapes = [self.references.shape_of(each, span) for each in comparison.references()]
        if any(isinstance(shape, Unusable) for shape in shapes):
            return []
        return [ComparisonExpectation(at_us=at_us, comparison=comparison, text=text, place=place)]

    def _span(self, path: Path, *, key: bool = False) -> Span:
        return self.pieces.tree.span(path, key=key)

    def _report(self, span: Span, message: str, help_text: str | None = None) -> None:
        self.problems.add(span.problem("S-118", message, help_text=help_text))
