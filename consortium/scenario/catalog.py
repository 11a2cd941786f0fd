"""Contracts found as source files, seen through the contract engine's checker.

A scenario finds contracts in `contracts/` beside itself or one level up, then those of the package. What the
checker refuses is not deployed by any bank, so it cannot be called by any step either.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import consortium
from consortium.money import Day, Money, Rate
from consortium.scenario.model import ArgumentValue, ChoiceValue
from consortium.scenario.signatures import (
    ActionSignature,
    ChoiceShape,
    ContractSignature,
    ContractUnusableError,
    IdShape,
    ListShape,
    OptionalShape,
    Parameter,
    PartyShape,
    PlainShape,
    Shape,
    StructShape,
    TextShape,
    UnknownShape,
)
from consortium.vm import tree
from consortium.vm.check import examine
from consortium.vm.declarations import Constant, Contract, Field, FunctionDeclaration
from consortium.vm.declare import CONTRACT_CODE
from consortium.vm.types import Type

CONTRACT_BYTES_MAX = 1024 * 1024
VERSION_DEFAULT = 1
_PLAIN_KINDS = ("bool", "int", "hash", "money", "rate", "day")


class SourceCatalog:
    """The contract files that one scenario can see."""

    def __init__(self, scenario_path: Path | None) -> None:
        directory = scenario_path.parent if scenario_path is not None else Path()
        self.directories = (directory / "contracts", directory.parent / "contracts", package_contracts())

    def names(self) -> Iterable[str]:
        found = {path.stem for each in self.directories if each.is_dir() for path in each.glob("*.py")}
        return sorted(name for name in found if not name.startswith("_"))

    def contract(self, name: str, version: int | None, file: Path | None) -> ContractSignature | None:
        candidates = [file] if file is not None else [each / f"{name}.py" for each in self.directories]
        path = next((each for each in candidates if each.is_file()), None)
        if path is None:
            return None
        try:
            with path.open("rb") as opened:
                source = opened.read(CONTRACT_BYTES_MAX + 1)
        except OSError as error:
            reason = (error.strerror or "it cannot be read").lower()
            raise ContractUnusableError(f"contract {name} cannot be read: {reason}") from None
        return _signature(name, version or VERSION_DEFAULT, path, source)


def package_contracts() -> Path:
    """Return where the contracts of the package are: inside a wheel, or beside the package in a checkout."""
    package = Path(consortium.__file__).parent
    bundled = package / "bundled" / "contracts"
    return bundled if bundled.is_dir() else package.parent / "contracts"


@lru_cache(maxsize=64)
def _signature(name: str, version: int, path: Path, source: bytes) -> ContractSignature:
    """Return what the loader needs to know of a contract. Raises ContractUnusableError if it is refused."""
    checked = examine(source, path.name)
    if checked.contract is None or checked.findings:
        first = checked.findings[0]
        more = f", and {len(checked.findings) - 1} more" if len(checked.findings) > 1 else ""
        raise ContractUnusableError(
            f"contract {name} is refused: line {first.line}: {first.rule} {first.reason.rstrip('.')}{more}",
            f"consortium check {path.name} shows every finding",
        )
    contract = checked.contract
    actions = {
        function.name: _action(function, contract)
        for function in contract.functions.values()
        if function.kind == "action" and not function.by_contract
    }
    return ContractSignature(
        name=name,
        version=version,
        file=path,
        source=source,
        actions=actions,
        internal=tuple(each for each in contract.functions if each not in actions),
        parameters=tuple(
            Parameter(each.name, _shape(each.default.type, contract), required=False)
            for each in contract.parameters.values()
        ),
        records={record.name: _parameters(record.fields, contract) for record in contract.records.values()},
        collections=tuple(contract.collections),
        codes=_codes(contract),
        uses=tuple((each.contract, each.version) for each in contract.used.values()),
    )


def _action(function: FunctionDeclaration, contract: Contract) -> ActionSignature:
    names = [each.name for each in function.parameters]
    return ActionSignature(
        name=function.name,
        parameters=_parameters(function.parameters, contract),
        agreed_by=tuple(each for each in function.agreed_by if each in names),
        agreed_by_record=any(each not in names for each in function.agreed_by),
        result=_shape(function.returns, contract) if _returns_something(function) else None,
    )


def _parameters(fields: Iterable[Field], contract: Contract) -> tuple[Parameter, ...]:
    return tuple(_parameter(each, contract) for each in fields)


def _parameter(each: Field, contract: Contract, depth: int = 0) -> Parameter:
    shape = _shape(each.type, contract, depth)
    if each.default is None:
        return Parameter(each.name, shape)
    return Parameter(each.name, shape, required=False, default=_default(each.default))


def _default(constant: Constant) -> ArgumentValue:
    """Return a default value; the engine keeps it in the plain form of the encoding."""
    value: Any = constant.value
    if value is None:
        return None
    match constant.type.kind:
        case "money":
            return Money(*value)
        case "rate":
            return Rate(*value)
        case "day":
            return Day(value)
        case "choice" | "status":
            return ChoiceValue(constant.type.name, value)
        case _:
            return cast("ArgumentValue", value)


def _shape(kind: Type, contract: Contract, depth: int = 0) -> Shape:
    shape = _bare_shape(kind, contract, depth)
    return OptionalShape(shape) if kind.optional else shape


def _bare_shape(kind: Type, contract: Contract, depth: int) -> Shape:
    if kind.kind in _PLAIN_KINDS:
        return PlainShape(kind.kind)
    if kind.kind == "text":
        return TextShape(kind.length)
    if kind.kind == "id":
        return IdShape(kind.name or None)
    if kind.kind == "party":
        return PartyShape(kind.parties)
    if kind.kind == "choice" and kind.name == "DayCount":
        return PlainShape("day_count")
    if kind.kind in ("choice", "status") and kind.name in contract.enums:
        return ChoiceShape(kind.name, contract.enums[kind.name].members)
    if kind.kind == "value" and kind.name in contract.values and depth < 8:
        fields = contract.values[kind.name].fields
        return StructShape(kind.name, tuple(_parameter(each, contract, depth + 1) for each in fields))
    if kind.kind == "list" and kind.items:
        return ListShape(_shape(kind.items[0], contract, depth + 1))
    return UnknownShape()


def _returns_something(function: FunctionDeclaration) -> bool:
    return any(isinstance(node, tree.Return) and node.value is not None for node in tree.walk(function.node))


def _codes(contract: Contract) -> tuple[str, ...]:
    """Return the codes that stand in a contract: whatever text in it has the form of one."""
    found = {function.code for function in contract.functions.values() if function.code}
    for function in contract.functions.values():
        found |= set(_code_texts(function.node))
    return tuple(sorted(found))


def _code_texts(node: tree.Node) -> Iterator[str]:
    for each in tree.walk(node):
        text = each.value if isinstance(each, tree.Literal) else None
        if isinstance(text, str) and CONTRACT_CODE.fullmatch(text):
            yield text
