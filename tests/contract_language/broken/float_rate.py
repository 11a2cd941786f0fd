"""A fee desk."""

from consortium.contract import Money, action

RATE = 0.026


@action
def fee_of(amount: Money):
    return amount.at(2.6e-2)
