"""Settlement: the money of the banks and of their customers, and who may move it.

Every bank has one account at the central bank. All money that the bank owns or owes is a part of it:

    settle[b] = own[b] + deposits of its customers + margins at b + suspense at b

A payment inside a bank moves only these parts; a payment across banks moves both `settle` as well, in the
same transaction or not at all. Money leaves a party's account for two reasons only: the party signed the
present transaction, or it gave the calling contract a mandate (contract, instrument, maximum) by an earlier
signature. Margin and suspense are money already taken that way; only the contract that took it may pass it
on.
"""

from consortium.contract import (
    Bank,
    Company,
    Id,
    Money,
    Party,
    Record,
    Text,
    access_bank,
    action,
    by_role,
    caller,
    choice,
    collection,
    emit,
    helper,
    invariant,
    money,
    opening,
    option,
    query,
    record,
    require,
    signers,
)

ZERO = money("0.00 CNY")


@choice
class LimitKind:
    CREDIT = option()  # the line of an applicant
    DEBTOR = option()  # what a buyer of claims holds against one debtor
    ANCHOR = option()  # vouchers of a large buyer, set by its clearing bank
    GUARANTOR = option()


# ---------------------------------------------------------------- what is kept


@record(key="bank", visible_to=("bank", by_role("regulator", "central_bank")))
class SettlementAccount(Record):  # a bank's account at the central bank
    bank: Bank
    settle: Money
    issued: (
        Money  # what the central bank put in, less what it took out; the sum over banks is the money supply
    )
    income: Money = ZERO  # a counter of fees and interest earned, not an account


@record(key="holder", visible_to=("holder", "bank", by_role("regulator")))
class CashAccount(Record):  # a bank's own funds, or a customer's deposit at its bank
    holder: Bank | Company
    bank: Bank
    balance: Money


@record(key=("contract", "instrument", "customer"), visible_to=("customer", "bank", by_role("regulator")))
class Margin(Record):  # a customer's money locked as security for one instrument
    contract: Text[64]
    instrument: Id
    customer: Bank | Company
    bank: Bank
    balance: Money


@record(key=("contract", "bank", "purpose"), visible_to=("bank", by_role("regulator")))
class Suspense(Record):  # money that waits: a hold case, an open trade, a redemption, a bond
    contract: Text[64]
    bank: Bank
    purpose: Text[128]
    balance: Money


@record(key=("contract", "instrument", "party"), visible_to=("party", by_role("regulator")))
class Mandate(Record):  # what a contract may take from a party for one instrument without a further signature
    contract: Text[64]
    instrument: Id
    party: Bank | Company
    maximum: Money
    used: Money = ZERO


@record(key=("bank", "party", "kind"), visible_to=("bank", "party", by_role("regulator")))
class Limit(Record):  # how much a bank lets a party owe; `used` may exceed a limit that was lowered later
    bank: Bank
    party: Bank | Company
    kind: LimitKind
    amount: Money
    used: Money = ZERO


@record(
    key=("bank", "party", "kind", "contract", "instrument"),
    visible_to=("bank", "party", by_role("regulator")),
)
class LimitUse(Record):  # the part of a limit that one instrument uses
    bank: Bank
    party: Bank | Company
    kind: LimitKind
    contract: Text[64]
    instrument: Id
    amount: Money


settlements = collection(
    SettlementAccount,
    totals=(("settle", ("bank",)), ("settle", ()), ("issued", ())),
)
accounts = collection(CashAccount, totals=(("balance", ("bank",)),))
margins = collection(Margin, totals=(("balance", ("bank",)), ("balance", ("customer",))))
suspenses = collection(Suspense, totals=(("balance", ("bank",)),))
mandates = collection(Mandate)
limits = collection(Limit, totals=(("used", ("party",)),))
limit_uses = collection(LimitUse, totals=(("amount", ("bank", "party", "kind")),))


# ---------------------------------------------------------------- laws


@invariant(over="bank")
def settlement_equals_its_parts(touched: SettlementAccount | CashAccount | Margin | Suspense):
    parts = (
        accounts.total("balance", bank=touched.bank)
        + margins.total("balance", bank=touched.bank)
        + suspenses.total("balance", bank=touched.bank)
    )
    return settlements.total("settle", bank=touched.bank) == parts


@invariant(over="bank")
def only_the_central_bank_makes_money(account: SettlementAccount):
    return account.settle >= 0 and settlements.total("settle") == settlements.total("issued")


@invariant(over="bank")
def no_account_is_negative(account: CashAccount | Margin | Suspense):
    return account.balance >= 0


@invariant(over="bank")
def limit_use_adds_up(limit: Limit):
    return limit.used == limit_uses.total("amount", bank=limit.bank, party=limit.party, kind=limit.kind)


# ---------------------------------------------------------------- opening balances (genesis)


@opening
def open_bank(bank: Bank, own: Money):
    """A bank starts with its own funds on its account at the central bank."""
    require(own >= 0, "E_AMOUNT", "a bank cannot start with less than nothing")
    settlements.add(SettlementAccount(bank=bank, settle=own, issued=own))
    accounts.add(CashAccount(holder=bank, bank=bank, balance=own))


@opening
def open_customer(customer: Company, deposit: Money):
    """A customer starts with a deposit at its bank, brought in from outside."""
    require(deposit >= 0, "E_AMOUNT", "a customer cannot start with less than nothing")
    bank = access_bank(customer)
    accounts.add(CashAccount(holder=customer, bank=bank, balance=deposit))
    home = settlement_account(bank)
    home.update(settle=home.settle + deposit, issued=home.issued + deposit)


@opening
def open_limit(bank: Bank, party: Bank | Company, kind: LimitKind, amount: Money):
    """A bank starts with a limit for a party."""
    require(amount >= 0, "E_AMOUNT", "a limit cannot be negative")
    limits.add(Limit(bank=bank, party=party, kind=kind, amount=amount))


# ---------------------------------------------------------------- what parties do themselves


@action(by="payer")
def pay(payer: Bank | Company, payee: Bank | Company, amount: Money, reference: Text[64] = ""):
    """A party pays another one from its account, inside a bank or across banks."""
    require(amount > 0, "E_AMOUNT", "a payment must be more than zero")
    move_cash(payer, payee, amount)
    emit("Paid", payer=payer, payee=payee, amount=amount, reference=reference)


@action(by="bank")
def set_limit(bank: Bank, party: Bank | Company, kind: LimitKind, amount: Money):
    """A bank sets how much a party may owe it; a limit below what is used only stops new use."""
    require(amount >= 0, "E_AMOUNT", "a limit cannot be negative")
    limit = limits.find((bank, party, kind))
    if limit is None:
        limits.add(Limit(bank=bank, party=party, kind=kind, amount=amount))
    else:
        limit.update(amount=amount)
    emit("LimitSet", bank=bank, party=party, kind=kind, amount=amount)


@action(by=by_role("central_bank"))
def mint(bank: Bank, amount: Money):
    """The central bank puts new money into a bank's own funds."""
    require(amount > 0, "E_AMOUNT", "the amount must be more than zero")
    home = settlement_account(bank)
    home.update(settle=home.settle + amount, issued=home.issued + amount)
    give(bank, amount)
    emit("Minted", bank=bank, amount=amount)


@action(by=by_role("central_bank"), agreed_by="bank")
def burn(bank: Bank, amount: Money):
    """The central bank takes money out of a bank's own funds, with that bank's signature."""
    require(amount > 0, "E_AMOUNT", "the amount must be more than zero")
    home = settlement_account(bank)
    take(bank, amount)
    home.update(settle=home.settle - amount, issued=home.issued - amount)
    emit("Burned", bank=bank, amount=amount)


# ---------------------------------------------------------------- mandates


@action(by_contract=("letter_of_credit",))
def grant(party: Bank | Company, instrument: Id, maximum: Money):
    """A party that signs now lets the calling contract take up to a maximum for one instrument."""
    require(party in signers(), "E_CONSENT", f"{party} has not signed this transaction")
    require(maximum >= 0, "E_AMOUNT", "a mandate cannot be negative")
    mandate = mandates.find((caller(), instrument, party))
    if mandate is None:  # further grants add up
        mandates.add(Mandate(contract=caller(), instrument=instrument, party=party, maximum=maximum))
    else:
        mandate.update(maximum=mandate.maximum + maximum)


@action(by_contract=("letter_of_credit",))
def end_mandate(party: Bank | Company, instrument: Id):
    """The calling contract needs nothing more from a party for this instrument."""
    mandate = mandates.find((caller(), instrument, party))
    if mandate is not None:
        mandates.remove(mandate)


# ---------------------------------------------------------------- payments that contracts make


@action(by_contract=("letter_of_credit",))
def transfer(payer: Bank | Company, payee: Bank | Company, amount: Money, instrument: Id):
    """A contract pays from a party's account to another one, by that party's signature or mandate."""
    authorise(payer, instrument, amount)
    move_cash(payer, payee, amount)


@action(by_contract=("letter_of_credit",))
def charge(payer: Bank | Company, bank: Bank, amount: Money, instrument: Id):
    """A contract takes a fee or interest from a party: own funds and income of the bank."""
    authorise(payer, instrument, amount)
    move_cash(payer, bank, amount)
    book_income(bank, amount)


@action(by_contract=("letter_of_credit",))
def charge_what_is_there(payer: Bank | Company, bank: Bank, amount: Money, instrument: Id) -> Money:
    """A fee is earned in full but taken as far as money and mandate reach; what is missing is returned."""
    taken = min(amount, within_reach(payer, instrument))
    authorise(payer, instrument, taken)
    move_cash(payer, bank, taken)
    book_income(bank, amount)
    return amount - taken


# ---------------------------------------------------------------- margin


@action(by_contract=("letter_of_credit",))
def lock_margin(customer: Bank | Company, bank: Bank, amount: Money, instrument: Id):
    """Cash of a customer becomes its margin at a bank, as security for one instrument."""
    authorise(customer, instrument, amount)
    take(customer, amount)
    move_between_banks(account_of(customer).bank, bank, amount)
    margin = margins.find((caller(), instrument, customer))
    if margin is None:
        margins.add(
            Margin(contract=caller(), instrument=instrument, customer=customer, bank=bank, balance=amount)
        )
    else:
        require(margin.bank == bank, "E_STATE", f"the margin of {instrument} is kept at {margin.bank}")
        margin.update(balance=margin.balance + amount)


@action(by_contract=("letter_of_credit",))
def use_margin(customer: Bank | Company, amount: Money, instrument: Id):
    """Margin becomes own funds of the bank that keeps it: the customer reimburses its bank."""
    margin = take_margin(customer, amount, instrument)
    give(margin.bank, amount)


@action(by_contract=("letter_of_credit",))
def release_margin(customer: Bank | Company, amount: Money, instrument: Id):
    """Margin that is no longer needed returns to the customer's deposit."""
    margin = take_margin(customer, amount, instrument)
    give(customer, amount)
    move_between_banks(margin.bank, account_of(customer).bank, amount)


# ---------------------------------------------------------------- suspense


@action(by_contract=("letter_of_credit",))
def suspend(payer: Bank | Company, bank: Bank, purpose: Text[128], amount: Money, instrument: Id):
    """Money of a party waits at a bank, under one purpose, until it is clear whom it belongs to."""
    authorise(payer, instrument, amount)
    take(payer, amount)
    move_between_banks(account_of(payer).bank, bank, amount)
    suspense = suspenses.find((caller(), bank, purpose))
    if suspense is None:
        suspenses.add(Suspense(contract=caller(), bank=bank, purpose=purpose, balance=amount))
    else:
        suspense.update(balance=suspense.balance + amount)


@action(by_contract=("letter_of_credit",))
def pay_from_suspense(bank: Bank, purpose: Text[128], payee: Bank | Company, amount: Money):
    """Money that waited is paid to the party it belongs to."""
    require(amount > 0, "E_AMOUNT", "a payment must be more than zero")
    suspense = suspenses.find((caller(), bank, purpose))
    held = ZERO if suspense is None else suspense.balance
    require(amount <= held, "E_FUNDS", f"{held} waits at {bank} for {purpose}, not {amount}")
    if suspense is not None:
        if amount == held:
            suspenses.remove(suspense)
        else:
            suspense.update(balance=held - amount)
        give(payee, amount)
        move_between_banks(bank, account_of(payee).bank, amount)


# ---------------------------------------------------------------- limits


@action(by_contract=("letter_of_credit",))
def use_limit(bank: Bank, party: Bank | Company, kind: LimitKind, amount: Money, instrument: Id):
    """One instrument uses this much of a limit from now on; what is more than before must be free."""
    require(amount >= 0, "E_AMOUNT", "the use of a limit cannot be negative")
    use = limit_uses.find((bank, party, kind, caller(), instrument))
    before = ZERO if use is None else use.amount
    free = free_of(bank, party, kind)
    require(
        amount <= before or amount - before <= free,
        "E_LIMIT",
        f"{bank} has {free} free for {party}, needed are {amount - before}",
    )
    if use is None and amount > 0:
        limit_uses.add(
            LimitUse(
                bank=bank, party=party, kind=kind, contract=caller(), instrument=instrument, amount=amount
            )
        )
    elif use is not None and amount > 0:
        use.update(amount=amount)
    elif use is not None:
        limit_uses.remove(use)
    if amount != before:
        limit = limits[(bank, party, kind)]
        limit.update(used=limit.used + amount - before)


# ---------------------------------------------------------------- what contracts ask


@action(by_contract=("letter_of_credit",))
def balance_of(party: Bank | Company) -> Money:
    """The money on a party's account."""
    return cash_of(party)


@action(by_contract=("letter_of_credit",))
def reachable(party: Bank | Company, instrument: Id) -> Money:
    """What the calling contract could take from a party now: its money, within its mandate."""
    return within_reach(party, instrument)


@action(by_contract=("letter_of_credit",))
def margin_of(customer: Bank | Company, instrument: Id) -> Money:
    """The margin that the calling contract holds from a customer for one instrument."""
    margin = margins.find((caller(), instrument, customer))
    return ZERO if margin is None else margin.balance


@action(by_contract=("letter_of_credit",))
def free_limit(bank: Bank, party: Bank | Company, kind: LimitKind) -> Money:
    """How much more a party may owe a bank."""
    return free_of(bank, party, kind)


# ---------------------------------------------------------------- what people ask


@query
def balance(party: Bank | Company) -> Money:
    """The money on a party's account, own funds or deposit; nothing where the caller may not see it."""
    account = accounts.find(party)
    return None if account is None else account.balance


# ---------------------------------------------------------------- the moves themselves


@helper
def authorise(payer: Party, instrument: Id, amount: Money):
    # The heart of the contract: a signature now, or a mandate that still has room for the amount.
    require(amount >= 0, "E_AMOUNT", "an amount that moves cannot be negative")
    if payer not in signers():
        mandate = mandates.find((caller(), instrument, payer))
        left = ZERO if mandate is None else mandate.maximum - mandate.used
        require(
            amount <= left, "E_CONSENT", f"{payer} has agreed to {left} more for {instrument}, not {amount}"
        )
        if mandate is not None:
            mandate.update(used=mandate.used + amount)


@helper
def within_reach(party: Party, instrument: Id) -> Money:
    if party in signers():
        return cash_of(party)
    mandate = mandates.find((caller(), instrument, party))
    return ZERO if mandate is None else min(cash_of(party), mandate.maximum - mandate.used)


@helper
def move_cash(payer: Party, payee: Party, amount: Money):
    if amount > 0:
        take(payer, amount)
        give(payee, amount)
        move_between_banks(account_of(payer).bank, account_of(payee).bank, amount)


@helper
def take(party: Party, amount: Money):
    account = account_of(party)
    require(amount <= account.balance, "E_FUNDS", f"{party} has {account.balance}, needed are {amount}")
    account.update(balance=account.balance - amount)


@helper
def give(party: Party, amount: Money):
    account = account_of(party)
    account.update(balance=account.balance + amount)


@helper
def take_margin(customer: Party, amount: Money, instrument: Id) -> Margin:
    require(amount > 0, "E_AMOUNT", "what leaves a margin must be more than zero")
    margin = margins.find((caller(), instrument, customer))
    held = ZERO if margin is None else margin.balance
    require(
        margin is not None and amount <= held,
        "E_FUNDS",
        f"the margin of {instrument} is {held}, not {amount}",
    )
    if amount == held:
        margins.remove(margin)
    else:
        margin.update(balance=held - amount)
    return margin


@helper
def move_between_banks(sending: Bank, receiving: Bank, amount: Money):
    if sending != receiving:
        paying = settlement_account(sending)
        paying.update(settle=paying.settle - amount)
        paid = settlement_account(receiving)
        paid.update(settle=paid.settle + amount)


@helper
def book_income(bank: Bank, amount: Money):
    home = settlement_account(bank)
    home.update(income=home.income + amount)


@helper
def free_of(bank: Bank, party: Party, kind: LimitKind) -> Money:
    limit = limits.find((bank, party, kind))
    return ZERO if limit is None else limit.amount - limit.used


@helper
def cash_of(party: Party) -> Money:
    account = accounts.find(party)
    return ZERO if account is None else account.balance


@helper
def account_of(party: Party) -> CashAccount:
    account = accounts.find(party)
    if account is None:
        account = accounts.add(CashAccount(holder=party, bank=access_bank(party), balance=ZERO))
    return account


@helper
def settlement_account(bank: Bank) -> SettlementAccount:
    account = settlements.find(bank)
    if account is None:
        account = settlements.add(SettlementAccount(bank=bank, settle=ZERO, issued=ZERO))
    return account
