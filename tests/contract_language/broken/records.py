"""A fee desk."""

from consortium.contract import Money, Rate, Text, collection, money, rate, record

@record(key="nunber")
class Paper:
    number: Text
    amount: Money = money("5 pounds")
    copies: int = "one"
    status: Text
    rate: Rate = rate("2.6")


papers = collection(Paper, index=("amuont",), totals=(("number", ()),), order="number")
others = collection(Nothing)
