"""Gas: exact at the limit, equal whatever ran before, charged even when refused, and sticky."""

import pytest
from engine_bench import GAS, bench, value_of

WORK = """
@record(key="number")
class Thing(Record):
    number: Text[16]
    n: int
things = collection(Thing)
@action
def nothing():
    pass
@action
def loop(n: int):
    total_of = 0
    for i in range(n):
        total_of += i * 2
    return total_of
@action
def pure(n: int):
    a = 0
    i = 0
    while i < n:
        if i % 3 == 0:
            a = a + 5
        else:
            a = a + 1 - 2
        for k in range(0):
            a = 7
        i += 1
    return a
@action
def innermost(n: int):
    for i in range(n):
        if i == 5:
            return i // (i - 5)
    return -1
@action
def leave(n: int):
    a = 0
    for i in range(n):
        if i == 3:
            break
        if i == 1:
            continue
        a += 10
    return a
@action
def cheap_arm(flag: bool):
    if flag:
        x = 1
    else:
        x = len(f"{1}{2}{3}")
    return x
@action
def put(number: Text[16], n: int):
    things.add(Thing(number=number, n=n))
@action
def add_up(id: Id, n: int):
    thing = things[id]
    return things[id].update(n=thing.n + n).n
@action
def many_events(n: int):
    for i in range(n):
        emit("Tick", i=i)
@action
def many_writes(n: int):
    for i in range(n):
        things["B1/T"].update(n=i)
@action
def long_text(n: int):
    s = "x" * n
    return len(s)
@action
def fall_over(n: int):
    x = [0] * n
    return x[n]
@action
def comprehended(n: int):
    return len([i * j for i in range(n) if i > 1 for j in range(3) if j != 1])
"""


@pytest.fixture
def ledger():
    return bench(WORK)


def used(ledger, action, gas=GAS, **given):
    ledger.gas = gas
    return ledger.run(action, **given)


@pytest.mark.parametrize(
    ("action", "given"),
    [
        ("nothing", {}),
        ("loop", {"n": 50}),
        ("pure", {"n": 50}),
        ("put", {"number": "T", "n": 1}),
        ("comprehended", {"n": 9}),
    ],
)
def test_a_limit_that_is_just_enough_is_enough(ledger, action, given):
    spent = used(bench(WORK), action, **given).gas_used
    assert used(bench(WORK), action, gas=spent, **given).status == "applied"
    short = used(bench(WORK), action, gas=spent - 1, **given)
    assert (short.code, short.gas_used) == ("E-OUT-OF-GAS", spent - 1)


def test_gas_grows_with_the_rounds_of_a_loop(ledger):
    costs = [used(ledger, "loop", n=n).gas_used for n in (0, 1, 2, 100)]
    assert costs[1] - costs[0] == costs[2] - costs[1] == (costs[3] - costs[2]) // 98
    pure = [used(ledger, "pure", n=n).gas_used for n in (0, 1, 2, 100)]
    assert pure[1] - pure[0] == pure[2] - pure[1] == (pure[3] - pure[2]) // 98


def test_a_branch_costs_its_dearer_arm(ledger):
    cheap, dear = (used(ledger, "cheap_arm", flag=flag).gas_used for flag in (True, False))
    # Only what depends on values differs: the short text that the other arm really builds.
    assert 0 < dear - cheap <= 10


def test_leaving_a_loop_keeps_what_was_counted(ledger):
    assert value_of(used(ledger, "leave", n=9)) == 20
    assert used(ledger, "leave", n=9).gas_used == used(ledger, "leave", n=1000).gas_used
    assert used(ledger, "innermost", n=5).code is None
    refused = used(ledger, "innermost", n=6)
    assert refused.code == "E-ZERO-DIV"
    assert refused.gas_used > used(ledger, "innermost", n=5).gas_used


def test_a_refused_transaction_pays_for_what_it_did(ledger):
    refused = used(ledger, "fall_over", n=100)
    assert refused.code == "E-INDEX"
    assert refused.gas_used > used(ledger, "fall_over", n=10).gas_used


def test_gas_does_not_depend_on_what_ran_before():
    fresh = bench(WORK)
    value_of(fresh.run("put", number="T", n=1))
    alone = fresh.run("add_up", id="B1/T", n=1)
    busy = bench(WORK)
    machine = busy.machine()
    machine.run_action(busy.call("put", number="T", n=1))
    for _ in range(20):
        machine.run_action(busy.call("loop", n=3))
        machine.run_action(busy.call("fall_over", n=3))
    in_block = machine.run_action(busy.call("add_up", id="B1/T", n=1))
    assert (in_block.gas_used, in_block.result, in_block.writes) == (
        alone.gas_used,
        alone.result,
        alone.writes,
    )


@pytest.mark.parametrize(
    ("action", "n", "code"),
    [
        ("many_events", 10_000, "E-OUT-OF-GAS"),
        ("many_writes", 100_000, "E-OUT-OF-GAS"),
        ("long_text", 1_000_000, "E-VALUE-SIZE"),
    ],
)
def test_events_writes_and_texts_are_bounded(ledger, action, n, code):
    value_of(ledger.run("put", number="T", n=1))
    before = dict(ledger.state.entries)
    outcome = ledger.run(action, n=n)
    assert (outcome.code, outcome.events, outcome.writes) == (code, (), ())
    assert ledger.state.entries == before


def test_key_text_is_bounded():
    ledger = bench(
        '@record(key="id")\nclass R:\n    id: Id\nrows = collection(R)\n@action\ndef put(n: int):\n    rows.add(R(id="k" * n))\n@action\ndef nul():\n    rows.add(R(id="a\\0b"))\n@action\ndef look(n: int):\n    return rows.find("k" * n) is None\n'
    )
    assert ledger.run("put", n=200).status == "applied"
    assert ledger.run("put", n=254).code == "E-VALUE-SIZE"
    assert ledger.run("nul").code == "E-ARGS"
    assert ledger.run("look", n=400).code == "E-VALUE-SIZE"
