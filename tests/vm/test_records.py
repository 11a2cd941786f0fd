"""Typed records: keys, defaults, status moves, immutability, children, and that a refusal leaves no trace."""

import pytest
from engine_bench import bench, value_of

from consortium.encoding import decode
from consortium.money import Day, Money

LETTERS = """
@status
class LetterStatus:
    DRAFT = to("SENT", "DROPPED")
    SENT = to("READ")
    READ = DROPPED = to()
@choice
class Kind:
    PLAIN = option()
    URGENT = option()
@record(key="number")
class Letter(Record):
    number: Text[16]
    writer: Bank
    amount: Money
    due_on: Day | None = None
    kind: Kind = Kind.PLAIN
    fee: Rate | None = None
    tags: list[Text]
    copies: int = 0
    sealed: Hash | None = None
    status: LetterStatus = LetterStatus.DRAFT
letters = collection(Letter)
@action(by="writer")
def write(number: Text[16], writer: Bank, amount: Money, tags: list[Text]) -> Id:
    return letters.add(Letter(number=number, writer=writer, amount=amount, tags=tags)).id
@action(by="writer")
def send(id: Id, due_on: Day):
    letters[id].move_to(LetterStatus.SENT, due_on=due_on)
@action
def read(id: Id):
    letters[id].move_to(LetterStatus.READ)
@action
def change(id: Id, copies: int, fee: Rate):
    letter = letters[id].update(copies=copies, fee=fee, kind=Kind.URGENT)
    return [letter.copies, letters[id].copies, f"{letter.kind} {letter.fee}"]
@action
def stale(id: Id):
    old = letters[id]
    old.move_to(LetterStatus.SENT)
    old.update(copies=7)
    return f"{letters[id].status} {letters[id].copies}"
@action
def rewrite_status(id: Id):
    letters[id].update(status=LetterStatus.READ)
@action
def rewrite_key(id: Id):
    letters[id].update(number="other")
@action
def add_sent(writer: Bank):
    letters.add(Letter(number="x", writer=writer, amount=money("1.00 CNY"), tags=[], status=LetterStatus.SENT))
@action
def add_off_default(writer: Bank):
    letters.add(Letter(number="x", writer=writer, amount=money("1.00 CNY"), tags=[], copies=1))
@action
def drop(id: Id):
    letters.remove(letters[id])
@action
def write_then_fail(number: Text[16], writer: Bank):
    letters.add(Letter(number=number, writer=writer, amount=money("1.00 CNY"), tags=[]))
    emit("Written", number=number)
    fail("E_AMOUNT", "never mind")
@action
def look(id: Id):
    letter = letters.find(id)
    return [id in letters, letter is None]
"""


@pytest.fixture
def ledger():
    return bench(LETTERS)


def written(ledger, number="L1", tags=()):
    return value_of(ledger.run("write", number=number, writer="B1", amount="5.00 CNY", tags=list(tags)))


def test_a_text_key_is_stored_under_the_creator_and_shown_with_it(ledger):
    assert written(ledger, tags=["a", "b"]) == "B1/L1"
    view = ledger.record("letters", "B1/L1")
    assert (view.id, view["number"], view["tags"], view["status"]) == ("B1/L1", "L1", ["a", "b"], "DRAFT")
    assert (
        value_of(ledger.run("write", "B2", number="L1", writer="B2", amount="1.00 CNY", tags=[])) == "B2/L1"
    )
    assert [letter.id for letter in ledger.all("letters")] == ["B1/L1", "B2/L1"]


def test_state_holds_the_array_of_the_fields(ledger):
    written(ledger)
    ((key, value),) = ledger.state.entries.items()
    assert key == b"\x03c\0letters\0B1\0L1\0"
    assert decode(value) == ("L1", "B1", (500, "CNY"), None, "PLAIN", None, (), 0, None, "DRAFT")


def test_every_field_type_comes_back_as_it_was_stored(ledger):
    record_id = written(ledger)
    assert value_of(ledger.run("change", id=record_id, copies=3, fee="2.60 %")) == [3, 3, "URGENT 2.60 %"]
    assert value_of(ledger.run("send", id=record_id, due_on="2026-05-04")) is None
    view = ledger.record("letters", record_id)
    assert view["due_on"] == Day.of("2026-05-04")
    assert view["amount"] == Money(500, "CNY")
    assert view["kind"] == "URGENT"


def test_the_same_key_twice_is_refused(ledger):
    written(ledger)
    outcome = ledger.run("write", number="L1", writer="B1", amount="1.00 CNY", tags=[])
    assert outcome.code == "E-DUPLICATE-KEY"


@pytest.mark.parametrize("action", ["add_sent", "add_off_default"])
def test_a_new_record_begins_where_all_begin(ledger, action):
    assert ledger.run(action, writer="B1").code == "E-INITIAL"


def test_only_listed_moves_are_allowed(ledger):
    record_id = written(ledger)
    assert ledger.run("read", id=record_id).code == "E_STATE"
    assert ledger.run("send", id=record_id, due_on="2026-05-04").status == "applied"
    assert ledger.run("send", id=record_id, due_on="2026-05-04").code == "E_STATE"
    assert ledger.run("read", id=record_id).status == "applied"


def test_a_status_and_a_key_cannot_be_updated(ledger):
    record_id = written(ledger)
    assert ledger.run("rewrite_status", id=record_id).code == "E_STATE"
    assert ledger.run("rewrite_key", id=record_id).code == "E-TYPE"


def test_an_update_works_on_the_present_record_not_on_an_old_copy(ledger):
    assert value_of(ledger.run("stale", id=written(ledger))) == "SENT 7"


def test_a_removed_record_is_gone(ledger):
    record_id = written(ledger)
    assert value_of(ledger.run("look", id=record_id)) == [True, False]
    assert ledger.run("drop", id=record_id).status == "applied"
    assert value_of(ledger.run("look", id=record_id)) == [False, True]
    assert ledger.run("read", id=record_id).code == "E-KEY"
    assert ledger.state.entries == {}


def test_a_refused_action_leaves_no_trace(ledger):
    written(ledger)
    before = dict(ledger.state.entries)
    outcome = ledger.run("write_then_fail", number="L2", writer="B1")
    assert (outcome.code, outcome.text) == ("E_AMOUNT", "never mind")
    assert (outcome.events, outcome.writes, outcome.result) == ((), (), None)
    assert ledger.state.entries == before


def test_a_refusal_in_a_block_keeps_what_others_wrote(ledger):
    machine = ledger.machine()
    good = machine.run_action(ledger.call("write", number="A", writer="B1", amount="1.00 CNY", tags=[]))
    bad = machine.run_action(ledger.call("write_then_fail", number="B", writer="B1"))
    again = machine.run_action(ledger.call("write", number="B", writer="B1", amount="1.00 CNY", tags=[]))
    assert [good.status, bad.status, again.status] == ["applied", "refused", "applied"]
    ledger.apply(machine)
    assert [letter.id for letter in ledger.all("letters")] == ["B1/A", "B1/B"]


def test_a_write_set_rebuilds_the_state(ledger):
    machine = ledger.machine()
    rebuilt = {}
    for number in ("A", "B"):
        outcome = machine.run_action(
            ledger.call("write", number=number, writer="B1", amount="1.00 CNY", tags=[])
        )
        rebuilt.update(outcome.writes)
    outcome = machine.run_action(ledger.call("drop", id="B1/A"))
    rebuilt.update(outcome.writes)
    ledger.apply(machine)
    assert {key: value for key, value in rebuilt.items() if value is not None} == ledger.state.entries


VOUCHERS = """
@status
class VoucherStatus:
    LIVE = to("LIVE", "SPLIT")
    SPLIT = to()
@value
class Part:
    to: Company | Bank
    face: Money
@record(key="id", visible_to=("debtor", "holder"))
class Voucher(Record):
    id: Id
    root: Id
    root_face: Money
    parent: Id | None
    debtor: Company | Bank
    holder: Company | Bank
    face: Money
    status: VoucherStatus = VoucherStatus.LIVE
vouchers = collection(Voucher, index=("holder", "root"), totals=(("face", ("root", "status")),))
@invariant(over="root")
def face_is_conserved(voucher):
    return vouchers.total("face", root=voucher.root, status=VoucherStatus.LIVE) == voucher.root_face
@action(by="debtor")
def issue(number: Text[16], debtor: Company, holder: Company | Bank, face: Money):
    id = own_id(number)
    vouchers.add(Voucher(id=id, root=id, root_face=face, parent=None, debtor=debtor, holder=holder, face=face))
    return id
@action(by="holder")
def split(id: Id, parts: list[Part]):
    whole = vouchers[id].move_to(VoucherStatus.SPLIT)
    require(total(parts, "face") == whole.face, "E_AMOUNT", f"the parts must add up to {whole.face}")
    return [vouchers.add(whole.child(holder=part.to, face=part.face)).id for part in parts]
@action(by="holder")
def careless_split(id: Id, parts: list[Part]):
    whole = vouchers[id].move_to(VoucherStatus.SPLIT)
    for part in parts:
        vouchers.add(whole.child(holder=part.to, face=part.face))
@action(by="holder", agreed_by="buyer")
def sell(id: Id, buyer: Bank):
    vouchers[id].move_to(VoucherStatus.LIVE, holder=buyer)
@action
def sum_of(root: Id):
    return vouchers.total("face", root=root, status=VoucherStatus.LIVE)
"""


@pytest.fixture
def vouchers():
    ledger = bench(VOUCHERS)
    value_of(ledger.run("issue", "C1", number="V-1", debtor="C1", holder="C2", face="100.00 CNY"))
    return ledger


def parts(*pairs):
    return [{"to": holder, "face": face} for holder, face in pairs]


def test_children_get_derived_ids(vouchers):
    split = vouchers.run("split", "C2", id="C1/V-1", parts=parts(("B1", "60.00 CNY"), ("C2", "40.00 CNY")))
    assert value_of(split) == ["C1/V-1.1", "C1/V-1.2"]
    deeper = vouchers.run("split", "C2", id="C1/V-1.2", parts=parts(("B2", "40.00 CNY")))
    assert value_of(deeper) == ["C1/V-1.2.1"]
    child = vouchers.record("vouchers", "C1/V-1.2.1")
    assert (child["parent"], child["root"], child["status"]) == ("C1/V-1.2", "C1/V-1", "LIVE")


def test_kept_totals_follow_every_change(vouchers):
    vouchers.run("split", "C2", id="C1/V-1", parts=parts(("B1", "60.00 CNY"), ("C2", "40.00 CNY")))
    assert value_of(vouchers.run("sum_of", root="C1/V-1")) == Money(10000, "CNY")
    assert value_of(vouchers.run("sum_of", root="nobody")) == Money(0, "CNY")


def test_a_broken_law_refuses_the_transaction(vouchers):
    before = dict(vouchers.state.entries)
    outcome = vouchers.run("careless_split", "C2", id="C1/V-1", parts=parts(("B1", "60.00 CNY")))
    assert (outcome.code, outcome.function) == ("E-INVARIANT", "face_is_conserved")
    assert vouchers.state.entries == before


def test_the_contracts_own_test_comes_first(vouchers):
    outcome = vouchers.run("split", "C2", id="C1/V-1", parts=parts(("B1", "60.01 CNY"), ("C2", "40.00 CNY")))
    assert outcome.code == "E_AMOUNT"
    assert outcome.text == "the parts must add up to 100.00 CNY"


def test_a_seller_and_a_buyer_sign_a_sale(vouchers):
    assert vouchers.run("sell", "B1", id="C1/V-1", buyer="B1").code == "E_NOT_OWNER"
    assert vouchers.run("sell", "C2", id="C1/V-1", buyer="B1").code == "E_CONSENT"
    assert vouchers.run("sell", "C2", ("B2",), id="C1/V-1", buyer="B1").code == "E_CONSENT"
    assert vouchers.run("sell", "C2", ("B1",), id="C1/V-1", buyer="B1").status == "applied"
    assert vouchers.record("vouchers", "C1/V-1")["holder"] == "B1"


LAWS = """
@record(key="number")
class Share(Record):
    number: Text[16]
    pool: Text[16]
    n: int
@record(key="name")
class Pool(Record):
    name: Text[16]
    size: int
shares = collection(Share, totals=(("n", ("pool",)),))
pools = collection(Pool, totals=(("size", ("name",)),))
@invariant(over="pool")
def pools_are_full(share: Share):
    return shares.total("n", pool=share.pool) == pools.total("size", name=share.pool)
@invariant(over="number")
def shares_are_positive(share: Share):
    return share.n > 0
@action
def found(name: Text[16], size: int):
    pools.add(Pool(name=name, size=size))
    shares.add(Share(number=name, pool=name, n=size))
@action
def move(id: Id, pool: Text[16]):
    shares[id].update(pool=pool)
@action
def grow(id: Id, n: int):
    share = shares[id].update(n=n)
    pool = pools[f"B1/{share.pool}"]
    pool.update(size=n)
@action
def drop(id: Id):
    shares.remove(shares[id])
"""


def test_a_law_over_a_field_watches_the_value_before_too():
    ledger = bench(LAWS)
    value_of(ledger.run("found", name="P", size=3))
    value_of(ledger.run("found", name="Q", size=5))
    value_of(ledger.run("grow", id="B1/P", n=4))
    # Q would have room for nothing, and P would be empty: both values of the field are looked at.
    assert ledger.run("move", id="B1/P", pool="Q").code == "E-INVARIANT"
    assert ledger.run("move", id="B1/P", pool="none").code == "E-INVARIANT"
    assert ledger.run("drop", id="B1/P").code == "E-INVARIANT"
    assert ledger.run("grow", id="B1/P", n=0).function == "shares_are_positive"
