"""A fee desk."""

from consortium.contract import action, helper

@helper
def first(n: int):
    return second(n - 1)


@helper
def second(n: int):
    return first(n)


@action
def run(n: int):
    return first(n)
