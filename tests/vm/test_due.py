"""Due work: the index in the state, its order, its own day, and that an entry is gone after it ran."""

from engine_bench import START, bench, value_of

from consortium.calendar import moment
from consortium.money import Day
from consortium.vm.execute import next_due_moment

PARCELS = """
@status
class ParcelStatus:
    SENT = to("LATE", "HERE")
    LATE = to("HERE")
    HERE = to()
@record(key="number")
class Parcel(Record):
    number: Text[16]
    arrives: Day | None
    checks: Day | None = None
    seen: list[Text]
    status: ParcelStatus = ParcelStatus.SENT
parcels = collection(Parcel)
@record(key=("bank", "round"))
class Visit(Record):
    bank: Bank
    round: int
    day: Day
visits = collection(Visit)
@due(on="arrives", at="cut_off")
def late(id: Id[Parcel]):
    require(parcels[id].number != "STUCK", "E_STATE", "it cannot be moved")
    parcels[id].move_to(ParcelStatus.LATE, seen=[f"{today()}", f"{value_day()}"])
    emit("Late", parcel=id)
@due(on="checks", at="opening")
def check(id: Id[Parcel]):
    emit("Checked", parcel=id, day=today(), before=before_cut_off(), caller=caller(), signed=len(signers()))
@due(on="day", at="opening")
def visit(bank: Bank, round: int):
    emit("Visited", bank=bank, round=round)
    visits.remove(visits[(bank, round)])
@action
def send(number: Text[16], arrives: Day | None):
    return parcels.add(Parcel(number=number, arrives=arrives, seen=[])).id
@action
def plan(id: Id, checks: Day | None):
    parcels[id].update(checks=checks)
@action
def arrive(id: Id):
    parcels[id].move_to(ParcelStatus.HERE, arrives=None)
@action
def lose(id: Id):
    parcels.remove(parcels[id])
@action
def rename(id: Id, seen: list[Text]):
    parcels[id].update(seen=seen)
@action
def plan_visit(bank: Bank, round: int, day: Day):
    visits.add(Visit(bank=bank, round=round, day=day))
"""


def due_keys(ledger):
    return sorted(key for key in ledger.state.entries if key.startswith(b"\x01due\0"))


def test_work_runs_after_its_moment_on_its_own_day():
    ledger = bench(PARCELS)
    value_of(ledger.run("send", number="P", arrives="2026-03-06"))
    assert next_due_moment(ledger.state) == moment(Day.of("2026-03-06"), 17 * 60)
    assert ledger.at("2026-03-06", 16 * 60 + 59) == []
    (outcome,) = ledger.at("2026-03-09", 9 * 60)
    assert (outcome.status, outcome.function) == ("applied", "late")
    # Due work has value on its own day, cut-off or not.
    assert ledger.record("parcels", "B1/P")["seen"] == ["2026-03-06", "2026-03-06"]
    assert ledger.at("2026-03-10") == []
    assert due_keys(ledger) == []
    assert next_due_moment(ledger.state) is None


def test_work_runs_in_order_of_moment_declaration_and_key():
    ledger = bench(PARCELS)
    for number in ("Q", "P"):
        value_of(ledger.run("send", number=number, arrives="2026-03-06"))
        value_of(ledger.run("plan", id=f"B1/{number}", checks="2026-03-06"))
    value_of(ledger.run("plan_visit", bank="B2", round=2, day="2026-03-06"))
    value_of(ledger.run("plan_visit", bank="B2", round=-1, day="2026-03-06"))
    outcomes = ledger.at("2026-03-07")
    assert [(item.function, item.events[0][2][0][1]) for item in outcomes] == [
        ("check", "B1/P"), ("check", "B1/Q"), ("visit", "B2"), ("visit", "B2"), ("late", "B1/P"), ("late", "B1/Q"),
    ]  # fmt: skip
    assert [item.events[0][2][1][1] for item in outcomes[2:4]] == [-1, 2]


def test_due_work_has_no_sender():
    ledger = bench(PARCELS)
    value_of(ledger.run("send", number="P", arrives=None))
    value_of(ledger.run("plan", id="B1/P", checks="2026-03-05"))
    (outcome,) = ledger.at("2026-03-07")
    day = ("day", Day.of("2026-03-05").ordinal)
    expected = (("parcel", "B1/P"), ("day", day), ("before", True), ("caller", None), ("signed", 0))
    assert outcome.events == (("c", "Checked", expected),)


def test_an_entry_moves_with_its_field_and_goes_with_its_record():
    ledger = bench(PARCELS)
    value_of(ledger.run("send", number="P", arrives="2026-03-06"))
    value_of(ledger.run("send", number="Q", arrives="2026-03-06"))
    assert len(due_keys(ledger)) == 2
    value_of(ledger.run("arrive", id="B1/P"))
    value_of(ledger.run("lose", id="B1/Q"))
    assert due_keys(ledger) == []


def test_an_entry_that_ran_does_not_return_while_its_field_stays():
    ledger = bench(PARCELS)
    value_of(ledger.run("send", number="P", arrives="2026-03-06"))
    assert len(ledger.at("2026-03-09")) == 1
    value_of(ledger.run("rename", id="B1/P", seen=["x"]))
    assert due_keys(ledger) == []


def test_refused_work_is_gone_too_and_says_so_in_its_writes():
    ledger = bench(PARCELS)
    value_of(ledger.run("send", number="STUCK", arrives="2026-03-06"))
    entry = due_keys(ledger)[0]
    (outcome,) = ledger.at("2026-03-09")
    assert (outcome.status, outcome.code, outcome.writes) == ("refused", "E_STATE", ((entry, None),))
    assert due_keys(ledger) == []
    assert ledger.record("parcels", "B1/STUCK")["status"] == "SENT"


def test_work_that_a_block_makes_due_at_once_is_seen_in_it():
    ledger = bench(PARCELS)
    machine = ledger.machine()
    machine.run_action(ledger.call("send", number="P", arrives="2026-03-01"))
    machine.run_action(ledger.call("send", number="Q", arrives="2026-03-01"))
    machine.run_action(ledger.call("arrive", id="B1/P"))
    entry = machine.next_due()
    assert (entry.contract, entry.declaration, entry.key) == ("c", 0, b"B1\0Q\0")
    assert entry.moment_us < START
    assert machine.run_due(entry).status == "applied"
    assert machine.next_due() is None
    assert machine.run_action(ledger.call("send", number="R", arrives=None)).status == "applied"


def test_a_removed_entry_comes_back_when_its_removal_is_undone():
    ledger = bench(
        PARCELS
        + '@action\ndef arrive_and_fail(id: Id):\n    parcels[id].update(arrives=None)\n    fail("E_STATE")\n'
    )
    value_of(ledger.run("send", number="P", arrives="2026-03-01"))
    machine = ledger.machine()
    machine.run_action(ledger.call("arrive_and_fail", id="B1/P"))
    assert machine.next_due().key == b"B1\0P\0"
