"""A fee desk."""

from consortium.contract import Money, action

@action
def pay(amount: Money):
    try:
        settle(amount)
    except ValueError as error:
        raise error
    assert amount > 0
