"""A fee desk."""

from consortium.contract import Money, action, helper

@helper
def fee(amount: Money):
    return amount


@action
def pay(amount: Money):
    work = fee
    done = [len, pay, Money]
    return work(amount)


@action
def twice(amount: Money):
    pay(amount)
    return lambda: amount
