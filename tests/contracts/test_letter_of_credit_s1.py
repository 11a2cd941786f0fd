"""Scenario S1 whole, to the fen: a usance credit with tolerance, and the three presentations it turns away."""

import pytest
from harness import Bench, balances
from stories import D1, LC, advised, presentation, s1_bench, usance_terms

PRESENTATION = presentation("10_300_000.00 CNY", "2026-04-10")

# day and time, actor, action, arguments; then what it leaves: APP1 deposit, margin, line, C1, PB2 own, IB1 income
STORY = [
    ("2026-03-02 10:00", "APP1", "apply", usance_terms(),
     "12000000.00", "0.00", "0.00", "0.00", "0.00", "0.00"),
    ("2026-03-02 11:00", "IB1", "issue", {"id": LC},
     "9889500.00", "2100000.00", "8400000.00", "0.00", "0.00", "10500.00"),
    ("2026-03-03 10:00", "PB2", "advise", {"id": LC},
     "9889500.00", "2100000.00", "8400000.00", "0.00", "0.00", "10500.00"),
    ("2026-04-17 10:00", "C1", "present", PRESENTATION,
     "9889500.00", "2100000.00", "8400000.00", "0.00", "0.00", "10500.00"),
    ("2026-04-20 10:00", "PB2", "forward", {"id": D1},
     "9889500.00", "2100000.00", "8400000.00", "0.00", "0.00", "10500.00"),
    ("2026-04-24 10:00", "IB1", "accept", {"id": D1},
     "9858600.00", "2100000.00", "8400000.00", "0.00", "0.00", "41400.00"),
    ("2026-10-08 16:59", None, "", {},
     "9858600.00", "2100000.00", "8400000.00", "0.00", "0.00", "41400.00"),
    ("2026-10-08 17:00", None, "", {},
     "1658600.00", "0.00", "0.00", "10299750.00", "250.00", "41400.00"),
]  # fmt: skip


def test_every_step_of_the_story_leaves_the_balances_of_the_reference():
    bench = s1_bench()
    own = {bank: bench.cash(bank) for bank in ("IB1", "PB2")}
    for when, actor, action, arguments, deposit, margin, line, seller, bank, income in STORY:
        bench.at(when)
        if actor is not None:
            bench.applied(actor, f"letter_of_credit.{action}", **arguments)
        assert balances(bench, "APP1") == {"cash": deposit, "margin": margin, "line_used": line}, action
        assert bench.cash("C1").plain() == seller, action
        assert (bench.cash("PB2") - own["PB2"]).plain() == bank, action
        assert bench.income("IB1").plain() == income, action
        assert (bench.cash("IB1") - own["IB1"]).plain() == income, action
        bench.check_laws()
    assert bench.income("PB2").plain() == "250.00"
    assert bench.settle("IB1").plain() == "1001700000.00"  # 1,000,000,000 + 12,000,000 - 10,300,000
    assert bench.settle("PB2").plain() == "1010300000.00"


def test_the_due_work_of_the_last_day_pays_and_closes_in_one_block():
    bench = played_to("2026-10-08 16:59")
    done = bench.at("2026-10-08 17:00")
    assert [(outcome.function, outcome.status) for outcome in done] == [
        ("pay_at_maturity", "applied"),
        ("auto_close", "applied"),
    ]
    closed = bench.events(done[-1])[-1]
    assert closed == ("Closed", {"credit": LC, "undrawn": "200000.00 CNY", "margin_released": "0.00 CNY"})


def test_the_days_are_those_of_the_reference():
    bench = played_to("2026-09-30 10:00")
    drawing = bench.record("letter_of_credit", "drawings", D1)
    assert str(drawing["received_on"]) == "2026-04-20"
    assert str(drawing["exam_deadline"]) == "2026-04-27"
    assert str(drawing["maturity"]) == "2026-10-08"
    assert str(drawing["pay_date"]) == "2026-10-08"


def test_the_end_is_a_closed_credit_a_paid_drawing_and_a_paid_claim():
    bench = played_to("2026-10-08 17:00")
    credit = bench.record("letter_of_credit", "credits", LC)
    assert credit["status"] == "CLOSED"
    assert credit["liability"].plain() == "0.00"
    assert bench.record("letter_of_credit", "drawings", D1)["status"] == "PAID"
    assert bench.record("claim", "claims", D1)["status"] == "PAID"
    assert bench.records("settlement", "mandates") == {}
    assert bench.records("settlement", "margins") == {}
    assert bench.records("settlement", "limit_uses") == {}


@pytest.mark.parametrize(
    ("amount", "day", "code"),
    [
        ("10_500_000.01 CNY", "2026-04-17", "E_TOLERANCE"),
        ("9_499_999.99 CNY", "2026-04-17", "E_TOLERANCE"),
        ("10_300_000.00 CNY", "2026-04-28", "E_DATE"),
        ("10_500_000.01 CNY", "2026-04-28", "E_DATE"),  # the date is tested before the amount
    ],
)
def test_a_wrong_amount_or_a_late_presentation_is_turned_away(amount, day, code):
    bench = advised(s1_bench())
    bench.at(f"{day} 10:00")
    bench.refused(code, "C1", "letter_of_credit.present", **presentation(amount, "2026-04-10"))


@pytest.mark.parametrize(
    ("amount", "when"),
    [
        ("10_500_000.00 CNY", "2026-04-17 10:00"),
        ("9_500_000.00 CNY", "2026-04-17 10:00"),
        ("10_300_000.00 CNY", "2026-04-27 23:59"),
    ],
)
def test_the_bounds_themselves_are_inside(amount, when):
    bench = advised(s1_bench())
    bench.at(when)
    bench.applied("C1", "letter_of_credit.present", **presentation(amount, "2026-04-10"))


def played_to(when: str) -> Bench:
    bench = s1_bench()
    for step_at, actor, action, arguments, *_ in STORY:
        if step_at > when or actor is None:
            break
        bench.at(step_at)
        bench.applied(actor, f"letter_of_credit.{action}", **arguments)
    bench.at(when)
    return bench
