"""Banking holidays that ship with the package, one entry per market and year.

A scenario's own `holidays:` replace them. Years that are not here are refused, never guessed. The entries for
CN are its public holidays and the weekend days on which banks work to make up for them.
"""

from dataclasses import dataclass

from consortium.money import Day
from consortium.scenario.notation import read_day_range


@dataclass(frozen=True, slots=True)
class MarketYear:
    """One year of a market: days and ranges in the notation of scenario files."""

    year: int
    holidays: tuple[str, ...]
    make_up: tuple[str, ...]


MARKETS: dict[str, tuple[MarketYear, ...]] = {
    "CN": (
        MarketYear(
            2026,
            (
                "2026-01-01..2026-01-03",
                "2026-02-15..2026-02-23",
                "2026-04-04..2026-04-06",
                "2026-05-01..2026-05-05",
                "2026-06-19..2026-06-21",
                "2026-09-25..2026-09-27",
                "2026-10-01..2026-10-07",
            ),
            ("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"),
        ),
        MarketYear(2027, ("2027-01-01..2027-01-03",), ()),
    ),
}


def days_of(ranges: tuple[str, ...]) -> list[Day]:
    """Return every day of days and ranges."""
    return [day for text in ranges for day in read_day_range(text).days()]
