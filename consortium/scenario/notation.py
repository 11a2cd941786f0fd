"""The notations of a scenario file: amounts, rates, days, durations, business times, speeds.

Each reader takes what YAML gave (text, whole number, truth value, nothing, list, map) and returns an exact
value, or raises `NotationError` that says what is wrong and how it is written instead.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from consortium.calendar import DAY_US, MINUTE_US
from consortium.money import Day, Money, MoneyError, Rate, parse_money, parse_rate
from consortium.scenario.problems import shown

SECOND_US = 1_000_000
PPM = 1_000_000
DURATION_US_MAX = 366 * DAY_US
OFFSET_DAYS_MAX = 36_600

_DURATION_UNITS_US = {
    "us": 1,
    "ms": 1_000,
    "s": SECOND_US,
    "min": MINUTE_US,
    "h": 60 * MINUTE_US,
}
_SPEED_UNITS = {"bit/s": 1, "kbit/s": 1_000, "Mbit/s": 1_000_000, "Gbit/s": 1_000_000_000}
_NUMBER_UNIT = re.compile(r"([0-9]{1,3}(?:_[0-9]{3})+|[0-9]+)(?:\.([0-9]+))? ?([A-Za-z/]+)")
_MONEY_PARTS = re.compile(r"(-?)([0-9][0-9_,]*)(?:\.([0-9]*))?\s*([A-Za-z]*)")
_OFFSET = re.compile(r"\+([0-9]{1,6})(bd|d)(?: +([0-9]{2}:[0-9]{2}(?::[0-9]{2})?))?")
_ABSOLUTE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:(?: +|T)([0-9]{2}:[0-9]{2}(?::[0-9]{2})?))?")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_DAY_RANGE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.\.([0-9]{4}-[0-9]{2}-[0-9]{2})")


class NotationError(Exception):
    """A value that is not written as it must be; `code` is its S-code."""

    def __init__(self, code: str, message: str, help_text: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help_text


@dataclass(frozen=True, slots=True)
class Moment:
    """A business time as it was written, before the calendar turns it into microseconds.

    `kind` says what `count` counts from the start: banking days, calendar days; `absolute` has a `day`, `end`
    has nothing. `clock_us` is the time of day, None if none was written.
    """

    kind: Literal["banking", "calendar", "absolute", "end"]
    text: str
    count: int = 0
    day: Day | None = None
    clock_us: int | None = None


@dataclass(frozen=True, slots=True)
class DayRange:
    """One day, or all days from `first` to `last`."""

    first: Day
    last: Day

    def days(self) -> list[Day]:
        return [self.first + offset for offset in range(self.last - self.first + 1)]


def read_amount(value: Any) -> Money:
    """Read `10_000_000.00 CNY`."""
    example = "write it as 10_000_000.00 CNY"
    if isinstance(value, int) and not isinstance(value, bool):
        raise NotationError("S-110", f"the amount {value} has no currency", f"write {value}.00 CNY")
    if not isinstance(value, str):
        raise NotationError("S-110", f"expected an amount, found {_kind(value)}", example)
    match = _MONEY_PARTS.fullmatch(value.strip())
    if match is None:
        raise NotationError("S-110", f"'{shown(value)}' is not an amount", example)
    _, whole, decimals, currency = match.groups()
    if not currency:
        raise NotationError(
            "S-110", f"the amount {shown(value)} has no currency", f"write {shown(value.strip())} CNY"
        )
    if decimals is not None and len(decimals) > 2:
        raise NotationError(
            "S-110",
            f"{shown(value)} has more than two decimals",
            "amounts are exact to the minor unit (fen)",
        )
    if not re.fullmatch("[A-Z]{3}", currency):
        raise NotationError(
            "S-110", f"'{shown(currency)}' is not a currency", "three capital letters, such as CNY"
        )
    try:
        return parse_money(value)
    except MoneyError:
        pass
    if len(whole) > 16:
        raise NotationError("S-110", f"{shown(value)} is too large", "an amount is at most 10^15 units")
    raise NotationError(
        "S-110", f"'{shown(value)}' is not an amount", f"{example}: digits in groups of three"
    )


def read_rate(value: Any) -> Rate:
    """Read `2.60 %`."""
    if not isinstance(value, str):
        whole = isinstance(value, int) and not isinstance(value, bool)
        example = f"write {value} %" if whole else "write it as 2.60 %"
        raise NotationError("S-111", f"expected a rate, found {_kind(value)}", example)
    try:
        return parse_rate(value)
    except MoneyError:
        raise NotationError(
            "S-111",
            f"'{shown(value)}' is not a rate",
            "write it as 2.60 % (at most nine decimals)",
        ) from None


def read_probability_ppm(value: Any) -> int:
    """Read `0.1 %` as parts per million, 0 to 100 %."""
    rate = read_rate(value)
    ppm = rate.fraction * PPM
    if not 0 <= ppm <= PPM:
        raise NotationError("S-111", f"{shown(str(value))} is not between 0 % and 100 %")
    if ppm.denominator != 1:
        raise NotationError("S-111", f"{shown(str(value))} is finer than one in a million (0.0001 %)")
    return int(ppm)


def read_day(value: Any) -> Day:
    """Read `2026-03-02`."""
    if not isinstance(value, str):
        raise NotationError("S-112", f"expected a date, found {_kind(value)}", "write it as 2026-03-02")
    try:
        return Day.of(value)
    except MoneyError as error:
        exists = "does not exist" in str(error)
        raise NotationError(
            "S-112",
            f"there is no day {shown(value)}" if exists else f"'{shown(value)}' is not a date",
            None if exists else "write it as 2026-03-02",
        ) from None


def read_day_range(value: Any) -> DayRange:
    """Read `2026-05-01` or `2026-05-01..2026-05-05`."""
    match = _DAY_RANGE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        if isinstance(value, str) and ".." in value:
            raise NotationError(
                "S-112", f"'{shown(value)}' is not a range of days", "write it as 2026-05-01..2026-05-05"
            )
        day = read_day(value)
        return DayRange(day, day)
    first, last = read_day(match[1]), read_day(match[2])
    if last < first:
        raise NotationError("S-112", f"the range {value} ends before it begins")
    if last - first > 366:
        raise NotationError("S-112", f"the range {value} is longer than a year")
    return DayRange(first, last)


def read_duration_us(value: Any) -> int:
    """Read `4 ms`, `90 s`, `5 min` as microseconds."""
    example = "write it with its unit: 5 ms, 90 s, 5 min"
    if isinstance(value, int) and not isinstance(value, bool):
        raise NotationError("S-113", f"the duration {value} has no unit", f"write {value} ms or {value} s")
    if not isinstance(value, str):
        raise NotationError("S-113", f"expected a duration, found {_kind(value)}", example)
    exact = _number_with_unit(value, _DURATION_UNITS_US)
    if exact is None:
        raise NotationError("S-113", f"'{shown(value)}' is not a duration", example)
    if exact.denominator != 1:
        raise NotationError("S-113", f"{shown(value)} is finer than a microsecond")
    if exact > DURATION_US_MAX:
        raise NotationError("S-113", f"{shown(value)} is longer than a year")
    return int(exact)


def read_speed(value: Any) -> int:
    """Read `100 Mbit/s` as bits per second; `unlimited` is 0."""
    if value == "unlimited":
        return 0
    exact = _number_with_unit(value, _SPEED_UNITS) if isinstance(value, str) else None
    if exact is None or exact.denominator != 1 or not 0 < exact <= 10**15:
        found = f"'{shown(value)}'" if isinstance(value, str) else _kind(value)
        raise NotationError("S-115", f"{found} is not a bandwidth", "write it as 100 Mbit/s or unlimited")
    return int(exact)


def read_per_second(value: Any) -> Fraction:
    """Read `200/s` or `0.5/s`."""
    match = re.fullmatch(r"([0-9]{1,9})(?:\.([0-9]{1,6}))? ?/ ?s", value) if isinstance(value, str) else None
    if match is None:
        found = f"'{shown(value)}'" if isinstance(value, str) else _kind(value)
        raise NotationError("S-115", f"{found} is not a number per second", "write it as 200/s")
    decimals = match[2] or ""
    return Fraction(int(match[1] + decimals), 10 ** len(decimals))


def read_clock_us(value: Any) -> int:
    """Read `17:00` or `17:00:30` as microseconds of the day."""
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        found = f"'{shown(value)}'" if isinstance(value, str) else _kind(value)
        raise NotationError("S-114", f"{found} is not a time of day", "write it as 17:00 (24 hours)")
    return (int(match[1]) * 60 + int(match[2])) * MINUTE_US + int(match[3] or 0) * SECOND_US


def read_moment(value: Any) -> Moment:
    """Read `+8bd 14:00`, `+30d 09:00:30`, `2026-03-02 10:00`, `2026-03-02T10:00` or `end`."""
    example = "write it as +8bd 14:00, +30d 09:00 or 2026-03-02 10:00"
    if not isinstance(value, str):
        raise NotationError("S-114", f"expected a business time, found {_kind(value)}", example)
    if value == "end":
        return Moment("end", value)
    offset = _OFFSET.fullmatch(value)
    if offset is not None:
        count = int(offset[1])
        if count > OFFSET_DAYS_MAX:
            raise NotationError("S-114", f"'{shown(value)}' is more than a hundred years away")
        clock_us = None if offset[3] is None else read_clock_us(offset[3])
        return Moment("banking" if offset[2] == "bd" else "calendar", value, count, None, clock_us)
    absolute = _ABSOLUTE.fullmatch(value)
    if absolute is not None:
        clock_us = None if absolute[2] is None else read_clock_us(absolute[2])
        return Moment("absolute", value, 0, read_day(absolute[1]), clock_us)
    near = re.fullmatch(r"\+?([0-9]+) ?(bd|d|days?|b)(?: +(.*))?", value)
    if near is not None:
        unit = "bd" if near[2] in ("bd", "b") else "d"
        time = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", near[3] or "")
        clock = f" {int(time[1]):02d}:{time[2]}" if time else ""
        example = f"write it as +{int(near[1][:6])}{unit}{clock or ' 10:00'}"
    raise NotationError("S-114", f"'{shown(value)}' is not a business time", example)


def _number_with_unit(value: str, units: dict[str, int]) -> Fraction | None:
    match = _NUMBER_UNIT.fullmatch(value.strip())
    if match is None or match[3] not in units or len(match[1]) > 18 or len(match[2] or "") > 12:
        return None
    decimals = match[2] or ""
    return Fraction(int(match[1].replace("_", "") + decimals), 10 ** len(decimals)) * units[match[3]]


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the truth value {'true' if value else 'false'}"
    if isinstance(value, int):
        return f"the whole number {value}"
    if isinstance(value, str):
        return f"the text '{shown(value)}'"
    return "a list" if isinstance(value, (list, tuple)) else "a map"
