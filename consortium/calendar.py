"""Banking days and business time.

The calendar is genesis data: weekends, holidays and make-up working days of the years it covers. Business
time is an integer of microseconds since 1970-01-01 00:00 in the consortium's own (local, civil) time zone,
so that a day is `time // DAY_US` and no zone table is ever needed inside a contract.
"""

from dataclasses import dataclass

from consortium.errors import InputError
from consortium.money import Day

MINUTE_US = 60 * 1_000_000
DAY_US = 24 * 60 * MINUTE_US
CUT_OFF_MINUTE = 17 * 60
SATURDAY = 5


class CalendarError(InputError):
    """A day outside the years that the calendar covers, or an unknown rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The banking days of one market.

    `holidays` and `make_up_days` are day ordinals, sorted; a year without an entry in `years` is refused
    rather than guessed. `cut_off_minute` is the minute of the day from which value is the next banking day.
    """

    version: int = 1
    market: str = "CN"
    years: tuple[int, ...]
    holidays: tuple[int, ...]
    make_up_days: tuple[int, ...]
    cut_off_minute: int = CUT_OFF_MINUTE

    def is_banking_day(self, day: Day) -> bool:
        """Tell whether banks work on `day`. Raises CalendarError outside the covered years."""
        if day.year not in self.years:
            raise CalendarError(f"the calendar of {self.market} has no entries for the year {day.year}")
        if day.ordinal in self.make_up_days:
            return True
        return day.weekday() < SATURDAY and day.ordinal not in self.holidays

    def roll(self, day: Day, rule: str = "following") -> Day:
        """Return `day`, or the nearest banking day by `rule`: following, preceding, modified."""
        if rule == "following":
            return self._walk(day, 1)
        if rule == "preceding":
            return self._walk(day, -1)
        if rule == "modified":
            following = self._walk(day, 1)
            return following if following.month == day.month else self._walk(day, -1)
        raise CalendarError(f"unknown roll rule '{rule}': use following, preceding or modified")

    def add_banking_days(self, day: Day, count: int) -> Day:
        """Return the `count`-th banking day strictly after `day` (before it, if negative); 0 gives `day`."""
        step = 1 if count > 0 else -1
        left = abs(count)
        while left:
            day = day + step
            if self.is_banking_day(day):
                left -= 1
        return day

    def value_day(self, time_us: int) -> Day:
        """Return the day on which something done at `time_us` has value.

        That is the day itself if it is a banking day and before the cut-off, else the next banking day.
        """
        day = day_of(time_us)
        if not self.is_banking_day(day):
            return self.roll(day)
        return day if self.before_cut_off(time_us) else self.add_banking_days(day, 1)

    def before_cut_off(self, time_us: int) -> bool:
        """Tell whether `time_us` lies before its day's cut-off."""
        return time_us % DAY_US < self.cut_off_minute * MINUTE_US

    def _walk(self, day: Day, step: int) -> Day:
        while not self.is_banking_day(day):
            day = day + step
        return day


def day_of(time_us: int) -> Day:
    """Return the local day of a business time."""
    return Day(time_us // DAY_US)


def moment(day: Day, minute: int = 0) -> int:
    """Return the business time of `minute` (0 to 1439) on `day`."""
    return day.ordinal * DAY_US + minute * MINUTE_US


def time_text(time_us: int) -> str:
    """Return a business time as people read it: `2026-03-02 10:00`, with seconds where there are any."""
    day, rest_us = divmod(time_us, DAY_US)
    seconds = rest_us // 1_000_000
    text = f"{Day(day)} {seconds // 3600:02d}:{seconds // 60 % 60:02d}"
    return f"{text}:{seconds % 60:02d}" if seconds % 60 else text
