"""A fee desk."""

from consortium.contract import Money, action

type Amount = Money


@action
def first[T](n: T) -> T:
    return n)
