"""Reading annotations and literal values of a contract's tree."""

import difflib
from dataclasses import replace

from consortium.money import Day, MoneyError, parse_money, parse_rate
from consortium.vm import language, tree, types
from consortium.vm.convert import position_of
from consortium.vm.declarations import Constant, Contract
from consortium.vm.findings import Findings
from consortium.vm.types import Type

_PLAIN: dict[str, Type] = {
    "Day": types.DAY,
    "DayCount": types.DAY_COUNT,
    "Hash": types.HASH,
    "Id": types.ID,
    "Money": types.MONEY,
    "Rate": types.RATE,
    "Text": types.TEXT,
    "bool": types.BOOL,
    "int": types.INT,
    "str": types.LONG_TEXT,
}
DAY_COUNTS = {"ACT_360": 360, "ACT_365": 365}
ROUNDINGS = {"DOWN": "down", "HALF_UP": "half-up", "UP": "up"}
TEXT_LENGTH_MAX = 64 * 1024


class NotConstantError(Exception):
    """The expression is not a literal."""


class AnnotationReader:
    """Turns annotations into types; every name it does not know is a finding (rule 028)."""

    def __init__(self, contract: Contract, findings: Findings, record_names: tuple[str, ...]) -> None:
        self.contract = contract
        self.findings = findings
        # All record classes of the file: an annotation may name one that stands further down.
        self.record_names = record_names

    def type_of(self, node: tree.Expression) -> Type:
        """Return the type; ANY where it is not one (after a finding)."""
        match node:
            case tree.Name():
                return self._named(node)
            case tree.Subscript(value=tree.Name(name=name)):
                return self._subscripted(node, name)
            case tree.Binary(operator="|"):
                return self._union(node)
            case tree.Literal(value=None):
                return types.NOTHING
            case _:
                self._refuse(node, "this annotation")
                return types.ANY

    def records_of(self, node: tree.Expression | None) -> tuple[str, ...]:
        """Return the record classes that an annotation such as `A | B` names."""
        match node:
            case tree.Name(name=name) if name in self.record_names:
                return (name,)
            case tree.Binary(operator="|", left=left, right=right):
                return self.records_of(left) + self.records_of(right)
            case _:
                return ()

    def _named(self, node: tree.Name) -> Type:
        name = node.name
        imported = name in self.contract.imported or name in {"bool", "int", "str"}
        if imported and name in _PLAIN:
            return _PLAIN[name]
        if imported and name in language.PARTY_KINDS:
            return Type("party", parties=language.PARTY_KINDS[name])
        if name in self.contract.enums:
            return Type(self.contract.enums[name].kind, name=name)
        if name in self.contract.values:
            return Type("value", name=name)
        if name in self.record_names:
            return Type("record", name=name)
        self._refuse(node, name)
        return types.ANY

    def _subscripted(self, node: tree.Subscript, name: str) -> Type:
        index = node.index
        match name, index:
            case "Text", tree.Literal(value=int(length)) if 0 < length <= TEXT_LENGTH_MAX:
                return Type("text", length=length)
            case "Id", tree.Name(name=record) if record in self.record_names:
                return Type("id", name=record)
            case "list", item:
                return types.list_of(self.type_of(item))
            case "dict", tree.TupleDisplay(items=[key, value]):
                return Type("dict", items=(self.type_of(key), self.type_of(value)))
            case _:
                self._refuse(node, f"{name}[...]")
                return types.ANY

    def _union(self, node: tree.Binary) -> Type:
        if len(self.records_of(node)) > 1:
            return types.ANY
        left, right = self.type_of(node.left), self.type_of(node.right)
        if types.NOTHING in (left, right):
            return types.optional(right if left == types.NOTHING else left)
        if left.kind == right.kind == "party":
            parties = left.parties + right.parties if left.parties and right.parties else ()
            return Type("party", parties=parties, optional=left.optional or right.optional)
        if types.ANY not in (left, right):
            self._refuse(
                node, f"{left} | {right}", "a value has one type, or is None, or is one of several parties"
            )
        return types.ANY

    def _refuse(self, node: tree.Node, found: str, advice: str = "") -> None:
        line, column = position_of(node.span, self.findings)
        contract = self.contract
        near = nearest(
            found, [*contract.imported, *contract.enums, *contract.values, *self.record_names, "int", "bool"]
        )
        if found in language.TYPE_WORDS and found not in contract.imported:
            advice = f"add it:  from consortium.contract import {found}"
        elif near and not advice:
            advice = f"did you mean '{near}'?"
        advice = advice or "use a type of consortium.contract, int, bool, list[...], or a class of this file"
        self.findings.add("E-LANG-028", line, column, found, advice)


def nearest(name: str, known: list[str]) -> str | None:
    """Return the known name that a writer most likely meant: alike, and with the same first letter."""
    alike = [item for item in known if item[:1].lower() == name[:1].lower()]
    return next(iter(difflib.get_close_matches(name, alike, n=1)), None)


def constant_of(node: tree.Expression, contract: Contract) -> Constant:
    """Return the value that a literal expression says. Raises NotConstantError for any other expression.

    Raises MoneyError where `money("...")` and the like hold a text that is not an amount.
    """
    match node:
        case tree.Literal(value=value):
            return Constant(_type_of_literal(value), value)
        case tree.Unary(operator="-", operand=tree.Literal(value=int(value))) if type(value) is int:
            return Constant(types.INT, -value)
        case tree.Call(function=tree.Name(name=name), arguments=[tree.Literal(value=str(text))], named=[]):
            return _spoken(name, text)
        case tree.Attribute(value=tree.Name(name=owner), name=member) if owner in contract.enums:
            enum = contract.enums[owner]
            if member in enum.members:
                return Constant(Type(enum.kind, name=owner), member)
        case tree.Name(name=name) if name in contract.imported and name in DAY_COUNTS:
            return Constant(types.DAY_COUNT, name)
        case tree.Name(name=name) if name in contract.imported and name in ROUNDINGS:
            return Constant(types.TEXT, ROUNDINGS[name])
        case tree.Name(name=name) if name in contract.constants:
            return contract.constants[name]
        case tree.TupleDisplay(items=items):
            parts = [constant_of(item, contract) for item in items]
            kind: Type | None = None
            for part in parts:
                kind = types.join(kind, part.type)
            return Constant(types.list_of(kind or types.ANY), tuple(part.value for part in parts))
        case _:
            pass
    raise NotConstantError


def _spoken(name: str, text: str) -> Constant:
    if name == "money":
        amount = parse_money(text)
        return Constant(types.MONEY, (amount.minor, amount.currency))
    if name == "rate":
        rate = parse_rate(text)
        return Constant(types.RATE, (rate.numerator, rate.denominator))
    if name == "day":
        return Constant(types.DAY, Day.of(text).ordinal)
    raise NotConstantError


def _type_of_literal(value: object) -> Type:
    match value:
        case None:
            return types.NOTHING
        case bool():
            return types.BOOL
        case int():
            return types.INT
        case str():
            return (
                replace(types.TEXT, length=min(len(value), types.TEXT_LENGTH_DEFAULT) or 1)
                if len(value) < 256
                else types.LONG_TEXT
            )
        case _:
            return types.HASH


__all__ = [
    "DAY_COUNTS", "ROUNDINGS", "AnnotationReader", "MoneyError", "NotConstantError", "constant_of", "nearest",
]  # fmt: skip
