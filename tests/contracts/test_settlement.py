"""Settlement alone: payments, mandates, margin, suspense, limits, money supply; no contract takes what is not its."""

import pytest
from harness import Bench, balances
from probes import SETTLEMENT_PROBE

INSTRUMENT = "APP1/X-1"


def probe_bench(*names: str) -> Bench:
    """Settlement with probes in the place of the contracts that it admits, or of strangers."""
    bench = Bench(
        contracts=dict.fromkeys(names or ("letter_of_credit",), SETTLEMENT_PROBE),
        deposits={"APP1": "1_000.00 CNY", "C1": "50.00 CNY"},
        lines={("IB1", "APP1"): "500.00 CNY"},
    )
    bench.at("2026-03-02 10:00")
    return bench


def granted(maximum: str = "600.00 CNY") -> Bench:
    bench = probe_bench()
    bench.applied("APP1", "letter_of_credit.grant", party="APP1", instrument=INSTRUMENT, maximum=maximum)
    return bench


# --- doors for contracts only -------------------------------------------------------------------------------

AMOUNT = {"amount": "0.01 CNY"}
OF_APP1 = {"instrument": INSTRUMENT, "customer": "APP1"}
DOORS = [
    ("grant", {"party": "APP1", "instrument": INSTRUMENT, "maximum": "1.00 CNY"}),
    ("end_mandate", {"party": "APP1", "instrument": INSTRUMENT}),
    ("transfer", {"payer": "APP1", "payee": "C1", "instrument": INSTRUMENT, **AMOUNT}),
    ("charge", {"payer": "APP1", "bank": "IB1", "instrument": INSTRUMENT, **AMOUNT}),
    ("charge_what_is_there", {"payer": "APP1", "bank": "IB1", "instrument": INSTRUMENT, **AMOUNT}),
    ("lock_margin", OF_APP1 | {"bank": "IB1", **AMOUNT}),
    ("use_margin", OF_APP1 | AMOUNT),
    ("release_margin", OF_APP1 | AMOUNT),
    ("suspend", {"payer": "APP1", "bank": "IB1", "purpose": "x", "instrument": INSTRUMENT, **AMOUNT}),
    ("pay_from_suspense", {"bank": "IB1", "purpose": "x", "payee": "APP1", **AMOUNT}),
    ("use_limit", {"bank": "IB1", "party": "APP1", "kind": "CREDIT", "instrument": INSTRUMENT, **AMOUNT}),
    ("balance_of", {"party": "APP1"}),
    ("reachable", {"party": "APP1", "instrument": INSTRUMENT}),
    ("margin_of", OF_APP1),
    ("free_limit", {"bank": "IB1", "party": "APP1", "kind": "CREDIT"}),
]


@pytest.mark.parametrize(("door", "arguments"), DOORS, ids=[door for door, _ in DOORS])
def test_doors_for_contracts_are_closed_to_parties_and_strangers(door, arguments):
    bench = probe_bench("letter_of_credit", "stranger")
    for party in ("APP1", "IB1", "CB", "REG"):
        bench.refused("E_ROLE", party, f"settlement.{door}", **arguments)
    bench.refused("E_ROLE", "APP1", f"stranger.{door}", **arguments)


def test_every_door_is_tested():
    functions = probe_bench().contracts.interface("settlement").actions
    assert {door for door, _ in DOORS} == {item.name for item in functions if item.by_contract}


# --- ordinary payments --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payer", "payee", "settled"),
    [("APP1", "IB1", "0.00"), ("APP1", "C1", "100.00"), ("APP1", "PB2", "100.00"), ("PB2", "C1", "0.00")],
)
def test_a_payment_moves_the_settlement_accounts_only_across_banks(payer, payee, settled):
    bench = probe_bench()
    before = (bench.cash(payer), bench.cash(payee), bench.settle("IB1"))
    bench.applied(payer, "settlement.pay", payer=payer, payee=payee, amount="100.00 CNY")
    assert (before[0] - bench.cash(payer)).plain() == "100.00"
    assert (bench.cash(payee) - before[1]).plain() == "100.00"
    assert (before[2] - bench.settle("IB1")).plain() == settled
    bench.check_laws()


def test_a_payment_to_oneself_changes_nothing():
    bench = probe_bench()
    bench.applied("APP1", "settlement.pay", payer="APP1", payee="APP1", amount="1_000.00 CNY")
    assert bench.cash("APP1").plain() == "1000.00"
    bench.check_laws()


@pytest.mark.parametrize(
    ("sender", "amount", "code"),
    [
        ("APP1", "1_000.01 CNY", "E_FUNDS"),
        ("APP1", "0.00 CNY", "E_AMOUNT"),
        ("APP1", "-1.00 CNY", "E_AMOUNT"),
        ("APP1", "1.00 USD", "E-TYPE"),
        ("C1", "1.00 CNY", "E_ROLE"),
        ("IB1", "1.00 CNY", "E_ROLE"),
        ("CB", "1.00 CNY", "E_ROLE"),
    ],
)
def test_only_the_payer_pays_and_only_what_it_has(sender, amount, code):
    probe_bench().refused(code, sender, "settlement.pay", payer="APP1", payee="C1", amount=amount)


def test_a_party_without_an_account_gets_one_at_its_bank():
    bench = probe_bench()
    bench.applied("APP1", "settlement.pay", payer="APP1", payee="C2", amount="7.00 CNY")
    assert bench.record("settlement", "accounts", "C2")["bank"] == "FB3"
    bench.refused("E_FUNDS", "APP2", "settlement.pay", payer="APP2", payee="C2", amount="7.00 CNY")


# --- money supply -------------------------------------------------------------------------------------------


def test_only_the_central_bank_makes_money():
    bench = probe_bench()
    bench.refused("E_ROLE", "IB1", "settlement.mint", bank="IB1", amount="1.00 CNY")
    bench.refused("E_ROLE", "REG", "settlement.mint", bank="IB1", amount="1.00 CNY")
    bench.refused("E_AMOUNT", "CB", "settlement.mint", bank="IB1", amount="0.00 CNY")
    supply = bench.supply()
    bench.applied("CB", "settlement.mint", bank="IB1", amount="5.00 CNY")
    assert bench.cash("IB1").plain() == "1000000005.00"
    assert (bench.supply() - supply).plain() == "5.00"
    bench.check_laws()


def test_money_is_burned_with_the_signature_of_the_bank_that_loses_it():
    bench = probe_bench()
    burn = {"bank": "IB1", "amount": "5.00 CNY"}
    bench.refused("E_CONSENT", "CB", "settlement.burn", **burn)
    bench.refused("E_CONSENT", "CB", "settlement.burn", agreed_by=("PB2",), **burn)
    bench.refused("E_ROLE", "IB1", "settlement.burn", agreed_by=("CB",), **burn)
    for nothing in ("0.00 CNY", "-1.00 CNY"):
        bench.refused("E_AMOUNT", "CB", "settlement.burn", agreed_by=("IB1",), bank="IB1", amount=nothing)
    supply = bench.supply()
    bench.applied("CB", "settlement.burn", agreed_by=("IB1",), **burn)
    assert (supply - bench.supply()).plain() == "5.00"
    bench.refused(
        "E_FUNDS", "CB", "settlement.burn", agreed_by=("IB1",), bank="IB1", amount="1_000_000_000.00 CNY"
    )
    bench.check_laws()


# --- mandates -----------------------------------------------------------------------------------------------


MOVES = [
    ("transfer", {"payer": "APP1", "payee": "C1"}),
    ("charge", {"payer": "APP1", "bank": "PB2"}),
    ("lock_margin", {"customer": "APP1", "bank": "IB1"}),
    ("suspend", {"payer": "APP1", "bank": "IB1", "purpose": "trade 7"}),
]


@pytest.mark.parametrize(("move", "arguments"), MOVES, ids=[move for move, _ in MOVES])
def test_no_contract_takes_money_without_a_signature_or_a_mandate(move, arguments):
    bench = probe_bench()
    call = {"instrument": INSTRUMENT, **arguments}
    bench.refused("E_CONSENT", "C1", f"letter_of_credit.{move}", amount="0.01 CNY", **call)
    bench.applied("APP1", f"letter_of_credit.{move}", amount="0.01 CNY", **call)


@pytest.mark.parametrize(("move", "arguments"), MOVES, ids=[move for move, _ in MOVES])
def test_a_mandate_reaches_to_its_maximum_and_not_a_fen_further(move, arguments):
    bench = granted("600.00 CNY")
    call = {"instrument": INSTRUMENT, **arguments}
    bench.refused("E_CONSENT", "C1", f"letter_of_credit.{move}", amount="600.01 CNY", **call)
    bench.applied("C1", f"letter_of_credit.{move}", amount="599.99 CNY", **call)
    bench.refused("E_CONSENT", "C1", f"letter_of_credit.{move}", amount="0.02 CNY", **call)
    bench.applied("C1", f"letter_of_credit.{move}", amount="0.01 CNY", **call)
    bench.refused("E_CONSENT", "C1", f"letter_of_credit.{move}", amount="0.01 CNY", **call)
    assert bench.cash("APP1").plain() == "400.00"


@pytest.mark.parametrize(("move", "arguments"), MOVES, ids=[move for move, _ in MOVES])
def test_a_mandate_does_not_replace_the_money(move, arguments):
    bench = granted("5_000.00 CNY")
    call = {"instrument": INSTRUMENT, **arguments}
    bench.refused("E_FUNDS", "C1", f"letter_of_credit.{move}", amount="1_000.01 CNY", **call)


@pytest.mark.parametrize(("move", "arguments"), MOVES, ids=[move for move, _ in MOVES])
def test_no_amount_is_negative(move, arguments):
    call = {"instrument": INSTRUMENT, **arguments}
    for sender in ("APP1", "C1"):
        granted().refused("E_AMOUNT", sender, f"letter_of_credit.{move}", amount="-1.00 CNY", **call)


def test_a_mandate_is_for_one_contract_one_instrument_and_one_party():
    bench = probe_bench("letter_of_credit", "stranger")
    bench.applied("APP1", "letter_of_credit.grant", party="APP1", instrument=INSTRUMENT, maximum="600.00 CNY")
    call = {"payer": "APP1", "payee": "C1", "amount": "1.00 CNY"}
    bench.refused("E_CONSENT", "C1", "letter_of_credit.transfer", instrument="APP1/X-2", **call)
    bench.refused(
        "E_CONSENT", "C2", "letter_of_credit.transfer",
        payer="C1", payee="APP1", amount="1.00 CNY", instrument=INSTRUMENT,
    )  # fmt: skip
    bench.refused("E_ROLE", "APP1", "stranger.transfer", instrument=INSTRUMENT, **call)
    bench.refused("E_ROLE", "APP1", "settlement.transfer", instrument=INSTRUMENT, **call)
    bench.applied("C1", "letter_of_credit.transfer", instrument=INSTRUMENT, **call)


def test_a_mandate_needs_the_signature_of_the_party_that_grants_it():
    bench = probe_bench()
    grant = {"party": "APP1", "instrument": INSTRUMENT, "maximum": "1.00 CNY"}
    bench.refused("E_CONSENT", "C1", "letter_of_credit.grant", **grant)
    bench.refused("E_CONSENT", "IB1", "letter_of_credit.grant", **grant)
    bench.refused("E_AMOUNT", "APP1", "letter_of_credit.grant", **(grant | {"maximum": "-1.00 CNY"}))
    bench.applied("C1", "letter_of_credit.grant", agreed_by=("APP1",), **grant)


def test_grants_add_up_and_an_ended_mandate_is_gone():
    bench = granted("10.00 CNY")
    bench.applied("APP1", "letter_of_credit.grant", party="APP1", instrument=INSTRUMENT, maximum="5.00 CNY")
    call = {"payer": "APP1", "payee": "C1", "instrument": INSTRUMENT}
    bench.refused("E_CONSENT", "C1", "letter_of_credit.transfer", amount="15.01 CNY", **call)
    bench.applied("C1", "letter_of_credit.transfer", amount="14.00 CNY", **call)
    bench.applied("C1", "letter_of_credit.end_mandate", party="APP1", instrument=INSTRUMENT)
    bench.refused("E_CONSENT", "C1", "letter_of_credit.transfer", amount="0.01 CNY", **call)


def test_a_signed_payment_does_not_use_up_the_mandate():
    bench = granted("10.00 CNY")
    call = {"payer": "APP1", "payee": "C1", "instrument": INSTRUMENT}
    bench.applied("APP1", "letter_of_credit.transfer", amount="500.00 CNY", **call)
    bench.applied("C1", "letter_of_credit.transfer", amount="10.00 CNY", **call)


@pytest.mark.parametrize(
    ("maximum", "amount", "unpaid", "left"),
    [
        ("600.00 CNY", "10.00 CNY", "0.00", "990.00"),
        ("600.00 CNY", "700.00 CNY", "100.00", "400.00"),
        ("6_000.00 CNY", "1_700.00 CNY", "700.00", "0.00"),
        ("0.00 CNY", "5.00 CNY", "5.00", "1000.00"),
    ],
)
def test_a_fee_is_taken_as_far_as_money_and_mandate_reach_and_earned_in_full(maximum, amount, unpaid, left):
    bench = granted(maximum)
    call = {"payer": "APP1", "bank": "PB2", "amount": amount, "instrument": INSTRUMENT}
    result = bench.applied("C1", "letter_of_credit.charge_what_is_there", **call)
    assert result.plain() == unpaid
    assert bench.cash("APP1").plain() == left
    assert bench.income("PB2") == bench.money(amount)
    bench.check_laws()


def test_a_fee_is_never_negative():
    call = {"payer": "APP1", "bank": "PB2", "amount": "-1.00 CNY", "instrument": INSTRUMENT}
    for sender in ("APP1", "C1"):
        granted().refused("E_AMOUNT", sender, "letter_of_credit.charge_what_is_there", **call)


def test_two_legs_move_together_or_not_at_all():
    bench = granted("10.00 CNY")
    call = {"payer": "APP1", "payee": "C1", "instrument": INSTRUMENT}
    bench.refused("E_CONSENT", "APP1", "letter_of_credit.two_legs", amount="20.00 CNY", **call)
    bench.refused(
        "E_FUNDS", "APP1", "letter_of_credit.two_legs", agreed_by=("C1",), amount="51.00 CNY", **call
    )
    bench.applied("APP1", "letter_of_credit.two_legs", agreed_by=("C1",), amount="50.00 CNY", **call)
    assert (bench.cash("APP1").plain(), bench.cash("C1").plain()) == ("1050.00", "0.00")


# --- margin and suspense ------------------------------------------------------------------------------------


def test_margin_is_locked_used_and_released():
    bench = granted("600.00 CNY")
    margin = {"customer": "APP1", "instrument": INSTRUMENT}
    own = bench.cash("IB1")
    bench.applied("IB1", "letter_of_credit.lock_margin", bank="IB1", amount="600.00 CNY", **margin)
    assert balances(bench, "APP1") == {"cash": "400.00", "margin": "600.00", "line_used": "0.00"}
    bench.refused("E_FUNDS", "IB1", "letter_of_credit.use_margin", amount="600.01 CNY", **margin)
    for nothing in ("0.00 CNY", "-1.00 CNY"):
        bench.refused("E_AMOUNT", "IB1", "letter_of_credit.use_margin", amount=nothing, **margin)
        bench.refused("E_AMOUNT", "IB1", "letter_of_credit.release_margin", amount=nothing, **margin)
    bench.applied("IB1", "letter_of_credit.use_margin", amount="250.00 CNY", **margin)
    assert (bench.cash("IB1") - own).plain() == "250.00"
    bench.applied("IB1", "letter_of_credit.release_margin", amount="350.00 CNY", **margin)
    assert balances(bench, "APP1") == {"cash": "750.00", "margin": "0.00", "line_used": "0.00"}
    assert bench.records("settlement", "margins") == {}
    bench.refused("E_FUNDS", "IB1", "letter_of_credit.release_margin", amount="0.01 CNY", **margin)
    bench.check_laws()


def test_margin_may_be_kept_at_another_bank():
    bench = granted("600.00 CNY")
    margin = {"customer": "APP1", "instrument": INSTRUMENT, "amount": "100.00 CNY"}
    settle = bench.settle("PB2")
    bench.applied("IB1", "letter_of_credit.lock_margin", bank="PB2", **margin)
    assert (bench.settle("PB2") - settle).plain() == "100.00"
    bench.refused("E_STATE", "IB1", "letter_of_credit.lock_margin", bank="IB1", **margin)
    bench.check_laws()
    bench.applied("IB1", "letter_of_credit.release_margin", **margin)
    assert bench.settle("PB2") == settle
    bench.check_laws()


def test_money_in_suspense_waits_under_its_purpose():
    bench = granted("600.00 CNY")
    suspend = {"payer": "APP1", "bank": "PB2", "purpose": "case 1", "instrument": INSTRUMENT}
    bench.applied("C1", "letter_of_credit.suspend", amount="100.00 CNY", **suspend)
    bench.applied("C1", "letter_of_credit.suspend", amount="50.00 CNY", **suspend)
    bench.check_laws()
    release = {"bank": "PB2", "purpose": "case 1", "payee": "C1"}
    bench.refused("E_FUNDS", "C1", "letter_of_credit.pay_from_suspense", amount="150.01 CNY", **release)
    for nothing in ("0.00 CNY", "-1.00 CNY"):
        bench.refused("E_AMOUNT", "C1", "letter_of_credit.pay_from_suspense", amount=nothing, **release)
    other = release | {"purpose": "case 2"}
    bench.refused("E_FUNDS", "C1", "letter_of_credit.pay_from_suspense", amount="0.01 CNY", **other)
    bench.applied("C1", "letter_of_credit.pay_from_suspense", amount="149.99 CNY", **release)
    bench.applied("C1", "letter_of_credit.pay_from_suspense", amount="0.01 CNY", **release)
    assert bench.cash("C1").plain() == "200.00"
    assert bench.records("settlement", "suspenses") == {}
    bench.check_laws()


# --- the beginning ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "opening",
    [
        {"own": "-0.01 CNY"},
        {"deposits": {"APP1": "-0.01 CNY"}},
        {"lines": {("IB1", "APP1"): "-0.01 CNY"}},
    ],
)
def test_nothing_begins_below_zero(opening):
    with pytest.raises(AssertionError, match="E_AMOUNT"):
        Bench(**opening)


def test_everything_may_begin_at_zero():
    bench = Bench(own="0.00 CNY", deposits={"APP1": "0.00 CNY"}, lines={("IB1", "APP1"): "0.00 CNY"})
    bench.applied("IB1", "settlement.set_limit", bank="IB1", party="APP1", kind="CREDIT", amount="0.00 CNY")
    assert bench.supply().plain() == "0.00"
    bench.check_laws()


# --- limits -------------------------------------------------------------------------------------------------


def test_a_limit_is_set_by_the_bank_that_gives_it():
    bench = probe_bench()
    limit = {"bank": "IB1", "party": "APP1", "kind": "CREDIT", "amount": "9.00 CNY"}
    for stranger in ("APP1", "PB2", "CB", "REG"):
        bench.refused("E_ROLE", stranger, "settlement.set_limit", **limit)
    bench.refused("E_AMOUNT", "IB1", "settlement.set_limit", **(limit | {"amount": "-1.00 CNY"}))
    bench.applied("IB1", "settlement.set_limit", **limit)
    bench.applied(
        "PB2", "settlement.set_limit", **(limit | {"bank": "PB2", "party": "IB1", "kind": "DEBTOR"})
    )


def test_a_limit_is_used_up_to_the_fen_and_kinds_are_apart():
    bench = probe_bench()
    use = {"bank": "IB1", "party": "APP1", "kind": "CREDIT", "instrument": INSTRUMENT}
    bench.refused("E_LIMIT", "C1", "letter_of_credit.use_limit", amount="500.01 CNY", **use)
    bench.refused(
        "E_LIMIT", "C1", "letter_of_credit.use_limit", amount="0.01 CNY", **(use | {"kind": "ANCHOR"})
    )
    bench.refused("E_AMOUNT", "C1", "letter_of_credit.use_limit", amount="-1.00 CNY", **use)
    bench.applied("C1", "letter_of_credit.use_limit", amount="300.00 CNY", **use)
    second = use | {"instrument": "APP1/X-2"}
    bench.refused("E_LIMIT", "C1", "letter_of_credit.use_limit", amount="200.01 CNY", **second)
    bench.applied("C1", "letter_of_credit.use_limit", amount="200.00 CNY", **second)
    assert bench.line_used("APP1").plain() == "500.00"
    bench.applied("C1", "letter_of_credit.use_limit", amount="0.00 CNY", **use)
    assert bench.line_used("APP1").plain() == "200.00"
    assert len(bench.records("settlement", "limit_uses")) == 1


def test_a_limit_lowered_below_its_use_only_stops_new_use():
    bench = probe_bench()
    use = {"bank": "IB1", "party": "APP1", "kind": "CREDIT", "instrument": INSTRUMENT}
    bench.applied("C1", "letter_of_credit.use_limit", amount="300.00 CNY", **use)
    limit = {"bank": "IB1", "party": "APP1", "kind": "CREDIT"}
    bench.applied("IB1", "settlement.set_limit", amount="100.00 CNY", **limit)
    assert bench.line_used("APP1").plain() == "300.00"
    bench.refused("E_LIMIT", "C1", "letter_of_credit.use_limit", amount="300.01 CNY", **use)
    bench.applied("C1", "letter_of_credit.use_limit", amount="299.99 CNY", **use)
    bench.applied("C1", "letter_of_credit.use_limit", amount="299.99 CNY", **use)


def test_what_a_contract_can_reach_is_money_within_its_mandate():
    bench = granted("600.00 CNY")
    reach = {"party": "APP1", "instrument": INSTRUMENT}
    assert bench.applied("C1", "letter_of_credit.reachable", **reach).plain() == "600.00"
    assert bench.applied("APP1", "letter_of_credit.reachable", **reach).plain() == "1000.00"
    assert (
        bench.applied("C1", "letter_of_credit.reachable", party="C1", instrument=INSTRUMENT).plain()
        == "50.00"
    )
    assert (
        bench.applied("C2", "letter_of_credit.reachable", party="C1", instrument=INSTRUMENT).plain() == "0.00"
    )
