"""The notations are exact, say what is wrong, and read back what they write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.calendar import DAY_US
from consortium.money import Day, Money, Rate
from consortium.scenario import notation
from consortium.scenario.notation import NotationError

ANYTHING = st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.lists(st.text(), max_size=2))
READERS = (
    notation.read_amount,
    notation.read_rate,
    notation.read_probability_ppm,
    notation.read_day,
    notation.read_day_range,
    notation.read_duration_us,
    notation.read_speed,
    notation.read_per_second,
    notation.read_clock_us,
    notation.read_moment,
)


@pytest.mark.parametrize("reader", READERS)
@given(value=ANYTHING)
def test_a_reader_gives_a_value_or_a_notation_error(reader, value):
    code, message = "S-1", ""
    try:
        reader(value)
    except NotationError as error:
        code, message = error.code, error.message
    assert code.startswith("S-1")
    assert "\n" not in message


@given(minor=st.integers(-(10**17), 10**17), currency=st.sampled_from(["CNY", "USD", "EUR"]))
def test_amounts_come_back_as_they_are_written(minor, currency):
    money = Money(minor, currency)
    major, rest = divmod(abs(minor), 100)
    sign = "-" if minor < 0 else ""
    assert notation.read_amount(str(money)) == money
    assert notation.read_amount(f"{sign}{major:_}.{rest:02d} {currency}") == money
    assert notation.read_amount(f"{sign}{major:,}.{rest:02d} {currency}") == money


@given(
    count=st.integers(0, 36_600),
    unit=st.sampled_from(["bd", "d"]),
    second=st.one_of(st.none(), st.integers(0, 86_399)),
)
def test_business_times_come_back_as_they_are_written(count, unit, second):
    clock = "" if second is None else f" {second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    moment = notation.read_moment(f"+{count}{unit}{clock}")
    assert moment.kind == {"bd": "banking", "d": "calendar"}[unit]
    assert moment.count == count
    assert moment.clock_us == (None if second is None else second * 1_000_000)


@given(
    ordinal=st.integers(Day.of("1900-01-01").ordinal, Day.of("2999-12-31").ordinal), t=st.sampled_from(" T")
)
def test_absolute_times_come_back_as_they_are_written(ordinal, t):
    day = Day(ordinal)
    assert notation.read_day(str(day)) == day
    moment = notation.read_moment(f"{day}{t}10:30")
    assert (moment.kind, moment.day, moment.clock_us) == ("absolute", day, 630 * 60 * 1_000_000)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4 ms", 4_000),
        ("250 us", 250),
        ("2.5 ms", 2_500),
        ("90 s", 90_000_000),
        ("5min", 300_000_000),
        ("1 h", 3_600_000_000),
        ("1_000 ms", 1_000_000),
    ],
)
def test_durations_are_microseconds(text, value):
    assert notation.read_duration_us(text) == value


def test_rates_are_fractions_in_lowest_terms():
    assert notation.read_rate("2.60 %") == Rate(13, 500)
    assert notation.read_probability_ppm("0.0001%") == 1
    assert notation.read_probability_ppm("100 %") == 1_000_000


def test_ranges_have_both_ends():
    days = notation.read_day_range("2026-05-01..2026-05-05").days()
    assert [str(day) for day in (days[0], days[-1])] == ["2026-05-01", "2026-05-05"]
    assert len(days) == 5


def test_speeds_and_clocks():
    assert notation.read_speed("100 Mbit/s") == 100_000_000
    assert notation.read_speed("unlimited") == 0
    assert notation.read_clock_us("23:59:59") == DAY_US - 1_000_000


@pytest.mark.parametrize(
    ("reader", "value", "message"),
    [
        (notation.read_amount, 5, "has no currency"),
        (notation.read_amount, "5.00", "has no currency"),
        (notation.read_amount, "0.005 CNY", "more than two decimals"),
        (notation.read_amount, "1e6 CNY", "not an amount"),
        (notation.read_amount, "1__0 CNY", "not an amount"),
        (notation.read_amount, "1,00 CNY", "not an amount"),
        (notation.read_amount, "99999999999999999 CNY", "too large"),
        (notation.read_amount, "٣.00 CNY", "not an amount"),
        (notation.read_rate, "2.6", "not a rate"),
        (notation.read_day, "2026-02-29", "there is no day"),
        (notation.read_duration_us, "5", "not a duration"),
        (notation.read_duration_us, "0.1 us", "finer than a microsecond"),
        (notation.read_moment, "2026-03-02 25:00", "not a time of day"),
        (notation.read_moment, "-1bd 10:00", "not a business time"),
        (notation.read_moment, "+1234567bd", "not a business time"),
    ],
)
def test_what_is_wrong_is_said(reader, value, message):
    with pytest.raises(NotationError, match=message):
        reader(value)
