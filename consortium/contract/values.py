"""The types a contract writes in its annotations, beside `Money`, `Rate` and `Day`.

To a contract they are plain text (parties, ids, text) and bytes (hashes); the names say what the engine
checks when a value arrives. `Text[32]` bounds the length, `Id[LetterOfCredit]` says which record is meant.
"""

from typing import TYPE_CHECKING, Any, Generic, Self

from consortium.money import Day, Money, Rate, parse_money, parse_rate

if TYPE_CHECKING:
    # Checkers bring their own typing_extensions: `Id` alone means `Id[Any]` to them.
    from typing_extensions import TypeVar

    RecordClass = TypeVar("RecordClass", default=Any)
else:
    from typing import TypeVar

    RecordClass = TypeVar("RecordClass")


class _Bounded(type):
    """Lets `Text[32]` stand in an annotation; outside the engine the bound has no effect."""

    def __getitem__(cls, length: int) -> "_Bounded":
        return cls


class Text(str, metaclass=_Bounded):
    """Text of at most 255 characters, or of the bound given: `Text[32]`.

    Assigned Unicode 14 code points in composed form (NFC), nothing else.
    """

    __slots__ = ()


class Hash(bytes):
    """A 32-byte digest, for instance of a document."""

    __slots__ = ()


class Id(str, Generic[RecordClass]):
    """The id of a record: `autoco/LC-7` for one whose key is a text, the key itself otherwise.

    `Id[LetterOfCredit]` names the record; it is needed only where several records of a contract have the
    field that `by=` or `on=` speaks of.
    """

    __slots__ = ()


class Party(str):
    """The id of any organisation."""

    __slots__ = ()


class Bank(Party):
    """The id of an organisation of the kind bank."""

    __slots__ = ()


class Company(Party):
    """The id of an organisation of the kind company."""

    __slots__ = ()


class Regulator(Party):
    """The id of an organisation of the kind regulator."""

    __slots__ = ()


class CentralBank(Party):
    """The id of an organisation of the kind central bank."""

    __slots__ = ()


class DayCount(int):
    """How the days of an interest period are counted; its number is the days of its year."""

    __slots__ = ()

    def days(self, start: Day, end: Day) -> int:
        """Return the days from `start` (counted) to `end` (not counted)."""
        return end - start


ACT_360 = DayCount(360)
ACT_365 = DayCount(365)


class Record:
    """Optional base of a `@record` class: lets an editor know what a stored record can do.

    The engine gives these to every record, with or without the base.
    """

    id: Id[Any]
    """What a scenario saves and what the next action names."""

    def update(self, **_changes: Any) -> Self:
        """Write new values of some fields (never of `status`) and return the new record."""
        raise OutsideEngineError("update()")

    def move_to(self, _status: Any, **_changes: Any) -> Self:
        """Move to another status, write the changes, return the new record.

        A move that the status class does not list is refused with E_STATE.
        """
        raise OutsideEngineError("move_to()")

    def child(self, **_changes: Any) -> Self:
        """Return a new record like this one, with an id derived from this one's; `add` it to keep it.

        `parent` is set to this record's id, `status` and fields with defaults start afresh. For records
        whose key is `id: Id` and that have a field `parent: Id | None`.
        """
        raise OutsideEngineError("child()")


class OutsideEngineError(RuntimeError):
    """A word of the contract language was used where no engine runs the contract."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} has a meaning only while the engine runs a contract")


def money(text: str) -> Money:
    """Return the amount written `10_000.00 CNY`; the text is a literal."""
    return parse_money(text)


def rate(text: str) -> Rate:
    """Return the rate written `4.35 %`; the text is a literal."""
    return parse_rate(text)


def day(text: str) -> Day:
    """Return the day written `2026-03-02`; the text is a literal."""
    return Day.of(text)
