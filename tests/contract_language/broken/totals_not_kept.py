"""A fee desk."""

from consortium.contract import Bank, Money, Text, action, collection, record

@record(key="number")
class Paper:
    number: Text
    owner: Bank
    amount: Money


papers = collection(Paper, totals=(("amount", ("owner",)),))


@action
def run(owner: Bank):
    return papers.total("amount") + papers.total("amount", owner=owner) + papers.total("amuont", owner=owner)
