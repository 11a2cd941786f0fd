# ruff: noqa: SLF001  what the engine keeps on a record begins with '_', because no contract can name that

"""The values contract code works with at run time, beside Python's own and `Money`, `Rate`, `Day`.

`Member` is one name of a status or choice class. `Pairs` is what `zip` and `enumerate` give: a thing whose
length is known before it is walked. Records and `@value` instances are classes generated per contract (see
`records`); they derive from `Structure`, so that what may be read of them is listed in one place, `_FIELDS`.
"""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from consortium.money import Day, Money, Rate
from consortium.vm.annotations import DAY_COUNTS


class Member:
    """One name of a status or choice class; there is one object for each, compared by identity."""

    __slots__ = ("following", "name", "order", "owner", "year_days")

    def __init__(
        self, owner: str, name: str, order: int, following: frozenset[str], year_days: int = 0
    ) -> None:
        self.owner = owner
        self.name = name
        self.order = order
        self.following = following
        self.year_days = year_days

    def __repr__(self) -> str:
        return f"{self.owner}.{self.name}"


DAY_COUNT_MEMBERS = {
    name: Member("DayCount", name, order, frozenset(), year_days)
    for order, (name, year_days) in enumerate(DAY_COUNTS.items())
}


class Structure:
    """Base of generated record and value classes."""

    __slots__ = ()
    _NAME: ClassVar[str] = ""
    _FIELDS: ClassVar[frozenset[str]] = frozenset()


class RecordValue(Structure):
    """Base of generated record classes.

    `_key` is the state key and `_bytes` the canonical form, both None until the record is stored.
    """

    __slots__ = ("_bytes", "_key")

    id: Any
    _key: bytes | None
    _bytes: bytes | None


class Pairs:
    """What zip() and enumerate() give."""

    __slots__ = ("length", "make")

    def __init__(self, length: int, make: Callable[[], Iterator[Any]]) -> None:
        self.length = length
        self.make = make

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Any]:
        return self.make()


_set_minor = Money.__dict__["minor"].__set__
_set_currency = Money.__dict__["currency"].__set__
_set_ordinal = Day.__dict__["ordinal"].__set__


def stored_money(plain: tuple[int, str]) -> Money:
    """Return the amount that state or a checked argument holds, without testing it again."""
    amount = Money.__new__(Money)
    _set_minor(amount, plain[0])
    _set_currency(amount, plain[1])
    return amount


def stored_day(ordinal: int) -> Day:
    """Return the day that state holds, without testing it again."""
    day = Day.__new__(Day)
    _set_ordinal(day, ordinal)
    return day


def to_plain(value: Any) -> Any:
    """Return a value in the self-describing form of results, events and query answers.

    Numbers, text, bytes, True, False and None stand for themselves; everything else is an array that begins
    with its kind: ("money", minor, currency), ("rate", n, d), ("day", ordinal), ("list", ...),
    ("dict", (key, value), ...), (class name, (field, value), ...). A choice or status is its name.
    The caller has walked the value, so depth and size are bounded. Raises OverflowError for a number beyond
    64 bits, TypeError for what has no plain form.
    """
    kind = type(value)
    if kind is str or kind is bytes or value is None or kind is bool:
        return value
    if kind is int:
        if value.bit_length() > 63:
            raise OverflowError("a number in a result or event has at most 64 bits")
        return value
    if kind is Money:
        return ("money", value.minor, value.currency)
    if kind is Day:
        return ("day", value.ordinal)
    if kind is Member:
        return value.name
    if kind is Rate:
        return ("rate", value.numerator, value.denominator)
    if kind is list or kind is tuple:
        return ("list", *[to_plain(item) for item in value])
    if kind is dict:
        return ("dict", *[(to_plain(key), to_plain(item)) for key, item in value.items()])
    if isinstance(value, Structure):
        fields = tuple((name, to_plain(getattr(value, name))) for name in shown_fields(value))
        return ("record", type(value)._NAME, *fields)
    raise TypeError(f"{kind.__name__} has no plain form")


def from_plain(plain: Any) -> Any:
    """Return what `to_plain` was given, with dicts for records: for reports, expectations and pages."""
    if type(plain) is not tuple or not plain:
        return plain
    match plain[0]:
        case "money":
            return Money(plain[1], plain[2])
        case "day":
            return Day(plain[1])
        case "rate":
            return Rate(plain[1], plain[2])
        case "list":
            return [from_plain(item) for item in plain[1:]]
        case "dict":
            return {from_plain(key): from_plain(item) for key, item in plain[1:]}
        case _:
            return {name: from_plain(item) for name, item in plain[2:]}


def shown_fields(value: Structure) -> tuple[str, ...]:
    """Return the fields of a record or value in order of declaration, the derived `id` first."""
    slots: tuple[str, ...] = type(value).__slots__
    return slots
