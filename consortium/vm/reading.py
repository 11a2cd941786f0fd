"""Reading records from outside execution: for expectations, balances, reports and pages.

Values come back typed and plain: Money, Rate, Day, text, int, bool, bytes, None, lists, dicts for `@value`
instances, and the name of a status or choice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from consortium.calendar import Calendar
from consortium.money import Day, Money, MoneyError, Rate
from consortium.vm.bind import ContractSet
from consortium.vm.exceptions import Refused
from consortium.vm.keys import key_of
from consortium.vm.machine import Machine, Organisations, StateReader
from consortium.vm.records import RecordRuntime
from consortium.vm.store import Collection, stored_record
from consortium.vm.values import Member, Structure, shown_fields


@dataclass(frozen=True, slots=True)
class RecordView:
    """One stored record: its class, its id as text, its fields in order of declaration."""

    record: str
    id: str
    fields: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """Who looks: only what is visible to this organisation is read. The operator needs no viewpoint."""

    organisation: str
    organisations: Organisations
    calendar: Calendar


def read_record(
    reader: StateReader,
    contracts: ContractSet,
    contract: str,
    collection: str,
    record_id: Any,
    viewpoint: Viewpoint | None = None,
) -> RecordView | None:
    """Return one record by its id (text such as `APP1/LC-7`, or a tuple of key fields), or None.

    Raises KeyError for a contract or collection that is not there.
    """
    found = _collection(contracts, contract, collection)
    for candidate in _candidates(found.record, record_id):
        try:
            suffix = found.record.suffix_of_id(candidate)
            key = None if suffix is None else key_of(found.prefix, suffix)
        except Refused:
            key = None
        data = None if key is None else reader.get(key)
        if key is not None and data is not None:
            return _view(reader, contracts, found, key, data, viewpoint)
    return None


def read_all(
    reader: StateReader,
    contracts: ContractSet,
    contract: str,
    collection: str,
    viewpoint: Viewpoint | None = None,
) -> Iterator[RecordView]:
    """Yield the records of a collection in the order of their keys. Raises KeyError as `read_record` does."""
    found = _collection(contracts, contract, collection)
    for key, data in reader.items(found.prefix):
        view = _view(reader, contracts, found, key, data, viewpoint)
        if view is not None:
            yield view


def _collection(contracts: ContractSet, contract: str, collection: str) -> Collection:
    bound = contracts.named(contract)
    if bound is None or collection not in bound.collections:
        raise KeyError(f"{contract}.{collection}")
    return bound.collections[collection]


def _view(
    reader: StateReader,
    contracts: ContractSet,
    collection: Collection,
    key: bytes,
    data: bytes,
    viewpoint: Viewpoint | None,
) -> RecordView | None:
    record = stored_record(collection, key, data)
    record_id = record.id
    if viewpoint is not None:
        machine = Machine(reader, contracts, viewpoint.calendar, 0, viewpoint.organisations, 0)
        machine.viewpoint = viewpoint.organisation
        record = contracts.as_seen(machine, collection, record)
        if record is None:
            return None
    runtime = collection.record
    fields = {name: typed(getattr(record, name)) for name in runtime.names}
    return RecordView(runtime.declared.name, record_id, fields)


def _candidates(runtime: RecordRuntime, record_id: Any) -> Iterator[Any]:
    """Yield the keys that an id may stand for: text with slashes is cut where the key's fields allow it."""
    if type(record_id) is list:
        record_id = tuple(record_id)
    names = runtime.declared.key
    if type(record_id) is not str or len(names) == 1:
        yield _with_members(runtime, record_id)
        return
    for parts in _cuts(record_id.split("/"), len(names)):
        yield _with_members(runtime, parts)


def _cuts(pieces: list[str], count: int) -> Iterator[tuple[str, ...]]:
    """Yield the ways to join `pieces` into `count` parts, keeping their order."""
    if count == 1:
        yield ("/".join(pieces),)
        return
    for size in range(1, len(pieces) - count + 2):
        for rest in _cuts(pieces[size:], count - 1):
            yield ("/".join(pieces[:size]), *rest)


def _with_members(runtime: RecordRuntime, key: Any) -> Any:
    """Replace names of choices, dates and numbers in a key by the values they stand for."""
    if runtime.is_keyed_by_text:
        return key
    parts = key if type(key) is tuple else (key,)
    if len(parts) != len(runtime.declared.key):
        return key
    found: list[Any] = []
    for name, part in zip(runtime.declared.key, parts, strict=True):
        converter = runtime.converters[name]
        try:
            if type(part) is str and converter.type.kind in {"choice", "status"}:
                part = converter.load(part)
            elif type(part) is str and converter.type.kind == "day":
                part = Day.of(part)
            elif type(part) is str and converter.type.kind == "int":
                part = int(part)
        except (KeyError, ValueError, MoneyError, Refused):
            return key
        found.append(part)
    return tuple(found) if len(found) > 1 else found[0]


def typed(value: Any) -> Any:
    """Return a run-time value as others may keep it: no objects of a contract's own classes."""
    if isinstance(value, Member):
        return value.name
    if isinstance(value, list | tuple):
        return [typed(item) for item in value]
    if isinstance(value, Structure):
        return {name: typed(getattr(value, name)) for name in shown_fields(value)}
    assert value is None or isinstance(value, bool | int | str | bytes | Money | Rate | Day)
    return value
