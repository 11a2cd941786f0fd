"""Amounts: tolerance to the fen, fees, the waterfall at payment, advances, default, several drawings, charges."""

import pytest
from harness import Bench, balances
from probes import CLAIM_PROBE
from stories import (
    D1,
    LC,
    accepted,
    advised,
    applied,
    forwarded,
    present,
    presentation,
    s1_bench,
    sight_terms,
)


def sight_bench(**settings) -> Bench:
    """The credit of S2, advised on 2026-04-01."""
    bench = Bench(
        **(
            {"deposits": {"APP1": "5_505_100.00 CNY"}, "lines": {("IB1", "APP1"): "10_000_000.00 CNY"}}
            | settings
        )
    )
    bench.at("2026-04-01 10:00")
    bench.applied("APP1", "letter_of_credit.apply", **sight_terms())
    bench.applied("IB1", "letter_of_credit.issue", id=LC)
    bench.applied("PB2", "letter_of_credit.advise", id=LC)
    return bench


def honour(bench: Bench, number: int, amount: str, shipped: str, when: str) -> None:
    bench.at(when)
    drawing = present(bench, amount, shipped)
    assert drawing == f"{LC}/{number}"
    bench.applied("PB2", "letter_of_credit.forward", id=drawing)
    bench.applied("IB1", "letter_of_credit.honour_sight", id=drawing)


# --- tolerance ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "plus", "minus", "least", "most"),
    [
        ("10_000_000.00 CNY", "5 %", "5 %", "9_500_000.00 CNY", "10_500_000.00 CNY"),
        ("333.33 CNY", "10 %", "10 %", "300.00 CNY", "366.66 CNY"),  # 366.663 down, 299.997 up: both inside
        ("333.37 CNY", "10 %", "10 %", "300.04 CNY", "366.70 CNY"),  # 300.033 and 366.707
        ("0.01 CNY", "5 %", "5 %", "0.01 CNY", "0.01 CNY"),
        ("1_234_567.89 CNY", "0 %", "0 %", "1_234_567.89 CNY", "1_234_567.89 CNY"),
        ("100.00 CNY", "0.3333 %", "100 %", "0.01 CNY", "100.33 CNY"),
    ],
)
def test_the_bounds_of_a_draw_are_exact(amount, plus, minus, least, most):
    bench = advised(s1_bench(), amount=amount, tolerance_plus=plus, tolerance_minus=minus)
    bench.at("2026-04-17 10:00")
    for inside in (least, most):
        present(bench.copy(), inside, "2026-04-10")
    for outside, code in (
        (bench.fen(least, -1), ("E_TOLERANCE", "E_AMOUNT")),
        (bench.fen(most, 1), ("E_TOLERANCE",)),
    ):
        outcome = bench.send("C1", "letter_of_credit.present", **presentation(outside, "2026-04-10"))
        assert outcome.code in code


def test_without_partial_shipments_one_drawing_exhausts_the_credit():
    bench = advised(s1_bench(), tolerance_minus="60 %")
    bench.at("2026-04-17 10:00")
    present(bench, "4_000_000.00 CNY", "2026-04-10")
    bench.refused(
        "E_OVERDRAW", "C1", "letter_of_credit.present", **presentation("4_000_000.00 CNY", "2026-04-10")
    )


# --- fees ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "fee"),
    [
        ("10_000_000.00 CNY", "10500.00"),
        ("285_714.28 CNY", "300.00"),
        ("285_719.04 CNY", "300.00"),  # + 5 % = 300,004.99: 300.00499 is rounded down
        ("285_719.05 CNY", "300.01"),  # + 5 % = 300,005.00: half a fen is rounded up
        ("1.00 CNY", "300.00"),
    ],
)
def test_the_issuance_fee_has_a_minimum_and_is_rounded_half_up(amount, fee):
    bench = applied(s1_bench(), amount=amount)
    bench.applied("IB1", "letter_of_credit.issue", id=LC)
    assert bench.income("IB1").plain() == fee


def test_fees_are_parameters_of_the_deployment():
    parameters = {
        "issuance_fee": "0.15 %",
        "acceptance_fee": "0.1 %",
        "advising_fee": "0.00 CNY",
        "handling_fee": "1_000.00 CNY",
    }
    bench = accepted(s1_bench(parameters={"letter_of_credit": parameters}))
    assert bench.income("IB1").plain() == "77550.00"  # 15,750 + 61,800
    bench.at("2026-10-08 17:00")
    assert bench.cash("C1").plain() == "10299000.00"
    assert bench.income("PB2").plain() == "1000.00"


def test_an_acceptance_fee_that_the_applicant_cannot_pay_becomes_an_advance():
    bench = forwarded(s1_bench())
    bench.applied("APP1", "settlement.pay", payer="APP1", payee="C2", amount="9_889_000.00 CNY")
    own = bench.cash("IB1")
    bench.at("2026-04-24 10:00")
    bench.applied("IB1", "letter_of_credit.accept", id=D1)
    assert bench.cash("APP1").plain() == "0.00"
    assert (bench.cash("IB1") - own).plain() == "500.00"
    assert bench.income("IB1").plain() == "41400.00"
    loan = bench.record("letter_of_credit", "loans", f"{LC}/advance-1")
    assert (loan["principal"].plain(), str(loan["since"])) == ("30400.00", "2026-04-24")
    bench.check_laws()


# --- what a bank needs to issue -----------------------------------------------------------------------------


def test_an_issue_needs_line_margin_and_fee_in_this_order():
    settings = {"deposits": {"APP1": "20_000_000.00 CNY"}, "lines": {("IB1", "APP1"): "8_399_999.99 CNY"}}
    bench = applied(Bench(**settings))
    bench.applied("APP1", "settlement.pay", payer="APP1", payee="C2", amount="20_000_000.00 CNY")
    bench.refused("E_LIMIT", "IB1", "letter_of_credit.issue", id=LC)
    bench.applied(
        "IB1", "settlement.set_limit", bank="IB1", party="APP1", kind="CREDIT", amount="8_400_000.00 CNY"
    )
    bench.refused("E_FUNDS", "IB1", "letter_of_credit.issue", id=LC)
    bench.applied("C2", "settlement.pay", payer="C2", payee="APP1", amount="2_110_499.99 CNY")
    bench.refused("E_FUNDS", "IB1", "letter_of_credit.issue", id=LC)
    bench.applied("C2", "settlement.pay", payer="C2", payee="APP1", amount="0.01 CNY")
    bench.applied("IB1", "letter_of_credit.issue", id=LC)
    assert balances(bench, "APP1") == {"cash": "0.00", "margin": "2100000.00", "line_used": "8400000.00"}


def test_a_full_margin_uses_no_line():
    bench = Bench(deposits={"APP1": "12_000_000.00 CNY"})
    applied(bench, margin_rate="100 %").applied("IB1", "letter_of_credit.issue", id=LC)
    assert balances(bench, "APP1") == {"cash": "1489500.00", "margin": "10500000.00", "line_used": "0.00"}


def test_an_applicant_may_keep_its_deposit_at_another_bank():
    bench = Bench(deposits={"APP2": "12_000_000.00 CNY"}, lines={("IB1", "APP2"): "10_000_000.00 CNY"})
    bench.at("2026-03-02 10:00")
    terms = sight_terms(applicant="APP2", expiry="2026-05-29", latest_shipment=None, partial_shipments=False)
    credit = bench.applied("APP2", "letter_of_credit.apply", **terms)
    bench.applied("IB1", "letter_of_credit.issue", id=credit)
    assert bench.settle("IB1").plain() == "1001005000.00"
    bench.applied("PB2", "letter_of_credit.advise", id=credit)
    drawing = bench.applied(
        "C1", "letter_of_credit.present", **presentation("5_000_000.00 CNY", "2026-03-01", credit)
    )
    bench.applied("PB2", "letter_of_credit.forward", id=drawing)
    bench.applied("IB1", "letter_of_credit.honour_sight", id=drawing)
    assert bench.cash("APP2").plain() == "6995000.00"
    assert bench.settle("IB1").plain() == "1000005000.00"
    bench.check_laws()


def test_a_rejected_application_leaves_no_mandate():
    bench = applied(s1_bench())
    assert (
        bench.records("settlement", "mandates")[("letter_of_credit", LC, "APP1")]["maximum"].plain()
        == "10578750.00"
    )
    bench.applied("IB1", "letter_of_credit.reject_application", id=LC, reason="no limit for this trade")
    assert bench.records("settlement", "mandates") == {}


# --- the waterfall ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spent", "deposit_left", "advance"),
    [
        ("0.00 CNY", "1658600.00", None),
        ("1_658_600.00 CNY", "0.00", None),
        ("1_658_600.01 CNY", "0.00", "0.01"),
        ("9_858_600.00 CNY", "0.00", "8200000.00"),
    ],
)
def test_margin_then_deposit_then_the_banks_own_funds(spent, deposit_left, advance):
    bench = accepted(s1_bench())
    if spent != "0.00 CNY":
        bench.applied("APP1", "settlement.pay", payer="APP1", payee="C2", amount=spent)
    bench.at("2026-10-08 17:00")
    assert bench.cash("C1").plain() == "10299750.00"  # in full, whatever the applicant has
    assert bench.cash("APP1").plain() == deposit_left
    assert bench.record("letter_of_credit", "credits", LC)["status"] == "CLOSED"
    loans = bench.records("letter_of_credit", "loans")
    if advance is None:
        assert loans == {}
    else:
        (loan,) = loans.values()
        assert (loan["principal"].plain(), str(loan["since"]), loan["status"]) == (
            advance,
            "2026-10-08",
            "OPEN",
        )
        earned = bench.money("1_000_041_400.00 CNY") - bench.money(f"{advance} CNY")
        assert bench.cash("IB1") == earned
    bench.check_laws()


def test_an_advance_is_repaid_with_interest_first():
    bench = accepted(s1_bench())
    bench.applied("APP1", "settlement.pay", payer="APP1", payee="C2", amount="9_858_600.00 CNY")
    bench.at("2026-10-08 17:00")
    loan = f"{LC}/advance-1"  # 8,200,000.00, 0.05 % a day = 4,100.00
    bench.at("2026-10-18 10:00")  # a Sunday: value on Monday, 11 days
    bench.applied("C2", "settlement.pay", payer="C2", payee="APP1", amount="9_000_000.00 CNY")
    bench.refused("E_AMOUNT", "APP1", "letter_of_credit.repay_advance", id=loan, amount="0.00 CNY")
    bench.refused("E_AMOUNT", "APP1", "letter_of_credit.repay_advance", id=loan, amount="8_245_100.01 CNY")
    own, income = bench.cash("IB1"), bench.income("IB1")
    bench.applied("APP1", "letter_of_credit.repay_advance", id=loan, amount="45_000.00 CNY")
    state = bench.record("letter_of_credit", "loans", loan)
    assert (state["principal"].plain(), state["interest"].plain()) == ("8200000.00", "100.00")
    assert (bench.income("IB1") - income).plain() == "45000.00"
    bench.at("2026-10-20 10:00")  # one day later: 100.00 + 4,100.00
    bench.applied("APP1", "letter_of_credit.repay_advance", id=loan, amount="8_204_200.00 CNY")
    state = bench.record("letter_of_credit", "loans", loan)
    assert (state["status"], state["principal"].plain(), state["interest"].plain()) == (
        "REPAID",
        "0.00",
        "0.00",
    )
    assert (bench.cash("IB1") - own).plain() == "8249200.00"
    assert (bench.income("IB1") - income).plain() == "49200.00"
    bench.refused("E_STATE", "APP1", "letter_of_credit.repay_advance", id=loan, amount="1.00 CNY")
    bench.check_laws()


@pytest.mark.parametrize("party", ["IB1", "APP2", "C1"])
def test_only_the_applicant_repays_its_advance(party):
    bench = accepted(s1_bench())
    bench.applied("APP1", "settlement.pay", payer="APP1", payee="C2", amount="9_858_600.00 CNY")
    bench.at("2026-10-08 17:00")
    bench.refused("E_ROLE", party, "letter_of_credit.repay_advance", id=f"{LC}/advance-1", amount="1.00 CNY")


def defaulting(own_left: str) -> Bench:
    """An applicant without a deposit, and a bank that has just `own_left`; 8,200,000.00 are missing."""
    bench = accepted(s1_bench())
    bench.applied("APP1", "settlement.pay", payer="APP1", payee="C2", amount="9_858_600.00 CNY")
    surplus = bench.cash("IB1") - bench.money(own_left)
    bench.applied("IB1", "settlement.pay", payer="IB1", payee="FB3", amount=str(surplus))
    bench.at("2026-10-08 17:00")
    return bench


def test_a_bank_that_cannot_cover_the_shortfall_is_in_default_and_nothing_moves():
    bench = defaulting("8_199_999.99 CNY")
    assert bench.record("letter_of_credit", "drawings", D1)["status"] == "OVERDUE"
    assert bench.record("claim", "claims", D1)["status"] == "OVERDUE"
    assert balances(bench, "APP1") == {"cash": "0.00", "margin": "2100000.00", "line_used": "8400000.00"}
    assert bench.cash("C1").plain() == "0.00"
    assert bench.cash("IB1").plain() == "8199999.99"
    assert ("BankDefault", {"drawing": D1, "bank": "IB1", "amount": "10300000.00 CNY"}) in bench.events(
        bench.last
    )
    bench.check_laws()


def test_a_bank_that_was_silent_can_be_in_default_as_well():
    bench = forwarded(s1_bench())
    bench.at("2026-04-28 10:00")
    bench.applied("APP1", "settlement.pay", payer="APP1", payee="C2", amount=str(bench.cash("APP1")))
    bench.applied("IB1", "settlement.pay", payer="IB1", payee="FB3", amount=str(bench.cash("IB1")))
    bench.at("2026-10-08 17:00")
    assert bench.record("letter_of_credit", "drawings", D1)["status"] == "OVERDUE"
    bench.refused("E_STATE", "IB1", "letter_of_credit.honour_sight", id=D1)


def test_a_bank_that_can_just_cover_it_pays():
    bench = defaulting("8_200_000.00 CNY")
    assert bench.record("letter_of_credit", "drawings", D1)["status"] == "PAID"
    assert bench.cash("IB1").plain() == "0.00"


def test_an_overdue_drawing_is_paid_with_default_interest_from_the_bank():
    bench = defaulting("8_199_999.99 CNY")
    bench.at("2026-10-13 10:00")  # 5 days: 10,300,000.00 x 0.05 % x 5 = 25,750.00
    bench.refused("E_FUNDS", "IB1", "letter_of_credit.pay_overdue", id=D1)
    bench.applied("FB3", "settlement.pay", payer="FB3", payee="IB1", amount="25_750.00 CNY")
    bench.refused("E_FUNDS", "IB1", "letter_of_credit.pay_overdue", id=D1)
    bench.applied("FB3", "settlement.pay", payer="FB3", payee="IB1", amount="0.01 CNY")
    bench.applied("IB1", "letter_of_credit.pay_overdue", id=D1)
    assert bench.cash("C1").plain() == "10325500.00"  # 10,299,750.00 + 25,750.00
    assert bench.cash("IB1").plain() == "0.00"
    assert bench.record("letter_of_credit", "loans", f"{LC}/advance-1")["principal"].plain() == "8200000.00"
    assert bench.record("claim", "claims", D1)["status"] == "PAID"
    bench.at("2026-10-13 17:00")
    assert bench.record("letter_of_credit", "credits", LC)["status"] == "CLOSED"
    bench.check_laws()


def test_default_interest_runs_to_the_value_day_of_the_payment():
    bench = defaulting("8_199_999.99 CNY")
    bench.applied("FB3", "settlement.pay", payer="FB3", payee="IB1", amount="1_000_000.00 CNY")
    bench.at("2026-10-13 17:00")  # value on the 14th: 6 days
    bench.applied("IB1", "letter_of_credit.pay_overdue", id=D1)
    assert bench.cash("C1").plain() == "10330650.00"  # 10,299,750.00 + 30,900.00


def test_a_claim_that_was_sold_is_paid_to_its_holder_without_the_sellers_charges():
    bench = accepted(s1_bench(contracts={"forfaiting": CLAIM_PROBE}))
    assert bench.record("claim", "claims", D1)["recourse"] is False
    bench.applied("PB2", "forfaiting.lock", id=D1, trade="PB2/T-1")
    bench.applied("PB2", "forfaiting.transfer", id=D1, trade="PB2/T-1", buyer="FB3")
    before = bench.cash("FB3")
    bench.at("2026-10-08 17:00")
    assert (bench.cash("FB3") - before).plain() == "10300000.00"
    assert (bench.cash("C1").plain(), bench.income("PB2").plain()) == ("0.00", "0.00")
    assert bench.record("letter_of_credit", "charges", (LC, "PB2"))["owed"].plain() == "250.00"
    bench.check_laws()


def test_a_bank_that_cannot_pay_yet_is_refused_before_the_cut_off_and_not_in_default():
    bench = accepted(s1_bench())
    bench.applied("APP1", "settlement.pay", payer="APP1", payee="C2", amount="9_858_600.00 CNY")
    bench.applied("IB1", "settlement.pay", payer="IB1", payee="FB3", amount=str(bench.cash("IB1")))
    bench.at("2026-10-08 10:00")
    bench.refused("E_FUNDS", "IB1", "letter_of_credit.pay", id=D1)
    bench.applied("FB3", "settlement.pay", payer="FB3", payee="IB1", amount="8_200_000.00 CNY")
    bench.applied("IB1", "letter_of_credit.pay", id=D1)


def test_a_sight_drawing_that_the_bank_cannot_pay_is_refused():
    bench = sight_bench()
    bench.applied("APP1", "settlement.pay", payer="APP1", payee="C2", amount="4_500_100.00 CNY")
    bench.applied("IB1", "settlement.pay", payer="IB1", payee="FB3", amount=str(bench.cash("IB1")))
    bench.at("2026-04-22 10:00")
    present(bench, "2_000_000.00 CNY", "2026-04-15")
    bench.applied("PB2", "letter_of_credit.forward", id=D1)
    bench.refused("E_FUNDS", "IB1", "letter_of_credit.honour_sight", id=D1)


# --- several drawings ---------------------------------------------------------------------------------------


def test_partial_drawings_use_margin_first_and_the_last_one_closes_the_credit():
    bench = sight_bench()
    assert balances(bench, "APP1") == {
        "cash": "4500100.00",
        "margin": "1000000.00",
        "line_used": "4000000.00",
    }
    honour(bench, 1, "2_000_000.00 CNY", "2026-04-15", "2026-04-22 10:00")
    assert balances(bench, "APP1") == {"cash": "3500100.00", "margin": "0.00", "line_used": "3000000.00"}
    honour(bench, 2, "500_000.00 CNY", "2026-05-11", "2026-05-12 10:00")
    assert balances(bench, "APP1") == {"cash": "3000100.00", "margin": "0.00", "line_used": "2500000.00"}
    bench.refused(
        "E_OVERDRAW", "C1", "letter_of_credit.present", **presentation("2_500_000.01 CNY", "2026-05-11")
    )
    bench.refused(
        "E_TOLERANCE", "C1", "letter_of_credit.present", **presentation("5_000_000.01 CNY", "2026-05-11")
    )
    bench.at("2026-05-20 10:00")
    drawings = [present(bench, amount, "2026-05-12") for amount in ("500_000.00 CNY", "2_000_000.00 CNY")]
    for drawing in drawings:
        bench.applied("PB2", "letter_of_credit.forward", id=drawing)
    bench.applied("IB1", "letter_of_credit.honour_sight", id=drawings[0])
    bench.at("2026-05-20 17:00")  # nothing is left to draw, but one drawing is still under examination
    assert bench.record("letter_of_credit", "credits", LC)["status"] == "ADVISED"
    bench.applied("IB1", "letter_of_credit.honour_sight", id=drawings[1])
    bench.at("2026-05-20 17:01")
    assert bench.record("letter_of_credit", "credits", LC)["status"] == "CLOSED"
    assert balances(bench, "APP1") == {"cash": "500100.00", "margin": "0.00", "line_used": "0.00"}
    assert bench.cash("C1").plain() == "4999150.00"  # 50 advising + 4 x 200 handling
    assert bench.income("PB2").plain() == "850.00"
    bench.check_laws()


def test_a_margin_that_outlasts_the_first_drawing_pays_part_of_the_next():
    bench = sight_bench()
    honour(bench, 1, "600_000.00 CNY", "2026-04-15", "2026-04-22 10:00")
    assert balances(bench, "APP1") == {"cash": "4500100.00", "margin": "400000.00", "line_used": "4000000.00"}
    honour(bench, 2, "600_000.00 CNY", "2026-04-15", "2026-04-23 10:00")
    assert balances(bench, "APP1") == {"cash": "4300100.00", "margin": "0.00", "line_used": "3800000.00"}


def test_drawings_of_one_day_are_paid_in_order_and_the_bank_defaults_on_the_one_it_cannot_pay():
    terms = {"partial_shipments": True, "tolerance_plus": None, "tolerance_minus": None}
    bench = advised(s1_bench(), **terms)
    bench.at("2026-04-17 10:00")
    drawings = [present(bench, "5_000_000.00 CNY", "2026-04-10") for _ in range(2)]
    for drawing in drawings:
        bench.applied("PB2", "letter_of_credit.forward", id=drawing)
        bench.applied("IB1", "letter_of_credit.accept", id=drawing)
    bench.applied("APP1", "settlement.pay", payer="APP1", payee="C2", amount=str(bench.cash("APP1")))
    surplus = bench.cash("IB1") - bench.money("3_000_000.00 CNY")
    bench.applied("IB1", "settlement.pay", payer="IB1", payee="FB3", amount=str(surplus))
    bench.at("2026-10-08 17:00")
    states = [bench.record("letter_of_credit", "drawings", drawing)["status"] for drawing in drawings]
    assert states == ["PAID", "OVERDUE"]
    assert (
        bench.cash("C1").plain() == "4999550.00"
    )  # 50 advising and 2 x 200 handling, from the first proceeds
    assert bench.cash("IB1").plain() == "0.00"
    bench.check_laws()


def test_charges_larger_than_the_first_proceeds_wait_for_the_next():
    bench = sight_bench()
    honour(bench, 1, "100.00 CNY", "2026-04-15", "2026-04-22 10:00")
    assert (bench.cash("C1").plain(), bench.income("PB2").plain()) == ("0.00", "100.00")
    honour(bench, 2, "1_000.00 CNY", "2026-04-15", "2026-04-23 10:00")
    assert (bench.cash("C1").plain(), bench.income("PB2").plain()) == ("650.00", "450.00")
    bench.check_laws()


def test_each_bank_gets_the_charges_that_it_earned():
    bench = sight_bench()
    bench.at("2026-04-22 10:00")
    arguments = presentation("1_000_000.00 CNY", "2026-04-15") | {"presenting_bank": "FB3"}
    drawing = bench.applied("C1", "letter_of_credit.present", **arguments)
    bench.applied("FB3", "letter_of_credit.forward", id=drawing)
    bench.applied("IB1", "letter_of_credit.honour_sight", id=drawing)
    assert (bench.income("PB2").plain(), bench.income("FB3").plain()) == ("50.00", "200.00")
    assert bench.cash("C1").plain() == "999750.00"


def test_an_issuing_bank_may_present_to_itself():
    bench = sight_bench()
    bench.at("2026-04-22 10:00")
    arguments = presentation("1_000_000.00 CNY", "2026-04-15") | {"presenting_bank": "IB1"}
    drawing = bench.applied("C1", "letter_of_credit.present", **arguments)
    bench.applied("IB1", "letter_of_credit.forward", id=drawing)
    bench.applied("IB1", "letter_of_credit.honour_sight", id=drawing)
    assert bench.income("IB1").plain() == "5200.00"
    assert bench.cash("IB1").plain() == "1000005200.00"
    bench.check_laws()
