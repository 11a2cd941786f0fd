"""Bank payment claims alone: one holder, one lock, and states that the letter of credit leads."""

import pytest
from harness import Bench
from probes import CLAIM_PROBE

CLAIM = {
    "id": "APP1/LC-1/1",
    "credit": "APP1/LC-1",
    "debtor": "IB1",
    "holder": "C1",
    "amount": "10_300_000.00 CNY",
    "pay_date": "2026-10-08",
}
ID = {"id": CLAIM["id"]}
TRADE = {"trade": "PB2/T-1"}


def claim_bench() -> Bench:
    names = ("letter_of_credit", "forfaiting", "stranger")
    bench = Bench(contracts=dict.fromkeys(names, CLAIM_PROBE))
    bench.at("2026-04-24 10:00")
    bench.applied("IB1", "letter_of_credit.create", **CLAIM)
    return bench


def state_of(bench: Bench) -> dict:
    return bench.record("claim", "claims", CLAIM["id"])


def test_a_drawing_has_one_claim():
    bench = claim_bench()
    bench.refused("E-DUPLICATE-KEY", "IB1", "letter_of_credit.create", **CLAIM)
    bench.refused("E_AMOUNT", "IB1", "letter_of_credit.create", **(CLAIM | {"id": "X", "amount": "0.00 CNY"}))


DOORS = [
    ("create", CLAIM | {"id": "APP1/LC-1/2"}),
    ("pay", ID),
    ("mark_overdue", ID),
    ("stop", ID),
    ("resume", ID | {"pay_date": "2026-10-09"}),
    ("void", ID),
    ("lock", ID | TRADE),
    ("notify", ID | TRADE),
    ("unlock", ID | TRADE),
    ("transfer", ID | TRADE | {"buyer": "FB3"}),
    ("holder", ID),
]


@pytest.mark.parametrize(("function", "arguments"), DOORS, ids=[door for door, _ in DOORS])
def test_no_stranger_and_no_party_touches_a_claim(function, arguments):
    bench = claim_bench()
    bench.refused("E_ROLE", "C1", f"stranger.{function}", **arguments)
    recourse = {"recourse": False} if function == "create" else {}
    for party in ("C1", "IB1", "REG"):
        bench.refused("E_ROLE", party, f"claim.{function}", **arguments, **recourse)


def test_every_door_is_tested():
    functions = claim_bench().contracts.interface("claim").actions
    assert {door for door, _ in DOORS} == {item.name for item in functions}


def test_forfaiting_neither_pays_nor_creates_and_the_credit_does_not_trade():
    bench = claim_bench()
    bench.refused("E_ROLE", "IB1", "forfaiting.pay", **ID)
    bench.refused("E_ROLE", "IB1", "forfaiting.create", **(CLAIM | {"id": "X"}))
    bench.refused("E_ROLE", "IB1", "letter_of_credit.lock", **(ID | TRADE))
    bench.refused("E_ROLE", "IB1", "letter_of_credit.transfer", **(ID | TRADE | {"buyer": "FB3"}))


LOCKED = ("forfaiting", "lock", ID | TRADE)
STATES = {
    # how a claim gets there; a claim in trade is locked for TRADE
    "LIVE": (),
    "IN_TRADE": (LOCKED,),
    "NOTIFIED": (LOCKED, ("forfaiting", "notify", ID | TRADE)),
    "STOPPED": (LOCKED, ("letter_of_credit", "stop", ID)),
    "OVERDUE": (LOCKED, ("letter_of_credit", "mark_overdue", ID)),
    "PAID": (LOCKED, ("letter_of_credit", "pay", ID)),
    "VOID": (LOCKED, ("letter_of_credit", "void", ID)),
}
RESUME = ID | {"pay_date": "2026-10-09"}
BUY = ID | TRADE | {"buyer": "FB3"}
LIFE = [
    # caller, move,                             LIVE         IN_TRADE     NOTIFIED   STOPPED    OVERDUE    PAID         VOID
    ("letter_of_credit", "pay", ID,            "applied",   "applied",   "applied", "E_STATE", "applied", "E_STATE",   "E_STATE"),
    ("letter_of_credit", "mark_overdue", ID,   "applied",   "applied",   "applied", "E_STATE", "E_STATE", "E_STATE",   "E_STATE"),
    ("letter_of_credit", "stop", ID,           "applied",   "applied",   "applied", "E_STATE", "E_STATE", "E_STATE",   "E_STATE"),
    ("letter_of_credit", "void", ID,           "applied",   "applied",   "applied", "applied", "E_STATE", "E_STATE",   "E_STATE"),
    ("letter_of_credit", "resume", RESUME,     "E_STATE",   "E_STATE",   "E_STATE", "applied", "E_STATE", "E_STATE",   "E_STATE"),
    ("forfaiting", "lock", ID | TRADE,         "applied",   "E_PLEDGED", "E_STATE", "E_STATE", "E_STATE", "E_STATE",   "E_STATE"),
    ("forfaiting", "notify", ID | TRADE,       "E_PLEDGED", "applied",   "E_STATE", "E_STATE", "E_STATE", "E_PLEDGED", "E_PLEDGED"),
    ("forfaiting", "transfer", BUY,            "E_PLEDGED", "applied",   "applied", "E_STATE", "E_STATE", "E_PLEDGED", "E_PLEDGED"),
    ("forfaiting", "unlock", ID | TRADE,       "E_PLEDGED", "applied",   "applied", "applied", "applied", "E_PLEDGED", "E_PLEDGED"),
]  # fmt: skip


@pytest.mark.parametrize("row", LIFE, ids=[row[1] for row in LIFE])
def test_a_claim_moves_only_along_its_life_cycle(row):
    caller, move, arguments, *expected = row
    for steps, outcome in zip(STATES.values(), expected, strict=True):
        bench = claim_bench()
        for by, step, given in steps:
            bench.applied("IB1", f"{by}.{step}", **given)
        bench.ends(outcome, "IB1", f"{caller}.{move}", **arguments)


def test_a_sale_of_which_the_debtor_was_told_ends_with_a_live_claim():
    for end, arguments, holder in (("transfer", BUY, "FB3"), ("unlock", ID | TRADE, "C1")):
        bench = claim_bench()
        for by, step, given in STATES["NOTIFIED"]:
            bench.applied("PB2", f"{by}.{step}", **given)
        bench.applied("PB2", f"forfaiting.{end}", **arguments)
        claim = state_of(bench)
        assert (claim["status"], claim["holder"], claim["lock"]) == ("LIVE", holder, None)


def test_a_locked_claim_is_traded_once():
    bench = claim_bench()
    bench.refused("E_PLEDGED", "PB2", "forfaiting.transfer", **ID, **TRADE, buyer="PB2")
    bench.applied("PB2", "forfaiting.lock", **ID, **TRADE)
    bench.refused("E_PLEDGED", "PB2", "forfaiting.lock", **ID, trade="FB3/T-2")
    bench.refused("E_PLEDGED", "PB2", "forfaiting.transfer", **ID, trade="FB3/T-2", buyer="FB3")
    bench.refused("E_PLEDGED", "PB2", "forfaiting.unlock", **ID, trade="FB3/T-2")
    bench.applied("PB2", "forfaiting.transfer", **ID, **TRADE, buyer="PB2")
    assert (state_of(bench)["holder"], state_of(bench)["lock"], state_of(bench)["recourse"]) == (
        "PB2",
        None,
        False,
    )
    assert state_of(bench)["amount"].plain() == "10300000.00"
    assert bench.applied("IB1", "letter_of_credit.holder", **ID) == "PB2"
    bench.applied("PB2", "forfaiting.lock", **ID, trade="FB3/T-2")
    bench.applied("PB2", "forfaiting.unlock", **ID, trade="FB3/T-2")
    assert state_of(bench)["lock"] is None
