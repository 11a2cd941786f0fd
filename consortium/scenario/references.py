"""`$name`: what earlier steps saved, and what the loader can know about it before anything has run."""

from dataclasses import dataclass, field

from consortium.scenario.comparison import Reference
from consortium.scenario.nodes import Span
from consortium.scenario.problems import Problems, hint, listing, shown
from consortium.scenario.signatures import (
    ChoiceShape,
    ContractSignature,
    IdShape,
    ListShape,
    OptionalShape,
    PartyShape,
    PlainShape,
    Shape,
    StructShape,
    TextShape,
)


class Unusable:
    """Stands for a reference that was reported."""


UNUSABLE = Unusable()


@dataclass(frozen=True, slots=True)
class Saved:
    """What is known of a saved name: which step saves it, when, and what its action returns."""

    span: Span
    order: int
    instant_us: int | None
    contract: ContractSignature | None
    shape: Shape | None
    action: str


@dataclass(slots=True)
class References:
    """All names that steps save, and which of them can be used at the step being read.

    `order` counts steps; `instant_us` is the time of the present one. A whole-run reader (an expectation)
    leaves both out.
    """

    problems: Problems
    saved: dict[str, Saved] = field(default_factory=dict)

    def shape_of(
        self, reference: Reference, span: Span, order: int | None = None, instant_us: int | None = None
    ) -> Shape | Unusable | None:
        """Return the shape behind a reference, None if it is not known; reports what cannot be used."""
        saved = self.saved.get(reference.name)
        if saved is None:
            self.problems.add(
                span.problem(
                    "S-141",
                    f"nothing is saved as '{reference.name}'",
                    advice=hint(reference.name, self.saved, f"saved in this file: {listing(self.saved)}"),
                )
            )
            return UNUSABLE
        if order is not None:
            related = (saved.span.related("saved at"),)
            if saved.order >= order:
                self.problems.add(
                    span.problem(
                        "S-143",
                        f"'${reference.name}' is used before it is saved",
                        related=related,
                        help_text="a step can use what earlier steps saved",
                    )
                )
                return UNUSABLE
            if saved.instant_us is not None and saved.instant_us == instant_us:
                self.problems.add(
                    span.problem(
                        "S-142",
                        f"'${reference.name}' is saved at this same instant",
                        related=related,
                        help_text="steps of one instant are submitted at once; give this one a later time",
                    )
                )
                return UNUSABLE
        return self._inside(saved, reference, span)

    def _inside(self, saved: Saved, reference: Reference, span: Span) -> Shape | Unusable | None:
        shape = saved.shape
        for name in reference.fields:
            inner = _fields_of(shape, saved.contract)
            if isinstance(shape, ListShape):
                inner = {name: shape.item} if name.isdigit() else _fields_of(shape.item, saved.contract)
            if inner is None:
                return None
            if name not in inner:
                whole = f"'${reference.name}', a result of {saved.action},"
                self.problems.add(
                    span.problem(
                        "S-145",
                        f"{whole} has no field '{shown(name)}'",
                        related=(saved.span.related("saved at"),),
                        advice=hint(name, inner, f"its fields: {listing(inner, most=30)}"),
                    )
                )
                return UNUSABLE
            shape = inner[name]
        return shape


def _fields_of(shape: Shape | None, contract: ContractSignature | None) -> dict[str, Shape] | None:
    """Return the fields behind a shape; None if they are not known, empty if it has none."""
    if isinstance(shape, OptionalShape):
        shape = shape.item
    if isinstance(shape, StructShape):
        return {each.name: each.shape for each in shape.fields}
    if isinstance(shape, IdShape):
        if contract is None or not contract.records:
            return None
        named = contract.records.get(shape.record or "")
        if shape.record is not None and named is None:
            return None
        records = [named] if named is not None else list(contract.records.values())
        return {each.name: each.shape for fields in records for each in fields} | {"id": shape}
    if isinstance(shape, PlainShape | TextShape | PartyShape | ChoiceShape):
        return {}
    return None
