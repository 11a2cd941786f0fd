"""A fee desk."""

from consortium.contract import action

@action
def run(xs: list[int]):
    global total
    def inner():
        yield 1
    with open("file") as file:
        pass
    del xs
    return sum(x for x in xs)
