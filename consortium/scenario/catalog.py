"""Contracts found as source files, seen through the contract engine's checker.

A scenario finds contracts in `contracts/` beside itself or one level up, then those of the package. What the
checker refuses is not deployed by any bank, so it cannot be called by any step either.
"""

from collections.abc import Iterable
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
from consortium.vm.declarations import Contract
from consortium.vm.interface import ContractInterface, FunctionInfo, ParameterInfo, describe_contract
from consortium.vm.types import TEXT_LENGTH_DEFAULT, Type

CONTRACT_BYTES_MAX = 1024 * 1024
VERSION_DEFAULT = 1
# Value classes inside value classes, further than any argument goes.
DEPTH_MAX = 8


class SourceCatalog:
    """The contract files that one scenario can see."""

    def __init__(self, scenario_path: Path | None) -> None:
        directory = scenario_path.parent if scenario_path is not None else Path()
        self.directories = (directory / "contracts", directory.parent / "contracts", package_contracts())

    def names(self) -> Iterable[str]:
        found = {path.stem for each in self.directories if each.is_dir() for path in each.glob("*.py")}
        return sorted(name for name in found if not name.startswith("_"))

    def contract(self, name: str, version: int | None, file: Path | None) -> ContractSignature | None:
        if not name.isidentifier():
            return None
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
    interface = describe_contract(checked.contract, name, version)
    actions = {
        function.name: ActionSignature(
            name=function.name,
            parameters=_parameters(function.parameters, interface),
            agreed_by=tuple(each for each in function.agreed_by if function.parameter(each)),
            agreed_by_record=any(function.parameter(each) is None for each in function.agreed_by),
            result=_result(function, checked.contract, interface),
        )
        for function in interface.actions
        if not function.by_contract
    }
    return ContractSignature(
        name=name,
        version=version,
        file=path,
        source=source,
        actions=actions,
        internal=tuple(each.name for each in interface.functions if each.name not in actions),
        parameters=_parameters(interface.parameters, interface),
        records={record.name: _parameters(record.fields, interface) for record in interface.records},
        collections=tuple(each.name for each in interface.collections),
        codes=interface.codes,
        uses=interface.uses,
    )


def _parameters(
    fields: Iterable[ParameterInfo], interface: ContractInterface, depth: int = 0
) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            each.name,
            _shape(each.type, interface, depth),
            required=not each.has_default,
            default=_typed(each.type, each.default),
        )
        for each in fields
    )


def _shape(kind: Type, interface: ContractInterface, depth: int) -> Shape:
    shape = _bare_shape(kind, interface, depth)
    return OptionalShape(shape) if kind.optional else shape


def _bare_shape(kind: Type, interface: ContractInterface, depth: int) -> Shape:
    match kind.kind:
        case "bool" | "int" | "hash" | "money" | "rate" | "day":
            return PlainShape(kind.kind)
        case "text":
            return TextShape(kind.length or TEXT_LENGTH_DEFAULT)
        case "id":
            return IdShape(kind.name or None)
        case "party":
            return PartyShape(kind.parties)
        case "choice" if kind.name == "DayCount":
            return PlainShape("day_count")
        case "choice" | "status":
            enum = interface.enum(kind.name)
            return UnknownShape() if enum is None else ChoiceShape(kind.name, enum.members)
        case "value" if depth < DEPTH_MAX:
            structure = interface.value(kind.name)
            fields = () if structure is None else structure.fields
            return StructShape(kind.name, _parameters(fields, interface, depth + 1))
        case "list" if kind.items:
            return ListShape(_shape(kind.items[0], interface, depth + 1))
        case _:
            return UnknownShape()


def _typed(kind: Type, encoded: Any) -> ArgumentValue:
    """Return a default as a value of the scenario's model; the interface has it in encoded form."""
    if encoded is None:
        return None
    match kind.kind:
        case "money":
            return Money(*encoded)
        case "rate":
            return Rate(*encoded)
        case "day":
            return Day(encoded)
        case "choice" | "status":
            return ChoiceValue(kind.name, encoded)
        case _:
            return cast("ArgumentValue", encoded)


def _result(function: FunctionInfo, contract: Contract, interface: ContractInterface) -> Shape | None:
    """Return the type of what an action returns, None if no statement in it returns anything."""
    node = contract.functions[function.name].node
    if any(isinstance(each, tree.Return) and each.value is not None for each in tree.walk(node)):
        return _shape(function.returns, interface, 0)
    return None
