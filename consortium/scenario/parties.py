"""The parties of a scenario: who there is, of which kind, and through which bank they act."""

from dataclasses import dataclass, field

from consortium.membership import OrganisationKind
from consortium.scenario.nodes import Mapping, Scalar, Sequence, Span
from consortium.scenario.problems import Problems, hint, listing, shown
from consortium.scenario.tree import Path
from consortium.scenario.validation import Pieces

_KIND_NAMES = {
    OrganisationKind.BANK: "a bank",
    OrganisationKind.COMPANY: "a company",
    OrganisationKind.REGULATOR: "the regulator",
    OrganisationKind.CENTRAL_BANK: "the central bank",
}


@dataclass(slots=True)
class Parties:
    """All ids with their kinds.

    An id whose section is wrong in another respect is known all the same, so that one mistake does not make
    every mention of the party a second one.
    """

    problems: Problems
    kinds: dict[str, OrganisationKind] = field(default_factory=dict)
    banks_of: dict[str, str] = field(default_factory=dict)
    complete: bool = True
    """False where a section of parties could not be read: an unknown id may well stand there."""

    def bank_of(self, party: str) -> str:
        """Return the bank whose bundles carry this party's transactions (a bank's own id for a bank)."""
        return self.banks_of.get(party, party)

    def check(
        self, party: str, span: Span, *, kinds: tuple[OrganisationKind, ...] = (), what: str = "party"
    ) -> bool:
        """Tell whether `party` exists and is of one of `kinds`; reports it if not."""
        kind = self.kinds.get(party)
        if kind is None:
            if not self.complete:
                return False
            fitting = [name for name, each in self.kinds.items() if not kinds or each in kinds]
            self.problems.add(
                span.problem(
                    "S-201",
                    f"unknown {what} '{shown(party)}'",
                    advice=hint(party, fitting, f"parties here: {listing(fitting)}"),
                )
            )
            return False
        if kinds and kind not in kinds:
            wanted = " or ".join(_KIND_NAMES[each] for each in kinds)
            fitting = [name for name, each in self.kinds.items() if each in kinds]
            self.problems.add(
                span.problem(
                    "S-202",
                    f"'{party}' is {_KIND_NAMES[kind]}, expected {wanted}",
                    help_text=f"parties that fit: {listing(fitting)}",
                )
            )
            return False
        return True


def parties_of(pieces: Pieces, problems: Problems) -> Parties:
    """Collect the parties of a file; reports ids that stand twice and companies without a bank."""
    parties = Parties(problems, complete=_all_readable(pieces))
    first: dict[str, Span] = {}
    for path, kind in _declared(pieces):
        node = pieces.tree.node(path)
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            continue
        if node.value in first:
            problems.add(
                node.span.problem(
                    "S-203",
                    f"the id '{shown(node.value)}' is taken",
                    related=(first[node.value].related("first at"),),
                    help_text="every party has an id of its own",
                )
            )
            continue
        first[node.value] = node.span
        parties.kinds[node.value] = kind
    bank = (OrganisationKind.BANK,)
    for placed in pieces.corporates:
        span = pieces.tree.span((*placed.path, "bank"))
        if parties.check(placed.section.bank, span, kinds=bank, what="bank"):
            parties.banks_of[placed.section.id] = placed.section.bank
    default = next((each.section.id for each in pieces.banks if each.section.validator), None)
    default = default or next((each.section.id for each in pieces.banks), "")
    for name, authority in (("regulator", pieces.regulator), ("central_bank", pieces.central_bank)):
        if authority is None:
            continue
        chosen = authority.bank or default
        if authority.bank is None or parties.check(
            authority.bank, pieces.tree.span((name, "bank")), kinds=bank, what="bank"
        ):
            parties.banks_of[authority.id] = chosen
    return parties


def _all_readable(pieces: Pieces) -> bool:
    for name in ("banks", "corporates"):
        entry = pieces.tree.root.entries.get(name)
        if entry is None:
            if name == "banks":
                return False
            continue
        items = entry.value.items if isinstance(entry.value, Sequence) else None
        if items is None or not all(isinstance(item, Mapping) and "id" in item.entries for item in items):
            return False
    return True


def _declared(pieces: Pieces) -> list[tuple[Path, OrganisationKind]]:
    root = pieces.tree.root
    declared: list[tuple[Path, OrganisationKind]] = []
    for name, kind in (("banks", OrganisationKind.BANK), ("corporates", OrganisationKind.COMPANY)):
        entry = root.entries.get(name)
        count = len(getattr(entry.value, "items", ())) if entry is not None else 0
        declared += [((name, index, "id"), kind) for index in range(count)]
    declared.append((("regulator", "id"), OrganisationKind.REGULATOR))
    declared.append((("central_bank", "id"), OrganisationKind.CENTRAL_BANK))
    return declared
