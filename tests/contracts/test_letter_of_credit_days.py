"""Deadlines at the border of the day, banking days, cut-off, tenors: everything that a calendar decides."""

import pytest
from harness import DOCUMENTS
from stories import (
    D1,
    LC,
    accepted,
    advised,
    applied,
    forwarded,
    issued,
    present,
    presentation,
    presented,
    s1_bench,
    sight_terms,
    usance_terms,
)


def drawing_of(bench, drawing=D1):
    return bench.record("letter_of_credit", "drawings", drawing)


def credit_of(bench, credit=LC):
    return bench.record("letter_of_credit", "credits", credit)


# --- the application ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"expiry": "2026-03-02", "latest_shipment": None}, "E_DATE"),
        ({"expiry": "2026-03-03", "latest_shipment": None}, "applied"),
        ({"latest_shipment": "2026-05-29"}, "applied"),
        ({"latest_shipment": "2026-05-30"}, "E_DATE"),
        ({"presentation_days": -1}, "E_DATE"),
        ({"presentation_days": 0}, "applied"),
        ({"presentation_days": 365}, "applied"),
        ({"presentation_days": 366}, "E_DATE"),
        ({"tenor_days": 0}, "E_TENOR"),
        ({"tenor_days": 1}, "applied"),
        ({"tenor_days": 365}, "applied"),
        ({"tenor_days": 366}, "E_TENOR"),
        ({"tenor": "AFTER_SIGHT", "tenor_days": 366}, "E_TENOR"),
        ({"tenor": "AFTER_SIGHT", "tenor_days": 90, "fixed_maturity": "2026-08-31"}, "E_TENOR"),
        ({"tenor": "SIGHT", "tenor_days": 0}, "applied"),
        ({"tenor": "SIGHT", "tenor_days": 1}, "E_TENOR"),
        ({"tenor": "FIXED", "tenor_days": 0}, "E_TENOR"),
        ({"tenor": "FIXED", "tenor_days": 30, "fixed_maturity": "2026-08-31"}, "E_TENOR"),
        ({"tenor": "FIXED", "tenor_days": 0, "fixed_maturity": "2026-03-02"}, "E_TENOR"),
        ({"tenor": "FIXED", "tenor_days": 0, "fixed_maturity": "2026-03-03"}, "applied"),
        ({"tenor": "FIXED", "tenor_days": 0, "fixed_maturity": "2027-03-02"}, "applied"),  # 365 days
        ({"tenor": "FIXED", "tenor_days": 0, "fixed_maturity": "2027-03-03"}, "E_TENOR"),
        ({"amount": "0.00 CNY"}, "E_AMOUNT"),
        ({"amount": "-1.00 CNY"}, "E_AMOUNT"),
        ({"tolerance_plus": "-1 %"}, "E_AMOUNT"),
        ({"tolerance_plus": "0 %"}, "applied"),
        ({"tolerance_plus": "100 %"}, "applied"),
        ({"tolerance_plus": "101 %"}, "E_AMOUNT"),
        ({"tolerance_minus": "-1 %"}, "E_AMOUNT"),
        ({"tolerance_minus": "0 %"}, "applied"),
        ({"tolerance_minus": "100 %"}, "applied"),
        ({"tolerance_minus": "101 %"}, "E_AMOUNT"),
        ({"margin_rate": "-1 %"}, "E_AMOUNT"),
        ({"margin_rate": "0 %"}, "applied"),
        ({"margin_rate": "100 %"}, "applied"),
        ({"margin_rate": "101 %"}, "E_AMOUNT"),
        ({"expiry": "2026-03-01", "amount": "0.00 CNY"}, "E_DATE"),  # the date comes first
        ({"amount": "20_952_380.97 CNY"}, "E_LIMIT"),  # + 5 % is a fen more than line and deposit have
        ({"amount": "20_952_380.96 CNY"}, "applied"),
        ({"amount": "1.00 USD"}, "E-TYPE"),
    ],
)
def test_terms_are_tested_at_the_application(changes, expected):
    bench = s1_bench()
    bench.at("2026-03-02 10:00")
    if expected == "applied":
        bench.applied("APP1", "letter_of_credit.apply", **usance_terms(**changes))
    else:
        bench.refused(expected, "APP1", "letter_of_credit.apply", **usance_terms(**changes))


def test_what_an_application_leaves_open_has_its_usual_meaning():
    bench = applied(s1_bench(), latest_shipment=None, presentation_days=None, tolerance_plus=None,
                    tolerance_minus=None, margin_rate=None)  # fmt: skip
    credit = credit_of(bench)
    assert str(credit["latest_shipment"]) == "2026-05-29"
    assert credit["presentation_days"] == 15
    assert credit["minimum"] == credit["maximum"] == credit["amount"]
    assert credit["margin"].plain() == "0.00"


# --- issue and advice ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "expected"), [("2026-05-28 23:59", "applied"), ("2026-05-29 00:00", "E_DATE")]
)
def test_a_credit_is_issued_before_it_would_expire(when, expected):
    bench = applied(s1_bench())
    bench.at(when)
    bench.ends(expected, "IB1", "letter_of_credit.issue", id=LC)


def test_a_fixed_maturity_is_tested_again_at_issue():
    bench = applied(s1_bench(), tenor="FIXED", tenor_days=0, fixed_maturity="2026-03-09")
    bench.at("2026-03-09 09:00")
    bench.refused("E_TENOR", "IB1", "letter_of_credit.issue", id=LC)


@pytest.mark.parametrize(("expiry", "expected"), [("2026-12-14", "applied"), ("2026-12-15", "E-DATE")])
def test_a_credit_whose_last_payment_day_is_in_no_calendar_is_not_issued(expiry, expected):
    # The calendar ends with 2027. Presented and forwarded on the last day each, after the cut-off, a drawing
    # would be deemed compliant on 2026-12-31, a banking day later for the second credit; then come 365 days.
    bench = applied(s1_bench(), expiry=expiry, latest_shipment=None, tenor="AFTER_SIGHT", tenor_days=365)
    bench.ends(expected, "IB1", "letter_of_credit.issue", id=LC)


def test_a_credit_with_a_fixed_maturity_in_no_calendar_is_not_issued():
    bench = s1_bench()
    bench.at("2027-06-01 10:00")
    fixed = {"tenor": "FIXED", "tenor_days": 0, "fixed_maturity": "2028-03-01"}
    terms = usance_terms(expiry="2027-07-01", latest_shipment=None, **fixed)
    bench.applied("APP1", "letter_of_credit.apply", **terms)
    bench.refused("E-DATE", "IB1", "letter_of_credit.issue", id=LC)


@pytest.mark.parametrize(
    ("issued_at", "advised_at", "expected"),
    [
        ("2026-03-02 16:59", "2026-03-05 23:59", "applied"),
        ("2026-03-02 16:59", "2026-03-06 00:00", "E_DATE"),
        ("2026-03-02 17:00", "2026-03-06 23:59", "applied"),  # after the cut-off: received on 03-03
        ("2026-03-02 17:00", "2026-03-07 00:00", "E_DATE"),
        ("2026-03-06 17:00", "2026-03-12 23:59", "applied"),  # Friday evening: received on Monday 03-09
        ("2026-03-06 17:00", "2026-03-13 00:00", "E_DATE"),
    ],
)
def test_a_credit_is_advised_within_three_banking_days(issued_at, advised_at, expected):
    bench = applied(s1_bench())
    bench.at(issued_at)
    bench.applied("IB1", "letter_of_credit.issue", id=LC)
    bench.at(advised_at)
    bench.ends(expected, "PB2", "letter_of_credit.advise", id=LC)


# --- presentation -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shipped", "when", "expected"),
    [
        ("2026-04-10", "2026-04-27 23:59", "applied"),  # + 15 = Saturday 04-25, so Monday 04-27
        ("2026-04-10", "2026-04-28 00:00", "E_DATE"),
        ("2026-04-13", "2026-04-28 23:59", "applied"),
        ("2026-04-13", "2026-04-29 00:00", "E_DATE"),
        ("2026-04-20", "2026-05-06 23:59", "applied"),  # 05-05 is the last day of the holiday
        ("2026-04-20", "2026-05-07 00:00", "E_DATE"),
        ("2026-05-20", "2026-05-29 23:59", "applied"),  # late shipment is for the examiner; the expiry is not
        ("2026-04-17", "2026-04-17 10:00", "applied"),
        ("2026-04-18", "2026-04-17 10:00", "E_DATE"),  # documents of tomorrow
    ],
)
def test_documents_are_presented_in_time(shipped, when, expected):
    bench = advised(s1_bench())
    bench.at(when)
    bench.ends(expected, "C1", "letter_of_credit.present", **presentation("10_300_000.00 CNY", shipped))


def test_an_expiry_on_a_holiday_is_moved_and_then_ends_presentations():
    bench = advised(s1_bench(), expiry="2026-05-02", latest_shipment=None)
    bench.at("2026-05-06 23:59")
    assert credit_of(bench)["status"] == "ADVISED"
    copy = bench.copy()
    present(copy, "10_300_000.00 CNY", "2026-05-01")
    bench.at("2026-05-07 00:00")
    assert credit_of(bench)["status"] == "EXPIRED_OPEN"
    assert credit_of(bench)["expire_on"] is None
    bench.refused(
        "E_STATE", "C1", "letter_of_credit.present", **presentation("10_300_000.00 CNY", "2026-05-01")
    )


def test_a_credit_that_was_never_advised_expires_too():
    bench = issued(s1_bench())
    bench.at("2026-05-30 00:00")
    assert credit_of(bench)["status"] == "EXPIRED_OPEN"
    bench.refused("E_STATE", "PB2", "letter_of_credit.advise", id=LC)


def test_expiry_leaves_the_drawings_that_were_made():
    bench = forwarded(s1_bench(), expiry="2026-04-22", latest_shipment=None)
    bench.at("2026-04-23 10:00")
    assert credit_of(bench)["status"] == "EXPIRED_OPEN"
    bench.applied("IB1", "letter_of_credit.accept", id=D1)
    bench.at("2026-10-08 17:00")
    assert drawing_of(bench)["status"] == "PAID"
    assert credit_of(bench)["status"] == "CLOSED"


@pytest.mark.parametrize(
    ("presented_at", "when", "expected"),
    [
        ("2026-04-17 10:00", "2026-04-24 23:59", "applied"),  # Friday
        ("2026-04-17 10:00", "2026-04-25 00:00", "E_DATE"),
        ("2026-04-17 17:00", "2026-04-27 23:59", "applied"),  # after the cut-off: received on Monday
        ("2026-04-17 17:00", "2026-04-28 00:00", "E_DATE"),
    ],
)
def test_documents_are_forwarded_within_five_banking_days(presented_at, when, expected):
    bench = advised(s1_bench())
    bench.at(presented_at)
    present(bench, "10_300_000.00 CNY", "2026-04-10")
    bench.at(when)
    bench.ends(expected, "PB2", "letter_of_credit.forward", id=D1)


# --- examination --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forwarded_at", "received_on", "deadline"),
    [
        ("2026-04-20 16:59", "2026-04-20", "2026-04-27"),
        ("2026-04-20 17:00", "2026-04-21", "2026-04-28"),
        ("2026-04-24 17:00", "2026-04-27", "2026-05-07"),  # over the weekend, and over the holiday of May
        ("2026-04-18 10:00", "2026-04-20", "2026-04-27"),  # Saturday
    ],
)
def test_the_examination_takes_five_banking_days_after_receipt(forwarded_at, received_on, deadline):
    bench = presented(s1_bench())
    bench.at(forwarded_at)
    bench.applied("PB2", "letter_of_credit.forward", id=D1)
    assert str(drawing_of(bench)["received_on"]) == received_on
    assert str(drawing_of(bench)["exam_deadline"]) == deadline
    assert drawing_of(bench)["preclude_on"] == drawing_of(bench)["exam_deadline"] + 1


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("accept", {"id": D1}),
        ("refuse", {"id": D1, "discrepancies": ("LATE_SHIPMENT",), "disposition": "RETURN"}),
    ],
)
def test_the_last_minute_of_the_examination_counts(action, arguments):
    bench = forwarded(s1_bench())
    bench.at("2026-04-27 23:59")
    bench.applied("IB1", f"letter_of_credit.{action}", **arguments)
    assert drawing_of(bench)["preclude_on"] is None
    bench.at("2026-04-28 00:00")
    assert drawing_of(bench)["status"] == {"accept": "ACCEPTED", "refuse": "REFUSED"}[action]


@pytest.mark.parametrize(
    ("action", "arguments", "code"),
    [
        ("accept", {"id": D1}, "E_DATE"),
        ("refuse", {"id": D1, "discrepancies": ("LATE_SHIPMENT",), "disposition": "RETURN"}, "E_PRECLUDED"),
    ],
)
def test_an_action_tests_its_deadline_itself_if_due_work_is_late(action, arguments, code):
    bench = forwarded(s1_bench())
    bench.set_time("2026-04-28 00:00")  # without the due work
    bench.refused(code, "IB1", f"letter_of_credit.{action}", **arguments)


def test_a_silent_bank_must_pay_as_if_the_documents_complied():
    bench = forwarded(s1_bench())
    done = bench.at("2026-04-28 00:00")
    assert [(outcome.function, outcome.status) for outcome in done] == [("auto_preclude", "applied")]
    drawing = drawing_of(bench)
    assert (drawing["status"], str(drawing["pay_date"]), drawing["preclude_on"]) == (
        "DEEMED_COMPLIANT", "2026-10-08", None,
    )  # fmt: skip
    assert bench.record("claim", "claims", D1)["holder"] == "C1"
    bench.refused(
        "E_PRECLUDED", "IB1", "letter_of_credit.refuse", id=D1, discrepancies=("OTHER",), disposition="RETURN"
    )
    bench.at("2026-10-08 17:00")
    assert drawing_of(bench)["status"] == "PAID"
    assert bench.cash("APP1").plain() == "1689500.00"  # no acceptance, no acceptance fee
    assert credit_of(bench)["status"] == "CLOSED"


def test_a_bank_deemed_to_have_accepted_may_still_accept():
    bench = forwarded(s1_bench())
    bench.at("2026-05-06 10:00")
    bench.applied("IB1", "letter_of_credit.accept", id=D1)
    assert str(drawing_of(bench)["pay_date"]) == "2026-10-08"
    assert bench.income("IB1").plain() == "41400.00"  # 155 days: 6 periods
    bench.at("2026-10-08 17:00")
    assert drawing_of(bench)["status"] == "PAID"


def test_a_refusal_is_one_notice_that_lists_every_discrepancy():
    bench = forwarded(s1_bench())
    notice = {"id": D1, "discrepancies": ("LATE_SHIPMENT", "GOODS_DESC"), "disposition": "HOLD_FOR_PRESENTER"}
    bench.refused("E_AMOUNT", "IB1", "letter_of_credit.refuse", **(notice | {"discrepancies": ()}))
    bench.refused("E_AMOUNT", "IB1", "letter_of_credit.refuse", **(notice | {"discrepancies": ("OTHER",)}))
    bench.applied("IB1", "letter_of_credit.refuse", **notice)
    drawing = drawing_of(bench)
    assert drawing["discrepancies"] == ["LATE_SHIPMENT", "GOODS_DESC"]
    assert drawing["disposition"] == "HOLD_FOR_PRESENTER"
    bench.refused(
        "E_PRECLUDED", "IB1", "letter_of_credit.refuse", **(notice | {"discrepancies": ("SIGNATURE",)})
    )
    bench.refused("E_STATE", "IB1", "letter_of_credit.accept", id=D1)


def test_another_discrepancy_is_described_by_a_note():
    bench = forwarded(s1_bench())
    bench.applied(
        "IB1",
        "letter_of_credit.refuse",
        id=D1,
        discrepancies=("OTHER",),
        disposition="RETURN",
        note=DOCUMENTS[0],
    )
    assert drawing_of(bench)["note"] == DOCUMENTS[0]


def test_returned_documents_free_the_amount_for_another_drawing():
    bench = forwarded(s1_bench())
    bench.refused(
        "E_OVERDRAW", "C1", "letter_of_credit.present", **presentation("10_000_000.00 CNY", "2026-04-12")
    )
    bench.applied("IB1", "letter_of_credit.refuse", id=D1, discrepancies=("SIGNATURE",), disposition="RETURN")
    bench.refused(
        "E_OVERDRAW", "C1", "letter_of_credit.present", **presentation("10_000_000.00 CNY", "2026-04-12")
    )
    bench.applied("IB1", "letter_of_credit.return_docs", id=D1)
    assert present(bench, "10_000_000.00 CNY", "2026-04-12") == "APP1/LC-1/2"


# --- maturity -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "maturity"),
    [
        ({}, "2026-10-08"),  # 04-10 + 180 = 10-07, a holiday
        ({"tenor_days": 90}, "2026-07-09"),
        ({"tenor": "AFTER_SIGHT", "tenor_days": 90}, "2026-07-20"),  # received 04-20, + 90 = Sunday 07-19
        ({"tenor": "AFTER_SIGHT", "tenor_days": 153}, "2026-09-20"),  # a Sunday that is a working day
        ({"tenor": "FIXED", "tenor_days": 0, "fixed_maturity": "2026-09-26"}, "2026-09-28"),
        ({"tenor_days": 10}, "2026-04-24"),  # 04-20 has passed at acceptance: payable at once
        ({"tenor": "FIXED", "tenor_days": 0, "fixed_maturity": "2026-04-21"}, "2026-04-24"),
    ],
)
def test_maturity_follows_the_terms_and_the_calendar(terms, maturity):
    bench = accepted(s1_bench(), **terms)
    assert str(drawing_of(bench)["maturity"]) == maturity
    bench.at(f"{maturity} 16:59")
    assert drawing_of(bench)["status"] == "ACCEPTED"
    bench.at(f"{maturity} 17:00")
    assert drawing_of(bench)["status"] == "PAID"
    assert drawing_of(bench)["pay_date"] is None
    bench.check_laws()


@pytest.mark.parametrize(
    ("tenor_days", "maturity", "income"),
    [
        (180, "2026-10-08", "41400.00"),  # 167 days: 6 periods
        (74, "2026-06-23", "20800.00"),  # 60 days: 2 periods
        (75, "2026-06-24", "25950.00"),  # 61 days: 3 periods
        (10, "2026-04-24", "10500.00"),  # payable at once: no period
    ],
)
def test_the_acceptance_fee_counts_begun_periods_of_thirty_days(tenor_days, maturity, income):
    bench = accepted(s1_bench(), tenor_days=tenor_days)
    assert str(drawing_of(bench)["maturity"]) == maturity
    assert bench.income("IB1").plain() == income


def test_an_acceptance_looks_at_most_a_year_ahead():
    bench = applied(s1_bench(), tenor="FIXED", tenor_days=0, fixed_maturity="2027-03-02")
    bench.applied("IB1", "letter_of_credit.issue", id=LC)
    assert credit_of(bench)["status"] == "ISSUED"
    late = applied(s1_bench(), expiry="2026-05-29", tenor="AFTER_SIGHT", tenor_days=365)
    late.applied("IB1", "letter_of_credit.issue", id=LC)
    late.applied("PB2", "letter_of_credit.advise", id=LC)
    late.at("2026-04-17 10:00")
    present(late, "10_300_000.00 CNY", "2026-04-10")
    late.at("2026-04-17 18:00")  # received on Monday the 20th, so a maturity of 368 days from now
    late.applied("PB2", "letter_of_credit.forward", id=D1)
    late.refused("E_TENOR", "IB1", "letter_of_credit.accept", id=D1)
    late.at("2026-04-20 09:00")
    late.applied("IB1", "letter_of_credit.accept", id=D1)


@pytest.mark.parametrize(
    ("when", "expected"), [("2026-10-07 23:59", "E_DATE"), ("2026-10-08 00:00", "applied")]
)
def test_the_bank_may_pay_on_the_day_before_the_cut_off_does(when, expected):
    bench = accepted(s1_bench())
    bench.at(when)
    bench.ends(expected, "IB1", "letter_of_credit.pay", id=D1)
    if expected == "applied":
        assert drawing_of(bench)["status"] == "PAID"
        bench.at("2026-10-08 16:59")
        assert credit_of(bench)["status"] == "EXPIRED_OPEN"
        bench.at("2026-10-08 17:00")
        assert credit_of(bench)["status"] == "CLOSED"
        assert bench.cash("APP1").plain() == "1658600.00"


def test_a_sight_drawing_is_honoured_in_time_or_falls_due_after_preclusion():
    bench = s1_bench()
    bench.at("2026-04-01 10:00")
    bench.applied("APP1", "letter_of_credit.apply", **sight_terms())
    bench.applied("IB1", "letter_of_credit.issue", id=LC)
    bench.applied("PB2", "letter_of_credit.advise", id=LC)
    bench.at("2026-04-22 10:00")
    present(bench, "2_000_000.00 CNY", "2026-04-15")
    bench.at("2026-04-28 10:00")
    bench.applied("PB2", "letter_of_credit.forward", id=D1)
    assert str(drawing_of(bench)["exam_deadline"]) == "2026-05-08"
    bench.refused("E_TENOR", "IB1", "letter_of_credit.accept", id=D1)
    honoured = bench.copy()
    honoured.at("2026-05-08 23:59")
    honoured.applied("IB1", "letter_of_credit.honour_sight", id=D1)
    assert honoured.cash("C1").plain() == "1999750.00"
    bench.at("2026-05-09 10:00")  # a working Saturday: precluded, and due that very day
    assert str(drawing_of(bench)["pay_date"]) == "2026-05-09"
    bench.refused(
        "E_PRECLUDED", "IB1", "letter_of_credit.refuse", id=D1, discrepancies=("OTHER",), disposition="RETURN"
    )
    early = bench.copy()
    early.applied("IB1", "letter_of_credit.honour_sight", id=D1)
    assert early.record("claim", "claims", D1)["status"] == "PAID"
    bench.at("2026-05-09 17:00")
    assert (drawing_of(bench)["status"], bench.cash("C1").plain()) == ("PAID", "1999750.00")


def test_issuing_starts_no_clock_before_the_credit_is_there():
    bench = applied(s1_bench())
    assert credit_of(bench)["expire_on"] is None
    issued_bench = issued(s1_bench())
    assert str(credit_of(issued_bench)["expire_on"]) == "2026-05-30"
