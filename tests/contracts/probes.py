"""Small contracts that stand in for others: they hand calls on, so that settlement and claim are tested alone.

A probe is deployed under the name that settlement or claim admits; the same text under another name is a
stranger.
"""

SETTLEMENT_PROBE = b'''"""Hands calls on to settlement."""
from consortium.contract import Bank, Company, Day, Id, Money, Text, action, uses

settlement = uses("settlement", version=1)

@action
def grant(party: Bank | Company, instrument: Id, maximum: Money):
    """-"""
    settlement.call("grant", party=party, instrument=instrument, maximum=maximum)

@action
def end_mandate(party: Bank | Company, instrument: Id):
    """-"""
    settlement.call("end_mandate", party=party, instrument=instrument)

@action
def transfer(payer: Bank | Company, payee: Bank | Company, amount: Money, instrument: Id):
    """-"""
    settlement.call("transfer", payer=payer, payee=payee, amount=amount, instrument=instrument)

@action
def charge(payer: Bank | Company, bank: Bank, amount: Money, instrument: Id):
    """-"""
    settlement.call("charge", payer=payer, bank=bank, amount=amount, instrument=instrument)

@action
def charge_what_is_there(payer: Bank | Company, bank: Bank, amount: Money, instrument: Id) -> Money:
    """-"""
    return settlement.call("charge_what_is_there", payer=payer, bank=bank, amount=amount, instrument=instrument)

@action
def lock_margin(customer: Bank | Company, bank: Bank, amount: Money, instrument: Id):
    """-"""
    settlement.call("lock_margin", customer=customer, bank=bank, amount=amount, instrument=instrument)

@action
def use_margin(customer: Bank | Company, amount: Money, instrument: Id):
    """-"""
    settlement.call("use_margin", customer=customer, amount=amount, instrument=instrument)

@action
def release_margin(customer: Bank | Company, amount: Money, instrument: Id):
    """-"""
    settlement.call("release_margin", customer=customer, amount=amount, instrument=instrument)

@action
def suspend(payer: Bank | Company, bank: Bank, purpose: Text[128], amount: Money, instrument: Id):
    """-"""
    settlement.call("suspend", payer=payer, bank=bank, purpose=purpose, amount=amount, instrument=instrument)

@action
def pay_from_suspense(bank: Bank, purpose: Text[128], payee: Bank | Company, amount: Money):
    """-"""
    settlement.call("pay_from_suspense", bank=bank, purpose=purpose, payee=payee, amount=amount)

@action
def use_limit(bank: Bank, party: Bank | Company, kind: Text[16], amount: Money, instrument: Id):
    """-"""
    settlement.call("use_limit", bank=bank, party=party, kind=kind, amount=amount, instrument=instrument)

@action
def reachable(party: Bank | Company, instrument: Id) -> Money:
    """-"""
    return settlement.call("reachable", party=party, instrument=instrument)

@action
def balance_of(party: Bank | Company) -> Money:
    """-"""
    return settlement.call("balance_of", party=party)

@action
def margin_of(customer: Bank | Company, instrument: Id) -> Money:
    """-"""
    return settlement.call("margin_of", customer=customer, instrument=instrument)

@action
def free_limit(bank: Bank, party: Bank | Company, kind: Text[16]) -> Money:
    """-"""
    return settlement.call("free_limit", bank=bank, party=party, kind=kind)

@action
def two_legs(payer: Bank | Company, payee: Bank | Company, amount: Money, instrument: Id):
    """Pays there, and more back: if the second leg fails, the first has not happened."""
    settlement.call("transfer", payer=payer, payee=payee, amount=amount, instrument=instrument)
    settlement.call("transfer", payer=payee, payee=payer, amount=amount * 2, instrument=instrument)
'''

CLAIM_PROBE = b'''"""Hands calls on to claim."""
from consortium.contract import Bank, Company, Day, Id, Money, action, uses

claim = uses("claim", version=1)

@action
def create(id: Id, credit: Id, debtor: Bank, holder: Bank | Company, amount: Money, pay_date: Day):
    """-"""
    claim.call("create", id=id, credit=credit, debtor=debtor, holder=holder, recourse=True, amount=amount,
               pay_date=pay_date)

@action
def holder(id: Id) -> Bank | Company:
    """-"""
    return claim.call("holder", id=id)

@action
def resume(id: Id, pay_date: Day):
    """-"""
    claim.call("resume", id=id, pay_date=pay_date)

@action
def pay(id: Id):
    """-"""
    claim.call("pay", id=id)

@action
def mark_overdue(id: Id):
    """-"""
    claim.call("mark_overdue", id=id)

@action
def stop(id: Id):
    """-"""
    claim.call("stop", id=id)

@action
def void(id: Id):
    """-"""
    claim.call("void", id=id)

@action
def lock(id: Id, trade: Id):
    """-"""
    claim.call("lock", id=id, trade=trade)

@action
def notify(id: Id, trade: Id):
    """-"""
    claim.call("notify", id=id, trade=trade)

@action
def unlock(id: Id, trade: Id):
    """-"""
    claim.call("unlock", id=id, trade=trade)

@action
def transfer(id: Id, trade: Id, buyer: Bank | Company):
    """-"""
    claim.call("transfer", id=id, trade=trade, buyer=buyer)
'''
