"""A fee desk."""

from consortium.contract import Bank, Id, Money, action, due

@action(by="issuer", agred_by="buyer")
def sell(id: Id, buyer: Bank):
    pass


@property
def worth():
    return 1


def loose():
    return 2


@due(on="matures", at="noon")
def pay(id: Id):
    pass


@action(by="amount")
def by_amount(amount: Money):
    pass
