"""A fee desk."""

from consortium.contract import Bank, Money, Text, action

@action
def pay(amount: Mony, to: Bnak):
    recieved = amount
    return received


@action
def stop(reason: Text):
    require(len(reason) > 0, "E_STATE", "why?")
    print(reason)
