"""A catalog of made-up contracts, so that the loader is tested without the contract engine."""

from pathlib import Path

from consortium.scenario.signatures import (
    ActionSignature,
    ChoiceShape,
    ContractSignature,
    IdShape,
    ListShape,
    OptionalShape,
    Parameter,
    PartyShape,
    PlainShape,
    StructShape,
    TextShape,
    UnknownShape,
)

MONEY, DAY, INT, BOOL, HASH, RATE = (
    PlainShape(word) for word in ("money", "day", "int", "bool", "hash", "rate")
)
BANK, COMPANY = PartyShape(("bank",)), PartyShape(("company",))
STATUS = ChoiceShape("CreditStatus", ("APPLIED", "ISSUED", "CLOSED"))
CREDIT = IdShape("Credit")
PART = StructShape("Part", (Parameter("to", PartyShape()), Parameter("amount", MONEY)))

SETTLEMENT = ContractSignature(
    name="settlement",
    actions={
        "pay": ActionSignature(
            name="pay",
            parameters=(
                Parameter("payer", PartyShape(("bank", "company"))),
                Parameter("payee", PartyShape(("bank", "company"))),
                Parameter("amount", MONEY),
                Parameter("reference", TextShape(64), required=False),
            ),
        )
    },
    codes=("E_AMOUNT", "E_FUNDS"),
)
CREDITS = ContractSignature(
    name="credit",
    uses=(("settlement", 1),),
    parameters=(Parameter("fee", MONEY), Parameter("days", INT)),
    codes=("E_DATE", "E_TOLERANCE"),
    records={
        "Credit": (
            Parameter("number", TextShape(32)),
            Parameter("amount", MONEY),
            Parameter("issuer", BANK),
            Parameter("documents", OptionalShape(HASH)),
            Parameter("status", STATUS),
        )
    },
    collections=("credits",),
    internal=("lapse",),
    actions={
        "apply": ActionSignature(
            name="apply",
            parameters=(
                Parameter("number", TextShape(32)),
                Parameter("issuer", BANK),
                Parameter("beneficiary", COMPANY),
                Parameter("amount", MONEY),
                Parameter("expiry", DAY),
                Parameter("tenor", ChoiceShape("Tenor", ("SIGHT", "USANCE")), required=False),
                Parameter("rate", RATE, required=False),
                Parameter("days", INT, required=False),
                Parameter("partial", BOOL, required=False),
                Parameter("hash", OptionalShape(HASH), required=False),
            ),
            result=CREDIT,
        ),
        "issue": ActionSignature(name="issue", parameters=(Parameter("id", CREDIT),)),
        "split": ActionSignature(
            name="split",
            parameters=(Parameter("id", CREDIT), Parameter("parts", ListShape(PART))),
            result=ListShape(IdShape("Credit")),
        ),
        "sell": ActionSignature(
            name="sell",
            parameters=(
                Parameter("id", CREDIT),
                Parameter("buyer", BANK),
                Parameter("note", UnknownShape(), required=False),
            ),
            agreed_by=("buyer",),
            result=MONEY,
        ),
    },
)


class FakeCatalog:
    def __init__(self, *contracts):
        self.contracts = {contract.name: contract for contract in contracts or (SETTLEMENT, CREDITS)}

    def names(self):
        return tuple(self.contracts)

    def contract(self, name: str, version: int | None, file: Path | None):
        return self.contracts.get(name)


GOOD = """\
consortium: 1
name: small
seed: 7
calendar: {market: CN, start: 2026-03-02T09:00}
banks:
  - {id: ib1, name: Issuing Bank, roles: [issuer]}
  - {id: pb2, own: 5_000.00 CNY}
  - {id: vb1}
  - {id: vb2}
corporates:
  - {id: app1, bank: ib1, cash: 12_000_000.00 CNY}
  - {id: c1, bank: pb2}
regulator: {id: pboc, sees: [credit.*]}
central_bank: {id: cb}
limits:
  - {bank: ib1, party: app1, amount: 10_000_000.00 CNY}
network: {preset: metro, loss: 0.1 %, bandwidth: 100 Mbit/s}
consensus: {f: 1, batch: {max: 64, wait: 5 ms}, checkpoint: 16}
contracts:
  credit: {parameters: {fee: 60.00 CNY}}
faults:
  - {at: +1bd 10:00, crash: vb2, for: 90 s}
timeline:
  - at: +0bd 10:00
    as: app1
    do: credit.apply
    with:
      number: LC-1
      issuer: ib1
      beneficiary: c1
      amount: 10_000_000.00 CNY
      expiry: +60bd
      tenor: USANCE
      rate: 2.60 %
      partial: false
      hash: {text: contract}
    save: lc
  - {at: +1bd 10:00, as: ib1, do: credit.issue, with: {id: $lc}, id: issue-it}
  - at: +1bd 11:00
    together:
      - {as: c1, do: credit.split, with: {id: $lc, parts: [{to: c1, amount: 1.00 CNY}]}, save: parts}
      - {as: pb2, do: credit.sell, with: {id: $lc, buyer: vb1}}
  - {at: +2bd 11:00:30, as: c1, do: credit.issue, with: {id: $lc}, expect: {refused: E_DATE}}
expect:
  - {at: end, balances: {app1: {deposit: 1.00 CNY, margin: 0.00 CNY}, ib1: {income: 41_400.00 CNY}}}
  - {account: c1, balance: {between: [1.00 CNY, 2.00 CNY]}}
  - {at: 2026-04-24, instrument: $lc, state: CLOSED}
  - {all_nodes_agree: true}
  - {visible: {to: vb1, not: credit.documents}}
  - {during: +1bd, liveness: {max_gap: 3 s}}
  - {that: sum($parts.amount) == $lc.amount}
load:
  mix: {credit.apply: 70 %, credit.issue: 30 %}
  arrival: {kind: poisson, rate: [200/s, 0.5/s], ramp: 5 s, hold: 30 s}
"""
