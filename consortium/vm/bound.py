# ruff: noqa: SLF001  what the engine keeps on a record begins with '_', because no contract can name that
"""A contract made ready to run: its functions, collections and classes, for one consortium's parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from consortium.vm.conversion import Converter
from consortium.vm.declarations import Authority
from consortium.vm.interface import ContractInterface
from consortium.vm.store import Collection
from consortium.vm.values import RecordValue


@dataclass(frozen=True, slots=True)
class Entry:
    """A function that the engine calls: how to check its arguments, and who may have it called.

    `defaults` are in encoded form, for the last parameters. `collection` is the one whose record `by` and
    `agreed_by` may name fields of, `key_length` how many arguments its key takes.
    """

    name: str
    kind: str
    function: Callable[..., Any]
    parameters: tuple[str, ...]
    converters: tuple[Converter, ...]
    defaults: tuple[Any, ...]
    by: tuple[Authority, ...]
    agreed_by: tuple[str, ...]
    by_contract: tuple[str, ...]
    code: str
    collection: Collection | None
    key_length: int
    statement: int
    over: str = ""
    """Of an invariant that reads nothing but this field of its record: it runs once for each value."""


@dataclass(slots=True)
class BoundContract:
    """One contract of a `ContractSet`."""

    name: str
    version: int
    source_hash: bytes
    interface: ContractInterface
    entries: dict[str, Entry] = field(default_factory=dict)
    dues: tuple[Entry, ...] = ()
    collections: dict[str, Collection] = field(default_factory=dict)
    owners: Mapping[type[RecordValue], tuple[Collection, ...]] = field(default_factory=dict)
    laws: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    """Invariants by the name of the collection they watch."""

    def collection_of(self, record: RecordValue) -> Collection | None:
        """Return the collection that keeps this stored record, or None if it is of another contract."""
        owners = self.owners.get(type(record), ())
        if len(owners) == 1:
            return owners[0]
        key = record._key
        return next((item for item in owners if key is not None and key.startswith(item.prefix)), None)
