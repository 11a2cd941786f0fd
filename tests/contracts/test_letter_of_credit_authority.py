"""Who may do what, and when: every action against every other party and every state of credit and drawing."""

import pytest
from harness import BANKS, COMPANIES, Bench
from stories import (
    D1,
    LC,
    accepted,
    advised,
    applied,
    forwarded,
    issued,
    presentation,
    presented,
    s1_bench,
    usance_terms,
)

PARTIES = (*BANKS, *COMPANIES, "CB", "REG")
PRESENTATION = presentation("10_300_000.00 CNY", "2026-04-10")
REFUSAL = {"id": D1, "discrepancies": ("DOC_MISSING",), "disposition": "HOLD_FOR_WAIVER"}


def rejected(bench: Bench) -> Bench:
    applied(bench).applied("IB1", "letter_of_credit.reject_application", id=LC, reason="no limit")
    return bench


def expired(bench: Bench) -> Bench:
    advised(bench).at("2026-05-30 10:00")
    return bench


def closed(bench: Bench) -> Bench:
    accepted(bench).at("2026-10-08 18:00")
    return bench


def refused(bench: Bench) -> Bench:
    forwarded(bench).applied("IB1", "letter_of_credit.refuse", **REFUSAL)
    return bench


def returned(bench: Bench) -> Bench:
    refused(bench).applied("IB1", "letter_of_credit.return_docs", id=D1)
    return bench


def deemed(bench: Bench) -> Bench:
    forwarded(bench).at("2026-04-28 10:00")
    return bench


def overdue(bench: Bench) -> Bench:
    accepted(bench)
    bench.applied("APP1", "settlement.pay", payer="APP1", payee="C2", amount="9_858_600.00 CNY")
    bench.applied("IB1", "settlement.pay", payer="IB1", payee="C2", amount=str(bench.cash("IB1")))
    bench.at("2026-10-08 18:00")
    return bench


RIGHT_PLACE = [
    # action, its actor, a credit or drawing that is ready for it, its arguments
    ("apply", "APP1", lambda bench: bench, usance_terms()),
    ("reject_application", "IB1", applied, {"id": LC, "reason": "no limit"}),
    ("issue", "IB1", applied, {"id": LC}),
    ("advise", "PB2", issued, {"id": LC}),
    ("present", "C1", advised, PRESENTATION),
    ("forward", "PB2", presented, {"id": D1}),
    ("accept", "IB1", forwarded, {"id": D1}),
    ("refuse", "IB1", forwarded, REFUSAL),
    ("return_docs", "IB1", refused, {"id": D1}),
    ("honour_sight", "IB1", forwarded, {"id": D1}),
    ("pay", "IB1", accepted, {"id": D1}),
    ("pay_overdue", "IB1", overdue, {"id": D1}),
]


@pytest.mark.parametrize(
    ("action", "actor", "stage", "arguments"), RIGHT_PLACE, ids=[r[0] for r in RIGHT_PLACE]
)
def test_nobody_else_may_act(action, actor, stage, arguments):
    bench = s1_bench()
    bench.at("2026-03-02 10:00")
    stage(bench)
    for party in PARTIES:
        if party != actor:
            bench.refused("E_ROLE", party, f"letter_of_credit.{action}", **arguments)


CREDIT_STAGES = [applied, issued, advised, expired, rejected, closed]
CREDIT_TABLE = [
    # action, actor, arguments           APPLIED    ISSUED     ADVISED    EXPIRED    REJECTED   CLOSED
    ("reject_application", "IB1", {"id": LC, "reason": ""},
                                       ("applied", "E_STATE", "E_STATE", "E_STATE", "E_STATE", "E_STATE")),
    ("issue", "IB1", {"id": LC},       ("applied", "E_STATE", "E_STATE", "E_STATE", "E_STATE", "E_STATE")),
    ("advise", "PB2", {"id": LC},      ("E_STATE", "applied", "E_STATE", "E_STATE", "E_STATE", "E_STATE")),
    ("present", "C1", PRESENTATION | {"shipped": "2026-03-01"},
                                       ("E_STATE", "E_STATE", "applied", "E_STATE", "E_STATE", "E_STATE")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "actor", "arguments", "expected"), CREDIT_TABLE, ids=[r[0] for r in CREDIT_TABLE]
)
def test_a_credit_moves_only_along_its_life_cycle(action, actor, arguments, expected):
    for stage, outcome in zip(CREDIT_STAGES, expected, strict=True):
        assert_outcome(stage(s1_bench()), outcome, actor, action, arguments)


DRAWING_STAGES = [presented, forwarded, deemed, accepted, overdue, refused, returned, closed]
DRAWING_TABLE = [
    # action, arguments    PRESENTED  FORWARDED  DEEMED     ACCEPTED   OVERDUE    REFUSED    RETURNED   PAID
    ("forward", {"id": D1},
                          ("applied", "E_STATE", "E_STATE", "E_STATE", "E_STATE", "E_STATE", "E_STATE", "E_STATE")),
    ("accept", {"id": D1},
                          ("E_STATE", "applied", "applied", "E_STATE", "E_STATE", "E_STATE", "E_STATE", "E_STATE")),
    ("refuse", REFUSAL,
              ("E_STATE", "applied", "E_PRECLUDED", "E_STATE", "E_PRECLUDED", "E_PRECLUDED", "E_PRECLUDED", "E_PRECLUDED")),
    ("return_docs", {"id": D1},
                          ("E_STATE", "E_STATE", "E_STATE", "E_STATE", "E_STATE", "applied", "E_STATE", "E_STATE")),
    ("honour_sight", {"id": D1},
                          ("E_STATE", "E_TENOR", "E_TENOR", "E_STATE", "E_STATE", "E_STATE", "E_STATE", "E_STATE")),
    ("pay", {"id": D1},
                          ("E_STATE", "E_STATE", "E_DATE", "E_DATE", "E_STATE", "E_STATE", "E_STATE", "E_STATE")),
    ("pay_overdue", {"id": D1},
                          ("E_STATE", "E_STATE", "E_STATE", "E_STATE", "E_FUNDS", "E_STATE", "E_STATE", "E_STATE")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "arguments", "expected"), DRAWING_TABLE, ids=[r[0] for r in DRAWING_TABLE]
)
def test_a_drawing_moves_only_along_its_life_cycle(action, arguments, expected):
    for stage, outcome in zip(DRAWING_STAGES, expected, strict=True):
        actor = "PB2" if action == "forward" else "IB1"
        assert_outcome(stage(s1_bench()), outcome, actor, action, arguments)


@pytest.mark.parametrize(
    ("action", "actor", "arguments"),
    [
        ("issue", "IB1", {"id": "APP1/LC-9"}),
        ("present", "C1", {**PRESENTATION, "id": "APP1/LC-9"}),
        ("accept", "IB1", {"id": "APP1/LC-1/7"}),
        ("repay_advance", "APP1", {"id": "APP1/LC-1/advance-1", "amount": "1.00 CNY"}),
    ],
)
def test_what_does_not_exist_cannot_be_acted_on(action, actor, arguments):
    bench = advised(s1_bench())
    bench.refused("E-KEY", actor, f"letter_of_credit.{action}", **arguments)


def test_the_same_number_of_one_applicant_is_used_once():
    bench = applied(s1_bench())
    bench.refused("E-DUPLICATE-KEY", "APP1", "letter_of_credit.apply", **usance_terms())


def test_two_applicants_may_use_the_same_number():
    bench = applied(s1_bench(deposits={"APP1": "12_000_000.00 CNY", "APP2": "12_000_000.00 CNY"}))
    bench.applied("APP2", "letter_of_credit.apply", **usance_terms(applicant="APP2"))
    assert set(bench.records("letter_of_credit", "credits")) == {"APP1/LC-1", "APP2/LC-1"}


def test_a_company_cannot_stand_where_a_bank_must():
    bench = s1_bench()
    bench.at("2026-03-02 10:00")
    bench.refused("E-ARGS", "APP1", "letter_of_credit.apply", **usance_terms(issuing_bank="C1"))
    advised(bench)
    bench.refused("E-ARGS", "C1", "letter_of_credit.present", **(PRESENTATION | {"presenting_bank": "APP1"}))


def assert_outcome(bench: Bench, outcome: str, actor: str, action: str, arguments: dict) -> None:
    if outcome == "applied":
        bench.applied(actor, f"letter_of_credit.{action}", **arguments)
    else:
        bench.refused(outcome, actor, f"letter_of_credit.{action}", **arguments)
