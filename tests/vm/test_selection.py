"""Indexes, ranges and queries: key order, pending changes, what an action may ask, and what a caller may see."""

import pytest
from engine_bench import bench, value_of
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.vm.exceptions import QueryFailedError

CLAIMS = """
@status
class ClaimStatus:
    LIVE = to("PAID")
    PAID = to()
@record(key="id", visible_to=("debtor", "holder", by_role("regulator")), fields_visible_to=(("price", "holder"),))
class Claim(Record):
    id: Id
    debtor: Bank
    holder: Bank | Company
    pays: Day | None
    price: int = 0
    status: ClaimStatus = ClaimStatus.LIVE
claims = collection(
    Claim, index=("holder", ("debtor", "status", "pays")), totals=(("price", ("debtor",)), ("price", ()))
)
@action
def create(id: Id, debtor: Bank, holder: Bank | Company, pays: Day | None):
    claims.add(Claim(id=id, debtor=debtor, holder=holder, pays=pays))
@action
def pay(id: Id):
    claims[id].move_to(ClaimStatus.PAID, price=7)
@action
def drop(id: Id):
    claims.remove(claims[id])
@action
def held(holder: Bank | Company):
    return [claim.id for claim in claims.where(holder=holder)]
@action
def falling_due(debtor: Bank, since: Day, upto: Day):
    found = claims.where(debtor=debtor, status=ClaimStatus.LIVE).since(pays=since).upto(pays=upto)
    return [claim.id for claim in found]
@action
def until(debtor: Bank, upto: Day):
    return [claim.id for claim in claims.where(status=ClaimStatus.LIVE, debtor=debtor).upto(pays=upto)]
@action
def first_two(holder: Bank | Company):
    found = claims.where(holder=holder)
    first = found.first()
    return [len(found), len(found.limit(2)), "" if first is None else first.id]
@action
def without_index(pays: Day):
    return len(claims.where(pays=pays))
@action
def everything():
    return len(claims.limit(3))
@query
def latest_first(debtor: Bank):
    return [claim.id for claim in claims.where(debtor=debtor).sorted_by("pays")]
@query
def on(pays: Day):
    return claims.where(pays=pays)
@query
def get(id: Id):
    return claims[id]
@query
def worth(debtor: Bank):
    return [claims.total("price", debtor=debtor), claims.total("price")]
@query
def prices():
    return [claim.price for claim in claims.where(debtor="B1")]
"""


@pytest.fixture
def ledger():
    ledger = bench(CLAIMS)
    for name, debtor, holder, pays in (
        ("a", "B1", "C1", "2026-05-04"),
        ("b", "B1", "C2", "2026-03-02"),
        ("c", "B2", "C1", "2026-04-01"),
        ("d", "B1", "C1", None),
        ("e", "B1", "C1", "2026-04-01"),
    ):
        value_of(ledger.run("create", id=name, debtor=debtor, holder=holder, pays=pays))
    return ledger


def test_an_index_gives_its_records_in_key_order(ledger):
    assert value_of(ledger.run("held", holder="C1")) == ["a", "c", "d", "e"]
    assert value_of(ledger.run("first_two", holder="C1")) == [4, 2, "a"]
    assert value_of(ledger.run("first_two", holder="B3")) == [0, 0, ""]


def test_bounds_walk_the_next_field_of_the_index(ledger):
    assert value_of(ledger.run("falling_due", debtor="B1", since="2026-03-03", upto="2026-05-04")) == [
        "e",
        "a",
    ]
    assert value_of(ledger.run("falling_due", debtor="B1", since="2026-05-05", upto="2026-05-06")) == []
    # None is before every day and is not "up to" one.
    assert value_of(ledger.run("until", debtor="B1", upto="2026-04-01")) == ["b", "e"]


def test_a_selection_sees_what_the_block_has_written(ledger):
    machine = ledger.machine()
    machine.run_action(ledger.call("pay", id="e"))
    machine.run_action(ledger.call("drop", id="a"))
    machine.run_action(ledger.call("create", id="aa", debtor="B1", holder="C1", pays="2026-04-02"))
    found = machine.run_action(ledger.call("until", debtor="B1", upto="2026-12-31"))
    assert value_of(found) == ["b", "aa"]
    assert value_of(machine.run_action(ledger.call("held", holder="C1"))) == ["aa", "c", "d", "e"]


@pytest.mark.parametrize(("action", "given"), [("without_index", {"pays": "2026-04-01"}), ("everything", {})])
def test_an_action_asks_only_what_an_index_answers(ledger, action, given):
    assert ledger.run(action, **given).code == "E-TYPE"


def test_a_query_may_filter(ledger):
    assert [claim["id"] for claim in ledger.ask("on", pays="2026-04-01")] == ["c", "e"]
    assert ledger.ask("latest_first", debtor="B1") == ["d", "b", "e", "a"]


def test_a_caller_sees_only_what_is_visible_to_it(ledger):
    assert [claim["id"] for claim in ledger.ask("on", "C1", pays="2026-04-01")] == ["c", "e"]
    assert [claim["id"] for claim in ledger.ask("on", "B2", pays="2026-04-01")] == ["c"]
    assert [claim["id"] for claim in ledger.ask("on", "REG", pays="2026-04-01")] == ["c", "e"]
    assert ledger.ask("on", "B3", pays="2026-04-01") == []
    with pytest.raises(QueryFailedError, match="E-KEY"):
        ledger.ask("get", "B3", id="a")


def test_a_hidden_field_is_empty_for_others(ledger):
    value_of(ledger.run("pay", id="a"))
    assert ledger.ask("get", "C1", id="a")["price"] == 7
    assert ledger.ask("get", "B1", id="a")["price"] is None
    assert ledger.ask("prices", "B1") == [None, None, None, None]
    # In the order of the index: the paid claim comes after the live ones.
    assert ledger.ask("prices") == [0, 0, 0, 7]


def test_a_total_tells_nothing_of_hidden_records(ledger):
    for name in ("a", "b", "c"):
        value_of(ledger.run("pay", id=name))
    assert ledger.ask("worth", debtor="B1") == [14, 21]
    assert ledger.ask("worth", "C1", debtor="B1") == [7, 14]
    assert ledger.ask("worth", "B1", debtor="B1") == [0, 0]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdef"),
            st.sampled_from(["B1", "B2"]),
            st.sampled_from(["create", "drop", "pay"]),
        ),
        max_size=25,
    ),
    st.integers(0, 25),
)
def test_indexes_agree_with_the_records(steps, cut):
    """However writes fall into blocks, each index answers what looking at every record answers."""
    ledger = bench(CLAIMS)
    machine = ledger.machine()
    for number, (name, debtor, action) in enumerate(steps):
        if number == cut:
            ledger.apply(machine)
            machine = ledger.machine()
        given_values = {"id": name}
        if action == "create":
            given_values |= {"debtor": debtor, "holder": "C1", "pays": f"2026-04-{1 + ord(name) % 28:02d}"}
        machine.run_action(ledger.call(action, **given_values))
    pending = value_of(machine.run_action(ledger.call("until", debtor="B1", upto="2026-12-31")))
    ledger.apply(machine)
    live = [claim for claim in ledger.all("claims") if claim["debtor"] == "B1" and claim["status"] == "LIVE"]
    expected = [claim.id for claim in sorted(live, key=lambda claim: (claim["pays"], claim.id))]
    assert pending == expected
    assert value_of(ledger.run("until", debtor="B1", upto="2026-12-31")) == expected
    assert value_of(ledger.run("held", holder="C1")) == [claim.id for claim in ledger.all("claims")]
    stored = {key for key in ledger.state.entries if key.startswith(b"\x03c\0claims:")}
    assert len(stored) == 2 * len(ledger.all("claims"))
