"""A pledge: one company promises another an amount, which its bank confirms. For the loader's tests."""

from consortium.contract import (
    Bank,
    Company,
    Day,
    Hash,
    Id,
    Money,
    Record,
    Text,
    action,
    choice,
    collection,
    due,
    money,
    option,
    parameter,
    query,
    record,
    require,
    status,
    to,
    today,
    value,
)

LONGEST = parameter("longest_days", 365)
FEE = parameter("fee", money("10.00 CNY"))


@status
class PledgeStatus:
    OPEN = to("CONFIRMED", "LAPSED")
    CONFIRMED = to()
    LAPSED = to()


@choice
class Purpose:
    GOODS = option()
    SERVICES = option()


@value
class Part:
    to: Company | Bank
    amount: Money


@record(key="number", visible_to=("giver", "taker", "bank"))
class Pledge(Record):
    number: Text[16]
    giver: Company
    taker: Company
    bank: Bank
    amount: Money
    purpose: Purpose
    paper: Hash | None
    lapses: Day
    status: PledgeStatus = PledgeStatus.OPEN


pledges = collection(Pledge)


@action(by="giver")
def give(
    number: Text[16],
    giver: Company,
    taker: Company,
    bank: Bank,
    amount: Money,
    until: Day,
    purpose: Purpose | None = None,
    paper: Hash | None = None,
) -> Id[Pledge]:
    require(until - today() <= LONGEST, "E_TENOR", "a pledge lasts a year at most")
    require(amount > FEE, "E_AMOUNT", "the amount must be more than the fee")
    pledge = pledges.add(
        Pledge(
            number=number,
            giver=giver,
            taker=taker,
            bank=bank,
            amount=amount,
            purpose=Purpose.GOODS if purpose is None else purpose,
            paper=paper,
            lapses=until + 1,
        )
    )
    return pledge.id


@action(by="bank")
def confirm(pledge: Id[Pledge]):
    pledges[pledge].move_to(PledgeStatus.CONFIRMED)


@action(by="giver", agreed_by="taker")
def change(pledge: Id[Pledge], giver: Company, taker: Company, parts: list[Part]) -> Money:
    require(len(parts) > 0, "E_AMOUNT", "nothing changes")
    return parts[0].amount


@due(on="lapses", at="opening")
def lapse(pledge: Id):
    if pledges[pledge].status == PledgeStatus.OPEN:
        pledges[pledge].move_to(PledgeStatus.LAPSED)


@query
def amount_of(pledge: Id) -> Money:
    return pledges[pledge].amount
