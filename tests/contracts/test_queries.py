"""What parties may ask, and that each sees only what concerns it."""

import pytest
from stories import D1, LC, accepted, s1_bench


@pytest.fixture
def bench():
    return accepted(s1_bench())


@pytest.mark.parametrize(
    ("caller", "until", "found"),
    [
        ("IB1", "2026-10-08", [D1]),
        ("IB1", "2026-10-07", []),
        ("APP1", "2026-10-08", [D1]),
        ("PB2", "2026-12-31", [D1]),
        ("REG", "2026-10-08", [D1]),
        ("VB1", "2026-12-31", []),
        ("C2", "2026-12-31", []),
        (None, "2026-12-31", [D1]),
    ],
)
def test_a_bank_sees_what_falls_due_and_strangers_see_nothing(bench, caller, until, found):
    answer = bench.ask(caller, "letter_of_credit.falling_due", bank="IB1", until=until)
    assert [drawing["id"] for drawing in answer] == found


def test_drawings_are_listed_by_their_credit(bench):
    assert [drawing["id"] for drawing in bench.ask("C1", "letter_of_credit.drawings_of", credit=LC)] == [D1]
    assert bench.ask("C1", "letter_of_credit.drawings_of", credit="APP1/LC-2") == []


def test_claims_are_listed_by_their_holder(bench):
    assert [claim["id"] for claim in bench.ask("C1", "claim.held_by", holder="C1")] == [D1]
    assert bench.ask("FB3", "claim.held_by", holder="C1") == []


def test_a_balance_is_seen_by_its_owner_its_bank_and_the_regulator(bench):
    for caller in ("APP1", "IB1", "REG", None):
        assert bench.ask(caller, "settlement.balance", party="APP1").plain() == "9858600.00"
    for stranger in ("C1", "PB2"):
        assert bench.ask(stranger, "settlement.balance", party="APP1") is None
