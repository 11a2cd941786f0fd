# ruff: noqa: A002
"""Notes: a contract with a little of everything that a ledger can hold; the tests of the audit run it."""

from consortium.contract import (
    Day,
    Id,
    Money,
    Party,
    Record,
    Text,
    action,
    collection,
    due,
    emit,
    money,
    opening,
    record,
    require,
    sender,
    status,
    to,
)

ZERO = money("0.00 CNY")


@status
class NoteStatus:
    OPEN = to("LAPSED")
    LAPSED = to()


@record(key="number", visible_to=("owner",))
class Note(Record):
    number: Text[16]
    owner: Party
    amount: Money
    lapses: Day | None = None
    status: NoteStatus = NoteStatus.OPEN


@record(key="bank", visible_to=("bank",))
class Till(Record):
    bank: Party
    amount: Money


notes = collection(Note, index=("owner",))
tills = collection(Till)


@opening
def open_till(bank: Party, amount: Money):
    """A bank begins with an amount."""
    tills.add(Till(bank=bank, amount=amount))


@action
def write(number: Text[16], amount: Money, lapses: Day | None = None) -> Id:
    """Anybody writes a note, for a time if wanted."""
    require(amount > ZERO, "E_AMOUNT", "a note is over more than nothing")
    note = notes.add(Note(number=number, owner=sender(), amount=amount)).update(lapses=lapses)
    emit("Written", note=note.id, amount=amount)
    return note.id


@action(by="owner", agreed_by="heir")
def hand_over(id: Id[Note], heir: Party):
    """The owner gives the note to somebody who agrees."""
    notes[id].update(owner=heir)


@action(by="owner")
def tear_up(id: Id[Note]):
    """The owner destroys the note."""
    notes.remove(notes[id])


@due(on="lapses", at="opening")
def lapse(id: Id[Note]):
    """The note's time is over."""
    notes[id].move_to(NoteStatus.LAPSED, lapses=None)
