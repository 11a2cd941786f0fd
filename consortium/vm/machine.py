# ruff: noqa: SLF001  what the engine keeps on a record begins with '_', because no contract can name that
"""The state of one block's execution: the overlay over the world state, its undo list, the meter, the frames.

One dict holds what was written (key -> record, bytes or None for removed), one list what each write replaced.
A mark is the list's length, so a whole transaction is undone the same way a part of it would be. Reading goes
through a second dict of decoded records. What the words and methods of contracts do with this is `store`,
`words` and `builtins`; who calls whom is `execute`.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from consortium.calendar import Calendar, day_of
from consortium.encoding import decode, encode
from consortium.membership import Organisation
from consortium.money import Day
from consortium.vm.exceptions import READ_ONLY, ROLE, OutOfGasError, Refused
from consortium.vm.keys import DUE_PREFIX

if TYPE_CHECKING:
    from consortium.vm.bound import BoundContract

ABSENT: Any = object()
PRESENT = b"\xc0"
"""The value of index and due entries: the encoding of None. All they say is in their key."""


class StateReader(Protocol):
    """A world state, as the engine reads it."""

    def get(self, key: bytes) -> bytes | None: ...

    def items(self, prefix: bytes, start: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys that begin with `prefix`, from `start` on, in order."""
        ...


class Organisations(Protocol):
    """Who the members are: `consortium.membership.Membership` is one."""

    def organisation(self, organisation_id: str) -> Organisation | None: ...

    def access_bank(self, organisation_id: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class DueEntry:
    """One piece of due work: `key` is the record's key within its collection, `declaration` counts from 0."""

    moment_us: int
    contract: str
    declaration: int
    key: bytes
    state_key: bytes


class Machine:
    """What contract code runs on; emitted code gets it as its first argument."""

    __slots__ = (
        "base_due", "calendar", "contracts", "day", "due_added", "events", "frames", "gas",
        "gas_limit", "is_due", "is_query", "is_read_only", "loaded", "order", "order_new", "organisations",
        "pending", "reader", "sender", "signers", "time_us", "touched", "undo", "viewpoint",
    )  # fmt: skip

    def __init__(
        self,
        reader: StateReader,
        contracts: Any,
        calendar: Calendar,
        time_us: int,
        organisations: Organisations,
        gas_limit: int,
    ) -> None:
        self.reader = reader
        self.contracts = contracts
        self.calendar = calendar
        self.time_us = time_us
        self.organisations = organisations
        self.gas_limit = gas_limit
        self.gas = gas_limit
        self.pending: dict[bytes, Any] = {}
        self.undo: list[tuple[bytes, Any]] = []
        self.loaded: dict[bytes, Any] = {}
        self.order: list[bytes] = []
        self.order_new: list[bytes] = []
        self.due_added: list[bytes] = []
        self.base_due: tuple[Iterator[tuple[bytes, bytes]], bytes | None] | None = None
        self.events: list[tuple[Any, ...]] = []
        # Records that an invariant watches: (collection, as it is now or was last, as it was before).
        self.touched: dict[bytes, Any] = {}
        self.frames: list[BoundContract] = []
        self.sender: str | None = None
        self.signers: tuple[str, ...] = ()
        self.day: Day = day_of(time_us)
        self.is_due = False
        self.is_query = False
        self.is_read_only = False
        self.viewpoint: str | None = None

    # --- the meter --------------------------------------------------------------------------------------

    def charge(self, cost: int) -> None:
        """Take `cost` from the meter. Raises OutOfGasError below zero; the meter stays there."""
        self.gas -= cost
        if self.gas < 0:
            raise OutOfGasError

    # --- the overlay ------------------------------------------------------------------------------------

    def put(self, key: bytes, value: Any) -> None:
        """Write a record, bytes, a total, or None to remove. Raises Refused (E-READ-ONLY) inside a query."""
        if self.is_read_only:
            raise Refused(READ_ONLY, "a query changes nothing")
        pending = self.pending
        old = pending.get(key, ABSENT)
        if old is ABSENT:
            self.order_new.append(key)
        self.undo.append((key, old))
        pending[key] = value

    def get_bytes(self, key: bytes) -> bytes | None:
        """Return what stands under a key that is not a record's."""
        value = self.pending.get(key, ABSENT)
        if value is ABSENT:
            return self.reader.get(key)
        assert value is None or type(value) is bytes
        return value

    def get_total(self, key: bytes) -> tuple[int, int, str] | None:
        """Return a kept total as (count of records, sum, currency)."""
        value = self.pending.get(key, ABSENT)
        if value is ABSENT:
            value = self.loaded.get(key, ABSENT)
            if value is ABSENT:
                stored = self.reader.get(key)
                value = self.loaded[key] = None if stored is None else decode(stored)
        total: tuple[int, int, str] | None = value
        return total

    def undo_to(self, mark: int) -> None:
        """Take back every write since the undo list had the length `mark`."""
        undo, pending = self.undo, self.pending
        while len(undo) > mark:
            key, old = undo.pop()
            if old is ABSENT:
                del pending[key]
            else:
                pending[key] = old

    def writes_since(self, mark: int) -> tuple[tuple[bytes, bytes | None], ...]:
        """Return the write set since `mark`, each key once, in order of first touch."""
        undo, pending = self.undo, self.pending
        if len(undo) == mark:
            return ()
        keys = dict.fromkeys([key for key, _ in undo[mark:]])
        return tuple([(key, _stored(pending[key])) for key in keys])

    def writes(self) -> dict[bytes, bytes | None]:
        """Return everything that the block has written so far."""
        return {key: _stored(value) for key, value in self.pending.items()}

    def keys_under(self, prefix: bytes, start: bytes | None = None) -> Iterator[bytes]:
        """Yield the present keys that begin with `prefix`, in order, what is pending included."""
        self._sort_pending()
        order, pending = self.order, self.pending
        position = bisect_left(order, start or prefix)
        mine = order[position] if position < len(order) and order[position].startswith(prefix) else None
        for key, _ in self.reader.items(prefix, start):
            while mine is not None and mine < key:
                if pending.get(mine) is not None:
                    yield mine
                position += 1
                mine = (
                    order[position] if position < len(order) and order[position].startswith(prefix) else None
                )
            if pending.get(key, PRESENT) is not None and mine != key:
                yield key
        while mine is not None:
            if pending.get(mine) is not None:
                yield mine
            position += 1
            mine = order[position] if position < len(order) and order[position].startswith(prefix) else None

    def _sort_pending(self) -> None:
        """Bring new keys into `order`; undone ones stay in it and are skipped by whoever walks."""
        for key in self.order_new:
            position = bisect_left(self.order, key)
            if position == len(self.order) or self.order[position] != key:
                insort(self.order, key)
        self.order_new.clear()

    # --- due work ---------------------------------------------------------------------------------------

    def add_due(self, key: bytes) -> None:
        self.put(key, PRESENT)
        heapq.heappush(self.due_added, key)

    def first_due_key(self) -> bytes | None:
        """Return the smallest key of the due index, pending changes included."""
        pending, added = self.pending, self.due_added
        while added and pending.get(added[0]) is None:
            heapq.heappop(added)
        if self.base_due is None:
            entries = iter(self.reader.items(DUE_PREFIX))
            first = next(entries, None)
            self.base_due = (entries, None if first is None else first[0])
        entries, stored = self.base_due
        while stored is not None and pending.get(stored, PRESENT) is None:
            following = next(entries, None)
            stored = None if following is None else following[0]
            self.base_due = (entries, stored)
        if added and (stored is None or added[0] < stored):
            return added[0]
        return stored

    # --- who is acting ----------------------------------------------------------------------------------

    def require_sender(self) -> str:
        if self.sender is None:
            raise Refused(ROLE, "due work and openings have no sender")
        return self.sender


def out_of_gas(_machine: Machine) -> NoReturn:
    """Called by emitted code whose own test of the meter failed."""
    raise OutOfGasError


def _stored(value: Any) -> bytes | None:
    if value is None or type(value) is bytes:
        return value
    if type(value) is tuple:
        return encode(value)
    data: bytes = value._bytes
    return data
