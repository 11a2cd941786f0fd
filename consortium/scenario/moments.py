"""The scenario's calendar, and business times resolved against it.

`+8bd` counts banking days strictly after the start day, `+30d` calendar days, a date stands for itself. What
lands on a day without banking is pointed out, and moved only where the file says `roll: following`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from consortium.calendar import DAY_US, MINUTE_US, Calendar, CalendarError, day_of, time_text
from consortium.money import Day, MoneyError
from consortium.scenario.markets import MARKETS, days_of
from consortium.scenario.nodes import Span
from consortium.scenario.notation import DayRange, Moment
from consortium.scenario.problems import Problems, listing, nearest
from consortium.scenario.schema import CalendarSection
from consortium.scenario.tree import Tree

SATURDAY = 5
# When the first day begins if the file names only the date.
START_MINUTE = 9 * 60
DAYS_OF_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# With `fallback: weekends` the years around the start are taken to have no holidays.
FALLBACK_YEARS_BEFORE = 1
FALLBACK_YEARS_AFTER = 10


@dataclass(frozen=True, slots=True)
class Clock:
    """Turns written business times into microseconds of local civil time."""

    calendar: Calendar
    start_us: int
    roll: Literal["none", "following"]
    _banking_days: dict[int, Day] = field(default_factory=dict, init=False, repr=False, compare=False)

    def day(self, moment: Moment, span: Span, problems: Problems) -> Day | None:
        """Return the day a moment falls on, without rolling; None (and a problem) if there is none."""
        start = day_of(self.start_us)
        try:
            match moment.kind:
                case "banking":
                    return self._banking_day(start, moment.count)
                case "calendar":
                    return start + moment.count
                case "absolute":
                    assert moment.day is not None
                    return moment.day
                case "end":
                    advice = "write a date or +8bd"
                    problems.add(span.problem("S-311", "'end' is for expectations", help_text=advice))
                    return None
        except (CalendarError, MoneyError) as error:
            problems.add(span.problem("S-303", str(error), help_text=_YEAR_HELP))
            return None

    def _banking_day(self, start: Day, count: int) -> Day:
        """Return the start's `count`-th banking day; the same few counts come again and again."""
        if count not in self._banking_days:
            first = self.calendar.roll(start)
            self._banking_days[count] = self.calendar.add_banking_days(first, count)
        return self._banking_days[count]

    def time(self, moment: Moment, span: Span, problems: Problems, *, what: str) -> int | None:
        """Return when something happens, rolled as the file says; None (and a problem) if never.

        `what` names it in the warning: `this action`. Without a time of day it happens at that of the start.
        """
        day = self.day(moment, span, problems)
        if day is None:
            return None
        clock_us = self.start_us % DAY_US if moment.clock_us is None else moment.clock_us
        try:
            banking = self.calendar.is_banking_day(day)
            if not banking:
                rolled = self.calendar.roll(day) if self.roll == "following" else day
                self._warn(day, rolled.ordinal * DAY_US + clock_us, span, problems, what)
                day = rolled
        except CalendarError as error:
            problems.add(span.problem("S-303", str(error), help_text=_YEAR_HELP))
            return None
        time_us = day.ordinal * DAY_US + clock_us
        if time_us < self.start_us:
            problems.add(
                span.problem("S-302", f"{time_text(time_us)} is before the start, {time_text(self.start_us)}")
            )
            return None
        return time_us

    def _warn(self, day: Day, runs_us: int, span: Span, problems: Problems, what: str) -> None:
        weekend = day.weekday() >= SATURDAY and day.ordinal not in self.calendar.holidays
        reason = (
            f"a {DAYS_OF_WEEK[day.weekday()]}" if weekend else f"a public holiday in {self.calendar.market}"
        )
        will = f"{what} will run on {time_text(runs_us)}"
        if self.roll == "none":
            will = f"{what} will run on that day all the same"
        advice = None if self.roll == "following" else "calendar: {roll: following} moves it to a banking day"
        problems.add(span.problem("S-310", f"{day} is {reason}; {will}", help_text=advice, warning=True))


def clock_of(section: CalendarSection, tree: Tree, problems: Problems) -> Clock | None:
    """Return the clock of a scenario; None where its start cannot be known."""
    _check_make_up(section, tree, problems)
    start_span = tree.span(("calendar", "start"))
    if section.start.kind != "absolute" or section.start.day is None:
        problems.add(
            start_span.problem(
                "S-304",
                "the start is a date, all other times count from it",
                help_text="write 2026-03-16T09:00",
            )
        )
        return None
    calendar = _calendar(section, section.start.day, tree, problems)
    if calendar is None:
        return None
    clock_us = START_MINUTE * MINUTE_US if section.start.clock_us is None else section.start.clock_us
    if section.start.day.year not in calendar.years:
        known = ", ".join(str(year) for year in calendar.years)
        problems.add(
            start_span.problem(
                "S-303",
                f"the calendar of {section.market} has no entries for the year {section.start.day.year}",
                label=f"it knows {known}",
                help_text=_YEAR_HELP,
            )
        )
        return None
    return Clock(calendar, section.start.day.ordinal * DAY_US + clock_us, section.roll)


def _calendar(section: CalendarSection, start: Day, tree: Tree, problems: Problems) -> Calendar | None:
    market = MARKETS.get(section.market)
    if market is None and section.holidays is None and section.fallback is None:
        near = nearest(section.market, MARKETS)
        problems.add(
            tree.span(("calendar", "market")).problem(
                "S-304",
                f"no holidays are known for the market '{section.market}'",
                label=None if near is None else f"did you mean '{near}'?",
                help_text=f"known markets: {listing(MARKETS)}; or give holidays: and make_up: yourself",
            )
        )
        return None
    if section.holidays is not None:
        holidays = _expanded(section.holidays)
        make_up = _expanded(section.make_up or [])
        named = [start.year, *(day.year for day in (*holidays, *make_up))]
        years = set(range(min(named), max(named) + 1))
    else:
        shipped = market or ()
        holidays = [day for year in shipped for day in days_of(year.holidays)]
        make_up = [day for year in shipped for day in days_of(year.make_up)]
        if section.make_up is not None:
            make_up = _expanded(section.make_up)
        years = {year.year for year in shipped}
    if section.fallback == "weekends":
        years |= set(range(max(1, start.year - FALLBACK_YEARS_BEFORE), start.year + FALLBACK_YEARS_AFTER + 1))
    return Calendar(
        market=section.market,
        years=tuple(sorted(years)),
        holidays=tuple(sorted({day.ordinal for day in holidays})),
        make_up_days=tuple(sorted({day.ordinal for day in make_up})),
        cut_off_minute=section.cut_off // MINUTE_US,
    )


def _check_make_up(section: CalendarSection, tree: Tree, problems: Problems) -> None:
    """A make-up working day is a weekend day that is no holiday; anything else is a slip of the pen."""
    closed = {day.ordinal for day in _expanded(section.holidays or [])}
    for index, each in enumerate(section.make_up or []):
        for day in each.days():
            reason = None
            if day.ordinal in closed:
                reason = "stands among the holidays too"
            elif day.weekday() < SATURDAY:
                reason = f"is a {DAYS_OF_WEEK[day.weekday()]}, a working day anyway"
            if reason is not None:
                span = tree.span(("calendar", "make_up", index))
                problems.add(span.problem("S-304", f"the make-up day {day} {reason}"))


def _expanded(ranges: Sequence[DayRange]) -> list[Day]:
    return [day for each in ranges for day in each.days()]


_YEAR_HELP = "give that year's days under calendar: holidays:, or write fallback: weekends"
