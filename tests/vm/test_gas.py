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


SPELLED_OUT = """
@action
def branch(n: int):
    if n > 1:
        a = n + 1 + 2
    elif n == 0:
        a = 5
    else:
        a = n
    return a
@action
def rounds(n: int):
    a = 0
    for i in range(n):
        a += i
    while a > 100:
        a -= 50
    return a
"""


@pytest.mark.parametrize(
    ("action", "n", "inside"),
    [
        # if: 1, its test: 2; dearest arm: 1 + 3 + 3, or the second test 2 and 1; return: 1
        ("branch", 5, 1 + 2 + 7 + 1),
        ("branch", 0, 1 + 2 + 7 + 1),
        ("branch", -7, 1 + 2 + 7 + 1),
        # a = 0: 1; for: 1 + 5 and the call 8; while: 1 + 5 and its first test 2; return: 1; the call itself: 1
        ("rounds", 0, 1 + 14 + 8 + 1 + 1),
        # each round of `for`: 3 and the statement 1
        ("rounds", 10, 1 + 14 + 8 + 1 + 1 + 10 * 4),
        # a is 210: three rounds of `while`, each 3, its test 2 and the statement 1
        ("rounds", 21, 1 + 14 + 8 + 1 + 1 + 21 * 4 + 3 * 6),
    ],
)
def test_the_schedule_adds_up(action, n, inside):
    transaction, argument, function, result = 500, 20, 10, 2 + 0
    outcome = bench(SPELLED_OUT).run(action, n=n)
    walked = result + (1 + abs(value_of(outcome)).bit_length() // 8) // 8
    assert outcome.gas_used == transaction + argument + function + inside + walked


LOOPED = """
@action
def over(n: int, kind: int):
    d = {i: i for i in range(n)}
    xs = [i for i in range(n)]
    before = 0
    if kind == 1:
        for k in d:
            break
    if kind == 2:
        for k in zip(d, d):
            break
    if kind == 3:
        for k in enumerate(d):
            break
    if kind == 4:
        for k in sorted(xs):
            break
    if kind == 5:
        for k in xs[1:]:
            break
    if kind == 6:
        for k in [x for x in xs]:
            break
"""


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 6])
def test_what_a_loop_walks_is_paid_for_even_if_the_loop_calls_nothing(kind):
    ledger = bench(LOOPED)
    plain = [ledger.run("over", n=n, kind=0).gas_used for n in (10, 1000)]
    walked = [ledger.run("over", n=n, kind=kind).gas_used for n in (10, 1000)]
    assert (walked[1] - plain[1]) - (walked[0] - plain[0]) >= 990
