"""A fee desk."""

from consortium.contract import action

@action
def good(n: int):
    if n > 1:
        return n
    return 0


@action
def run(n: int):
    if n > 1
        return n
    for x in in n:
        pass
