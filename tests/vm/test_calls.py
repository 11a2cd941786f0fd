"""Who may call what: roles, signatures, contracts that call contracts, and how failures travel."""

import pytest
from engine_bench import IMPORT, Bench, bench, value_of

from consortium.vm.execute import ContractSet, load_contract

DESK = """
@record(key="number")
class Paper(Record):
    number: Text[16]
    owner: Bank
    guard: Company | None = None
    watchers: list[Bank]
papers = collection(Paper)
@action(by="owner")
def write(number: Text[16], owner: Bank, watchers: list[Bank]):
    return papers.add(Paper(number=number, owner=owner, watchers=watchers)).id
@action(by="owner")
def sign(id: Id):
    return f"{sender()} {len(signers())}"
@action(by=("owner", by_role("regulator")), code="E_HOLD")
def hold(id: Id):
    pass
@action(by="guard")
def watch(id: Id):
    pass
@action(by=by_role("central_bank", "regulator"))
def rule():
    pass
@action(agreed_by="watchers")
def publish(id: Id):
    pass
@action(by="payer", agreed_by=("payee", "broker"))
def deal(payer: Bank, payee: Bank, broker: Company):
    return [party for party in signers()]
"""


@pytest.fixture
def desk():
    ledger = bench(DESK)
    value_of(ledger.run("write", number="P", owner="B1", watchers=["B2", "B3"]))
    return ledger


def test_by_names_an_argument_or_a_field_of_the_record(desk):
    assert desk.run("write", "B2", number="X", owner="B1", watchers=[]).code == "E_ROLE"
    assert value_of(desk.run("sign", "B1", id="B1/P")) == "B1 1"
    refused = desk.run("sign", "B2", id="B1/P")
    assert (refused.code, refused.function, refused.text) == ("E_ROLE", "sign", "B2 is not the owner")
    assert refused.statement == desk.contracts.interface("c").function("sign").statement


def test_a_missing_record_or_an_empty_field_admits_nobody(desk):
    assert desk.run("sign", "B1", id="B1/Q").code == "E-KEY"
    assert desk.run("watch", "B1", id="B1/P").code == "E_ROLE"


def test_a_role_admits_a_kind_of_organisation(desk):
    assert desk.run("rule", "CB").status == "applied"
    assert desk.run("rule", "REG").status == "applied"
    assert desk.run("rule", "B1").code == "E_ROLE"
    assert desk.run("hold", "REG", id="B1/P").status == "applied"
    assert desk.run("hold", "B2", id="B1/P").code == "E_HOLD"


def test_every_agreed_party_must_have_signed(desk):
    assert desk.run("publish", "B4", ("B2",), id="B1/P").code == "E_CONSENT"
    assert desk.run("publish", "B4", ("B3", "B2"), id="B1/P").status == "applied"
    deal = {"payer": "B1", "payee": "B2", "broker": "C1"}
    assert desk.run("deal", "B1", ("B2",), **deal).code == "E_CONSENT"
    assert desk.run("deal", "B2", ("B1", "C1"), **deal).code == "E_ROLE"
    assert value_of(desk.run("deal", "B1", ("C1", "B2"), **deal)) == ["B1", "C1", "B2"]


CALLER = """
till = uses("till", version=1)
@action
def pay(amount: Money):
    return till.call("take", amount=amount, parts=[1, 2])
@action
def pay_and_fail(amount: Money):
    till.call("take", amount=amount, parts=[])
    fail("E_FUNDS", "after the call")
@action
def provoke():
    till.call("refuse")
@action
def burn():
    till.call("burn")
    return 1
@action
def wrong_name():
    till.call("nothing")
@action
def wrong_argument():
    till.call("take", amount=5, parts=[])
@action
def missing_argument():
    till.call("take", parts=[])
@action
def unknown_argument(amount: Money):
    till.call("take", amount=amount, parts=[], more=1)
@action
def personal():
    till.call("personal", who=sender())
@action
def sneak():
    till.call("guarded")
@action
def by_text():
    return till.call("choose", kind="B")
@action
def take_record():
    return till.call("whole")
@query
def asks():
    return till.call("present")
@query
def asks_to_write():
    return till.call("take", amount=money("1.00 CNY"), parts=[])
"""
TILL = """
@choice
class Kind:
    A = option()
    B = option()
@record(key="id")
class Till(Record):
    id: Id
    amount: Money
tills = collection(Till)
@opening
def begin():
    tills.add(Till(id="T", amount=money("0.00 CNY")))
@action(by_contract=("c",))
def take(amount: Money, parts: list[int]):
    present = tills["T"]
    present.update(amount=present.amount + amount)
    emit("Taken", amount=amount, by=caller(), signers=len(signers()))
    parts.append(3)
    return parts
@action
def refuse():
    require(1 > 2, "E_LIMIT", "never")
@action
def burn():
    while True:
        pass
@query
def present():
    return tills["T"].amount
@action(by="who")
def personal(who: Bank):
    pass
@action(by_contract=("somebody",))
def guarded():
    pass
@action
def choose(kind: Kind):
    return f"{kind}"
@action
def whole():
    return tills["T"]
"""


@pytest.fixture
def pair():
    ledger = bench(CALLER, till=TILL)
    value_of(ledger.opens("begin", contract="till"))
    return ledger


def test_a_call_runs_in_the_same_transaction(pair):
    outcome = pair.run("pay", amount="5.00 CNY")
    assert value_of(outcome) == [1, 2, 3]
    event = ("till", "Taken", (("amount", ("money", 500, "CNY")), ("by", "c"), ("signers", 1)))
    assert outcome.events == (event,)
    assert str(pair.record("tills", "T", contract="till")["amount"]) == "5.00 CNY"


def test_a_failure_after_a_call_undoes_it(pair):
    before = dict(pair.state.entries)
    outcome = pair.run("pay_and_fail", amount="5.00 CNY")
    assert (outcome.code, outcome.contract, outcome.function) == ("E_FUNDS", "c", "pay_and_fail")
    assert (pair.state.entries, outcome.events) == (before, ())


def test_a_receipt_names_the_line_that_refused(pair):
    outcome = pair.run("provoke")
    assert (outcome.code, outcome.contract, outcome.function) == ("E_LIMIT", "till", "refuse")
    place = pair.contracts.interface("till").function("refuse")
    assert outcome.statement == place.statement + 1


def test_a_callee_that_burns_all_gas_ends_the_whole_transaction(pair):
    outcome = pair.run("burn")
    assert (outcome.code, outcome.gas_used) == ("E-OUT-OF-GAS", pair.gas)


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("wrong_name", "E-ARGS"),
        ("wrong_argument", "E-TYPE"),
        ("missing_argument", "E-ARGS"),
        ("personal", "E_ROLE"),
        ("sneak", "E_ROLE"),
        ("take_record", "E-TYPE"),
    ],
)
def test_a_wrong_call_is_refused(pair, action, code):
    assert pair.run(action).code == code


def test_an_unknown_argument_of_a_call_is_refused(pair):
    assert pair.run("unknown_argument", amount="1.00 CNY").code == "E-ARGS"


def test_a_choice_may_be_passed_by_its_name(pair):
    assert value_of(pair.run("by_text")) == "B"


def test_transactions_cannot_call_what_only_contracts_may(pair):
    outcome = pair.run("take", contract="till", amount="1.00 CNY", parts=[])
    assert outcome.code == "E_ROLE"


def test_a_query_asks_other_contracts_but_writes_nothing(pair):
    from consortium.vm.exceptions import QueryFailedError

    assert str(pair.ask("asks")) == "0.00 CNY"
    with pytest.raises(QueryFailedError, match="E-READ-ONLY"):
        pair.ask("asks_to_write")


def test_a_contract_counts_as_itself_only_with_the_bound_source():
    compiled = [
        load_contract(name, 1, (IMPORT + text).encode(), f"{name}.py")
        for name, text in (("c", CALLER), ("till", TILL))
    ]
    honest = {item.name: (item.source_hash,) for item in compiled}
    for bindings, code in ((honest, None), ({**honest, "c": (b"\0" * 32,)}, "E_ROLE"), ({}, "E_ROLE")):
        ledger = Bench(ContractSet(compiled, bindings=bindings))
        value_of(ledger.opens("begin", contract="till"))
        assert ledger.run("pay", amount="1.00 CNY").code == code


def test_re_entry_and_depth_are_bounded():
    chain = {
        f"k{number}": f'next = uses("k{number + 1}", version=1)\n@action\ndef go():\n    return next.call("go")\n'
        for number in range(10)
    }
    chain["k10"] = "@action\ndef go():\n    return 1\n"
    ledger = bench(
        'first = uses("k0", version=1)\n@action\ndef go():\n    return first.call("go")\n', **chain
    )
    assert ledger.run("go").code == "E-CALL-DEPTH"
    assert value_of(ledger.run("go", contract="k3")) == 1
    assert ledger.run("go", contract="k2").code == "E-CALL-DEPTH"
    loop = bench(
        'other = uses("other", version=1)\n@action\ndef go():\n    other.call("back")\n',
        other='c = uses("c", version=1)\n@action\ndef back():\n    c.call("go")\n',
    )
    assert loop.run("go").code == "E-REENTRANT"
