"""Exact money, rates and days: the values that contracts, scenarios and reports share.

Money is an integer of minor units (fen) with its currency, a rate is a fraction in lowest terms, a day is a
count of days since 1970-01-01. Nothing here is ever a float, and nothing is rounded without a named rule.
"""

import datetime as dt
import re
from fractions import Fraction
from typing import Final, NoReturn, overload

from consortium.errors import InputError

MINOR_PER_MAJOR = 100
# Within +-10^15 yuan: sums of any two stay far inside 64 bits.
AMOUNT_MINOR_MAX: Final = 10**17
RATE_DENOMINATOR_MAX: Final = 10**12

HALF_UP = "half-up"
DOWN = "down"
UP = "up"

_EPOCH = dt.date(1970, 1, 1).toordinal()
_MONEY = re.compile(r"(-?)([0-9]+(?:_[0-9]{3})*|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]{1,2}))? ?([A-Z]{3})")
_RATE = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))? ?%")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


class MoneyError(InputError):
    """An amount, rate or day that does not exist, or two that do not go together."""


class Money:
    """An amount in minor units of one currency; immutable, exact."""

    __slots__ = ("currency", "minor")

    minor: int
    currency: str

    def __init__(self, minor: int, currency: str = "CNY") -> None:
        if type(minor) is not int:
            raise MoneyError(f"an amount is a whole number of minor units, not {type(minor).__name__}")
        if not -AMOUNT_MINOR_MAX <= minor <= AMOUNT_MINOR_MAX:
            raise MoneyError("an amount is at most 10^15 units of its currency")
        object.__setattr__(self, "minor", minor)
        object.__setattr__(self, "currency", currency)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"Money is immutable: {name} cannot be set to {value!r}")

    def __add__(self, other: "Money") -> "Money":
        if type(other) is not Money:
            return NotImplemented
        return Money(self.minor + self._same_currency(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        if type(other) is not Money:
            return NotImplemented
        return Money(self.minor - self._same_currency(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, times: int) -> "Money":
        if type(times) is not int:
            return NotImplemented
        return Money(self.minor * times, self.currency)

    __rmul__ = __mul__

    def __floordiv__(self, parts: int) -> "Money":
        if type(parts) is not int:
            return NotImplemented
        return Money(self.minor // parts, self.currency)

    def __eq__(self, other: object) -> bool:
        if type(other) is Money:
            return self.minor == other.minor and self.currency == other.currency
        if type(other) is int and other == 0:
            return self.minor == 0
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.minor, self.currency))

    def __lt__(self, other: "Money | int") -> bool:
        return self.minor < self._comparable(other)

    def __le__(self, other: "Money | int") -> bool:
        return self.minor <= self._comparable(other)

    def __gt__(self, other: "Money | int") -> bool:
        return self.minor > self._comparable(other)

    def __ge__(self, other: "Money | int") -> bool:
        return self.minor >= self._comparable(other)

    def at(self, rate: "Rate", round: str = HALF_UP) -> "Money":  # noqa: A002  the contract API's word
        """Return this amount times `rate`, rounded once to the minor unit."""
        return Money(round_exact(Fraction(self.minor) * rate.fraction, round), self.currency)

    def interest(self, rate: "Rate", days: int, basis_days: int, round: str = HALF_UP) -> "Money":  # noqa: A002
        """Return simple interest for `days` of a year of `basis_days`, rounded once."""
        exact = Fraction(self.minor) * rate.fraction * days / basis_days
        return Money(round_exact(exact, round), self.currency)

    def share(self, parts: int, of: int) -> "Money":
        """Return `parts` of `of` equal shares, rounded down to the minor unit."""
        return Money(self.minor * parts // of, self.currency)

    def __str__(self) -> str:
        return f"{self.plain()} {self.currency}"

    def __repr__(self) -> str:
        return f"Money({self.minor}, {self.currency!r})"

    def plain(self) -> str:
        """Return the number alone: `1658600.00`."""
        major, minor = divmod(abs(self.minor), MINOR_PER_MAJOR)
        return f"{'-' if self.minor < 0 else ''}{major}.{minor:02d}"

    def grouped(self) -> str:
        """Return the number as people read it: `1,658,600.00`."""
        major, minor = divmod(abs(self.minor), MINOR_PER_MAJOR)
        return f"{'-' if self.minor < 0 else ''}{major:,}.{minor:02d}"

    def _same_currency(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise MoneyError(f"{self.currency} and {other.currency} cannot be added or compared")
        return other.minor

    def _comparable(self, other: "Money | int") -> int:
        if type(other) is Money:
            return self._same_currency(other)
        if type(other) is int and other == 0:
            return 0
        raise MoneyError("an amount is compared with an amount, or with 0")


class Rate:
    """An exact fraction in lowest terms, such as 2.60 % = 13/500; immutable."""

    __slots__ = ("denominator", "numerator")

    numerator: int
    denominator: int

    def __init__(self, numerator: int, denominator: int = 1) -> None:
        if denominator == 0:
            raise MoneyError("a rate cannot have the denominator 0")
        fraction = Fraction(numerator, denominator)
        if fraction.denominator > RATE_DENOMINATOR_MAX:
            raise MoneyError("a rate has at most 12 digits in its denominator")
        object.__setattr__(self, "numerator", fraction.numerator)
        object.__setattr__(self, "denominator", fraction.denominator)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"Rate is immutable: {name} cannot be set to {value!r}")

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.numerator, self.denominator)

    def __add__(self, other: "Rate") -> "Rate":
        if type(other) is not Rate:
            return NotImplemented
        return _rate(self.fraction + other.fraction)

    def __sub__(self, other: "Rate") -> "Rate":
        if type(other) is not Rate:
            return NotImplemented
        return _rate(self.fraction - other.fraction)

    def __mul__(self, times: int) -> "Rate":
        if type(times) is not int:
            return NotImplemented
        return _rate(self.fraction * times)

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        if type(other) is Rate:
            return self.numerator == other.numerator and self.denominator == other.denominator
        if type(other) is int and other == 0:
            return self.numerator == 0
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.numerator, self.denominator))

    def __lt__(self, other: "Rate | int") -> bool:
        return self.fraction < _fraction_of(other)

    def __le__(self, other: "Rate | int") -> bool:
        return self.fraction <= _fraction_of(other)

    def __gt__(self, other: "Rate | int") -> bool:
        return self.fraction > _fraction_of(other)

    def __ge__(self, other: "Rate | int") -> bool:
        return self.fraction >= _fraction_of(other)

    def __str__(self) -> str:
        percent = self.fraction * 100
        digits = 2
        while (percent * 10**digits).denominator != 1 and digits < 12:
            digits += 1
        scaled = percent * 10**digits
        if scaled.denominator != 1:
            return f"{self.numerator}/{self.denominator}"
        whole, rest = divmod(abs(scaled.numerator), 10**digits)
        return f"{'-' if scaled < 0 else ''}{whole}.{rest:0{digits}d} %"

    def __repr__(self) -> str:
        return f"Rate({self.numerator}, {self.denominator})"


class Day:
    """A calendar day, counted from 1970-01-01 = 0; immutable."""

    __slots__ = ("ordinal",)

    ordinal: int

    def __init__(self, ordinal: int) -> None:
        if type(ordinal) is not int or not -719162 <= ordinal <= 2932896:
            raise MoneyError("a day lies between 0001-01-01 and 9999-12-31")
        object.__setattr__(self, "ordinal", ordinal)

    @classmethod
    def of(cls, text: str) -> "Day":
        """Return the day written `2026-03-02`. Raises MoneyError for anything else."""
        match = _DAY.fullmatch(text)
        if match is None:
            raise MoneyError(f"'{text}' is not a date: write it as 2026-03-02")
        try:
            date = dt.date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            raise MoneyError(f"'{text}' does not exist in the calendar") from None
        return cls(date.toordinal() - _EPOCH)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"Day is immutable: {name} cannot be set to {value!r}")

    @property
    def date(self) -> dt.date:
        return dt.date.fromordinal(self.ordinal + _EPOCH)

    @property
    def year(self) -> int:
        return self.date.year

    @property
    def month(self) -> int:
        return self.date.month

    def weekday(self) -> int:
        """Return 0 for Monday to 6 for Sunday."""
        return (self.ordinal + 3) % 7

    def add_months(self, months: int) -> "Day":
        """Return the same day of the month `months` later, or that month's last day."""
        date = self.date
        count = date.year * 12 + date.month - 1 + months
        year, month = divmod(count, 12)
        if not 1 <= year <= 9999:
            raise MoneyError("a day lies between 0001-01-01 and 9999-12-31")
        first_of_next = Day.of(f"{year + (month == 11):04d}-{(month + 1) % 12 + 1:02d}-01")
        last = first_of_next.ordinal - 1
        first = Day.of(f"{year:04d}-{month + 1:02d}-01").ordinal
        return Day(min(first + date.day - 1, last))

    def __add__(self, days: int) -> "Day":
        if type(days) is not int:
            return NotImplemented
        return Day(self.ordinal + days)

    @overload
    def __sub__(self, other: "Day") -> int: ...
    @overload
    def __sub__(self, other: int) -> "Day": ...
    def __sub__(self, other: "Day | int") -> "Day | int":
        if type(other) is Day:
            return self.ordinal - other.ordinal
        if type(other) is int:
            return Day(self.ordinal - other)
        return NotImplemented

    def __eq__(self, other: object) -> bool:
        return self.ordinal == other.ordinal if type(other) is Day else NotImplemented

    def __hash__(self) -> int:
        return hash(self.ordinal)

    def __lt__(self, other: "Day") -> bool:
        return self.ordinal < other.ordinal

    def __le__(self, other: "Day") -> bool:
        return self.ordinal <= other.ordinal

    def __gt__(self, other: "Day") -> bool:
        return self.ordinal > other.ordinal

    def __ge__(self, other: "Day") -> bool:
        return self.ordinal >= other.ordinal

    def __str__(self) -> str:
        return self.date.isoformat()

    def __repr__(self) -> str:
        return f"Day.of({str(self)!r})"


def parse_money(text: str) -> Money:
    """Read `10_000_000.00 CNY` or `10,000,000.00 CNY`. Raises MoneyError that says what is wrong."""
    match = _MONEY.fullmatch(text.strip())
    if match is None:
        raise MoneyError(f"'{text}' is not an amount: write it as 10_000_000.00 CNY (at most two decimals)")
    sign, whole, cents, currency = match.groups()
    digits = whole.replace("_", "").replace(",", "")
    minor = int(digits[:20]) * MINOR_PER_MAJOR if len(digits) <= 20 else AMOUNT_MINOR_MAX + 1
    minor += int((cents or "0").ljust(2, "0"))
    return Money(-minor if sign else minor, currency)


def parse_rate(text: str) -> Rate:
    """Read `2.60 %`. Raises MoneyError that says what is wrong."""
    match = _RATE.fullmatch(text.strip())
    if match is None or len(match[2]) > 9 or len(match[3] or "") > 9:
        raise MoneyError(f"'{text}' is not a rate: write it as 2.60 %")
    sign, whole, decimals = match[1], match[2], match[3] or ""
    return Rate((-1 if sign else 1) * int(whole + decimals), 100 * 10 ** len(decimals))


def round_exact(exact: Fraction, rule: str) -> int:
    """Round an exact fraction to an integer by `rule`: HALF_UP (halves away from zero), DOWN or UP.

    DOWN is towards zero and UP away from it. Raises MoneyError for another rule.
    """
    sign = -1 if exact < 0 else 1
    size = abs(exact)
    if rule == HALF_UP:
        return sign * ((2 * size.numerator + size.denominator) // (2 * size.denominator))
    if rule == DOWN:
        return sign * (size.numerator // size.denominator)
    if rule == UP:
        return sign * -(-size.numerator // size.denominator)
    raise MoneyError(f"unknown rounding rule '{rule}'")


def distribute(amount: Money, weights: list[int]) -> list[Money]:
    """Split `amount` by `weights`: floors, then the rest to the largest remainders, ties to the lowest index.

    The parts always add up. Raises MoneyError for no weights, a negative one, or a sum of 0.
    """
    total = sum(weights)
    if not weights or min(weights) < 0 or total == 0:
        raise MoneyError("shares need weights of at least 0 that do not all vanish")
    quotas = [divmod(amount.minor * weight, total) for weight in weights]
    rest = amount.minor - sum(quota for quota, _ in quotas)
    by_remainder = sorted(range(len(weights)), key=lambda index: (-quotas[index][1], index))
    extra = dict.fromkeys(by_remainder[:rest], 1)
    return [Money(quota + extra.get(index, 0), amount.currency) for index, (quota, _) in enumerate(quotas)]


def _rate(fraction: Fraction) -> Rate:
    return Rate(fraction.numerator, fraction.denominator)


def _fraction_of(other: "Rate | int") -> Fraction:
    if type(other) is Rate:
        return other.fraction
    if type(other) is int and other == 0:
        return Fraction(0)
    raise MoneyError("a rate is compared with a rate, or with 0")
