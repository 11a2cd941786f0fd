# ruff: noqa: SLF001  what the engine keeps on a record begins with '_', because no contract can name that

"""Collections at run time: records in the state with their indexes, totals and due entries.

Every change goes through `_write`, which keeps all of them in step: index entries and due entries are written
only when a field they hold has changed, totals are sums kept per group as (count, sum).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

from consortium.calendar import moment
from consortium.encoding import decode, encode
from consortium.money import AMOUNT_MINOR_MAX, Money
from consortium.vm import gas
from consortium.vm.conversion import Converter, shown
from consortium.vm.exceptions import DUPLICATE_KEY, KEY, STATE, TYPE, VALUE_SIZE, OutOfGasError, Refused
from consortium.vm.keys import CONTRACT_DATA, DUE_PREFIX, key_int, key_of, key_text
from consortium.vm.language import KEY_BYTES_MAX
from consortium.vm.machine import ABSENT, PRESENT, Machine
from consortium.vm.records import RecordRuntime, require_initial, require_move
from consortium.vm.values import RecordValue, stored_money

DEFAULT_CURRENCY = "CNY"


@dataclass(frozen=True, slots=True)
class Index:
    """A declared index: its subtree, and how to make the key parts of each field."""

    prefix: bytes
    fields: tuple[str, ...]
    parts: tuple[Callable[[Any], bytes], ...]

    def entry(self, record: Any, suffix: bytes) -> bytes:
        parts = [part(getattr(record, name)) for name, part in zip(self.fields, self.parts, strict=True)]
        return key_of(self.prefix, *parts, suffix)


@dataclass(frozen=True, slots=True)
class Total:
    """A kept sum of one field per group of others."""

    prefix: bytes
    field: str
    is_money: bool
    groups: tuple[str, ...]
    parts: tuple[Callable[[Any], bytes], ...]
    finders: tuple[Callable[[Any], bytes], ...]

    def group_of(self, record: Any) -> bytes:
        parts = [part(getattr(record, name)) for name, part in zip(self.groups, self.parts, strict=True)]
        return key_of(self.prefix, *parts)


@dataclass(frozen=True, slots=True)
class Due:
    """A `@due` declaration: which field it waits for, and the part of the key that names it."""

    field: str
    at: str
    contract: bytes
    declaration: bytes

    def entry(self, machine: Machine, record: Any, suffix: bytes) -> bytes | None:
        day = getattr(record, self.field)
        if day is None:
            return None
        minute = machine.calendar.cut_off_minute if self.at == "cut_off" else 0
        return key_of(DUE_PREFIX, key_int(moment(day, minute)), self.contract, self.declaration, suffix)


@dataclass(slots=True)
class Collection:
    """A collection of a bound contract. `watched` tells whether an invariant looks at its records."""

    name: str
    contract: str
    prefix: bytes
    children: bytes
    record: RecordRuntime
    indexes: tuple[Index, ...]
    totals: tuple[Total, ...]
    dues: tuple[Due, ...] = ()
    watched: bool = False
    indexes_of: dict[str, tuple[Index, ...]] = field(default_factory=dict)
    totals_of: dict[str, tuple[Total, ...]] = field(default_factory=dict)
    dues_of: dict[str, tuple[Due, ...]] = field(default_factory=dict)
    kept: dict[tuple[str, tuple[str, ...]], Total] = field(default_factory=dict)

    def prepare(self) -> None:
        """Note which indexes, totals and due entries hang on which field."""
        for total in self.totals:
            for groups in permutations(total.groups):
                self.kept[(total.field, groups)] = total
        for name in self.record.names:
            self.indexes_of[name] = tuple(item for item in self.indexes if name in item.fields)
            self.totals_of[name] = tuple(
                item for item in self.totals if name == item.field or name in item.groups
            )
            self.dues_of[name] = tuple(item for item in self.dues if name == item.field)


def data_prefix(contract: str, name: str) -> bytes:
    """Return the beginning of all keys of a collection or index."""
    return CONTRACT_DATA + key_text(contract) + key_text(name)


# --- reading ------------------------------------------------------------------------------------------------


def load(machine: Machine, collection: Collection, key: bytes) -> Any:
    """Return the present record under a state key, or None; charges what reading it costs."""
    record = machine.pending.get(key, ABSENT)
    if record is ABSENT:
        record = machine.loaded.get(key, ABSENT)
        if record is ABSENT:
            record = stored_record(collection, key, machine.reader.get(key))
            machine.loaded[key] = record
    machine.gas -= gas.RECORD_READ if record is None else gas.RECORD_READ + len(record._bytes)
    if machine.gas < 0:
        raise OutOfGasError
    if record is not None and machine.viewpoint is not None:
        return machine.contracts.as_seen(machine, collection, record)
    return record


def stored_record(collection: Collection, key: bytes, data: bytes | None) -> Any:
    """Return the record that the state holds under `key` as `data`."""
    if data is None:
        return None
    runtime = collection.record
    record = runtime.load(data)
    record._key = key
    record._bytes = data
    if runtime.is_keyed_by_text:
        creator = key[len(collection.prefix) : key.index(b"\0", len(collection.prefix))].decode()
        record.id = f"{creator}/{getattr(record, runtime.declared.key[0])}"
    elif "id" not in runtime.converters:
        record.id = runtime.id_of("", record)
    return record


def find(machine: Machine, collection: Collection, key: Any) -> Any:
    """`collection.find(key)`: the record or None."""
    if key is None:
        return None
    suffix = collection.record.suffix_of_id(key)
    if suffix is None:
        return None
    state_key = collection.prefix + suffix
    if len(state_key) > KEY_BYTES_MAX:
        raise Refused(VALUE_SIZE, f"a key has at most {KEY_BYTES_MAX} bytes")
    return load(machine, collection, state_key)


def get(machine: Machine, collection: Collection, key: Any) -> Any:
    """`collection[key]`. Raises Refused (E-KEY) where there is no such record."""
    record = find(machine, collection, key)
    if record is None:
        raise Refused(KEY, f"there is no {collection.record.declared.name} {shown(key)}")
    return record


def has(machine: Machine, collection: Collection, key: Any) -> bool:
    """`key in collection`."""
    return find(machine, collection, key) is not None


# --- writing ------------------------------------------------------------------------------------------------


def add(machine: Machine, collection: Collection, record: Any) -> Any:
    """`collection.add(record)`: store a new record under its key and return it."""
    runtime = collection.record
    if type(record) is not runtime.made or record._key is not None:
        raise Refused(TYPE, f"add takes a new {runtime.declared.name}")
    require_initial(runtime, record)
    creator = machine.require_sender() if runtime.is_keyed_by_text else ""
    suffix = runtime.key_suffix(creator, record)
    key = key_of(collection.prefix, suffix)
    if load(machine, collection, key) is not None:
        raise Refused(
            DUPLICATE_KEY, f"there is already a {runtime.declared.name} {runtime.id_of(creator, record)}"
        )
    record._key = key
    if "id" not in runtime.converters:
        record.id = runtime.id_of(creator, record)
    _write(machine, collection, None, record, None)
    return record


def update(machine: Machine, record: Any, changes: dict[str, Any]) -> Any:
    """`record.update(...)`: write some fields of the present record and return it."""
    collection, present = _present(machine, record)
    if collection.record.status in changes:
        raise Refused(STATE, "a status changes by move_to() only")
    return _change(machine, collection, present, changes)


def move_to(machine: Machine, record: Any, status: Any, changes: dict[str, Any]) -> Any:
    """`record.move_to(status, ...)`: a listed move, with changes of other fields."""
    collection, present = _present(machine, record)
    name = require_move(collection.record, present, status)
    if name in changes:
        raise Refused(STATE, "the status is given once")
    return _change(machine, collection, present, {name: status, **changes})


def child(machine: Machine, record: Any, changes: dict[str, Any]) -> Any:
    """`record.child(...)`: a new record of the family, with the next derived id; not stored yet."""
    collection, present = _present(machine, record)
    runtime = collection.record
    if not runtime.declared.is_family:
        raise Refused(
            TYPE, f"{runtime.declared.name} has no children: key 'id: Id' and 'parent: Id | None' are needed"
        )
    counter_key = key_of(collection.children, present._key[len(collection.prefix) :])
    machine.charge(gas.TOTAL)
    stored = machine.get_bytes(counter_key)
    number = 1 if stored is None else decode(stored) + 1
    machine.put(counter_key, encode(number))
    fields = {name: getattr(present, name) for name in runtime.names if name not in runtime.defaults}
    fields.update(changes)
    fields["id"] = f"{present.id}.{number}"
    fields["parent"] = present.id
    return runtime.make(machine, **fields)


def remove(machine: Machine, collection: Collection, record: Any) -> None:
    """`collection.remove(record)`."""
    owner, present = _present(machine, record)
    if owner is not collection:
        raise Refused(TYPE, f"{collection.name} does not keep a {owner.record.declared.name}")
    _write(machine, collection, present, None, None)


def _present(machine: Machine, record: Any) -> tuple[Collection, Any]:
    """Return the collection of a stored record and its present version, whatever version the caller holds.

    Only contracts' own records can be changed: one that came from another contract is not of this frame.
    """
    if not isinstance(record, RecordValue):
        raise Refused(TYPE, f"a record is wanted, not {shown(record)}")
    collection = machine.frames[-1].collection_of(record)
    if collection is None or record._key is None:
        raise Refused(KEY, f"this {type(record)._NAME} is not stored here")
    present = load(machine, collection, record._key)
    if present is None:
        raise Refused(KEY, f"the {type(record)._NAME} {record.id} was removed")
    return collection, present


def _change(machine: Machine, collection: Collection, present: Any, changes: dict[str, Any]) -> Any:
    runtime = collection.record
    key_fields = runtime.declared.key
    new = runtime.copy(present)
    for name, value in changes.items():
        converter = runtime.converters.get(name)
        if converter is None:
            raise Refused(TYPE, f"{runtime.declared.name} has no field '{name}'")
        if name in key_fields:
            raise Refused(TYPE, f"the key '{name}' of a record never changes")
        setattr(new, name, converter.check(machine, value))
    _write(machine, collection, present, new, changes)
    return new


def _write(
    machine: Machine, collection: Collection, old: Any, new: Any, changes: dict[str, Any] | None
) -> None:
    """Put `new` (None: nothing) in the place of `old` (None: nothing), with everything that hangs on it."""
    key: bytes = (old if new is None else new)._key
    if new is None:
        machine.charge(gas.RECORD_WRITE)
        machine.put(key, None)
    else:
        data = collection.record.encode(new)
        new._bytes = data
        machine.charge(gas.RECORD_WRITE + len(data) * gas.STORED_BYTE)
        machine.put(key, new)
    if collection.watched:
        known = machine.touched.get(key)
        machine.touched[key] = (collection, old if new is None else new, old if known is None else known[2])
    if changes is None:
        _index_all(machine, collection, old, new, key[len(collection.prefix) :])
    else:
        _index_changed(machine, collection, old, new, key[len(collection.prefix) :], changes)


def _index_all(machine: Machine, collection: Collection, old: Any, new: Any, suffix: bytes) -> None:
    for index in collection.indexes:
        _move_entry(machine, index, old, new, suffix)
    for total in collection.totals:
        _move_total(machine, total, old, new)
    for due in collection.dues:
        _move_due(machine, due, old, new, suffix)


def _index_changed(
    machine: Machine, collection: Collection, old: Any, new: Any, suffix: bytes, changes: dict[str, Any]
) -> None:
    indexes: dict[bytes, Index] = {}
    totals: dict[bytes, Total] = {}
    for name in changes:
        if getattr(old, name) == getattr(new, name):
            continue
        for index in collection.indexes_of[name]:
            indexes[index.prefix] = index
        for total in collection.totals_of[name]:
            totals[total.prefix] = total
        for due in collection.dues_of[name]:
            _move_due(machine, due, old, new, suffix)
    for index in indexes.values():
        _move_entry(machine, index, old, new, suffix)
    for total in totals.values():
        _move_total(machine, total, old, new)


def _move_entry(machine: Machine, index: Index, old: Any, new: Any, suffix: bytes) -> None:
    machine.charge(gas.INDEX_ENTRY)
    before = None if old is None else index.entry(old, suffix)
    after = None if new is None else index.entry(new, suffix)
    if before != after:
        if before is not None:
            machine.put(before, None)
        if after is not None:
            machine.put(after, PRESENT)


def _move_due(machine: Machine, due: Due, old: Any, new: Any, suffix: bytes) -> None:
    machine.charge(gas.INDEX_ENTRY)
    before = None if old is None else due.entry(machine, old, suffix)
    after = None if new is None else due.entry(machine, new, suffix)
    if before is not None and machine.get_bytes(before) is not None:
        machine.put(before, None)
    if after is not None:
        machine.add_due(after)


# --- totals -------------------------------------------------------------------------------------------------


def _move_total(machine: Machine, total: Total, old: Any, new: Any) -> None:
    machine.charge(gas.TOTAL)
    before = None if old is None else total.group_of(old)
    after = None if new is None else total.group_of(new)
    if before is not None and before == after:
        amount = _amount(total, getattr(new, total.field))
        previous = _amount(total, getattr(old, total.field))
        _add_to_total(
            machine, total, before, 0, amount[0] - previous[0], _one_currency(amount[1], previous[1])
        )
        return
    if before is not None:
        amount = _amount(total, getattr(old, total.field))
        _add_to_total(machine, total, before, -1, -amount[0], amount[1])
    if after is not None:
        amount = _amount(total, getattr(new, total.field))
        _add_to_total(machine, total, after, 1, amount[0], amount[1])


def _add_to_total(machine: Machine, total: Total, key: bytes, count: int, amount: int, currency: str) -> None:
    present = machine.get_total(key) or (0, 0, currency)
    number, summed = present[0] + count, present[1] + amount
    _one_currency(present[2], currency)
    if not -AMOUNT_MINOR_MAX <= summed <= AMOUNT_MINOR_MAX:
        raise Refused(VALUE_SIZE, f"the total of '{total.field}' is beyond 10^15")
    machine.put(key, (number, summed, currency) if number else None)


def read_total(machine: Machine, collection: Collection, name: str, group: dict[str, Any]) -> Any:
    """`collection.total(field, group...)`: a kept sum."""
    machine.charge(gas.TOTAL)
    total = collection.kept.get((name, tuple(group)))
    if total is None:
        raise Refused(TYPE, f"{collection.name} keeps no such total of '{name}'")
    parts = [part(group[item]) for item, part in zip(total.groups, total.finders, strict=True)]
    present = machine.get_total(key_of(total.prefix, *parts))
    if not total.is_money:
        return 0 if present is None else present[1]
    return Money(0, DEFAULT_CURRENCY) if present is None else stored_money(present[1:])


def _amount(total: Total, value: Any) -> tuple[int, str]:
    return (value.minor, value.currency) if total.is_money else (value, "")


def _one_currency(left: str, right: str) -> str:
    if left != right:
        raise Refused(TYPE, f"a total has one currency: {left} and {right} do not add up")
    return left


def key_part_of(converter: Converter) -> Callable[[Any], bytes]:
    """Return how a field of this type becomes part of an index key."""
    assert converter.key is not None, "the check admits only types with an order"
    return converter.key
