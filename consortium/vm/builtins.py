# ruff: noqa: SLF001  what the engine keeps on a record begins with '_', because no contract can name that
"""Items of containers, and the functions of Python that the language has, charged for what they do."""

from collections.abc import Callable
from typing import Any

from consortium.money import Day, Money, Rate, distribute
from consortium.vm import gas
from consortium.vm.arithmetic import add, dict_key, greater, less, require_order
from consortium.vm.conversion import shown
from consortium.vm.exceptions import LOOP_CHANGE, TYPE, VALUE_SIZE, Refused
from consortium.vm.language import INTEGER_BITS_MAX, ITEMS_MAX
from consortium.vm.machine import Machine
from consortium.vm.select import Selection, records_of
from consortium.vm.values import Member, Pairs, Structure
from consortium.vm.walks import items_of, number_of, store_check, text_of

_DIGITS_MAX = 1300


def item(machine: Machine, container: Any, index: Any) -> Any:
    """`container[index]`."""
    kind = type(container)
    if kind is dict:
        return container[dict_key(index)]
    if type(index) is slice:
        return _slice(machine, container, index)
    if kind in (list, tuple, str, range) and type(index) is int:
        return container[index]
    raise Refused(TYPE, f"{shown(container)} has no item {shown(index)}")


def _slice(machine: Machine, container: Any, bounds: slice) -> Any:
    if any(part is not None and type(part) is not int for part in (bounds.start, bounds.stop, bounds.step)):
        raise Refused(TYPE, "the bounds of a slice are whole numbers")
    if bounds.step == 0:
        raise Refused(TYPE, "the step of a slice is not 0")
    if type(container) is str:
        text_of(machine, len(range(*bounds.indices(len(container)))))
        return container[bounds]
    if type(container) in (list, tuple):
        items_of(machine, len(range(*bounds.indices(len(container)))))
        return container[bounds]
    raise Refused(TYPE, f"{shown(container)} has no slices")


def set_item(machine: Machine, container: Any, index: Any, value: Any) -> None:
    """`container[index] = value`."""
    store_check(machine, value, container)
    if type(container) is list and type(index) is int:
        machine.charge(gas.ITEM)
        container[index] = value
    elif type(container) is dict:
        key = dict_key(index)
        if len(container) >= ITEMS_MAX and key not in container:
            raise Refused(VALUE_SIZE, f"a list or dict has at most {ITEMS_MAX} items")
        machine.charge(gas.ITEM + (len(key) // gas.BYTES_PER_GAS if type(key) is str else 0))
        container[key] = value
    else:
        raise Refused(TYPE, f"items of {shown(container)} cannot be set")


def set_item_value_first(machine: Machine, value: Any, container: Any, index: Any) -> None:
    """An assignment statement computes its value before its target."""
    set_item(machine, container, index, value)


def display(machine: Machine, items: Any) -> Any:
    """A list, tuple or dict as it was just written down."""
    items_of(machine, len(items))
    if type(items) is dict:
        for key, value in items.items():
            dict_key(key)
            store_check(machine, value)
    else:
        for value in items:
            store_check(machine, value)
    return items


def append_to(machine: Machine, items: list[Any], value: Any) -> None:
    """Grow the result of a comprehension; each round was charged for its item."""
    if len(items) >= ITEMS_MAX:
        raise Refused(VALUE_SIZE, f"a list or dict has at most {ITEMS_MAX} items")
    store_check(machine, value)
    items.append(value)


def pairs_of(machine: Machine, value: Any) -> Any:
    """What a `for` loops over: something whose length is known, charged by the loop's own rounds."""
    if type(value) is Selection:
        return records_of(machine, value)
    _charge_keys(machine, value)
    return _walkable(value)


def _charge_keys(machine: Machine, value: Any) -> None:
    """Charge for the keys that a loop over a dict copies. Nothing is charged once a loop runs."""
    if type(value) is dict:
        items_of(machine, len(value))


def _walkable(value: Any) -> Any:
    if type(value) in (list, tuple, range, str, Pairs):
        return value
    if type(value) is dict:
        return _guarded(value)
    raise Refused(TYPE, f"{shown(value)} cannot be looped over")


def _guarded(value: dict[Any, Any]) -> Any:
    """Yield the keys a dict had when the loop began. Raises Refused (E-LOOP-CHANGE) if it grew or shrank."""
    count = len(value)
    for key in list(value):
        yield key
        if len(value) != count:
            raise Refused(LOOP_CHANGE, "a dict changed while it was looped over")


def unpack(_machine: Machine, value: Any, count: int) -> Any:
    """The parts of `a, b = value`."""
    if type(value) not in (list, tuple) or len(value) != count:
        raise Refused(TYPE, f"{count} values are wanted, not {shown(value)}")
    return value


def attribute(_machine: Machine, value: Any, name: str) -> Any:
    """`value.name` where the type is not proved: declared fields, and the listed attributes of our values."""
    if isinstance(value, Structure):
        if name in type(value)._FIELDS:
            return getattr(value, name)
    elif name in _READABLE.get(type(value), ()):
        return getattr(value, name)
    raise Refused(TYPE, f"{shown(value)} has no '{name}'")


_READABLE: dict[type, tuple[str, ...]] = {
    Day: ("month", "year"),
    Money: ("currency", "minor"),
    Rate: ("denominator", "numerator"),
}


# --- the builtins --------------------------------------------------------------------------------------


def length(machine: Machine, value: Any) -> int:
    if type(value) in (str, list, tuple, dict, range, Pairs, bytes):
        return len(value)
    if type(value) is Selection:
        return len(records_of(machine, value))
    raise Refused(TYPE, f"{shown(value)} has no length")


def range_of(machine: Machine, *bounds: Any) -> range:
    for bound in bounds:
        if type(bound) is not int:
            raise Refused(TYPE, "range takes whole numbers")
        if bound.bit_length() > 62:
            raise Refused(VALUE_SIZE, "a range has at most 62 bits")
    machine.charge(1)
    if len(bounds) == 3 and bounds[2] == 0:
        raise Refused(TYPE, "the step of a range is not 0")
    return range(*bounds)


def sized(machine: Machine, value: Any) -> Any:
    """Return what `value` yields, as something with a length."""
    return records_of(machine, value) if type(value) is Selection else value


def enumerate_of(machine: Machine, value: Any) -> Pairs:
    items = sized(machine, value)
    _charge_keys(machine, items)
    return Pairs(length(machine, items), lambda: enumerate(_walkable(items)))


def zip_of(machine: Machine, *values: Any) -> Pairs:
    groups = [sized(machine, value) for value in values]
    for group in groups:
        _charge_keys(machine, group)
    shortest = min(length(machine, group) for group in groups)
    return Pairs(shortest, lambda: zip(*[_walkable(group) for group in groups], strict=False))


def list_of(machine: Machine, *values: Any) -> list[Any]:
    if not values:
        return []
    items = sized(machine, values[0])
    items_of(machine, length(machine, items))
    return list(pairs_of(machine, items))


def dict_of(machine: Machine, *values: Any) -> dict[Any, Any]:
    if not values:
        return {}
    if type(values[0]) is not dict:
        raise Refused(TYPE, "dict takes a dict")
    items_of(machine, len(values[0]))
    return dict(values[0])


def scalars(machine: Machine, value: Any) -> Any:
    """Return the items of a value that is consumed whole: its length is paid for first."""
    items = sized(machine, value)
    machine.charge(gas.ITEM * length(machine, items))
    return pairs_of(machine, items)


def sum_of(machine: Machine, value: Any) -> Any:
    result: Any = 0
    for part in scalars(machine, value):
        if type(part) is int and type(result) is int:
            result += part
        elif type(result) is int and result == 0 and type(part) in (Money, Rate):
            result = part
        else:
            result = add(machine, result, part)
        if type(result) not in (int, Money, Rate):
            raise Refused(TYPE, "sum takes numbers or amounts")
    return result


def min_of(machine: Machine, *values: Any) -> Any:
    return _extreme(machine, values, less)


def max_of(machine: Machine, *values: Any) -> Any:
    return _extreme(machine, values, greater)


def _extreme(machine: Machine, values: tuple[Any, ...], better: Callable[[Machine, Any, Any], bool]) -> Any:
    items = values if len(values) > 1 else scalars(machine, values[0])
    best: Any = None
    for number, part in enumerate(items):
        if number == 0:
            require_order(machine, part, part, "<")
            best = part
        elif better(machine, part, best):
            best = part
    if best is None:
        raise Refused(TYPE, "min and max take at least one value")
    return best


def sorted_of(machine: Machine, value: Any) -> list[Any]:
    items = list_of(machine, value)
    machine.charge(gas.ITEM * len(items) * max(1, len(items).bit_length()))
    for part in items:
        require_order(machine, part, items[0], "<")
    return sorted(items)


def int_of(machine: Machine, value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is not str or not value.isascii():
        raise Refused(TYPE, f"int takes digits, not {shown(value)}")
    digits = value.removeprefix("-")
    if not digits.isdigit():
        raise Refused(TYPE, f"int takes digits, not {shown(value)}")
    if len(digits) > _DIGITS_MAX:
        raise Refused(VALUE_SIZE, f"a number has at most {INTEGER_BITS_MAX} bits")
    machine.charge(1 + len(digits) // gas.BYTES_PER_GAS)
    number = int(value)
    number_of(machine, number.bit_length())
    return number


def text_from(machine: Machine, value: Any) -> str:
    """`str(value)` and what stands in the braces of an f-string."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int:
        number_of(machine, value.bit_length())
        return str(value)
    if kind is Money or kind is Day or kind is Rate:
        machine.charge(20)
        return str(value)
    if kind is Member:
        return value.name  # type: ignore[no-any-return]
    if kind is bytes:
        text_of(machine, 2 * len(value))
        return value.hex()  # type: ignore[no-any-return]
    raise Refused(TYPE, f"{shown(value)} is not written as text")


def formatted(machine: Machine, *parts: Any) -> str:
    """An f-string."""
    texts = [text_from(machine, part) for part in parts]
    text_of(machine, sum(map(len, texts)))
    return "".join(texts)


def distributed(machine: Machine, amount: Any, weights: Any) -> list[Money]:
    if type(amount) is not Money or type(weights) not in (list, tuple):
        raise Refused(TYPE, "distribute takes an amount and a list of whole numbers")
    items_of(machine, len(weights))
    machine.charge(gas.EXCHANGE * len(weights))
    for weight in weights:
        if type(weight) is not int or weight.bit_length() > 64:
            raise Refused(TYPE, "weights are whole numbers of at most 64 bits")
    return distribute(amount, list(weights))
