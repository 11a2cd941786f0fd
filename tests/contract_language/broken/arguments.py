"""A fee desk."""

from consortium.contract import Money, Text, action, banking_day, collection, helper, record, require

@record(key="number")
class Paper:
    number: Text
    amount: Money


papers = collection(Paper)


@helper
def fee(amount: Money, days: int = 30):
    return amount


@action
def run(number: Text, amount):
    fee(amount, days=3, months=4)
    fee()
    papers.add(Paper(number=number))
    papers.add(Paper(number, amount))
    banking_day()
    sum([1], 2)
    str([1, 2])
    require(amount > 0)
    require(amount > 0, "AMOUNT", "too little")
    f"{papers}{[amount]}"
