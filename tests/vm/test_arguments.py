"""Arguments: what a transaction may carry, what the engine refuses (E-ARGS), and how callers encode them."""

import pytest
from engine_bench import bench, value_of

from consortium.money import Day, Money, Rate
from consortium.vm.interface import ArgumentsError, decode_arguments, encode_arguments
from consortium.vm.types import describe

EVERYTHING = '''
@choice
class Kind:
    A = option()
    B = option()
@value
class Part:
    to: Bank | Company
    face: Money
    note: Text[5] = "-"
@action
def take(flag: bool, number: int, text: Text[5], sum: Money, rate_of: Rate, day_of: Day, hash: Hash, id: Id,
         bank: Bank, anyone: Party, either: Bank | Company, kind: Kind, basis: DayCount, parts: list[Part],
         maybe: Day | None = None, more: int = 3):
    """Takes one of each."""
    return [flag, number, text, sum, rate_of, day_of, hash, id, bank, anyone, either, kind, basis,
            [part.note for part in parts], maybe, more]
@action
def number(n: int):
    return n
@action
def text(t: Text[5]):
    return t
@action
def amount(a: Money):
    require(a > 0, "E_AMOUNT")
    return a + money("1.00 CNY")
@action
def rated(r: Rate):
    return r
@action
def day_later(d: Day, by: int):
    return d + by
@action
def party(p: Bank):
    return p
@action
def many(xs: list[int]):
    xs.append(1)
    return len(xs)
'''
GIVEN = {
    "flag": True, "number": -5, "text": "abc", "sum": "10_000.00 CNY", "rate_of": "2.60 %", "day_of": "2026-03-02",
    "hash": "11" * 32, "id": "C1/X", "bank": "B1", "anyone": "REG", "either": "C2", "kind": "B", "basis": "ACT_365",
    "parts": [{"to": "B1", "face": Money(5)}, {"to": "C1", "face": "1.00 CNY", "note": "n"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def ledger():
    return bench(EVERYTHING)


def test_every_type_goes_in_and_comes_out(ledger):
    assert value_of(ledger.run("take", **GIVEN)) == [
        True, -5, "abc", Money(1000000), Rate(26, 1000), Day.of("2026-03-02"), b"\x11" * 32, "C1/X", "B1", "REG",
        "C2", "B", "ACT_365", ["-", "n"], None, 3,
    ]  # fmt: skip


def test_defaults_fill_what_is_left_out(ledger):
    interface = ledger.contracts.interface("c")
    take = interface.function("take")
    encoded = encode_arguments(interface, take, GIVEN)
    assert encoded[-2:] == (None, 3)
    assert ledger.raw("take", encoded[:-1]).status == "applied"
    assert ledger.raw("take", encoded[:-2]).status == "applied"
    assert ledger.raw("take", encoded[:-3]).code == "E-ARGS"
    assert ledger.raw("take", (*encoded, 1)).code == "E-ARGS"


def test_an_interface_shows_names_types_defaults_and_docs(ledger):
    take = ledger.contracts.interface("c").function("take")
    assert take.doc == "Takes one of each."
    assert [describe(item.type) for item in take.parameters] == [
        "bool", "int", "Text[5]", "Money", "Rate", "Day", "Hash", "Id", "Bank", "Party", "Bank | Company", "Kind",
        "DayCount", "list[Part]", "Day | None", "int",
    ]  # fmt: skip
    assert [item.name for item in take.parameters if item.has_default] == ["maybe", "more"]
    decoded = decode_arguments(
        ledger.contracts.interface("c"), take, encode_arguments(ledger.contracts.interface("c"), take, GIVEN)
    )
    assert decoded["sum"] == Money(1000000)
    assert decoded["parts"][1] == {"to": "C1", "face": Money(100), "note": "n"}


def test_wrong_values_are_all_named_at_once(ledger):
    interface = ledger.contracts.interface("c")
    wrong = {**GIVEN, "number": True, "sum": "5 pounds", "kind": "C", "tect": 1, "hash": "12"}
    del wrong["bank"]
    with pytest.raises(ArgumentsError) as refused:
        encode_arguments(interface, interface.function("take"), wrong)
    assert [name for name, _ in refused.value.problems] == ["tect", "number", "sum", "hash", "bank", "kind"]
    messages = dict(refused.value.problems)
    assert messages["tect"] == "take has no argument 'tect': did you mean 'text'?"
    assert messages["number"] == "'number' is int: True is not a whole number of at most 64 bits"
    assert messages["bank"] == "take needs 'bank' (Bank)"


@pytest.mark.parametrize(
    ("action", "args"),
    [
        ("number", (True,)),
        ("number", ("1",)),
        ("number", (None,)),
        ("number", ()),
        ("number", (1, 2)),
        ("text", ("abcdef",)),
        ("text", ("a\0b",)),
        ("text", ("e\u0301",)),
        ("text", ("\U00010efd",)),
        ("text", (b"abc",)),
        ("amount", ((10**18, "CNY"),)),
        ("amount", ((True, "CNY"),)),
        ("amount", ((100, "cny"),)),
        ("amount", ((100,),)),
        ("amount", (100,)),
        ("rated", ((1, 0),)),
        ("rated", ((2, 4),)),
        ("rated", ((1, 10**13),)),
        ("day_later", (10**7, 1)),
        ("party", ("C1",)),
        ("party", ("nobody",)),
        ("many", ((1, "2"),)),
        ("many", (tuple(range(10_001)),)),
        ("nothing", ()),
    ],
)
def test_a_wrong_argument_is_refused_before_the_body(ledger, action, args):
    assert ledger.raw(action, args).code == "E-ARGS"


def test_unknown_contracts_are_refused(ledger):
    assert ledger.contracts.named("c@2") is None
    from consortium.vm.execute import Call

    for contract in ("d", "c@2", "c@x", "c@1@1"):
        assert ledger.machine().run_action(Call(contract, "number", (1,), "B1")).code == "E-ARGS"
    assert ledger.machine().run_action(Call("c@1", "number", (1,), "B1")).status == "applied"


def test_amounts_keep_to_their_currency_and_bounds(ledger):
    assert value_of(ledger.run("amount", a="1.00 CNY")) == Money(200)
    assert ledger.run("amount", a="1.00 USD").code == "E-TYPE"
    assert ledger.run("amount", a="0.00 CNY").code == "E_AMOUNT"
    assert ledger.run("amount", a=Money(10**17)).code == "E-VALUE-SIZE"


def test_days_end_with_the_year_9999(ledger):
    assert value_of(ledger.run("day_later", d="2026-12-31", by=1)) == Day.of("2027-01-01")
    assert ledger.run("day_later", d="9999-12-31", by=365).code == "E-DATE"


def test_a_list_argument_is_the_actions_own(ledger):
    assert value_of(ledger.run("many", xs=[1, 2])) == 3
