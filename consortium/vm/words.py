"""The words of the authoring API at run time: `require`, `emit`, `today`, `sender` and the others.

Each takes the machine first. What they say to contract authors is in `consortium.contract.words`.
"""

from typing import Any, NoReturn

from consortium.money import Day, Money, Rate
from consortium.vm import arithmetic, builtins, gas, walks
from consortium.vm.conversion import shown
from consortium.vm.exceptions import DATE, TYPE, Refused
from consortium.vm.machine import Machine
from consortium.vm.values import Structure

_YEARS_WALKED_MAX = 4000  # banking days that one call may step over


def fail(_machine: Machine, code: str, text: Any = "") -> NoReturn:
    raise Refused(code, text if type(text) is str else shown(text))


def emit(machine: Machine, name: str, fields: dict[str, Any]) -> None:
    """Append an event: (contract, name, ((field, plain value), ...))."""
    machine.charge(gas.EVENT)
    parts: list[tuple[str, Any]] = []
    for field, value in fields.items():
        if isinstance(value, Structure):
            raise Refused(TYPE, "an event carries plain values: give the record's id")
        parts.append((field, walks.plain_form(machine, value)))
    machine.events.append((machine.frames[-1].name, name, tuple(parts)))


def today(machine: Machine) -> Day:
    return machine.day


def value_day(machine: Machine) -> Day:
    # Due work belongs to its own day: what it does has value that day, or the next banking day.
    calendar = machine.calendar
    return calendar.roll(machine.day) if machine.is_due else calendar.value_day(machine.time_us)


def before_cut_off(machine: Machine) -> bool:
    return True if machine.is_due else machine.calendar.before_cut_off(machine.time_us)


def banking_day(machine: Machine, day: Any, rule: Any = "following") -> Day:
    if type(day) is not Day or type(rule) is not str:
        raise Refused(TYPE, f"banking_day takes a day and a rule, not {shown(day)}")
    if rule not in ("following", "modified", "preceding"):
        raise Refused(DATE, f"'{rule}' is not following, modified or preceding")
    machine.charge(gas.CALENDAR_DAY)
    return machine.calendar.roll(day, rule)


def add_banking_days(machine: Machine, day: Any, count: Any) -> Day:
    if type(day) is not Day or type(count) is not int:
        raise Refused(TYPE, f"add_banking_days takes a day and a number, not {shown(day)} and {shown(count)}")
    if abs(count) > _YEARS_WALKED_MAX:
        raise Refused(DATE, f"{count} banking days are too many to count")
    machine.charge(gas.CALENDAR_DAY * (1 + abs(count)))
    return machine.calendar.add_banking_days(day, count)


def is_banking_day(machine: Machine, day: Any) -> bool:
    if type(day) is not Day:
        raise Refused(TYPE, f"is_banking_day takes a day, not {shown(day)}")
    machine.charge(gas.CALENDAR_DAY)
    return machine.calendar.is_banking_day(day)


def sender(machine: Machine) -> str:
    return machine.require_sender()


def signers(machine: Machine) -> tuple[str, ...]:
    return machine.signers


def caller(machine: Machine) -> str | None:
    frames = machine.frames
    return frames[-2].name if len(frames) > 1 else None


def own_id(machine: Machine, number: Any) -> str:
    if type(number) is not str:
        raise Refused(TYPE, f"own_id takes text, not {shown(number)}")
    walks.text_of(machine, len(number) + 40)
    return f"{machine.require_sender()}/{number}"


def access_bank(machine: Machine, party: Any) -> str:
    bank = machine.organisations.access_bank(party) if type(party) is str else None
    if bank is None:
        raise Refused(TYPE, f"{shown(party)} is no party of the consortium")
    return bank


def is_bank(machine: Machine, party: Any) -> bool:
    return _is_kind(machine, party, "bank")


def is_company(machine: Machine, party: Any) -> bool:
    return _is_kind(machine, party, "company")


def _is_kind(machine: Machine, party: Any, kind: str) -> bool:
    organisation = machine.organisations.organisation(party) if type(party) is str else None
    return organisation is not None and organisation.kind == kind


def total(machine: Machine, items: Any, field: Any) -> Any:
    """Sum one field over records or values; of none it is 0."""
    result: Any = 0
    for number, part in enumerate(builtins.scalars(machine, items)):
        value = builtins.attribute(machine, part, field)
        if type(value) not in (int, Money, Rate):
            raise Refused(TYPE, f"'{field}' is not a number or an amount")
        result = value if number == 0 else arithmetic.add(machine, result, value)
    return result
