"""A fee desk."""

from consortium.contract import Id, Text, action, collection, record

@record(key="number")
class Paper:
    number: Text
    copies: int


papers = collection(Paper)


@action
def copy(id: Id):
    paper = papers[id]
    paper.copies = 2
    paper.copies += 1
    papers[id] = paper
