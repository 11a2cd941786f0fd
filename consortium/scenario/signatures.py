"""What the loader knows about contracts: actions, their parameters, and the types these take.

A view of its own, small and free of the contract engine, so that a step can be checked against anything that
fills it in. `catalog` fills it in from contract sources.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class PlainShape:
    """`bool`, `int`, `hash`, `money`, `rate`, `day` or `day_count`."""

    word: str


@dataclass(frozen=True, slots=True)
class TextShape:
    """Text of at most so many characters."""

    length_max: int


@dataclass(frozen=True, slots=True)
class IdShape:
    """The id of a record; of any, if `record` is None."""

    record: str | None = None


@dataclass(frozen=True, slots=True)
class PartyShape:
    """A party of one of these kinds (the words of OrganisationKind); of any, if empty."""

    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChoiceShape:
    """One option of an enumeration."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StructShape:
    """A value class."""

    name: str
    fields: tuple["Parameter", ...]


@dataclass(frozen=True, slots=True)
class ListShape:
    item: "Shape"


@dataclass(frozen=True, slots=True)
class OptionalShape:
    item: "Shape"


@dataclass(frozen=True, slots=True)
class UnknownShape:
    """A type the loader does not judge."""


Shape = (
    PlainShape
    | TextShape
    | IdShape
    | PartyShape
    | ChoiceShape
    | StructShape
    | ListShape
    | OptionalShape
    | UnknownShape
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named value; one that is not required has a `default`, an argument value of the scenario's model."""

    name: str
    shape: Shape
    required: bool = True
    default: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSignature:
    """One action. `agreed_by` names the parameters whose parties sign too; `result` is None for no result.

    `agreed_by_record` tells that further signers stand in a record, which only the run can read.
    """

    name: str
    parameters: tuple[Parameter, ...] = ()
    agreed_by: tuple[str, ...] = ()
    agreed_by_record: bool = False
    result: Shape | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractSignature:
    """One contract: what a scenario may call, set and look at."""

    name: str
    version: int = 1
    file: Path = Path()
    source: bytes = b""
    actions: dict[str, ActionSignature] = field(default_factory=dict)
    internal: tuple[str, ...] = ()
    """Functions that exist but that no party can call: due work, queries, actions of contracts only."""
    parameters: tuple[Parameter, ...] = ()
    """What a deployment may override."""
    records: dict[str, tuple[Parameter, ...]] = field(default_factory=dict)
    collections: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    uses: tuple[tuple[str, int], ...] = ()


class ContractUnusableError(Exception):
    """A contract that exists and cannot be used; the message is for people."""

    def __init__(self, message: str, help_text: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help_text


class Catalog(Protocol):
    """Where contracts are found."""

    def names(self) -> Iterable[str]:
        """Return the names of the contracts that are there."""
        ...

    def contract(self, name: str, version: int | None, file: Path | None) -> ContractSignature | None:
        """Return a contract, None if there is none. Raises ContractUnusableError if it is broken.

        `file` is where the scenario says it is; `version` the one it asks for.
        """
        ...


def shape_text(shape: Shape) -> str:
    """Return what a shape wants, for messages."""
    match shape:
        case PlainShape():
            return _PLAIN_TEXTS.get(shape.word, shape.word)
        case TextShape():
            return f"text of at most {shape.length_max} characters"
        case IdShape():
            return "the id of a record" if shape.record is None else f"the id of a {shape.record}"
        case PartyShape():
            return " or ".join(_KIND_TEXTS.get(kind, kind) for kind in shape.kinds) or "a party"
        case ChoiceShape():
            return f"a {shape.name}"
        case StructShape():
            return f"a {shape.name}"
        case ListShape():
            return f"a list, each item {shape_text(shape.item)}"
        case OptionalShape():
            return f"{shape_text(shape.item)}, or null"
        case UnknownShape():
            return "a value"


def fits(found: Shape | None, wanted: Shape) -> bool:
    """Tell whether what a step saved may stand where `wanted` is asked for; unknown ones may."""
    if isinstance(wanted, OptionalShape):
        wanted = wanted.item
    if isinstance(found, OptionalShape):
        found = found.item
    if found is None or isinstance(found, UnknownShape) or isinstance(wanted, UnknownShape):
        return True
    if isinstance(found, PartyShape) and isinstance(wanted, PartyShape):
        return not found.kinds or not wanted.kinds or bool(set(found.kinds) & set(wanted.kinds))
    if isinstance(found, IdShape) and isinstance(wanted, IdShape):
        return found.record is None or wanted.record is None or found.record == wanted.record
    if isinstance(found, IdShape | TextShape) and isinstance(wanted, TextShape | IdShape):
        return True
    if isinstance(found, ListShape) and isinstance(wanted, ListShape):
        return fits(found.item, wanted.item)
    if isinstance(found, StructShape) and isinstance(wanted, StructShape):
        return found.name == wanted.name
    return found == wanted


_PLAIN_TEXTS = {
    "bool": "true or false",
    "int": "a whole number",
    "hash": "a hash: 64 hexadecimal digits, {file: PATH} or {text: TEXT}",
    "money": "an amount such as 10_000.00 CNY",
    "rate": "a rate such as 2.60 %",
    "day": "a day such as 2026-03-02, +60bd or +90d",
    "day_count": "a day count, ACT/360 or ACT/365",
}
_KIND_TEXTS = {
    "bank": "a bank",
    "company": "a company",
    "regulator": "the regulator",
    "central_bank": "the central bank",
}
