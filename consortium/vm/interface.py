"""What a contract offers, as plain data: for scenarios, pages, reports, documentation and other contracts.

Built from the declarations; it holds no code. `encode_arguments` turns named plain values into the positional
form that a transaction carries, with one message per mistake.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consortium.encoding import INTEGER_MAX, INTEGER_MIN
from consortium.errors import InputError
from consortium.money import Day, Money, MoneyError, Rate, parse_money, parse_rate
from consortium.vm import tree
from consortium.vm.annotations import DAY_COUNTS
from consortium.vm.declarations import Authority, Contract, Field, FunctionDeclaration
from consortium.vm.types import TEXT_LENGTH_DEFAULT, Type, describe
from consortium.vm.unicode14 import problem_with_text


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """An argument, or a field: its default is in plain encoded form (and only there if `has_default`)."""

    name: str
    type: Type
    has_default: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True)
class FunctionInfo:
    """An action, query, opening or piece of due work. `line` and `statement` are those of its `def`."""

    name: str
    kind: str
    parameters: tuple[ParameterInfo, ...]
    returns: Type
    by: tuple[Authority, ...]
    agreed_by: tuple[str, ...]
    by_contract: tuple[str, ...]
    code: str
    collection: str
    on: str
    at: str
    codes: tuple[str, ...]
    doc: str
    line: int
    statement: int

    def parameter(self, name: str) -> ParameterInfo | None:
        return next((item for item in self.parameters if item.name == name), None)


@dataclass(frozen=True, slots=True)
class EnumInfo:
    """A status (with what may follow each name) or a choice."""

    name: str
    kind: str
    members: tuple[str, ...]
    moves: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class StructureInfo:
    """A record or value class. `key`, `status` and visibility are a record's; `id_first` tells whether an id
    is shown before the fields because it is not one of them.
    """

    name: str
    fields: tuple[ParameterInfo, ...]
    key: tuple[str, ...] = ()
    is_keyed_by_text: bool = False
    status: str | None = None
    visible_to: tuple[Authority, ...] | None = None
    fields_visible_to: tuple[tuple[str, tuple[Authority, ...]], ...] = ()
    doc: str = ""

    def field(self, name: str) -> ParameterInfo | None:
        return next((item for item in self.fields if item.name == name), None)


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    name: str
    record: str
    indexes: tuple[tuple[str, ...], ...]
    totals: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class ContractInterface:
    """Everything a contract offers; tuples are in the order of the file."""

    name: str
    version: int
    doc: str
    parameters: tuple[ParameterInfo, ...]
    enums: tuple[EnumInfo, ...]
    values: tuple[StructureInfo, ...]
    records: tuple[StructureInfo, ...]
    collections: tuple[CollectionInfo, ...]
    functions: tuple[FunctionInfo, ...]
    uses: tuple[tuple[str, int], ...]
    codes: tuple[str, ...]

    def of_kind(self, kind: str) -> tuple[FunctionInfo, ...]:
        return tuple(item for item in self.functions if item.kind == kind)

    @property
    def actions(self) -> tuple[FunctionInfo, ...]:
        return self.of_kind("action")

    @property
    def queries(self) -> tuple[FunctionInfo, ...]:
        return self.of_kind("query")

    @property
    def dues(self) -> tuple[FunctionInfo, ...]:
        return self.of_kind("due")

    @property
    def openings(self) -> tuple[FunctionInfo, ...]:
        return self.of_kind("opening")

    def function(self, name: str) -> FunctionInfo | None:
        return next((item for item in self.functions if item.name == name), None)

    def record(self, name: str) -> StructureInfo | None:
        return next((item for item in self.records if item.name == name), None)

    def value(self, name: str) -> StructureInfo | None:
        return next((item for item in self.values if item.name == name), None)

    def enum(self, name: str) -> EnumInfo | None:
        if name == "DayCount":
            return EnumInfo("DayCount", "choice", tuple(DAY_COUNTS), ((),) * len(DAY_COUNTS))
        return next((item for item in self.enums if item.name == name), None)

    def collection(self, name: str) -> CollectionInfo | None:
        return next((item for item in self.collections if item.name == name), None)


class ArgumentsError(InputError):
    """Arguments do not fit a signature; `problems` holds (parameter name or "", message) pairs."""

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(message for _, message in problems))
        self.problems = problems


def describe_contract(contract: Contract, name: str, version: int) -> ContractInterface:
    """Return the interface of a checked contract."""
    functions = tuple(
        _function(item, contract) for item in contract.functions.values() if item.kind in _OFFERED
    )
    return ContractInterface(
        name=name,
        version=version,
        doc=contract.doc,
        parameters=tuple(
            ParameterInfo(item.name, item.default.type, has_default=True, default=item.default.value)
            for item in contract.parameters.values()
        ),
        enums=tuple(
            EnumInfo(item.name, item.kind, item.members, item.moves) for item in contract.enums.values()
        ),
        values=tuple(
            StructureInfo(item.name, _fields(item.fields), doc=item.doc) for item in contract.values.values()
        ),
        records=tuple(
            StructureInfo(
                item.name, _fields(item.fields), item.key, item.is_keyed_by_text, item.status,
                item.visible_to, item.fields_visible_to, item.doc,
            )
            for item in contract.records.values()
        ),
        collections=tuple(
            CollectionInfo(item.name, item.record, item.indexes, item.totals)
            for item in contract.collections.values()
        ),
        functions=functions,
        uses=tuple((item.contract, item.version) for item in contract.used.values()),
        codes=tuple(sorted({code for item in functions for code in item.codes})),
    )  # fmt: skip


_OFFERED = frozenset({"action", "due", "opening", "query"})


def encode_arguments(
    interface: ContractInterface, function: FunctionInfo, given: Mapping[str, Any]
) -> tuple[Any, ...]:
    """Return the positional encoded arguments for named values.

    Values may be plain Python (Money, Rate, Day, text as in scenario files, ints, lists, mappings for @value
    classes, hexadecimal text or bytes for hashes). Raises ArgumentsError that lists every mistake.
    """
    problems: list[tuple[str, str]] = []
    names = [parameter.name for parameter in function.parameters]
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(str(name), names, n=1)
            hint = f": did you mean '{near[0]}'?" if near else f": it takes {', '.join(names) or 'nothing'}"
            problems.append((str(name), f"{function.name} has no argument '{name}'{hint}"))
    encoded: list[Any] = []
    for parameter in function.parameters:
        if parameter.name in given:
            try:
                encoded.append(encode_value(interface, parameter.type, given[parameter.name]))
            except ValueError as error:
                problems.append(
                    (parameter.name, f"'{parameter.name}' is {describe(parameter.type)}: {error}")
                )
        elif parameter.has_default:
            encoded.append(parameter.default)
        else:
            problems.append(
                (parameter.name, f"{function.name} needs '{parameter.name}' ({describe(parameter.type)})")
            )
    if problems:
        raise ArgumentsError(tuple(problems))
    return tuple(encoded)


def encode_value(interface: ContractInterface, kind: Type, value: Any) -> Any:
    """Return the encoded form of one plain value. Raises ValueError that says what is wrong with it."""
    if value is None:
        if kind.optional:
            return None
        raise ValueError("a value is needed")
    match kind.kind:
        case "int":
            if type(value) is not int or not INTEGER_MIN <= value <= INTEGER_MAX:
                raise ValueError(f"{_shown(value)} is not a whole number of at most 64 bits")
            return value
        case "bool":
            if type(value) is not bool:
                raise ValueError(f"{_shown(value)} is not true or false")
            return value
        case "text" | "id" | "party":
            return _text(kind, value)
        case "hash":
            return _hash(value)
        case "money" | "rate" | "day":
            return _exact(kind.kind, value)
        case "choice" | "status":
            enum = interface.enum(kind.name)
            members = () if enum is None else enum.members
            if value not in members:
                near = difflib.get_close_matches(str(value), members, n=1)
                hint = f": did you mean {near[0]}?" if near else f": use {', '.join(members)}"
                raise ValueError(f"{_shown(value)} is none of its values{hint}")
            return value
        case "list":
            if not isinstance(value, list | tuple):
                raise ValueError(f"{_shown(value)} is not a list")  # noqa: TRY004  of the user's file
            return tuple(encode_value(interface, kind.items[0], item) for item in value)
        case "value":
            return _structure(interface, kind.name, value)
        case other:
            raise ValueError(f"a value of type {other} cannot be an argument")


def decode_value(interface: ContractInterface, kind: Type, encoded: Any) -> Any:
    """Return the typed value of an encoded argument or field; a @value instance becomes a dict."""
    if encoded is None:
        return None
    match kind.kind:
        case "money":
            return Money(encoded[0], encoded[1])
        case "rate":
            return Rate(encoded[0], encoded[1])
        case "day":
            return Day(encoded)
        case "list":
            return [decode_value(interface, kind.items[0], item) for item in encoded]
        case "value":
            structure = interface.value(kind.name)
            assert structure is not None, "a type names a declared class"
            return {
                field.name: decode_value(interface, field.type, item)
                for field, item in zip(structure.fields, encoded, strict=True)
            }
        case _:
            return encoded


def decode_arguments(
    interface: ContractInterface, function: FunctionInfo, encoded: tuple[Any, ...]
) -> dict[str, Any]:
    """Return named typed values of a transaction's arguments: for reports and pages."""
    return {
        parameter.name: decode_value(interface, parameter.type, item)
        for parameter, item in zip(function.parameters, encoded, strict=False)
    }


def _text(kind: Type, value: Any) -> str:
    if type(value) is not str:
        raise ValueError(f"{_shown(value)} is not text")
    limit = kind.length or TEXT_LENGTH_DEFAULT
    if len(value) > limit:
        raise ValueError(f"the text has more than {limit} characters")
    problem = problem_with_text(value)
    if problem is not None or "\0" in value:
        raise ValueError(f"the text holds {problem or 'the character NUL'}")
    return value


def _hash(value: Any) -> bytes:
    if type(value) is str:
        try:
            value = bytes.fromhex(value.removeprefix("0x"))
        except ValueError:
            raise ValueError("a hash is 64 hexadecimal digits") from None
    if type(value) is not bytes or len(value) != 32:
        raise ValueError("a hash has 32 bytes")
    return value


def _exact(kind: str, value: Any) -> Any:
    try:
        if kind == "money":
            amount = parse_money(value) if type(value) is str else value
            if type(amount) is Money:
                return (amount.minor, amount.currency)
        elif kind == "rate":
            rate = parse_rate(value) if type(value) is str else value
            if type(rate) is Rate:
                return (rate.numerator, rate.denominator)
        else:
            day = Day.of(value) if type(value) is str else value
            if type(day) is Day:
                return day.ordinal
    except MoneyError as error:
        raise ValueError(str(error)) from None
    example = {"money": "10_000.00 CNY", "rate": "2.60 %", "day": "2026-03-02"}[kind]
    raise ValueError(f"{_shown(value)} is not one: write it as {example}")


def _structure(interface: ContractInterface, name: str, value: Any) -> tuple[Any, ...]:
    structure = interface.value(name)
    assert structure is not None, "a type names a declared class"
    if not isinstance(value, Mapping):
        raise ValueError(  # noqa: TRY004  of the user's file
            f"{_shown(value)} is not a mapping of {', '.join(item.name for item in structure.fields)}"
        )
    for key in value:
        if structure.field(str(key)) is None:
            raise ValueError(
                f"{name} has no '{key}': it has {', '.join(item.name for item in structure.fields)}"
            )
    parts: list[Any] = []
    for field in structure.fields:
        if field.name in value:
            parts.append(encode_value(interface, field.type, value[field.name]))
        elif field.has_default:
            parts.append(field.default)
        else:
            raise ValueError(f"{name} needs '{field.name}'")
    return tuple(parts)


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _fields(fields: tuple[Field, ...]) -> tuple[ParameterInfo, ...]:
    return tuple(
        ParameterInfo(item.name, item.type)
        if item.default is None
        else ParameterInfo(item.name, item.type, has_default=True, default=item.default.value)
        for item in fields
    )


def _function(declared: FunctionDeclaration, contract: Contract) -> FunctionInfo:
    return FunctionInfo(
        name=declared.name,
        kind=declared.kind,
        parameters=_fields(declared.parameters),
        returns=declared.returns,
        by=declared.by,
        agreed_by=declared.agreed_by,
        by_contract=declared.by_contract,
        code=declared.code,
        collection=declared.collection,
        on=declared.on,
        at=declared.at,
        codes=tuple(sorted(_codes(declared, contract))),
        doc=declared.node.doc,
        line=declared.node.span.line,
        statement=declared.node.sid,
    )


def _codes(declared: FunctionDeclaration, contract: Contract) -> set[str]:
    """Return the contract codes that a function, or a helper it calls, may refuse with."""
    found: set[str] = set()
    if declared.by:
        found.add(declared.code or ("E_NOT_OWNER" if declared.by == ("holder",) else "E_ROLE"))
    if declared.agreed_by:
        found.add("E_CONSENT")
    waiting, seen = [declared.name], {declared.name}
    while waiting:
        for node in tree.walk(contract.functions[waiting.pop()].node):
            match node:
                case tree.Call(function=tree.Name(name=name)) if name in contract.functions:
                    if name not in seen:
                        seen.add(name)
                        waiting.append(name)
                case tree.Call(
                    function=tree.Name(name="require"), arguments=[_, tree.Literal(value=str(code)), *_]
                ):
                    found.add(code)
                case tree.Call(
                    function=tree.Name(name="fail"), arguments=[tree.Literal(value=str(code)), *_]
                ):
                    found.add(code)
                case tree.Call(function=tree.Attribute(name="move_to")):
                    found.add("E_STATE")
                case _:
                    pass
    return found
