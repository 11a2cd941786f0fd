"""What keeps the engine's own limits out of reach: helpers in helpers, comprehensions, numbers, rates, values."""

import pytest
from engine_bench import IMPORT, bench, value_of

from consortium.vm.check import check
from consortium.vm.language import FRAMES_MAX


def rules_of(source: str) -> set[str]:
    return {finding.rule for finding in check(f"{IMPORT}{source}".encode(), "c.py")}


def chain(count: int) -> str:
    helpers = "".join(f"@helper\ndef h{n}():\n    return h{n + 1}()\n" for n in range(count - 1))
    return f"{helpers}@helper\ndef h{count - 1}():\n    return 1\n@action\ndef f():\n    return h0()\n"


def test_chains_of_helpers_are_bounded():
    assert value_of(bench(chain(FRAMES_MAX - 1)).run("f")) == 1
    assert rules_of(chain(FRAMES_MAX)) == {"E-LANG-004"}
    assert rules_of(chain(300)) == {"E-LANG-004"}


def test_comprehensions_in_one_another_count_as_frames():
    def nested(depth: int, helpers: int) -> str:
        loops = "\n".join(["h0()", *[" for x in range(1)]"] * depth])
        return chain(helpers).replace("return h0()", f"return len({'[' * depth}{loops})")

    assert value_of(bench(nested(10, FRAMES_MAX - 11)).run("f")) == 1
    assert rules_of(nested(10, FRAMES_MAX - 10)) == {"E-LANG-004"}


def test_a_deep_stack_of_calls_ends_alike_wherever_it_starts():
    """Eight contracts, each as deep as the check allows, from a stack that is already in use."""
    sources = {}
    for number in range(7):
        body = chain(FRAMES_MAX - 1).replace("return 1\n", 'return next.call("f")\n', 1)
        sources[f"k{number}"] = f'next = uses("k{number + 1}", version=1)\n{body}'
    sources["k7"] = "@action\ndef f():\n    return 7\n"
    ledger = bench("@action\ndef f():\n    return 0\n", **sources)

    def run_from(depth: int):
        return run_from(depth - 1) if depth else ledger.run("f", contract="k0")

    assert value_of(run_from(0)) == 7
    assert value_of(run_from(300)) == 7


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("    x = 1\n    for i in range(70):\n        x = x * 18446744073709551615\n", "E-VALUE-SIZE"),
        (
            '    r = rate("100 %")\n    for i in range(9):\n        r = r * 18446744073709551615\n',
            "E-VALUE-SIZE",
        ),
        ('    m = money("1.00 CNY")\n    for i in range(70):\n        m = m + m\n', "E-VALUE-SIZE"),
        ("    x = 1\n    for i in range(5000):\n        x = x + x\n    xs = [x]\n", "E-VALUE-SIZE"),
        (
            "    x = 1\n    for i in range(5000):\n        x = x + x\n    xs = []\n    xs.append(x)\n",
            "E-VALUE-SIZE",
        ),
        (
            "    x = 1\n    for i in range(5000):\n        x = x + x\n    d = {}\n    d['x'] = x\n",
            "E-VALUE-SIZE",
        ),
        ("    x = 1\n    for i in range(100):\n        x = x + x\n    emit('X', x=[x])\n", "E-VALUE-SIZE"),
        ("    x = 1\n    for i in range(100):\n        x = x + x\n    return x\n", "E-VALUE-SIZE"),
        ("    x = 5000000000000\n    return range(x * x * x)\n", "E-VALUE-SIZE"),
        ("    return add_banking_days(today(), 1000000)\n", "E-DATE"),
        ('    return day("2030-01-01") > banking_day(day("2030-01-01"))\n', "E-DATE"),
        ("    return [x for x in 5]\n", "E-TYPE"),
        ("    return money('1.00 CNY') if money('1.00 CNY') else 1\n", "E-TYPE"),
        ("    x = [[1]]\n    x[0].append(x)\n    return 1\n", "E-VALUE-DEPTH"),
        ("    x = []\n    for i in range(20):\n        x = [x]\n    return 1\n", "E-VALUE-DEPTH"),
        ("    s = 'a' * 40000\n    return [s, s]\n", "E-VALUE-SIZE"),
        ("    s = 'a' * 40000\n    return [s, s] == [s, s]\n", "E-VALUE-SIZE"),
        ("    s = 'a' * 40000\n    emit('X', s=[s, s])\n", "E-VALUE-SIZE"),
        ("    a, b = [1, 2, 3]\n    return a\n", "E-TYPE"),
        ("    if 1 > 2:\n        y = 1\n    return y\n", "E-TYPE"),
        ("    x: int = [1][0]\n    y: Text = [1][0]\n    return x\n", "E-TYPE"),
        ("    return '1' < 2\n", "E-TYPE"),
        ("    return 1 // 0\n", "E-ZERO-DIV"),
        ("    return {}['k']\n", "E-KEY"),
        ("    return {'k': 1}.pop('z')\n", "E-KEY"),
        ("    return sender().minor\n", "E-LANG"),
    ],
)
def test_values_stay_within_their_bounds(body, code):
    if code == "E-LANG":
        assert check(f"{IMPORT}@action\ndef f():\n{body}".encode(), "c.py") == ()
        code = "E-TYPE"
    assert bench(f"@action\ndef f():\n{body}").run("f").code == code


VALUES = """
@value
class Inner:
    words: list[Text]
@value
class Outer:
    rows: list[list[Text]]
    inner: Inner
@action
def f(outer: Outer):
    return outer.rows[0][0]
@action
def grow(outer: Outer):
    outer.rows[0].append("x")
@action
def grow_inner(outer: Outer):
    outer.inner.words.append("x")
@action
def replace_item(outer: Outer):
    outer.inner.words[0] = "x"
"""


@pytest.mark.parametrize(
    ("action", "code"),
    [("f", None), ("grow", "E-TYPE"), ("grow_inner", "E-TYPE"), ("replace_item", "E-TYPE")],
)
def test_lists_inside_values_never_change(action, code):
    outer = {"rows": [["a"]], "inner": {"words": ["b"]}}
    assert bench(VALUES).run(action, outer=outer).code == code


def test_a_memory_error_is_the_machines_own():
    ledger = bench("@action\ndef f():\n    pass\n")
    machine = ledger.machine()
    entry = ledger.contracts.find("c").entries["f"]

    def exhausted(_machine):
        raise MemoryError

    object.__setattr__(entry, "function", exhausted)
    with pytest.raises(MemoryError):
        machine.run_action(ledger.call("f"))


def test_a_version_number_of_any_length_is_no_crash():
    from consortium.vm.execute import Call

    ledger = bench("@action\ndef f():\n    pass\n")
    assert ledger.machine().run_action(Call("c@" + "9" * 6000, "f", (), "B1")).code == "E-ARGS"


GUARDED = """
@record(key="id")
class Box(Record):
    id: Id
    n: int
boxes = collection(Box)
@helper
def day_of(day_in: Day):
    return day_in
@helper
def name_of(party: Party) -> Text:
    return party
@helper
def number_of(box: Box) -> int:
    return box.n
@helper
def falls_through(n: int) -> int:
    if n > 0:
        return n
@action
def give_day(d: Day | None):
    return day_of(d)
@action
def give_name(p: Bank | None):
    return name_of(p)
@action
def give_record(id: Id):
    return number_of(boxes.find(id))
@action
def give_nothing(n: int):
    return falls_through(n) + 1
@action
def give_text(xs: list[int]):
    return number_of(xs[0])
"""


@pytest.mark.parametrize(
    ("action", "given", "code"),
    [
        ("give_day", {"d": None}, "E-TYPE"),
        ("give_day", {"d": "2026-03-02"}, None),
        ("give_name", {"p": None}, "E-TYPE"),
        ("give_name", {"p": "B1"}, None),
        ("give_record", {"id": "x"}, "E-TYPE"),
        ("give_nothing", {"n": 1}, None),
        ("give_nothing", {"n": 0}, "E-TYPE"),
        ("give_text", {"xs": [1]}, "E-TYPE"),
    ],
)
def test_a_helper_gets_and_gives_what_it_declares(action, given, code):
    assert bench(GUARDED).run(action, **given).code == code
