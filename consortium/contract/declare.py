# ruff: noqa: ARG001  the engine reads the arguments from the source text, Python has no use for them
"""The declarations at the top level of a contract: records, states, collections, functions.

Imported by plain Python they do next to nothing, so that editors, type checkers and documentation tools can
read a contract. The engine reads the same declarations from the source text (`consortium.vm`).
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar, cast, dataclass_transform, overload

from consortium.contract.values import OutsideEngineError, Record

Class = TypeVar("Class", bound=type)
Function = TypeVar("Function", bound=Callable[..., Any])
Default = TypeVar("Default")
Stored = TypeVar("Stored")
Typed = TypeVar("Typed", bound=Record)

Names = str | tuple[str, ...]


class RoleTest:
    """What `by_role(...)` gives: a test on the kind of the sending organisation."""

    def __init__(self, kinds: tuple[str, ...]) -> None:
        self.kinds = kinds


Authority = str | RoleTest | tuple["str | RoleTest", ...]


@dataclass_transform(kw_only_default=True, frozen_default=True)
def record(
    *,
    key: Names,
    visible_to: Authority | None = None,
    fields_visible_to: tuple[tuple[str, Authority], ...] = (),
) -> Callable[[Class], Class]:
    """Declare what a collection stores: a class with annotated fields only.

    `key` names the field (or fields) that tell records apart. A key of type Text is stored under the
    creator's organisation: nobody can take another's number. `visible_to` names the fields that hold the
    parties who may read the record (default: everybody); `fields_visible_to` narrows single fields.
    """

    def apply(declared: Class) -> Class:
        return cast("Class", dataclasses.dataclass(frozen=True, kw_only=True)(declared))

    return apply


@dataclass_transform(kw_only_default=True, frozen_default=True)
def value(declared: Class) -> Class:
    """Declare an argument type with named fields; it is never stored by itself."""
    return cast("Class", dataclasses.dataclass(frozen=True, kw_only=True)(declared))


def status(declared: Class) -> Class:
    """Declare the life of a record: `NAME = to("NEXT", ...)`; a new record starts in the first one."""
    return declared


def choice(declared: Class) -> Class:
    """Declare a plain enumeration: `SIGHT = option()`."""
    return declared


def to(*_names: str) -> Any:
    """List the statuses that may follow this one; `to()` is an end."""
    return None


def option() -> Any:
    """Declare one value of a `@choice` class."""
    return None


class Selection(Generic[Stored]):
    """The records that `where` found, in the order of the index; read when looped over or counted."""

    def where(self, **_equal: Any) -> "Selection[Stored]":
        """Keep records whose indexed fields have these values."""
        raise OutsideEngineError("where()")

    def since(self, **_bound: Any) -> "Selection[Stored]":
        """Keep records whose field (the next one of the index) is at least this value."""
        raise OutsideEngineError("since()")

    def upto(self, **_bound: Any) -> "Selection[Stored]":
        """Keep records whose field (the next one of the index) is at most this value."""
        raise OutsideEngineError("upto()")

    def limit(self, _count: int) -> "Selection[Stored]":
        """Keep the first `count` records."""
        raise OutsideEngineError("limit()")

    def sorted_by(self, _field: str) -> list[Stored]:
        """Return the records ordered by a field, ties in the order of the index."""
        raise OutsideEngineError("sorted_by()")

    def first(self) -> Stored | None:
        """Return the first record, or None."""
        raise OutsideEngineError("first()")

    def __iter__(self) -> Iterator[Stored]:
        raise OutsideEngineError("a selection")

    def __len__(self) -> int:
        raise OutsideEngineError("a selection")


class Collection(Selection[Stored]):
    """The stored records of one class, kept by the engine with their indexes and totals."""

    def __getitem__(self, key: Any) -> Stored:
        """Return the record of this id (or tuple of key fields). A missing one is refused: E-KEY."""
        raise OutsideEngineError("a collection")

    def __contains__(self, key: object) -> bool:
        raise OutsideEngineError("a collection")

    def find(self, _key: Any) -> Stored | None:
        """Return the record of this id, or None."""
        raise OutsideEngineError("find()")

    def add(self, _record: Any) -> Stored:
        """Store a new record and return it as stored, with its `id`.

        Refused: a status other than the first or a defaulted field off its default (E-INITIAL), a key that
        exists (E-DUPLICATE-KEY).
        """
        raise OutsideEngineError("add()")

    def remove(self, _record: Any) -> None:
        """Delete a record."""
        raise OutsideEngineError("remove()")

    def total(self, _field: str, **_group: Any) -> Any:
        """Return a kept total: the sum of `field` over the records with these values.

        A group without records has the total 0 (an amount of 0.00 CNY for money).
        """
        raise OutsideEngineError("total()")


@overload
def collection(
    record: type[Typed],
    *,
    index: tuple[Names, ...] = (),
    totals: tuple[tuple[str, tuple[str, ...]], ...] = (),
) -> Collection[Typed]: ...
@overload
def collection(
    record: type[Any],
    *,
    index: tuple[Names, ...] = (),
    totals: tuple[tuple[str, tuple[str, ...]], ...] = (),
) -> Collection[Any]: ...
def collection(
    record: type[Any],
    *,
    index: tuple[Names, ...] = (),
    totals: tuple[tuple[str, tuple[str, ...]], ...] = (),
) -> Collection[Any]:
    """Declare where records of a class are kept.

    Each entry of `index` is a field or a tuple of fields that `where` may ask for. `totals` lists sums that
    the engine keeps with each write: ("face", ("root", "status")) is the sum of `face` per root and status.
    """
    return Collection()


class OtherContract:
    """Another contract, by name and version."""

    def call(self, _function: str, **_arguments: Any) -> Any:
        """Run an action or query of it; its failure fails the whole transaction."""
        raise OutsideEngineError("call()")


def uses(_name: str, *, version: int) -> OtherContract:
    """Declare that this contract calls another one."""
    return OtherContract()


def parameter(_name: str, default: Default) -> Default:
    """Declare a constant that a consortium may set otherwise in its genesis."""
    return default


def by_role(*kinds: str) -> RoleTest:
    """Admit senders of these kinds: bank, company, regulator, central_bank."""
    return RoleTest(kinds)


@overload
def action(function: Function, /) -> Function: ...
@overload
def action(
    *,
    by: Authority | None = None,
    agreed_by: Names = (),
    by_contract: Names = (),
    code: str = "",
) -> Callable[[Function], Function]: ...
def action(
    function: Callable[..., Any] | None = None,
    /,
    *,
    by: Authority | None = None,
    agreed_by: Names = (),
    by_contract: Names = (),
    code: str = "",
) -> Any:
    """Declare what a transaction may call, and who may send it.

    `by` names an argument, or a field of the record whose id comes first: the sender must be that party
    (any of them, if several are named), else the action is refused with `code`, E_NOT_OWNER for
    `by="holder"`, E_ROLE otherwise. `agreed_by` names parties (arguments or fields) that must have signed
    the same transaction, else E_CONSENT. `by_contract` names the contracts that may call it; with
    `by_contract` and without `by`, nobody else may.
    """
    return function if function is not None else _unchanged


def due(*, on: str, at: str) -> Callable[[Function], Function]:
    """Declare work that the engine does when the day in a field comes.

    `at` is "opening" (the first moment of that day) or "cut_off". The function takes the record's key:
    its `Id`, or its key fields. It runs unsigned, once for each value the field was given; `today()` is
    that day.
    """
    return _unchanged


def query(function: Function) -> Function:
    """Declare a question: it changes nothing, and its caller sees only what is visible to it."""
    return function


def opening(function: Function) -> Function:
    """Declare a function that the engine runs once, at genesis, unsigned."""
    return function


def invariant(*, over: str) -> Callable[[Function], Function]:
    """Declare what must hold after every transaction for each touched value of a field.

    The function takes a touched record and returns whether the law holds; it reads kept totals. A breach
    refuses the transaction with E-INVARIANT.
    """
    return _unchanged


def helper(function: Function) -> Function:
    """Declare a function that other functions of this contract call."""
    return function


def _unchanged(function: Function) -> Function:
    return function
