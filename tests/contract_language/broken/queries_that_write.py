"""A fee desk."""

from consortium.contract import Id, Text, collection, emit, helper, query, record

@record(key="number")
class Paper:
    number: Text
    copies: int


papers = collection(Paper)


@helper
def mark(id: Id):
    papers[id].update(copies=1)


@query
def look(id: Id):
    emit("Looked", paper=id)
    mark(id)
    papers.remove(papers[id])
    return papers[id]
