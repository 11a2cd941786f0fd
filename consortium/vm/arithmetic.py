"""Operators on values whose types are not proved, or whose results can grow: arithmetic and comparison.

Emitted code calls these; where the local type pass proves an operator harmless, Python's own stands there.
"""

from collections.abc import Callable
from typing import Any

from consortium.money import Day, Money, MoneyError, Rate
from consortium.vm import gas
from consortium.vm.conversion import shown
from consortium.vm.exceptions import DATE, TYPE, VALUE_SIZE, ZERO_DIVISION, Refused
from consortium.vm.machine import Machine
from consortium.vm.values import Member, RecordValue, Structure
from consortium.vm.walks import SCALARS, items_of, number_of, store_check, text_of, walk

_RATE_BITS_MAX = 128
_ORDERED = frozenset({int, str, Money, Day, Rate, bytes})


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
    raise no_operator("+", left, right)


def add_in_place(machine: Machine, left: Any, right: Any) -> Any:
    """`left += right`: a list grows itself, everything else is replaced."""
    if type(left) is not list:
        return add(machine, left, right)
    if type(right) is not list and type(right) is not tuple:
        raise no_operator("+=", left, right)
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
    raise no_operator("-", left, right)


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
    raise no_operator("*", left, right)


def floor_divide(machine: Machine, left: Any, right: Any) -> Any:
    kind, other = type(left), type(right)
    if other is int and (kind is int or kind is Money):
        if right == 0:
            raise Refused(ZERO_DIVISION, "a number is divided by 0")
        if kind is Money:
            return Money(left.minor // right, left.currency)
        number_of(machine, max(left.bit_length(), right.bit_length()))
        return left // right
    raise no_operator("//", left, right)


def remainder(machine: Machine, left: Any, right: Any) -> Any:
    if type(left) is int and type(right) is int:
        if right == 0:
            raise Refused(ZERO_DIVISION, "a number is divided by 0")
        number_of(machine, max(left.bit_length(), right.bit_length()))
        return left % right
    raise no_operator("%", left, right)


def power(machine: Machine, left: Any, exponent: int) -> Any:
    if type(left) is not int:
        raise no_operator("**", left, exponent)
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


def no_operator(operator: str, left: Any, right: Any) -> Refused:
    return Refused(TYPE, f"{operator} does not take {shown(left)} and {shown(right)}")


# --- comparison ----------------------------------------------------------------------------------------


def equal(machine: Machine, left: Any, right: Any) -> bool:
    kind, other = type(left), type(right)
    if kind is str and other is str:
        machine.charge(1 + min(len(left), len(right)) // gas.BYTES_PER_GAS)
        return left == right  # type: ignore[no-any-return]
    if kind in SCALARS and other in SCALARS:
        return _same_scalar(left, right)
    if kind in (list, tuple, dict) or other in (list, tuple, dict):
        walk(machine, left)
        walk(machine, right)
        return _same(left, right)
    if isinstance(left, Structure) or isinstance(right, Structure):
        if left is None or right is None:
            return False
        raise Refused(TYPE, "records are compared by their ids and fields")
    raise no_operator("==", left, right)


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
    if type(left) in SCALARS and type(right) in SCALARS:
        return _same_scalar(left, right)
    if isinstance(left, Structure) and isinstance(right, Structure):
        raise Refused(TYPE, "records are compared by their ids and fields")
    return False


def less(machine: Machine, left: Any, right: Any) -> bool:
    require_order(machine, left, right, "<")
    return bool(left < right)


def less_or_equal(machine: Machine, left: Any, right: Any) -> bool:
    require_order(machine, left, right, "<=")
    return bool(left <= right)


def greater(machine: Machine, left: Any, right: Any) -> bool:
    require_order(machine, left, right, ">")
    return bool(left > right)


def greater_or_equal(machine: Machine, left: Any, right: Any) -> bool:
    require_order(machine, left, right, ">=")
    return bool(left >= right)


def require_order(machine: Machine, left: Any, right: Any, operator: str) -> None:
    kind, other = type(left), type(right)
    if kind is str and other is str:
        machine.charge(1 + min(len(left), len(right)) // gas.BYTES_PER_GAS)
        return
    if kind in _ORDERED and (
        kind is other or (kind in (Money, Rate) and other is int) or (other in (Money, Rate) and kind is int)
    ):
        return
    raise no_operator(operator, left, right)


def contains(machine: Machine, item: Any, container: Any) -> bool:
    """`item in container`."""
    kind = type(container)
    if kind is str:
        if type(item) is not str:
            raise Refused(TYPE, "a text holds only texts")
        machine.charge(1 + (len(container) + len(item)) // gas.BYTES_PER_GAS)
        return item in container
    if kind is dict:
        return dict_key(item) in container
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


def dict_key(value: Any) -> Any:
    if type(value) in (str, int, bytes, Day, Member):
        return value
    raise Refused(TYPE, f"{shown(value)} is no key of a dict")
