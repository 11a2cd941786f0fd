# ruff: noqa: SLF001  what the engine keeps on a record begins with '_', because no contract can name that
"""Who may call, and calls from contract to contract.

A transaction's own call is authorised by its sender and signers; a call from a contract by that contract's
name and source hash, as the genesis bound them. The signers of the transaction stay visible to the callee but
authorise nothing there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from consortium.money import Day, Money, Rate
from consortium.vm import gas, store, walks
from consortium.vm.bound import BoundContract, Entry
from consortium.vm.conversion import Converter, shown
from consortium.vm.declarations import RoleTest, UsedContract
from consortium.vm.exceptions import (
    ARGS,
    CALL_DEPTH,
    CONSENT,
    KEY,
    NOT_OWNER,
    REENTRANT,
    ROLE,
    TYPE,
    Refused,
)
from consortium.vm.language import CALL_DEPTH_MAX, TEXT_BYTES_MAX
from consortium.vm.machine import Machine
from consortium.vm.types import TEXT_KINDS, Type
from consortium.vm.values import Member, RecordValue, Structure


def authorise(machine: Machine, entry: Entry, arguments: list[Any]) -> None:
    """Test the sender against `by=` and the signatures against `agreed_by=`, before the body runs."""
    if entry.by:
        record = None
        for authority in entry.by:
            if isinstance(authority, RoleTest):
                if has_role(machine, machine.sender, authority):
                    break
                continue
            record = record or _record_of(machine, entry, authority, arguments)
            value = _named(entry, authority, arguments, record)
            if value is not None and value == machine.sender:
                break
        else:
            code = entry.code or (NOT_OWNER if entry.by == ("holder",) else ROLE)
            raise Refused(code, f"{machine.sender} is not {_who(entry)}")
    elif entry.by_contract:
        raise Refused(entry.code or ROLE, f"{entry.name} is called by {', '.join(entry.by_contract)} only")
    for name in entry.agreed_by:
        value = _named(entry, name, arguments, _record_of(machine, entry, name, arguments))
        for party in value if type(value) is list or type(value) is tuple else (value,):
            if party not in machine.signers:
                raise Refused(CONSENT, f"{shown(party)} ({name}) has not signed this transaction")


def has_role(machine: Machine, party: str | None, test: RoleTest) -> bool:
    organisation = None if party is None else machine.organisations.organisation(party)
    return organisation is not None and organisation.kind in test.kinds


def call_contract(machine: Machine, used: UsedContract, name: str, given: dict[str, Any]) -> Any:
    """`other.call("action", ...)`: run an action or query of another contract inside this transaction."""
    machine.charge(gas.CALL + gas.ARGUMENT * len(given))
    caller = machine.frames[-1]
    callee: BoundContract | None = machine.contracts.find(used.contract, used.version)
    entry = None if callee is None else callee.entries.get(name)
    if callee is None or entry is None or entry.kind not in {"action", "query"}:
        raise Refused(ARGS, f"there is no {used.contract}@{used.version}.{name} to call")
    if any(frame.name == callee.name for frame in machine.frames):
        raise Refused(REENTRANT, f"{callee.name} is already at work in this transaction")
    if len(machine.frames) >= CALL_DEPTH_MAX:
        raise Refused(CALL_DEPTH, f"contracts call each other at most {CALL_DEPTH_MAX} deep")
    if entry.by_contract and caller.name in entry.by_contract and machine.contracts.is_bound(caller):
        pass
    elif entry.by or entry.by_contract or entry.agreed_by:
        raise Refused(entry.code or ROLE, f"{caller.name} may not call {callee.name}.{name}")
    arguments = _passed(machine, entry, given)
    was_read_only = machine.is_read_only
    machine.is_read_only = was_read_only or entry.kind == "query"
    machine.frames.append(callee)
    result = entry.function(machine, *arguments)
    machine.frames.pop()
    machine.is_read_only = was_read_only
    return _copied(machine, result)


def _record_of(machine: Machine, entry: Entry, name: str, arguments: list[Any]) -> Any:
    if name in entry.parameters:
        return None
    assert entry.collection is not None, "the check finds the collection of a field"
    key = arguments[0] if entry.key_length == 1 else tuple(arguments[: entry.key_length])
    record = store.find(machine, entry.collection, key)
    if record is None:
        raise Refused(KEY, f"there is no {entry.collection.record.declared.name} {shown(key)}")
    return record


def _named(entry: Entry, name: str, arguments: list[Any], record: Any) -> Any:
    if name in entry.parameters:
        return arguments[entry.parameters.index(name)]
    return getattr(record, name)


def _who(entry: Entry) -> str:
    return " or ".join(
        f"a {' or '.join(item.kinds)}" if isinstance(item, RoleTest) else f"the {item}" for item in entry.by
    )


def _passed(machine: Machine, entry: Entry, given: dict[str, Any]) -> list[Any]:
    """Check and copy the arguments of a call between contracts."""
    names = entry.parameters
    for name in given:
        if name not in names:
            raise Refused(ARGS, f"{entry.name} has no argument '{name}'")
    required = len(names) - len(entry.defaults)
    arguments: list[Any] = []
    for position, (name, converter) in enumerate(zip(names, entry.converters, strict=True)):
        if name in given:
            arguments.append(_pass_one(machine, converter, given[name]))
        elif position >= required:
            default = entry.defaults[position - required]
            arguments.append(None if default is None else converter.decode(machine, default))
        else:
            raise Refused(ARGS, f"{entry.name} needs '{name}'")
    return arguments


def _pass_one(machine: Machine, converter: Converter, value: Any) -> Any:
    kind = converter.type.kind
    if kind == "list":
        walks.walk(machine, value)
        # Checked, then read back from its encoded form: a copy that shares nothing.
        return converter.decode(machine, converter.encode(converter.check(machine, value)))
    if kind in {"choice", "status"}:
        return converter.decode(machine, value.name if type(value) is Member else value)
    return converter.check(machine, value)


def _copied(machine: Machine, value: Any) -> Any:
    """Return a result as the caller may have it: plain values, fresh lists and dicts, no records."""
    if type(value) not in (list, tuple, dict):
        if isinstance(value, RecordValue):
            raise Refused(TYPE, "a call gives plain values: return the record's id or fields")
        return value
    walks.walk(machine, value)
    return _copy(value)


def _copy(value: Any) -> Any:
    if type(value) is list or type(value) is tuple:
        return [_copy(item) for item in value]
    if type(value) is dict:
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, RecordValue):
        raise Refused(TYPE, "a call gives plain values: return the record's id or fields")
    return value


# --- tests at the borders of helpers ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Guard:
    """A declared type of a helper's parameter or result, as emitted code tests it."""

    type: Type
    admits: Callable[[Any], bool]


def guard_of(kind: Type) -> Guard:
    """Return the test of a declared type; it proves what the local type pass assumes of such a value."""
    name, limit = kind.name, kind.length or TEXT_BYTES_MAX
    if kind.kind in {"id", "party"}:
        limit = 255
    tests: dict[str, Callable[[Any], bool]] = {
        "choice": lambda value: type(value) is Member and value.owner == name,
        "status": lambda value: type(value) is Member and value.owner == name,
        "record": lambda value: isinstance(value, RecordValue) and name == type(value)._NAME,
        "value": lambda value: isinstance(value, Structure) and name == type(value)._NAME,
        "list": lambda value: type(value) is list or type(value) is tuple,
    }
    if kind.kind in TEXT_KINDS:
        return Guard(kind, lambda value: type(value) is str and len(value) <= limit)
    if kind.kind in tests:
        return Guard(kind, tests[kind.kind])
    wanted = _PYTHON_TYPES[kind.kind]
    return Guard(kind, lambda value: type(value) is wanted)


def guard(_machine: Machine, value: Any, test: Guard) -> Any:
    """Return `value` if it is of the declared type. Raises Refused (E-TYPE) otherwise."""
    if (value is None and test.type.optional) or test.admits(value):
        return value
    raise Refused(TYPE, f"{test.type} is wanted, not {shown(value)}")


_PYTHON_TYPES: dict[str, type] = {
    "bool": bool,
    "day": Day,
    "dict": dict,
    "hash": bytes,
    "int": int,
    "money": Money,
    "nothing": type(None),
    "rate": Rate,
}
