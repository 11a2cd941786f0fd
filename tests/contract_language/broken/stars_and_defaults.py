"""A fee desk."""

from consortium.contract import action, helper, today

@action
def run(first: int, /, *rest: int, more: list[int] = [], **named: int):
    a, *b = rest
    return max(*rest)


@helper
def other(when=today()):
    return when
