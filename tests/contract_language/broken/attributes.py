"""A fee desk."""

from consortium.contract import Id, Money, Text, action, collection, record

@record(key="number")
class Paper:
    number: Text
    amount: Money


papers = collection(Paper)


@action
def look(id: Id, name: Text):
    paper = papers[id]
    paper.amuont
    name.upper()
    papers.size
    paper.__class__
    return "{}".format(name)
