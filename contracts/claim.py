"""Bank payment claims: what a bank owes, on a fixed day and without conditions, to whoever holds the claim.

A claim is born when a bank accepts a drawing under its letter of credit, or has lost its right to refuse
it. The letter of credit creates, pays, stops and voids it, and the state of the drawing leads; forfaiting
locks it for a trade and transfers it. A claim has one holder at any time, and trading never changes its
amount.
"""

from consortium.contract import (
    Bank,
    Company,
    Day,
    Id,
    Money,
    Record,
    action,
    by_role,
    collection,
    emit,
    helper,
    query,
    record,
    require,
    status,
    to,
)


@status
class ClaimStatus:
    LIVE = to("NOTIFIED", "STOPPED", "OVERDUE", "PAID", "VOID")
    NOTIFIED = to("LIVE", "STOPPED", "OVERDUE", "PAID", "VOID")  # a sale awaits the debtor's answer
    STOPPED = to("LIVE", "VOID")  # by order of a court
    OVERDUE = to("PAID")
    PAID = VOID = to()


@record(key="id", visible_to=("debtor", "holder", by_role("regulator")))
class Claim(Record):
    id: Id  # of the drawing that the bank owes: one claim for one drawing
    credit: Id
    debtor: Bank
    holder: Bank | Company
    recourse: bool  # may the holder take its money back from the seller if the debtor does not pay?
    amount: Money
    pay_date: Day
    lock: Id | None = None  # the trade that has locked the claim
    status: ClaimStatus = ClaimStatus.LIVE


claims = collection(Claim, index=("holder",))


# ---------------------------------------------------------------- the letter of credit leads


@action(by_contract=("letter_of_credit",))
def create(
    id: Id, credit: Id, debtor: Bank, holder: Bank | Company, recourse: bool, amount: Money, pay_date: Day
):
    """A bank owes the amount of a drawing on its payment day."""
    require(amount > 0, "E_AMOUNT", "a claim must be more than zero")
    claims.add(
        Claim(
            id=id,
            credit=credit,
            debtor=debtor,
            holder=holder,
            recourse=recourse,
            amount=amount,
            pay_date=pay_date,
        )
    )
    emit("ClaimCreated", claim=id, debtor=debtor, holder=holder, amount=amount, pay_date=pay_date)


@action(by_contract=("letter_of_credit", "forfaiting"))
def holder(id: Id) -> Bank | Company:
    """Who must be paid."""
    return claims[id].holder


@action(by_contract=("letter_of_credit",))
def pay(id: Id):
    """The debtor has paid the holder in full."""
    claims[id].move_to(ClaimStatus.PAID, lock=None)
    emit("ClaimPaid", claim=id)


@action(by_contract=("letter_of_credit",))
def mark_overdue(id: Id):
    """The debtor has not paid on the day; the claim stays owed, with default interest."""
    claims[id].move_to(ClaimStatus.OVERDUE)
    emit("ClaimOverdue", claim=id)


@action(by_contract=("letter_of_credit",))
def stop(id: Id):
    """A court has ordered that the claim is not to be paid for now."""
    claims[id].move_to(ClaimStatus.STOPPED)
    emit("ClaimStopped", claim=id)


@action(by_contract=("letter_of_credit",))
def resume(id: Id, pay_date: Day):
    """The court's stop has ended; a payment day that has passed meanwhile has moved."""
    claim = claims[id]
    require(claim.status == ClaimStatus.STOPPED, "E_STATE", f"the claim is {claim.status}, not stopped")
    claim.move_to(ClaimStatus.LIVE, pay_date=pay_date)
    emit("ClaimResumed", claim=id, pay_date=pay_date)


@action(by_contract=("letter_of_credit",))
def void(id: Id):
    """The drawing was void, so nothing is owed."""
    claims[id].move_to(ClaimStatus.VOID, lock=None)
    emit("ClaimVoid", claim=id)


# ---------------------------------------------------------------- forfaiting trades


@action(by_contract=("forfaiting",))
def lock(id: Id, trade: Id):
    """A claim that is being traded cannot be traded a second time."""
    claim = claims[id]
    require(claim.status == ClaimStatus.LIVE, "E_STATE", "only a live claim can be traded")
    require(claim.lock is None, "E_PLEDGED", f"the claim is locked for {claim.lock}")
    claim.update(lock=trade)


@action(by_contract=("forfaiting",))
def notify(id: Id, trade: Id):
    """The debtor has been told of the sale and has not answered yet."""
    locked_for(id, trade).move_to(ClaimStatus.NOTIFIED)
    emit("ClaimNotified", claim=id, trade=trade)


@action(by_contract=("forfaiting",))
def unlock(id: Id, trade: Id):
    """A trade has ended without a transfer."""
    set_free(locked_for(id, trade))


@action(by_contract=("forfaiting",))
def transfer(id: Id, trade: Id, buyer: Bank | Company):
    """The buyer of a trade becomes the holder, without recourse to the seller, and the claim is free again."""
    claim = locked_for(id, trade)
    tradable = claim.status in (ClaimStatus.LIVE, ClaimStatus.NOTIFIED)
    require(tradable, "E_STATE", f"the claim is {claim.status} and cannot change hands")
    set_free(claim.update(holder=buyer, recourse=False))
    emit("ClaimTransferred", claim=id, holder=buyer)


# ---------------------------------------------------------------- what people ask


@query
def held_by(holder: Bank | Company):
    """The claims of one holder."""
    return claims.where(holder=holder)


@helper
def locked_for(id: Id, trade: Id) -> Claim:
    claim = claims[id]
    require(claim.lock == trade, "E_PLEDGED", f"the claim is not locked for {trade}")
    return claim


@helper
def set_free(claim: Claim):
    if claim.status == ClaimStatus.NOTIFIED:
        claim.move_to(ClaimStatus.LIVE, lock=None)
    else:
        claim.update(lock=None)
