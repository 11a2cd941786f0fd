"""A fee desk."""

from consortium.contract import Money, action

@action
def fee_of(amount: Money):
    fee = amount / 1000
    rest = 10 / 4
    return fee
