"""Finding records by their fields: `where`, `since`, `upto`, `limit`, `sorted_by`, `first`.

In an action a selection must be one walk over a declared index (or over the key): equal values for its
first fields, and bounds for the next one. A query may ask for anything; what no index answers is filtered,
under the query's own gas limit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from consortium.money import Money
from consortium.vm import gas
from consortium.vm.exceptions import TYPE, VALUE_SIZE, Refused
from consortium.vm.keys import key_of
from consortium.vm.language import ITEMS_MAX
from consortium.vm.machine import Machine
from consortium.vm.store import DEFAULT_CURRENCY, Collection, load
from consortium.vm.types import Type

Bound = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked of a collection; nothing is read before it is looped over, counted or sorted."""

    collection: Collection
    equal: tuple[Bound, ...] = ()
    least: Bound | None = None
    most: Bound | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """A subtree that orders records by fields: an index, or the records themselves by their key."""

    prefix: bytes
    fields: tuple[str, ...]
    is_key: bool


def narrowed(machine: Machine, selection: Selection, word: str, given: dict[str, Any]) -> Selection:
    """Return the selection with what `where`, `since` or `upto` adds, checked against the fields."""
    converters = selection.collection.record.converters
    checked: list[Bound] = []
    for name, value in given.items():
        if name not in converters:
            raise Refused(TYPE, f"{selection.collection.record.declared.name} has no field '{name}'")
        checked.append((name, converters[name].check(machine, value)))
    if word == "where":
        return replace(selection, equal=selection.equal + tuple(checked))
    if len(checked) != 1 or (selection.least if word == "since" else selection.most) is not None:
        raise Refused(TYPE, f"{word} takes one field, once")
    return replace(selection, least=checked[0]) if word == "since" else replace(selection, most=checked[0])


def records_of(machine: Machine, selection: Selection) -> list[Any]:
    """Return the selected records, in the order of the index that finds them."""
    path, is_exact = _best_path(machine, selection)
    found: list[Any] = []
    wanted = selection.count
    for key in _walk(machine, selection, path):
        if wanted is not None and len(found) >= wanted:
            break
        machine.charge(gas.INDEX_STEP)
        record = load(machine, selection.collection, key)
        if record is None or not (is_exact or _passes(selection, record)):
            continue
        found.append(record)
        machine.charge(gas.ITEM)
        if len(found) > ITEMS_MAX:
            raise Refused(VALUE_SIZE, f"a selection has at most {ITEMS_MAX} records: use limit()")
    return found


def sorted_records(machine: Machine, selection: Selection, name: str) -> tuple[Any, ...]:
    """Return the selected records ordered by a field; None comes first, ties keep their order."""
    converter = selection.collection.record.converters.get(name)
    if converter is None or converter.key is None:
        raise Refused(TYPE, f"records cannot be ordered by '{name}'")
    found = records_of(machine, selection)
    machine.charge(gas.ITEM * len(found) * max(1, len(found).bit_length()))
    part = converter.key
    return tuple(sorted(found, key=lambda record: part(getattr(record, name))))


def first_record(machine: Machine, selection: Selection) -> Any:
    found = records_of(machine, replace(selection, count=1))
    return found[0] if found else None


def visible_total(machine: Machine, collection: Collection, name: str, group: dict[str, Any]) -> Any:
    """Sum a field over the records that the viewpoint sees: a kept total would tell of the others."""
    machine.charge(gas.TOTAL)
    if collection.kept.get((name, tuple(group))) is None:
        raise Refused(TYPE, f"{collection.name} keeps no such total of '{name}'")
    result: Any = None
    for record in records_of(machine, narrowed(machine, Selection(collection), "where", group)):
        value = getattr(record, name)
        if value is not None:
            result = value if result is None else result + value
    if result is None:
        return Money(0, DEFAULT_CURRENCY) if collection.record.converters[name].type.kind == "money" else 0
    return result


def _best_path(machine: Machine, selection: Selection) -> tuple[Path, bool]:
    """Return the subtree to walk, and whether it answers the whole question."""
    equal = {name for name, _ in selection.equal}
    bounds = {bound[0] for bound in (selection.least, selection.most) if bound is not None}
    collection = selection.collection
    paths = [Path(index.prefix, index.fields, is_key=False) for index in collection.indexes]
    declared = collection.record.declared
    paths.append(Path(collection.prefix, () if declared.is_keyed_by_text else declared.key, is_key=True))
    best, best_length = paths[-1], -1
    for path in paths:
        length = next((at for at, name in enumerate(path.fields) if name not in equal), len(path.fields))
        following = set(path.fields[length : length + 1])
        exact = length == len(equal) == len(selection.equal) and (not bounds or bounds == following)
        if exact and (equal or bounds or machine.is_query):
            return path, True
        if length > best_length:
            best, best_length = path, length
    if not machine.is_query:
        asked = ", ".join(sorted(equal | bounds)) or "nothing"
        raise Refused(TYPE, f"{collection.name} has no index for: {asked}")
    return best, False


def _walk(machine: Machine, selection: Selection, path: Path) -> Iterator[bytes]:
    """Yield the state keys of the records under a path, within the bounds if the path orders by them."""
    converters = selection.collection.record.converters
    equal = dict(selection.equal)
    prefix, position = path.prefix, 0
    while position < len(path.fields) and path.fields[position] in equal:
        name = path.fields[position]
        prefix += _part(converters[name].key, equal[name])
        position += 1
    start, stop = None, None
    if position < len(path.fields):
        following = path.fields[position]
        part = converters[following].key
        if selection.least is not None and selection.least[0] == following:
            start = prefix + _part(part, selection.least[1])
        elif (
            selection.most is not None
            and selection.most[0] == following
            and converters[following].type.optional
        ):
            start = prefix + b"\x01"
        if selection.most is not None and selection.most[0] == following:
            stop = prefix + _part(part, selection.most[1])
    records = selection.collection.prefix
    lengths = [_length_of(converters[name].type) for name in path.fields]
    for key in machine.keys_under(prefix, start):
        if stop is not None and key[: len(stop)] > stop:
            return
        if path.is_key:
            yield key
            continue
        at = len(path.prefix)
        for length in lengths:
            at = length(key, at)
        yield key_of(records, key[at:])


def _passes(selection: Selection, record: Any) -> bool:
    if any(getattr(record, name) != value for name, value in selection.equal):
        return False
    converters = selection.collection.record.converters
    for bound, sign in ((selection.least, 1), (selection.most, -1)):
        if bound is None:
            continue
        name, value = bound
        key, present = converters[name].key, getattr(record, name)
        if present is None:
            return False
        left, right = _part(key, present), _part(key, value)
        if (left < right and sign > 0) or (left > right and sign < 0):
            return False
    return True


def _part(key: Callable[[Any], bytes] | None, value: Any) -> bytes:
    if key is None:
        raise Refused(TYPE, "a rate, list or value has no order to select by")
    return key(value)


def _length_of(kind: Type) -> Callable[[bytes, int], int]:
    """Return how to step over a key part of this type: from its first byte to the one after it."""
    fixed = {"int": 8, "day": 8, "bool": 1, "choice": 1, "status": 1, "hash": 32, "money": 11}
    if kind.kind in fixed:
        width = fixed[kind.kind]
        step: Callable[[bytes, int], int] = lambda _key, at: at + width  # noqa: E731
    else:
        step = lambda key, at: key.index(b"\0", at) + 1  # noqa: E731

    if not kind.optional:
        return step
    return lambda key, at: at + 1 if key[at] == 0 else step(key, at + 1)
