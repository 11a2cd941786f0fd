"""Exact money: what is read, added, rounded and divided."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.money import (
    AMOUNT_MINOR_MAX,
    DOWN,
    HALF_UP,
    UP,
    Day,
    Money,
    MoneyError,
    Rate,
    distribute,
    parse_money,
    parse_rate,
    round_exact,
)

amounts = st.integers(-(10**15), 10**15).map(Money)
rates = st.builds(Rate, st.integers(-(10**9), 10**9), st.integers(1, 10**9))


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("10_000_000.00 CNY", 1_000_000_000),
        ("10,000,000.00 CNY", 1_000_000_000),
        ("0.01 CNY", 1),
        ("5 CNY", 500),
        ("5.5 CNY", 550),
        ("-3.20 CNY", -320),
        ("1658600.00CNY", 165860000),
    ],
)
def test_amounts_are_read(text, minor):
    assert parse_money(text) == Money(minor, "CNY")


@pytest.mark.parametrize(
    "text",
    ["10.005 CNY", "10", "CNY 10", "1e6 CNY", "1,00.00 CNY", "1__0 CNY", "", "10.00 cny", "9" * 30 + " CNY"],
)
def test_other_amounts_are_refused(text):
    with pytest.raises(MoneyError):
        parse_money(text)


@given(amounts)
def test_an_amount_written_is_the_amount_read(amount):
    assert parse_money(str(amount)) == amount
    assert parse_money(f"{amount.grouped()} {amount.currency}") == amount


@pytest.mark.parametrize(
    ("text", "rate"), [("2.60 %", Rate(13, 500)), ("0.05%", Rate(1, 2000)), ("-1 %", Rate(-1, 100))]
)
def test_rates_are_read(text, rate):
    assert parse_rate(text) == rate


@given(st.integers(-(10**9) + 1, 10**9 - 1), st.integers(0, 6))
def test_a_rate_written_is_the_rate_read(units, digits):
    rate = Rate(units, 100 * 10**digits)
    assert parse_rate(str(rate)) == rate


def test_currencies_do_not_mix():
    with pytest.raises(MoneyError):
        Money(1, "CNY") + Money(1, "USD")
    with pytest.raises(MoneyError):
        Money(1, "CNY") < Money(1, "USD")  # noqa: B015


def test_amounts_have_a_bound_and_are_whole():
    with pytest.raises(MoneyError):
        Money(AMOUNT_MINOR_MAX + 1)
    for wrong in (True, 1.0, "1"):
        with pytest.raises(MoneyError):
            Money(wrong)


@given(st.fractions())
def test_rounding_half_up_is_away_from_zero_at_the_half(exact):
    rounded = round_exact(exact, HALF_UP)
    assert abs(exact - rounded) <= Fraction(1, 2)
    if abs(exact - rounded) == Fraction(1, 2):
        assert abs(rounded) > abs(exact)
    assert abs(round_exact(exact, DOWN)) <= abs(exact) <= abs(round_exact(exact, UP))
    assert round_exact(-exact, HALF_UP) == -rounded


def test_interest_is_rounded_once():
    # S3 of the trade-finance reference: 10,300,000 x 2.60 % x 163/360.
    assert parse_money("10_300_000.00 CNY").interest(parse_rate("2.60 %"), 163, 360) == parse_money(
        "121_253.89 CNY"
    )


@given(
    st.integers(0, 10**15).map(Money), st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any)
)
def test_a_distribution_adds_up_and_is_fair(amount, weights):
    parts = distribute(amount, weights)
    assert sum(part.minor for part in parts) == amount.minor
    total = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(Fraction(amount.minor * weight, total) - part.minor) < 1


def test_a_tie_of_remainders_goes_to_the_first():
    assert distribute(Money(100), [1, 1, 1]) == [Money(34), Money(33), Money(33)]


@given(rates, rates)
def test_rates_are_in_lowest_terms_and_compare_exactly(left, right):
    assert (left < right) == (left.fraction < right.fraction)
    assert left.denominator > 0


@pytest.mark.parametrize("text", ["2026-02-30", "26-01-01", "2026/01/01", "", "2026-1-1"])
def test_days_that_do_not_exist_are_refused(text):
    with pytest.raises(MoneyError):
        Day.of(text)


def test_days_count_from_1970():
    assert Day.of("1970-01-01").ordinal == 0
    assert Day.of("1970-01-01").weekday() == 3
    assert Day.of("2026-04-10") + 180 == Day.of("2026-10-07")
    assert Day.of("2026-10-08") - Day.of("2026-04-24") == 167
    assert Day.of("2026-01-31").add_months(1) == Day.of("2026-02-28")
    assert Day.of("2025-12-31").add_months(12) == Day.of("2026-12-31")
    with pytest.raises(MoneyError):
        Day.of("9999-12-31") + 1


def test_values_are_immutable():
    for value in (Money(1), Rate(1, 2), Day(1)):
        with pytest.raises(AttributeError):
            value.minor = 2
