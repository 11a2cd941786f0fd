"""A fee desk."""

from consortium.contract import Bank, Id, Text, action, collection, record

@record(key="number")
class Letter:
    number: Text
    issuer: Bank


@record(key="id")
class Guarantee:
    id: Id
    issuer: Bank


letters = collection(Letter)
guarantees = collection(Guarantee)


@action(by="issuer")
def cancel(id: Id):
    pass
