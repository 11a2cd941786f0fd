"""Sizes and walks: what may be built, and what looking at a whole value costs.

Every charged function works in this order: result size, value limit, charge, work. So a result over the limit
is E-VALUE-SIZE and costs no time.
"""

from typing import Any

from consortium.money import Day, Money, Rate
from consortium.vm import gas
from consortium.vm.conversion import shown
from consortium.vm.exceptions import TYPE, VALUE_DEPTH, VALUE_SIZE, Refused
from consortium.vm.language import DEPTH_MAX, INTEGER_BITS_MAX, ITEMS_MAX, TEXT_BYTES_MAX
from consortium.vm.machine import Machine
from consortium.vm.values import Member, Structure, shown_fields, to_plain

# The answer of a query is not part of the ledger and may be longer than a value in it.
ANSWER_BYTES_MAX = 4 * 1024 * 1024
# Values without parts.
SCALARS = frozenset({int, str, bool, bytes, type(None), Money, Day, Rate, Member})


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
    elif kind in SCALARS:
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
