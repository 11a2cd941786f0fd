# ruff: noqa: SLF001  what the engine keeps on a record begins with '_', because no contract can name that

"""How values of each type are checked, encoded, decoded and turned into key parts.

A `Converter` is built once per type of a contract. `check` takes what contract code computed and gives what
may be stored or passed on (lists become tuples; E-TYPE, E-VALUE-SIZE); `encode` gives the plain canonical
form; `load` reads that form back from state, which is trusted; `decode` reads an argument, which is not
(E-ARGS).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from consortium.encoding import INTEGER_MAX, INTEGER_MIN
from consortium.money import Day, Money, MoneyError, Rate
from consortium.vm import types
from consortium.vm.exceptions import ARGS, TYPE, VALUE_SIZE, Refused
from consortium.vm.keys import key_bool, key_int, key_text
from consortium.vm.language import ITEMS_MAX, TEXT_BYTES_MAX
from consortium.vm.machine import Machine
from consortium.vm.types import Type, describe
from consortium.vm.unicode14 import problem_with_text
from consortium.vm.values import Member, Structure, stored_day, stored_money

CURRENCY = re.compile(r"[A-Z]{3}")
HASH_BYTES = 32
ID_LENGTH_MAX = 255

Check = Callable[[Machine, Any], Any]
Plain = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Converter:
    """The four conversions of one type, and its key part (None for types without an order)."""

    type: Type
    check: Check
    encode: Plain
    load: Plain
    decode: Check
    key: Callable[[Any], bytes] | None


@dataclass(frozen=True, slots=True)
class ClassTable:
    """The generated classes of a contract, by name: members of enumerations, `@value` classes."""

    members: Mapping[str, Mapping[str, Member]]
    values: "Mapping[str, ValueRuntime]"


@dataclass(frozen=True, slots=True)
class ValueRuntime:
    """A generated `@value` class: its fields in order, and how to make one from checked field values."""

    made: type[Structure]
    names: tuple[str, ...]
    converters: tuple[Converter, ...]
    make: Callable[..., Any]


def converter_of(kind: Type, classes: ClassTable) -> Converter:
    """Return the conversions of a storable type."""
    plain = _BUILDERS[kind.kind](kind, classes)
    return _optional(kind, plain) if kind.optional else plain


def wrong(kind: Type, value: Any) -> Refused:
    """Return the refusal of a value that contract code computed."""
    return Refused(TYPE, f"{describe(kind)} is wanted, not {shown(value)}")


def bad_argument(kind: Type, value: Any) -> Refused:
    """Return the refusal of an argument from outside."""
    return Refused(ARGS, f"{describe(kind)} is wanted, not {shown(value)}")


def shown(value: Any) -> str:
    """Name a value in a message, shortly."""
    if isinstance(value, str | int | bool | Money | Day | Rate) or value is None:
        text = repr(value) if isinstance(value, str) else str(value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    if isinstance(value, Structure):
        return type(value)._NAME
    return "a list" if isinstance(value, list | tuple) else type(value).__name__


def _optional(kind: Type, plain: Converter) -> Converter:
    check, encode, load, decode, key = plain.check, plain.encode, plain.load, plain.decode, plain.key
    return Converter(
        kind,
        lambda machine, value: None if value is None else check(machine, value),
        lambda value: None if value is None else encode(value),
        lambda value: None if value is None else load(value),
        lambda machine, value: None if value is None else decode(machine, value),
        None if key is None else lambda value: b"\x00" if value is None else b"\x01" + key(value),
    )


def _same(value: Any) -> Any:
    return value


def _int(kind: Type, _classes: ClassTable) -> Converter:
    def check(_machine: Machine, value: Any) -> int:
        if type(value) is not int:
            raise wrong(kind, value)
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise Refused(VALUE_SIZE, "a stored or passed number has at most 64 bits")
        return value

    def decode(_machine: Machine, value: Any) -> int:
        if type(value) is not int or not INTEGER_MIN <= value <= INTEGER_MAX:
            raise bad_argument(kind, value)
        return value

    return Converter(kind, check, _same, _same, decode, key_int)


def _bool(kind: Type, _classes: ClassTable) -> Converter:
    def check(_machine: Machine, value: Any) -> bool:
        if type(value) is not bool:
            raise wrong(kind, value)
        return value

    def decode(_machine: Machine, value: Any) -> bool:
        if type(value) is not bool:
            raise bad_argument(kind, value)
        return value

    return Converter(kind, check, _same, _same, decode, key_bool)


def _text(kind: Type, _classes: ClassTable) -> Converter:
    limit = kind.length or types.TEXT_LENGTH_DEFAULT
    if kind.kind == "id":
        limit = ID_LENGTH_MAX

    def check(_machine: Machine, value: Any) -> str:
        if type(value) is not str:
            raise wrong(kind, value)
        if len(value) > limit:
            raise Refused(VALUE_SIZE, f"the text has more than {limit} characters")
        if not value.isascii():
            problem = problem_with_text(value)
            if problem is not None:
                raise Refused(TYPE, f"the text holds {problem}")
            if len(value.encode()) > TEXT_BYTES_MAX:
                raise Refused(VALUE_SIZE, "the text has more than 64 KB")
        return value

    def decode(_machine: Machine, value: Any) -> str:
        if type(value) is not str:
            raise bad_argument(kind, value)
        if len(value) > limit:
            raise Refused(ARGS, f"the text has more than {limit} characters")
        problem = problem_with_text(value)
        if problem is not None or "\0" in value:
            raise Refused(ARGS, f"the text holds {problem or 'the character NUL'}")
        return value

    return Converter(kind, check, _same, _same, decode, key_text)


def _party(kind: Type, _classes: ClassTable) -> Converter:
    admitted = kind.parties

    def is_admitted(machine: Machine, value: Any) -> bool:
        if type(value) is not str:
            return False
        organisation = machine.organisations.organisation(value)
        return organisation is not None and (not admitted or organisation.kind in admitted)

    def check(machine: Machine, value: Any) -> str:
        if not is_admitted(machine, value):
            raise wrong(kind, value)
        text: str = value
        return text

    def decode(machine: Machine, value: Any) -> str:
        if not is_admitted(machine, value):
            raise bad_argument(kind, value)
        text: str = value
        return text

    return Converter(kind, check, _same, _same, decode, key_text)


def _hash(kind: Type, _classes: ClassTable) -> Converter:
    def check(_machine: Machine, value: Any) -> bytes:
        if type(value) is not bytes or len(value) != HASH_BYTES:
            raise wrong(kind, value)
        return value

    def decode(_machine: Machine, value: Any) -> bytes:
        if type(value) is not bytes or len(value) != HASH_BYTES:
            raise bad_argument(kind, value)
        return value

    return Converter(kind, check, _same, _same, decode, _same)


def _money(kind: Type, _classes: ClassTable) -> Converter:
    def check(_machine: Machine, value: Any) -> Money:
        if type(value) is not Money:
            raise wrong(kind, value)
        return value

    def decode(_machine: Machine, value: Any) -> Money:
        match value:
            case (int(minor), str(currency)) if type(minor) is int and CURRENCY.fullmatch(currency):
                try:
                    return Money(minor, currency)
                except MoneyError as error:
                    raise Refused(ARGS, str(error)) from None
            case _:
                raise bad_argument(kind, value)

    def key(value: Money) -> bytes:
        return key_int(value.minor) + value.currency.encode()

    return Converter(kind, check, lambda value: (value.minor, value.currency), stored_money, decode, key)


def _rate(kind: Type, _classes: ClassTable) -> Converter:
    def check(_machine: Machine, value: Any) -> Rate:
        if type(value) is not Rate:
            raise wrong(kind, value)
        if not INTEGER_MIN <= value.numerator <= INTEGER_MAX:
            raise Refused(VALUE_SIZE, "a stored rate has at most 64 bits on either side")
        return value

    def decode(_machine: Machine, value: Any) -> Rate:
        match value:
            case (int(numerator), int(denominator)) if type(numerator) is int and type(denominator) is int:
                try:
                    rate = Rate(numerator, denominator)
                except MoneyError as error:
                    raise Refused(ARGS, str(error)) from None
                if (rate.numerator, rate.denominator) != (numerator, denominator):
                    raise Refused(ARGS, "a rate comes in lowest terms")
                return rate
            case _:
                raise bad_argument(kind, value)

    def load(plain: Any) -> Rate:
        return Rate(plain[0], plain[1])

    return Converter(kind, check, lambda value: (value.numerator, value.denominator), load, decode, None)


def _day(kind: Type, _classes: ClassTable) -> Converter:
    def check(_machine: Machine, value: Any) -> Day:
        if type(value) is not Day:
            raise wrong(kind, value)
        return value

    def decode(_machine: Machine, value: Any) -> Day:
        if type(value) is not int:
            raise bad_argument(kind, value)
        try:
            return Day(value)
        except MoneyError as error:
            raise Refused(ARGS, str(error)) from None

    return Converter(
        kind, check, lambda value: value.ordinal, stored_day, decode, lambda value: key_int(value.ordinal)
    )


def _enum(kind: Type, classes: ClassTable) -> Converter:
    members = classes.members[kind.name]

    def check(_machine: Machine, value: Any) -> Member:
        if type(value) is Member and members.get(value.name) is value:
            return value
        raise wrong(kind, value)

    def decode(_machine: Machine, value: Any) -> Member:
        member = members.get(value) if type(value) is str else None
        if member is None:
            raise Refused(ARGS, f"{kind.name} is one of {', '.join(members)}, not {shown(value)}")
        return member

    return Converter(
        kind,
        check,
        lambda value: value.name,
        members.__getitem__,
        decode,
        lambda value: bytes((value.order,)),
    )


def _value(kind: Type, classes: ClassTable) -> Converter:
    name = kind.name

    def check(machine: Machine, value: Any) -> Any:
        runtime = classes.values[name]
        if isinstance(value, runtime.made):
            return value
        # A @value of another contract with the same fields: rebuilt, so that each side knows its own class.
        if isinstance(value, Structure) and type(value)._FIELDS == runtime.made._FIELDS:
            parts = zip(runtime.names, runtime.converters, strict=True)
            return runtime.make(*[part.check(machine, getattr(value, field)) for field, part in parts])
        raise wrong(kind, value)

    def encode(value: Any) -> Any:
        runtime = classes.values[name]
        return tuple(
            part.encode(getattr(value, field))
            for field, part in zip(runtime.names, runtime.converters, strict=True)
        )

    def load(plain: Any) -> Any:
        runtime = classes.values[name]
        return runtime.make(*[part.load(item) for part, item in zip(runtime.converters, plain, strict=True)])

    def decode(machine: Machine, value: Any) -> Any:
        runtime = classes.values[name]
        if type(value) is not tuple or len(value) != len(runtime.names):
            raise bad_argument(kind, value)
        parts = zip(runtime.converters, value, strict=True)
        return runtime.make(*[_frozen(part.decode(machine, item)) for part, item in parts])

    return Converter(kind, check, encode, load, decode, None)


def _frozen(value: Any) -> Any:
    """Return a decoded field of a `@value` as it stays: the type pass relies on its lists being tuples."""
    return tuple(_frozen(item) for item in value) if type(value) is list else value


def _list(kind: Type, classes: ClassTable) -> Converter:
    item = converter_of(kind.items[0], classes)

    def check(machine: Machine, value: Any) -> tuple[Any, ...]:
        if type(value) is not list and type(value) is not tuple:
            raise wrong(kind, value)
        if len(value) > ITEMS_MAX:
            raise Refused(VALUE_SIZE, f"a list has at most {ITEMS_MAX} items")
        machine.charge(2 * len(value))
        return tuple([item.check(machine, part) for part in value])

    def encode(value: Any) -> tuple[Any, ...]:
        return tuple([item.encode(part) for part in value])

    def load(plain: Any) -> tuple[Any, ...]:
        return tuple([item.load(part) for part in plain])

    def decode(machine: Machine, value: Any) -> list[Any]:
        # A fresh list of the callee's own: what it does to it, nobody else sees.
        if type(value) is not tuple or len(value) > ITEMS_MAX:
            raise bad_argument(kind, value)
        return [item.decode(machine, part) for part in value]

    return Converter(kind, check, encode, load, decode, None)


_BUILDERS: dict[str, Callable[[Type, ClassTable], Converter]] = {
    "bool": _bool,
    "choice": _enum,
    "day": _day,
    "hash": _hash,
    "id": _text,
    "int": _int,
    "list": _list,
    "money": _money,
    "party": _party,
    "rate": _rate,
    "status": _enum,
    "text": _text,
    "value": _value,
}
