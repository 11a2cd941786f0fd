"""The methods contract code may call, rewritten: `value.name(...)` is `METHODS[name](machine, value, ...)`.

No method of a Python object is ever reached from a contract; each function here looks at what it was given
first. Methods of records and collections lead to `store` and `select`, those of amounts and days are exact
arithmetic, the rest are the few of text, list and dict that the language has.
"""

from collections.abc import Callable
from typing import Any

from consortium.money import Day, Money, MoneyError, Rate
from consortium.vm import gas, select, store
from consortium.vm.arithmetic import dict_key, equal
from consortium.vm.builtins import append_to, list_of, pairs_of
from consortium.vm.conversion import shown
from consortium.vm.exceptions import DATE, KEY, TYPE, VALUE_SIZE, ZERO_DIVISION, Refused
from consortium.vm.language import ITEMS_MAX
from consortium.vm.machine import Machine
from consortium.vm.select import Selection
from consortium.vm.store import Collection
from consortium.vm.values import Member
from consortium.vm.walks import items_of, store_check, text_of

_MISSING: Any = object()


# --- amounts, rates, days -----------------------------------------------------------------------------------


def _at(machine: Machine, amount: Any, rate: Any, round: Any = "half-up") -> Money:  # noqa: A002
    if type(amount) is not Money or type(rate) is not Rate or type(round) is not str:
        raise _not_for("at", amount)
    machine.charge(gas.EXCHANGE)
    return _sized_amount(lambda: amount.at(rate, round))


def _interest(
    machine: Machine,
    amount: Any,
    rate: Any,
    days: Any,
    basis: Any,
    round: Any = "half-up",  # noqa: A002
) -> Money:
    year_days = basis.year_days if type(basis) is Member else basis
    known = type(amount) is Money and type(rate) is Rate and type(days) is int and type(round) is str
    if not known or type(year_days) is not int:
        raise _not_for("interest", amount)
    if year_days == 0:
        raise Refused(ZERO_DIVISION, "a year has at least one day")
    if days.bit_length() > 64 or year_days.bit_length() > 64:
        raise Refused(VALUE_SIZE, "days have at most 64 bits")
    machine.charge(gas.EXCHANGE)
    return _sized_amount(lambda: amount.interest(rate, days, year_days, round))


def _share(machine: Machine, amount: Any, parts: Any, of: Any) -> Money:
    if type(amount) is not Money or type(parts) is not int or type(of) is not int:
        raise _not_for("share", amount)
    if of == 0:
        raise Refused(ZERO_DIVISION, "a share of 0 parts")
    if parts.bit_length() > 64 or of.bit_length() > 64:
        raise Refused(VALUE_SIZE, "shares have at most 64 bits")
    machine.charge(gas.EXCHANGE)
    return _sized_amount(lambda: amount.share(parts, of))


def _sized_amount(compute: Callable[[], Money]) -> Money:
    try:
        return compute()
    except MoneyError as error:
        raise Refused(VALUE_SIZE, str(error)) from None


def _days(_machine: Machine, basis: Any, start: Any, end: Any) -> int:
    if type(basis) is not Member or not basis.year_days or type(start) is not Day or type(end) is not Day:
        raise _not_for("days", basis)
    return end - start


def _weekday(_machine: Machine, day: Any) -> int:
    if type(day) is not Day:
        raise _not_for("weekday", day)
    return day.weekday()


def _add_months(_machine: Machine, day: Any, months: Any) -> Day:
    if type(day) is not Day or type(months) is not int:
        raise _not_for("add_months", day)
    try:
        return day.add_months(months)
    except MoneyError as error:
        raise Refused(DATE, str(error)) from None


# --- records and collections --------------------------------------------------------------------------------


def _update(machine: Machine, record: Any, changes: dict[str, Any]) -> Any:
    return store.update(machine, record, changes)


def _move_to(machine: Machine, record: Any, status: Any, changes: dict[str, Any]) -> Any:
    return store.move_to(machine, record, status, changes)


def _child(machine: Machine, record: Any, changes: dict[str, Any]) -> Any:
    return store.child(machine, record, changes)


def _add(machine: Machine, collection: Any, record: Any) -> Any:
    return store.add(machine, _collection("add", collection), record)


def _remove(machine: Machine, collection: Any, record: Any) -> None:
    store.remove(machine, _collection("remove", collection), record)


def _find(machine: Machine, value: Any, wanted: Any) -> Any:
    if type(value) is Collection:
        return store.find(machine, value, wanted)
    if type(value) is str and type(wanted) is str:
        machine.charge(1 + (len(value) + len(wanted)) // gas.BYTES_PER_GAS)
        return value.find(wanted)
    raise _not_for("find", value)


def _total(machine: Machine, collection: Any, field: Any, group: dict[str, Any]) -> Any:
    if machine.viewpoint is not None:
        return select.visible_total(machine, _collection("total", collection), field, group)
    return store.read_total(machine, _collection("total", collection), field, group)


def _where(machine: Machine, value: Any, given: dict[str, Any]) -> Selection:
    return select.narrowed(machine, _selection("where", value), "where", given)


def _since(machine: Machine, value: Any, given: dict[str, Any]) -> Selection:
    return select.narrowed(machine, _selection("since", value), "since", given)


def _upto(machine: Machine, value: Any, given: dict[str, Any]) -> Selection:
    return select.narrowed(machine, _selection("upto", value), "upto", given)


def _limit(_machine: Machine, value: Any, count: Any) -> Selection:
    if type(count) is not int or count < 0:
        raise Refused(TYPE, "limit takes a whole number from 0 up")
    present = _selection("limit", value)
    return Selection(present.collection, present.equal, present.least, present.most, count)


def _sorted_by(machine: Machine, value: Any, field: Any) -> tuple[Any, ...]:
    return select.sorted_records(machine, _selection("sorted_by", value), field)


def _first(machine: Machine, value: Any) -> Any:
    return select.first_record(machine, _selection("first", value))


def _collection(name: str, value: Any) -> Collection:
    if type(value) is not Collection:
        raise _not_for(name, value)
    return value


def _selection(name: str, value: Any) -> Selection:
    if type(value) is Collection:
        return Selection(value)
    if type(value) is not Selection:
        raise _not_for(name, value)
    return value


# --- text, list, dict ---------------------------------------------------------------------------------------


def _join(machine: Machine, separator: Any, parts: Any) -> str:
    texts = list_of(machine, parts)
    if type(separator) is not str or any(type(text) is not str for text in texts):
        raise Refused(TYPE, "join takes texts")
    text_of(machine, sum(map(len, texts)) + len(separator) * max(0, len(texts) - 1))
    return separator.join(texts)


def _split(machine: Machine, text: Any, separator: Any) -> list[str]:
    if type(text) is not str or type(separator) is not str or not separator:
        raise _not_for("split", text)
    machine.charge(1 + len(text) // gas.BYTES_PER_GAS)
    items_of(machine, text.count(separator) + 1)
    return text.split(separator)


def _replace(machine: Machine, text: Any, old: Any, new: Any) -> str:
    if type(text) is not str or type(old) is not str or type(new) is not str or not old:
        raise _not_for("replace", text)
    machine.charge(1 + len(text) // gas.BYTES_PER_GAS)
    text_of(machine, len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def _startswith(machine: Machine, text: Any, prefix: Any) -> bool:
    if type(text) is not str or type(prefix) is not str:
        raise _not_for("startswith", text)
    machine.charge(1 + len(prefix) // gas.BYTES_PER_GAS)
    return text.startswith(prefix)


def _endswith(machine: Machine, text: Any, suffix: Any) -> bool:
    if type(text) is not str or type(suffix) is not str:
        raise _not_for("endswith", text)
    machine.charge(1 + len(suffix) // gas.BYTES_PER_GAS)
    return text.endswith(suffix)


def _count(machine: Machine, value: Any, wanted: Any) -> int:
    if type(value) is str and type(wanted) is str:
        machine.charge(1 + (len(value) + len(wanted)) // gas.BYTES_PER_GAS)
        return value.count(wanted)
    if type(value) in (list, tuple):
        machine.charge(gas.ITEM * len(value))
        return sum(1 for part in value if equal(machine, part, wanted))
    raise _not_for("count", value)


def _append(machine: Machine, items: Any, value: Any) -> None:
    if type(items) is not list:
        raise _not_for("append", items)
    machine.charge(gas.ITEM)
    store_check(machine, value, items)
    append_to(machine, items, value)


def _insert(machine: Machine, items: Any, position: Any, value: Any) -> None:
    if type(items) is not list or type(position) is not int:
        raise _not_for("insert", items)
    if len(items) >= ITEMS_MAX:
        raise Refused(VALUE_SIZE, f"a list or dict has at most {ITEMS_MAX} items")
    machine.charge(gas.ITEM + len(items) // gas.BYTES_PER_GAS)
    store_check(machine, value, items)
    items.insert(position, value)


def _pop(machine: Machine, container: Any, *given: Any) -> Any:
    if type(container) is list:
        position = given[0] if given else -1
        if len(given) > 1 or type(position) is not int:
            raise _not_for("pop", container)
        machine.charge(gas.ITEM + len(container) // gas.BYTES_PER_GAS)
        return container.pop(position)
    if type(container) is dict and given:
        machine.charge(gas.ITEM)
        value = container.pop(dict_key(given[0]), given[1] if len(given) > 1 else _MISSING)
        if value is _MISSING:
            raise Refused(KEY, f"the dict has no {shown(given[0])}")
        return value
    raise _not_for("pop", container)


def _get(machine: Machine, container: Any, key: Any, otherwise: Any = None) -> Any:
    if type(container) is not dict:
        raise _not_for("get", container)
    machine.charge(gas.ITEM)
    return container.get(dict_key(key), otherwise)


def _keys(machine: Machine, container: Any) -> list[Any]:
    return list(pairs_of(machine, _dict("keys", container)))


def _values(machine: Machine, container: Any) -> list[Any]:
    items_of(machine, len(_dict("values", container)))
    return list(container.values())


def _items(machine: Machine, container: Any) -> list[Any]:
    items_of(machine, len(_dict("items", container)))
    return list(container.items())


def _dict(name: str, value: Any) -> dict[Any, Any]:
    if type(value) is not dict:
        raise _not_for(name, value)
    return value


def _not_for(name: str, value: Any) -> Refused:
    return Refused(TYPE, f"{name} does not go with {shown(value)}")


METHODS: dict[str, Callable[..., Any]] = {
    "add": _add,
    "add_months": _add_months,
    "append": _append,
    "at": _at,
    "child": _child,
    "count": _count,
    "days": _days,
    "endswith": _endswith,
    "find": _find,
    "first": _first,
    "get": _get,
    "insert": _insert,
    "interest": _interest,
    "items": _items,
    "join": _join,
    "keys": _keys,
    "limit": _limit,
    "move_to": _move_to,
    "pop": _pop,
    "remove": _remove,
    "replace": _replace,
    "share": _share,
    "since": _since,
    "sorted_by": _sorted_by,
    "split": _split,
    "startswith": _startswith,
    "total": _total,
    "update": _update,
    "upto": _upto,
    "values": _values,
    "weekday": _weekday,
    "where": _where,
}
