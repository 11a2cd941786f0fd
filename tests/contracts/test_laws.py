"""The laws that the engine holds after every transaction, each seen to stop a contract with a planted fault."""

import pytest
from harness import CONTRACTS, Bench
from stories import advised, forwarded, presentation, s1_bench, usance_terms

PAY = ("APP1", "settlement.pay", {"payer": "APP1", "payee": "C1", "amount": "1.00 CNY"})
OVERSPEND = ("APP1", "settlement.pay", {"payer": "APP1", "payee": "IB1", "amount": "20_000_000.00 CNY"})
MINT = ("CB", "settlement.mint", {"bank": "IB1", "amount": "1.00 CNY"})
ISSUE_OTHER = ("IB1", "letter_of_credit.issue", {"id": "APP1/LC-2"})
PRESENT = ("C1", "letter_of_credit.present", presentation("10_300_000.00 CNY", "2026-03-01"))
PRESENT_MORE = ("C1", "letter_of_credit.present", presentation("20_000_000.00 CNY", "2026-03-01"))

FAULTS = [
    # law, contract, its text, the planted fault, the step that meets it
    ("settlement_equals_its_parts", "settlement",
     "        move_between_banks(account_of(payer).bank, account_of(payee).bank, amount)\n", "", PAY),
    ("settlement_equals_its_parts", "settlement",
     "    account.update(balance=account.balance + amount)",
     '    account.update(balance=account.balance + amount + money("0.01 CNY"))', PAY),
    ("only_the_central_bank_makes_money", "settlement",
     "home.update(settle=home.settle + amount, issued=home.issued + amount)\n    give(bank",
     "home.update(settle=home.settle + amount)\n    give(bank", MINT),
    ("no_account_is_negative", "settlement",
     '    require(amount <= account.balance, "E_FUNDS", f"{party} has {account.balance}, needed are {amount}")\n', "",
     OVERSPEND),
    ("limit_use_adds_up", "settlement",
     "limit.update(used=limit.used + amount - before)", "limit.update(used=limit.used + amount + amount)",
     ISSUE_OTHER),
    ("draws_add_up", "letter_of_credit", "drawn=credit.drawn + amount", "drawn=credit.drawn", PRESENT),
    ("draws_stay_within_the_credit", "letter_of_credit", "least <= amount <= credit.maximum", "least <= amount",
     PRESENT_MORE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("law", "contract", "text", "fault", "step"),
    FAULTS,
    ids=[f"{row[0]}-{n}" for n, row in enumerate(FAULTS)],
)
def test_a_planted_fault_breaks_its_law(law, contract, text, fault, step):
    source = (CONTRACTS / f"{contract}.py").read_text()
    assert source.count(text) == 1
    broken = source.replace(text, fault)
    if law == "draws_stay_within_the_credit":
        broken = broken.replace("require(amount <= left,", "require(ZERO <= left,")
    sound = advised(s1_bench(lines={("IB1", "APP1"): "20_000_000.00 CNY"}))
    small = {"number": "LC-2", "amount": "1_000_000.00 CNY"}
    sound.applied("APP1", "letter_of_credit.apply", **usance_terms(**small))
    bench = Bench(contracts={contract: broken.encode()})
    bench.state, bench.time_us = dict(sound.state), sound.time_us
    sender, function, arguments = step
    assert bench.refused("E-INVARIANT", sender, function, **arguments).function == law


def test_the_laws_of_the_bench_itself_see_a_missing_fen():
    bench = forwarded(s1_bench())
    bench.check_laws()
    key = next(key for key in bench.state if key.startswith(b"\x03settlement\0accounts\0APP1"))
    bench.state[key] = bench.state[key].replace(
        (988_950_000).to_bytes(4, "big"), (988_950_001).to_bytes(4, "big")
    )
    with pytest.raises(AssertionError):
        bench.check_laws()
