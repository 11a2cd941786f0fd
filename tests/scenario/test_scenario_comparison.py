"""The grammar after `that:`: parsed, placed, compared, and never run as code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.money import Day, Money, Rate
from consortium.scenario.comparison import (
    Comparison,
    ComparisonError,
    Reference,
    SumOf,
    compare,
    parse_comparison,
    parse_reference,
)


@pytest.mark.parametrize(
    ("text", "left", "relation", "right"),
    [
        (
            "sum($parts.amount) == $lc.amount",
            SumOf(Reference("parts", ("amount",))),
            "==",
            Reference("lc", ("amount",)),
        ),
        ("$lc.status != CLOSED", Reference("lc", ("status",)), "!=", "CLOSED"),
        ("$a.0.due<=2026-10-08", Reference("a", ("0", "due")), "<=", Day.of("2026-10-08")),
        ("10_000.00 CNY > $x", Money(1_000_000), ">", Reference("x")),
        ("$r < 2.60 %", Reference("r"), "<", Rate(13, 500)),
        ("$n >= -12", Reference("n"), ">=", -12),
        ("$flag == true", Reference("flag"), "==", True),
        ("$gone == null", Reference("gone"), "==", None),
        ("$text == 'two words'", Reference("text"), "==", "two words"),
        ('$text == "it\'s"', Reference("text"), "==", "it's"),
    ],
)
def test_comparisons_are_read(text, left, relation, right):
    assert parse_comparison(text) == Comparison(left, relation, right)


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("", 0),
        ("$a", 2),
        ("$a ==", 5),
        ("== 1", 0),
        ("$a = 1", 3),
        ("$a == 1 or true", 8),
        ("$a == (1)", 6),
        ("sum() == 1", 4),
        ("sum($a == 1", 6),
        ("sum(sum($a)) == 1", 4),
        ("$a == 1.5", 6),
        ("$a == 99999999999999999999", 6),
        ("$a.b( == 1", 4),
        ("eval('1') == 1", 4),
        ("$a == 2026-02-30", 6),
    ],
)
def test_what_is_no_comparison_is_placed(text, offset):
    with pytest.raises(ComparisonError) as caught:
        parse_comparison(text)
    assert caught.value.offset == offset


@given(st.text(alphabet="$ab.()=<>! 019_,%-\"'CNYsum\n", max_size=40))
def test_any_text_is_a_comparison_or_a_comparison_error(text):
    offset = 0
    try:
        parse_comparison(text)
    except ComparisonError as error:
        offset = error.offset
    assert 0 <= offset <= len(text)


def test_values_are_compared():
    values = {"parts": (Money(100), Money(250)), "whole": Money(350), "none": (), "status": "OPEN"}

    def lookup(reference):
        return values[reference.name]

    assert compare(parse_comparison("sum($parts) == $whole"), lookup).holds
    assert not compare(parse_comparison("sum($parts) < $whole"), lookup).holds
    assert compare(parse_comparison("$status == OPEN"), lookup).holds


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$missing == 1", "missing"),
        ("sum($none) == 1", "$none is not a list that can be added up"),
        ("$money < 5", "an amount and a whole number cannot be compared by <"),
        ("$money < OPEN", "an amount and a text cannot be compared by <"),
        ("sum($mixed) == 1.00 CNY", "CNY and USD cannot be added"),
        ("$text < 5", "a text and a whole number cannot be compared by <"),
    ],
)
def test_what_has_no_answer_does_not_hold(text, reason):
    values = {"none": (), "money": Money(1), "mixed": (Money(1), Money(1, "USD")), "text": "a"}
    compared = compare(parse_comparison(text), lambda reference: values[reference.name])
    assert not compared.holds
    assert reason in compared.reason


def test_other_currencies_are_unequal_not_an_error():
    compared = compare(parse_comparison("$money == 1.00 USD"), lambda _: Money(100))
    assert (compared.holds, compared.reason) == (False, None)


def test_references_are_told_from_text():
    assert parse_reference("$lc.amount.0") == Reference("lc", ("amount", "0"))
    for text in ("lc", "$", "$1", "$a.", "$a b", "$a[0]"):
        assert parse_reference(text) is None
