"""A fee desk."""

from consortium.contract import Money, Text, action

@action
def odd(a: int, b: Text, c: Money):
    if a is 5:
        return a << 2 | 1
    if c is not None and not c is None:
        return 2 ** a
    x = True + a
    y = b % 3
    z = ~a
    w = {1, 2} | set()
    return a @ 2
