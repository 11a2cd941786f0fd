# ruff: noqa: SLF001  what the engine keeps on a record begins with '_', because no contract can name that
"""The charged functions behind operators, Python's builtins and the methods of plain values.

Everything that grows, scans or compares something whose size code can choose comes through here, in this
order: result size, value limit, charge, work. So a result over the limit is E-VALUE-SIZE and costs no time.
Emitted code calls these; where the local type pass proves an operator harmless it stands there itself.
"""

from collections.abc import Callable
from typing import Any

from consortium.money import Day, Money, MoneyError, Rate, distribute
from consortium.vm import gas
from consortium.vm.conversion import shown
from consortium.vm.exceptions import DATE, LOOP_CHANGE, TYPE, VALUE_DEPTH, VALUE_SIZE, ZERO_DIVISION, Refused
from consortium.vm.language import DEPTH_MAX, INTEGER_BITS_MAX, ITEMS_MAX, TEXT_BYTES_MAX
from consortium.vm.machine import Machine
from consortium.vm.select import Selection, records_of
from consortium.vm.values import Member, Pairs, RecordValue, Structure, shown_fields, to_plain

_DIGITS_MAX = 1300
_RATE_BITS_MAX = 128
# The answer of a query is not part of the ledger and may be longer than a value in it.
ANSWER_BYTES_MAX = 4 * 1024 * 1024
_SCALARS = (int, str, bool, bytes, type(None), Money, Day, Rate, Member)
_SCALAR_SET = frozenset(_SCALARS)
_ORDERED = frozenset({int, str, Money, Day, Rate, bytes})


# --- sizes --------------------------------------------------------------------------------------------------


def text_of(machine: Machine, size: int) -> None:
    """Admit a text of so many characters and charge for building it."""
    if size > TEXT_BYTES_MAX:
        raise Refused(VALUE_SIZE, "a text has at most 64 KB")
    machine.charge(1 + size // gas.BYTES_PER_GAS)


def items_of(machine: Machine, count: int) -> None:
    """Admit a list or dict of so many items and charge for building it."""
    if count > ITEMS_MAX:
        raise Refused(VALUE_SIZE, f"a list or dict has at most {ITEMS_MAX} items")
    machine.charge(gas.ITEM * count)


def number_of(machine: Machine, bits: int) -> None:
    """Admit a number of so many bits and charge for computing it."""
    if bits > INTEGER_BITS_MAX:
        raise Refused(VALUE_SIZE, f"a number has at most {INTEGER_BITS_MAX} bits")
    machine.charge(1 + bits // gas.BIG_NUMBER_BITS)


def store_check(machine: Machine, value: Any, container: Any = None) -> None:
    """Admit `value` as an item of a container: no cycle, bounded depth and size, bounded numbers.

    As in every walk, a part shared twice counts twice.
    """
    kind = type(value)
    if kind is int:
        if value.bit_length() > INTEGER_BITS_MAX:
            raise Refused(VALUE_SIZE, f"a number has at most {INTEGER_BITS_MAX} bits")
    elif kind is list or kind is dict or kind is tuple:
        _store_walk(machine, value, container, 2, [TEXT_BYTES_MAX])


def _store_walk(machine: Machine, value: Any, container: Any, depth: int, left: list[int]) -> None:
    if value is container or depth > DEPTH_MAX:
        raise Refused(VALUE_DEPTH, f"values are nested at most {DEPTH_MAX} deep")
    cost = 1 + len(value)
    left[0] -= cost
    if left[0] < 0:
        raise Refused(VALUE_SIZE, f"what is stored has at most {TEXT_BYTES_MAX} parts")
    machine.charge(cost)
    for part in value.values() if type(value) is dict else value:
        kind = type(part)
        if kind is list or kind is dict or kind is tuple:
            _store_walk(machine, part, container, depth + 1, left)


def plain_form(machine: Machine, value: Any) -> Any:
    """Walk a value and return the self-describing form in which results and events carry it."""
    kind = type(value)
    if kind is str:
        if len(value) > TEXT_BYTES_MAX:
            raise Refused(VALUE_SIZE, "a value has at most 64 KB")
        machine.charge(gas.ITEM + len(value) // gas.BYTES_PER_GAS)
        return value
    walk(machine, value)
    return to_plain(value)


def walk(machine: Machine, value: Any, limit: int = TEXT_BYTES_MAX) -> None:
    """Look at a value as a tree before it is compared, encoded or passed on; shared parts count twice."""
    _walk(machine, value, 1, [limit])


def _walk(machine: Machine, value: Any, depth: int, left: list[int]) -> None:
    kind = type(value)
    if kind is list or kind is tuple:
        if depth > DEPTH_MAX:
            raise Refused(VALUE_DEPTH, f"values are nested at most {DEPTH_MAX} deep")
        _visit(machine, left, 1)
        for item in value:
            _walk(machine, item, depth + 1, left)
    elif kind is dict:
        if depth > DEPTH_MAX:
            raise Refused(VALUE_DEPTH, f"values are nested at most {DEPTH_MAX} deep")
        _visit(machine, left, 1)
        for key, item in value.items():
            _walk(machine, key, depth + 1, left)
            _walk(machine, item, depth + 1, left)
    elif kind is str or kind is bytes:
        _visit(machine, left, 1 + len(value))
    elif kind is int:
        _visit(machine, left, 1 + value.bit_length() // 8)
    elif kind in _SCALAR_SET:
        _visit(machine, left, 8)
    elif isinstance(value, Structure):
        _visit(machine, left, 8)
        for name in shown_fields(value):
            _walk(machine, getattr(value, name), depth + 1, left)
    else:
        raise Refused(TYPE, f"{shown(value)} is not a plain value")


def _visit(machine: Machine, left: list[int], size: int) -> None:
    left[0] -= size
    if left[0] < 0:
        raise Refused(VALUE_SIZE, "a value has at most 64 KB")
    machine.charge(gas.ITEM + size // gas.BYTES_PER_GAS)


# --- arithmetic ---------------------------------------------------------------------------------------------


def add(machine: Machine, left: Any, right: Any) -> Any:
    kind, other = type(left), type(right)
    if kind is Money and other is Money:
        return _money(left, right, left.minor + right.minor)
    if kind is int and other is int:
        return left + right
    if kind is Day and other is int:
        return day_after(left, right)
    if kind is str and other is str:
        text_of(machine, len(left) + len(right))
        return left + right
    if kind is Rate and other is Rate:
        return _rate(machine, lambda: left + right)
    if (kind is list or kind is tuple) and (other is list or other is tuple):
        items_of(machine, len(left) + len(right))
        return [*left, *right]
    raise _no_operator("+", left, right)


def add_in_place(machine: Machine, left: Any, right: Any) -> Any:
    """`left += right`: a list grows itself, everything else is replaced."""
    if type(left) is not list:
        return add(machine, left, right)
    if type(right) is not list and type(right) is not tuple:
        raise _no_operator("+=", left, right)
    items_of(machine, len(left) + len(right))
    for part in right:
        store_check(machine, part, left)
    left.extend(right)
    return left


def subtract(machine: Machine, left: Any, right: Any) -> Any:
    kind, other = type(left), type(right)
    if kind is Money and other is Money:
        return _money(left, right, left.minor - right.minor)
    if kind is int and other is int:
        return left - right
    if kind is Day and other is Day:
        return left - right
    if kind is Day and other is int:
        return day_after(left, -right)
    if kind is Rate and other is Rate:
        return _rate(machine, lambda: left - right)
    raise _no_operator("-", left, right)


def multiply(machine: Machine, left: Any, right: Any) -> Any:
    kind, other = type(left), type(right)
    if kind is int and other is int:
        number_of(machine, left.bit_length() + right.bit_length() if left and right else 0)
        return left * right
    if kind is Money and other is int:
        return _money(left, left, left.minor * _small(right))
    if kind is int and other is Money:
        return _money(right, right, right.minor * _small(left))
    if kind is Rate and other is int:
        return _rate(machine, lambda: left * _small(right))
    if kind is int and other is Rate:
        return _rate(machine, lambda: right * _small(left))
    if kind is int and other in (str, list, tuple):
        left, right, kind, other = right, left, other, kind
    if other is int and kind is str:
        text_of(machine, len(left) * max(right, 0))
        return left * right
    if other is int and (kind is list or kind is tuple):
        items_of(machine, len(left) * max(right, 0))
        return list(left) * right
    raise _no_operator("*", left, right)


def floor_divide(machine: Machine, left: Any, right: Any) -> Any:
    kind, other = type(left), type(right)
    if other is int and (kind is int or kind is Money):
        if right == 0:
            raise Refused(ZERO_DIVISION, "a number is divided by 0")
        if kind is Money:
            return Money(left.minor // right, left.currency)
        number_of(machine, max(left.bit_length(), right.bit_length()))
        return left // right
    raise _no_operator("//", left, right)


def remainder(machine: Machine, left: Any, right: Any) -> Any:
    if type(left) is int and type(right) is int:
        if right == 0:
            raise Refused(ZERO_DIVISION, "a number is divided by 0")
        number_of(machine, max(left.bit_length(), right.bit_length()))
        return left % right
    raise _no_operator("%", left, right)


def power(machine: Machine, left: Any, exponent: int) -> Any:
    if type(left) is not int:
        raise _no_operator("**", left, exponent)
    # The least the result can have: what is above the limit here is above it in truth.
    bits = (left.bit_length() - 1) * exponent if left not in (0, 1, -1) else 0
    number_of(machine, bits)
    result = left**exponent
    number_of(machine, result.bit_length())
    return result


def negative(_machine: Machine, value: Any) -> Any:
    if type(value) is int or type(value) is Money:
        return -value
    raise Refused(TYPE, f"- takes a number or an amount, not {shown(value)}")


def day_after(day: Day, days: int) -> Day:
    """Return the day so many days later. Raises Refused (E-DATE) beyond the year 9999."""
    try:
        return Day(day.ordinal + days)
    except MoneyError as error:
        raise Refused(DATE, str(error)) from None


def _money(left: Money, right: Money, minor: int) -> Money:
    if left.currency != right.currency:
        raise Refused(TYPE, f"{left.currency} and {right.currency} cannot be added")
    try:
        return Money(minor, left.currency)
    except MoneyError as error:
        raise Refused(VALUE_SIZE, str(error)) from None


def _rate(machine: Machine, compute: Callable[[], Rate]) -> Rate:
    machine.charge(gas.EXCHANGE)
    try:
        result = compute()
    except MoneyError as error:
        raise Refused(VALUE_SIZE, str(error)) from None
    if result.numerator.bit_length() > _RATE_BITS_MAX:
        raise Refused(VALUE_SIZE, f"a rate has at most {_RATE_BITS_MAX} bits above the line")
    return result


def _small(number: int) -> int:
    if number.bit_length() > 64:
        raise Refused(VALUE_SIZE, "an amount or rate is multiplied by at most 64 bits")
    return number


def _no_operator(operator: str, left: Any, right: Any) -> Refused:
    return Refused(TYPE, f"{operator} does not take {shown(left)} and {shown(right)}")


# --- comparison ---------------------------------------------------------------------------------------------


def equal(machine: Machine, left: Any, right: Any) -> bool:
    kind, other = type(left), type(right)
    if kind is str and other is str:
        machine.charge(1 + min(len(left), len(right)) // gas.BYTES_PER_GAS)
        return left == right  # type: ignore[no-any-return]
    if kind in _SCALAR_SET and other in _SCALAR_SET:
        return _same_scalar(left, right)
    if kind in (list, tuple, dict) or other in (list, tuple, dict):
        walk(machine, left)
        walk(machine, right)
        return _same(left, right)
    if isinstance(left, Structure) or isinstance(right, Structure):
        if left is None or right is None:
            return False
        raise Refused(TYPE, "records are compared by their ids and fields")
    raise _no_operator("==", left, right)


def not_equal(machine: Machine, left: Any, right: Any) -> bool:
    return not equal(machine, left, right)


def _same_scalar(left: Any, right: Any) -> bool:
    if type(left) is type(right):
        return bool(left == right)
    # True is not 1 here; an amount may be compared with the plain 0.
    if bool in (type(left), type(right)):
        return False
    return bool(left == right)


def _same(left: Any, right: Any) -> bool:
    """Compare walked values: bounded in depth and size."""
    if type(left) in (list, tuple) and type(right) in (list, tuple):
        return len(left) == len(right) and all(_same(a, b) for a, b in zip(left, right, strict=True))
    if type(left) is dict and type(right) is dict:
        return len(left) == len(right) and all(
            key in right and _same(item, right[key]) for key, item in left.items()
        )
    if type(left) in _SCALAR_SET and type(right) in _SCALAR_SET:
        return _same_scalar(left, right)
    if isinstance(left, Structure) and isinstance(right, Structure):
        raise Refused(TYPE, "records are compared by their ids and fields")
    return False


def less(machine: Machine, left: Any, right: Any) -> bool:
    _ordered(machine, left, right, "<")
    return bool(left < right)


def less_or_equal(machine: Machine, left: Any, right: Any) -> bool:
    _ordered(machine, left, right, "<=")
    return bool(left <= right)


def greater(machine: Machine, left: Any, right: Any) -> bool:
    _ordered(machine, left, right, ">")
    return bool(left > right)


def greater_or_equal(machine: Machine, left: Any, right: Any) -> bool:
    _ordered(machine, left, right, ">=")
    return bool(left >= right)


def _ordered(machine: Machine, left: Any, right: Any, operator: str) -> None:
    kind, other = type(left), type(right)
    if kind is str and other is str:
        machine.charge(1 + min(len(left), len(right)) // gas.BYTES_PER_GAS)
        return
    if kind in _ORDERED and (
        kind is other or (kind in (Money, Rate) and other is int) or (other in (Money, Rate) and kind is int)
    ):
        return
    raise _no_operator(operator, left, right)


def contains(machine: Machine, item: Any, container: Any) -> bool:
    """`item in container`."""
    kind = type(container)
    if kind is str:
        if type(item) is not str:
            raise Refused(TYPE, "a text holds only texts")
        machine.charge(1 + (len(container) + len(item)) // gas.BYTES_PER_GAS)
        return item in container
    if kind is dict:
        return _key(item) in container
    if kind is list or kind is tuple:
        machine.charge(gas.ITEM * len(container))
        return any(equal(machine, item, part) for part in container)
    if kind is range:
        return type(item) is int and item in container
    raise Refused(TYPE, f"in does not take {shown(container)}")


def truth(_machine: Machine, value: Any) -> bool:
    """Tell whether a value counts as true. An amount does not say so: compare it with 0."""
    if type(value) is bool:
        return value
    if value is None:
        return False
    if type(value) in (int, str, list, tuple, dict, range):
        return bool(value)
    if isinstance(value, RecordValue) or type(value) in (Day, Member, bytes):
        return True
    raise Refused(TYPE, f"{shown(value)} is neither true nor false: write a comparison")


# --- items --------------------------------------------------------------------------------------------------


def item(machine: Machine, container: Any, index: Any) -> Any:
    """`container[index]`."""
    kind = type(container)
    if kind is dict:
        return container[_key(index)]
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
        key = _key(index)
        if len(container) >= ITEMS_MAX and key not in container:
            raise Refused(VALUE_SIZE, f"a list or dict has at most {ITEMS_MAX} items")
        machine.charge(gas.ITEM + (len(key) // gas.BYTES_PER_GAS if type(key) is str else 0))
        container[key] = value
    else:
        raise Refused(TYPE, f"items of {shown(container)} cannot be set")


def set_item_value_first(machine: Machine, value: Any, container: Any, index: Any) -> None:
    """An assignment statement computes its value before its target."""
    set_item(machine, container, index, value)


def _key(value: Any) -> Any:
    if type(value) in (str, int, bytes, Day, Member):
        return value
    raise Refused(TYPE, f"{shown(value)} is no key of a dict")


def display(machine: Machine, items: Any) -> Any:
    """A list, tuple or dict as it was just written down."""
    items_of(machine, len(items))
    if type(items) is dict:
        for key, value in items.items():
            _key(key)
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
    kind = type(value)
    if kind in (list, tuple, range, Pairs):
        return value
    if kind is str:
        return value
    if kind is dict:
        items_of(machine, len(value))
        return _guarded(value)
    if kind is Selection:
        return records_of(machine, value)
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


# --- the builtins -------------------------------------------------------------------------------------------


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
    return Pairs(length(machine, items), lambda: enumerate(pairs_of(machine, items)))


def zip_of(machine: Machine, *values: Any) -> Pairs:
    groups = [sized(machine, value) for value in values]
    shortest = min(length(machine, group) for group in groups)
    return Pairs(shortest, lambda: zip(*[pairs_of(machine, group) for group in groups], strict=False))


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
            _ordered(machine, part, part, "<")
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
        _ordered(machine, part, items[0], "<")
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


PYTHON_TYPES: dict[str, type] = {
    "bool": bool,
    "day": Day,
    "dict": dict,
    "hash": bytes,
    "int": int,
    "money": Money,
    "nothing": type(None),
    "rate": Rate,
}
