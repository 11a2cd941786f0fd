"""Banking days of the acceptance scenarios' calendar, and business time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.calendar import DAY_US, Calendar, CalendarError, day_of, moment, time_text
from consortium.money import Day


def days(first, last=None):
    start, end = Day.of(first).ordinal, Day.of(last or first).ordinal
    return list(range(start, end + 1))


CALENDAR = Calendar(
    years=(2026,),
    holidays=tuple(
        sorted(
            days("2026-01-01", "2026-01-03")
            + days("2026-02-15", "2026-02-23")
            + days("2026-04-04", "2026-04-06")
            + days("2026-05-01", "2026-05-05")
            + days("2026-10-01", "2026-10-07")
        )
    ),
    make_up_days=tuple(sorted(days("2026-05-09") + days("2026-10-10"))),
)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-03-02", True),
        ("2026-03-07", False),
        ("2026-05-01", False),
        ("2026-05-09", True),
        ("2026-10-10", True),
    ],
)
def test_banking_days(day, works):
    assert CALENDAR.is_banking_day(Day.of(day)) is works


@pytest.mark.parametrize(
    ("day", "rule", "rolled"),
    [
        ("2026-10-07", "following", "2026-10-08"),
        ("2026-04-25", "following", "2026-04-27"),
        ("2026-04-25", "preceding", "2026-04-24"),
        ("2026-01-31", "modified", "2026-01-30"),
        ("2026-03-02", "following", "2026-03-02"),
    ],
)
def test_rolling(day, rule, rolled):
    assert CALENDAR.roll(Day.of(day), rule) == Day.of(rolled)


def test_adding_banking_days_skips_holidays():
    # S2: received 04-28, five banking days: 05-08, because 05-01 to 05-05 are holidays.
    assert CALENDAR.add_banking_days(Day.of("2026-04-28"), 5) == Day.of("2026-05-08")
    assert CALENDAR.add_banking_days(Day.of("2026-04-20"), 5) == Day.of("2026-04-27")


@given(st.integers(0, 300), st.integers(-15, 15))
def test_adding_banking_days_can_be_undone(offset, count):
    day = CALENDAR.roll(Day.of("2026-01-25") + offset)
    moved = CALENDAR.add_banking_days(day, count)
    assert CALENDAR.add_banking_days(moved, -count) == day
    assert CALENDAR.is_banking_day(moved)


def test_value_after_the_cut_off_is_the_next_banking_day():
    friday = Day.of("2026-03-06")
    assert CALENDAR.value_day(moment(friday, 17 * 60) - 1) == friday
    assert CALENDAR.value_day(moment(friday, 17 * 60)) == Day.of("2026-03-09")
    assert CALENDAR.value_day(moment(friday + 1, 600)) == Day.of("2026-03-09")


def test_a_year_without_entries_is_refused():
    with pytest.raises(CalendarError, match="2027"):
        CALENDAR.is_banking_day(Day.of("2027-01-04"))
    with pytest.raises(CalendarError, match="rule"):
        CALENDAR.roll(Day.of("2026-03-02"), "nearest")


@given(st.integers(0, 50_000), st.integers(0, 1439))
def test_business_time_and_its_day(ordinal, minute):
    time_us = moment(Day(ordinal), minute)
    assert day_of(time_us) == Day(ordinal)
    assert day_of(time_us - time_us % DAY_US - 1) == Day(ordinal - 1)


def test_business_time_reads_well():
    assert time_text(moment(Day.of("2026-03-02"), 605)) == "2026-03-02 10:05"
    assert time_text(moment(Day.of("2026-03-02"), 605) + 7_000_000) == "2026-03-02 10:05:07"
