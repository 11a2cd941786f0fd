"""Domestic letter of credit (国内信用证): a bank's own promise to pay the seller against complying documents.

The buyer (applicant) asks its bank to issue the credit. The seller (beneficiary) ships and presents
documents through its bank; the issuing bank then has five banking days to honour, to accept (payment at
maturity) or to refuse, once, naming every discrepancy. A bank that stays silent has lost its right to
refuse. It pays the holder in full on the day: out of the applicant's margin, then the applicant's deposit,
then its own funds as an advance to the applicant. Banks look at documents only: nothing here asks about the
goods or the contract of sale.

    credit    APPLIED -> ISSUED -> ADVISED -> CLOSED          (REJECTED; EXPIRED_OPEN: no new presentation)
    drawing   PRESENTED -> FORWARDED -> PAID                  sight
                        -> FORWARDED -> ACCEPTED -> PAID      usance (OVERDUE: the bank itself could not pay)
                        -> FORWARDED -> DEEMED_COMPLIANT -> ...   the bank was silent
                        -> FORWARDED -> REFUSED -> RETURNED

Every deadline is tested by the action that it concerns, and what happens by time alone is due work.
"""

from consortium.contract import (
    DOWN,
    HALF_UP,
    Bank,
    Company,
    Day,
    Hash,
    Id,
    Money,
    Rate,
    Record,
    Text,
    action,
    add_banking_days,
    banking_day,
    by_role,
    choice,
    collection,
    due,
    emit,
    helper,
    invariant,
    money,
    option,
    parameter,
    query,
    rate,
    record,
    require,
    status,
    to,
    today,
    uses,
    value_day,
)

claim = uses("claim", version=1)
settlement = uses("settlement", version=1)

ZERO = money("0.00 CNY")
NOTHING = rate("0 %")
ALL = rate("100 %")

ISSUANCE_FEE = parameter("issuance_fee", rate("0.10 %"))  # of the maximum liability
ISSUANCE_FEE_MIN = parameter("issuance_fee_min", money("300.00 CNY"))
ACCEPTANCE_FEE = parameter("acceptance_fee", rate("0.05 %"))  # of the draw, for every 30 days or part of them
ADVISING_FEE = parameter("advising_fee", money("50.00 CNY"))
HANDLING_FEE = parameter("handling_fee", money("200.00 CNY"))  # for each presentation
PENALTY = parameter("penalty_per_day", rate("0.05 %"))  # simple interest on advances and overdue payments
TENOR_DAYS = parameter("tenor_days_max", 365)
PRESENTATION_DAYS = parameter("presentation_days", 15)  # after shipment, where the credit says nothing
ADVICE_DAYS = parameter("advice_days", 3)  # banking days, like the next two
FORWARD_DAYS = parameter("forward_days", 5)
EXAMINATION_DAYS = parameter("examination_days", 5)


@status
class CreditStatus:
    APPLIED = to("ISSUED", "REJECTED")
    ISSUED = to("ADVISED", "EXPIRED_OPEN")
    ADVISED = to("EXPIRED_OPEN", "CLOSED")
    EXPIRED_OPEN = to("CLOSED")
    REJECTED = CLOSED = to()


@status
class DrawingStatus:
    PRESENTED = to("FORWARDED")
    FORWARDED = to("PAID", "ACCEPTED", "REFUSED", "DEEMED_COMPLIANT")
    DEEMED_COMPLIANT = to("PAID", "ACCEPTED", "OVERDUE")
    ACCEPTED = to("PAID", "OVERDUE")
    OVERDUE = to("PAID")
    REFUSED = to("RETURNED")
    PAID = RETURNED = to()


@status
class LoanStatus:
    OPEN = to("REPAID")
    REPAID = to()


@choice
class Tenor:  # when is a complying drawing payable?
    SIGHT = option()  # at once
    AFTER_DOC_DATE = option()  # so many days after shipment
    AFTER_SIGHT = option()  # so many days after the issuing bank received the documents
    FIXED = option()  # on a day that the credit names


@choice
class Discrepancy:
    LATE_SHIPMENT = option()
    DOC_MISSING = option()
    DOC_CONFLICT = option()
    GOODS_DESC = option()
    INVOICE_INVALID = option()
    AMOUNT_WORDS = option()
    TRANSHIPMENT = option()
    SIGNATURE = option()
    WRONG_PARTY = option()
    OTHER = option()  # described in a note, of which the notice carries the hash


@choice
class Disposition:  # what the refusing bank does with the documents
    HOLD_FOR_PRESENTER = option()
    HOLD_FOR_WAIVER = option()
    RETURN = option()


@record(
    key="number",
    visible_to=("applicant", "beneficiary", "issuing_bank", "advising_bank", by_role("regulator")),
)
class LetterOfCredit(Record):
    number: Text[32]  # stored under the applicant's name: APP1/LC-7
    applicant: Company
    beneficiary: Company
    issuing_bank: Bank
    advising_bank: Bank
    amount: Money
    minimum: Money  # of a draw, unless partial shipments are allowed
    maximum: Money  # of all draws together: the bank's greatest liability
    partial_shipments: bool
    tenor: Tenor
    tenor_days: int
    fixed_maturity: Day | None
    latest_shipment: Day
    presentation_days: int
    expiry: Day
    margin: Money
    contract_hash: Hash
    drawings: int = 0  # how many were presented: numbers the next one
    loans: int = 0  # how many advances were made
    drawn: Money = ZERO  # by drawings that were not returned
    liability: Money = ZERO  # what the bank may still have to pay
    advise_by: Day | None = None
    expire_on: Day | None = None
    close_on: Day | None = None
    status: CreditStatus = CreditStatus.APPLIED


@record(
    key="id",
    visible_to=("applicant", "beneficiary", "issuing_bank", "presenting_bank", by_role("regulator")),
)
class Drawing(Record):
    id: Id  # the credit's id and a number: APP1/LC-7/1
    credit: Id
    applicant: Company
    beneficiary: Company
    issuing_bank: Bank
    presenting_bank: Bank
    amount: Money
    shipped: Day
    documents: list[Hash]
    discrepancies: list[Discrepancy]  # as listed in the one notice of refusal
    presented_on: Day
    forward_by: Day
    received_on: Day | None = None  # business day on which the issuing bank received the documents
    exam_deadline: Day | None = None
    refused_on: Day | None = None
    disposition: Disposition | None = None
    note: Hash | None = None
    maturity: Day | None = None
    preclude_on: Day | None = None
    pay_date: Day | None = None
    status: DrawingStatus = DrawingStatus.PRESENTED


@record(key=("credit", "bank"), visible_to=("beneficiary", "bank", by_role("regulator")))
class Charge(Record):  # what a bank has earned from the beneficiary, until its first proceeds
    credit: Id
    bank: Bank
    beneficiary: Company
    owed: Money


@record(key="id", visible_to=("applicant", "issuing_bank", by_role("regulator")))
class AdvanceLoan(Record):  # what the bank paid in the applicant's place
    id: Id
    credit: Id
    applicant: Company
    issuing_bank: Bank
    principal: Money
    since: Day  # interest runs from here
    interest: Money = ZERO  # of the time before, still unpaid
    status: LoanStatus = LoanStatus.OPEN


credits = collection(LetterOfCredit)
drawings = collection(
    Drawing,
    index=(("issuing_bank", "status", "pay_date"),),
    totals=(("amount", ("credit", "status")),),
)
charges = collection(Charge)
loans = collection(AdvanceLoan)


# ---------------------------------------------------------------- the credit is opened


@action(by="applicant")
def apply(
    number: Text[32],
    applicant: Company,
    beneficiary: Company,
    issuing_bank: Bank,
    advising_bank: Bank,
    amount: Money,
    tenor: Tenor,
    expiry: Day,
    contract_hash: Hash,
    tenor_days: int = 0,
    fixed_maturity: Day | None = None,
    latest_shipment: Day | None = None,
    presentation_days: int | None = None,
    partial_shipments: bool = False,
    tolerance_plus: Rate | None = None,
    tolerance_minus: Rate | None = None,
    margin_rate: Rate | None = None,
) -> Id[LetterOfCredit]:
    """The buyer asks its bank for a credit, and lets it take margin, draws and fees from the deposit."""
    shipment = expiry if latest_shipment is None else latest_shipment
    period = PRESENTATION_DAYS if presentation_days is None else presentation_days
    plus = NOTHING if tolerance_plus is None else tolerance_plus
    minus = NOTHING if tolerance_minus is None else tolerance_minus
    margin_part = NOTHING if margin_rate is None else margin_rate
    require(expiry > today(), "E_DATE", "the credit would already have expired")
    require(shipment <= expiry, "E_DATE", "the latest shipment lies after the expiry")
    require(0 <= period <= TENOR_DAYS, "E_DATE", f"documents are presented within 0 to {TENOR_DAYS} days")
    require_tenor(tenor, tenor_days, fixed_maturity)
    require(amount > 0, "E_AMOUNT", "the amount must be more than zero")
    require(NOTHING <= plus <= ALL, "E_AMOUNT", "the tolerance upwards is 0 to 100 %")
    require(NOTHING <= minus <= ALL, "E_AMOUNT", "the tolerance downwards is 0 to 100 %")
    require(NOTHING <= margin_part <= ALL, "E_AMOUNT", "the margin is 0 to 100 % of the maximum liability")
    maximum = amount + amount.at(plus, round=DOWN)
    margin = maximum.at(margin_part, round=HALF_UP)
    free = settlement.call("free_limit", bank=issuing_bank, party=applicant, kind="CREDIT")
    cash = settlement.call("balance_of", party=applicant)
    require(free + cash >= maximum, "E_LIMIT", f"line {free} and deposit {cash} do not cover {maximum}")
    credit = credits.add(
        LetterOfCredit(
            number=number,
            applicant=applicant,
            beneficiary=beneficiary,
            issuing_bank=issuing_bank,
            advising_bank=advising_bank,
            amount=amount,
            minimum=amount - amount.at(minus, round=DOWN),
            maximum=maximum,
            partial_shipments=partial_shipments,
            tenor=tenor,
            tenor_days=tenor_days,
            fixed_maturity=fixed_maturity,
            latest_shipment=shipment,
            presentation_days=period,
            expiry=expiry,
            margin=margin,
            contract_hash=contract_hash,
        )
    )
    fees = issuance_fee(maximum) + acceptance_fee(maximum, 0 if tenor == Tenor.SIGHT else TENOR_DAYS)
    settlement.call("grant", party=applicant, instrument=credit.id, maximum=maximum + fees)
    emit("Applied", credit=credit.id, issuing_bank=issuing_bank, amount=amount)
    return credit.id


@action(by="issuing_bank")
def reject_application(id: Id[LetterOfCredit], reason: Text[200]):
    """The bank declines to issue the credit."""
    credit = credits[id].move_to(CreditStatus.REJECTED)
    settlement.call("end_mandate", party=credit.applicant, instrument=id)
    emit("Rejected", credit=id, reason=reason)


@action(by="issuing_bank")
def issue(id: Id[LetterOfCredit]):
    """The bank binds itself: it locks the margin, uses the line for the rest and takes its fee."""
    credit = credits[id].move_to(CreditStatus.ISSUED)
    applicant = credit.applicant
    bank = credit.issuing_bank
    require(credit.expiry > today(), "E_DATE", f"the credit expired on {credit.expiry}")
    require_tenor(credit.tenor, credit.tenor_days, credit.fixed_maturity)
    require_calendar(credit)
    use_line(credit, credit.maximum - credit.margin)
    settlement.call("grant", party=bank, instrument=id, maximum=credit.maximum)
    if credit.margin > 0:
        settlement.call("lock_margin", customer=applicant, bank=bank, amount=credit.margin, instrument=id)
    fee = issuance_fee(credit.maximum)
    settlement.call("charge", payer=applicant, bank=bank, amount=fee, instrument=id)
    credit.update(
        liability=credit.maximum,
        advise_by=add_banking_days(value_day(), ADVICE_DAYS),
        expire_on=banking_day(credit.expiry) + 1,
    )
    emit("Issued", credit=id, advising_bank=credit.advising_bank, maximum=credit.maximum, fee=fee)


@action(by="advising_bank")
def advise(id: Id[LetterOfCredit]):
    """The advising bank tells the beneficiary, within three banking days, that the credit is there."""
    credit = credits[id].move_to(CreditStatus.ADVISED)
    require(today() <= credit.advise_by, "E_DATE", f"the credit was to be advised by {credit.advise_by}")
    accrue(id, credit.advising_bank, credit.beneficiary, ADVISING_FEE)
    emit("Advised", credit=id, beneficiary=credit.beneficiary)


# ---------------------------------------------------------------- documents are presented and examined


@action(by="beneficiary")
def present(
    id: Id[LetterOfCredit], amount: Money, shipped: Day, presenting_bank: Bank, documents: list[Hash]
) -> Id[Drawing]:
    """The seller presents documents to its bank; only lateness or a wrong amount is turned away here."""
    credit = credits[id]
    require(
        credit.status == CreditStatus.ADVISED,
        "E_STATE",
        f"the credit is {credit.status}, not open to drawings",
    )
    require(shipped <= today(), "E_DATE", f"documents of {shipped} cannot be presented yet")
    last_day = banking_day(min(credit.expiry, shipped + credit.presentation_days))
    require(today() <= last_day, "E_DATE", f"documents had to be presented by {last_day}")
    require(amount > 0, "E_AMOUNT", "the draw must be more than zero")
    least = ZERO if credit.partial_shipments else credit.minimum
    require(
        least <= amount <= credit.maximum,
        "E_TOLERANCE",
        f"a draw is {least} to {credit.maximum}, not {amount}",
    )
    left = available(credit)
    require(amount <= left, "E_OVERDRAW", f"only {left} is left to draw")
    number = credit.drawings + 1
    credit.update(drawings=number, drawn=credit.drawn + amount)
    drawing = drawings.add(
        Drawing(
            id=f"{id}/{number}",
            credit=id,
            applicant=credit.applicant,
            beneficiary=credit.beneficiary,
            issuing_bank=credit.issuing_bank,
            presenting_bank=presenting_bank,
            amount=amount,
            shipped=shipped,
            documents=documents,
            discrepancies=[],
            presented_on=today(),
            forward_by=add_banking_days(value_day(), FORWARD_DAYS),
        )
    )
    emit("Presented", drawing=drawing.id, presenting_bank=presenting_bank, amount=amount)
    return drawing.id


@action(by="presenting_bank")
def forward(id: Id[Drawing]):
    """The presenting bank sends the documents on; the clock of the issuing bank starts."""
    drawing = drawings[id].move_to(DrawingStatus.FORWARDED)
    require(
        today() <= drawing.forward_by, "E_DATE", f"the documents had to be forwarded by {drawing.forward_by}"
    )
    received_on = value_day()
    exam_deadline = add_banking_days(received_on, EXAMINATION_DAYS)
    drawing.update(received_on=received_on, exam_deadline=exam_deadline, preclude_on=exam_deadline + 1)
    accrue(drawing.credit, drawing.presenting_bank, drawing.beneficiary, HANDLING_FEE)
    emit("Forwarded", drawing=id, received_on=received_on, exam_deadline=exam_deadline)


@action(by="issuing_bank")
def honour_sight(id: Id[Drawing]):
    """The issuing bank finds the documents compliant and pays a sight drawing at once."""
    drawing = examined(id).move_to(DrawingStatus.PAID, preclude_on=None, pay_date=None)
    credit = credits[drawing.credit]
    require(credit.tenor == Tenor.SIGHT, "E_TENOR", "a usance drawing is accepted, and paid at maturity")
    pay_holder(credit, drawing)


@action(by="issuing_bank")
def accept(id: Id[Drawing]) -> Id[Drawing]:
    """The issuing bank finds the documents compliant and confirms payment at maturity: a bank claim."""
    drawing = examined(id)
    credit = credits[drawing.credit]
    require(credit.tenor != Tenor.SIGHT, "E_TENOR", "a sight drawing is honoured, not accepted")
    by_terms = maturity_by_terms(credit, drawing)
    require(by_terms - today() <= TENOR_DAYS, "E_TENOR", f"the maturity {by_terms} is too far away")
    if drawing.status == DrawingStatus.FORWARDED:
        drawing = owe(credit, drawing, by_terms)
    drawing = drawing.move_to(DrawingStatus.ACCEPTED, preclude_on=None)
    fee = acceptance_fee(drawing.amount, drawing.maturity - today())
    unpaid = settlement.call(
        "charge_what_is_there",
        payer=credit.applicant,
        bank=credit.issuing_bank,
        amount=fee,
        instrument=credit.id,
    )
    if unpaid > 0:
        lend(credit, unpaid)
    emit("Accepted", drawing=id, maturity=drawing.maturity, fee=fee)
    return id


@action(by="issuing_bank")
def refuse(
    id: Id[Drawing], discrepancies: list[Discrepancy], disposition: Disposition, note: Hash | None = None
):
    """The issuing bank refuses the documents, in time and in one notice that lists every discrepancy."""
    drawing = drawings[id]
    deadline = drawing.exam_deadline
    require(
        drawing.refused_on is None,
        "E_PRECLUDED",
        f"the one notice of refusal was given on {drawing.refused_on}",
    )
    require(
        deadline is None or today() <= deadline, "E_PRECLUDED", f"the right to refuse ended with {deadline}"
    )
    drawing = drawing.move_to(DrawingStatus.REFUSED, refused_on=today(), preclude_on=None)
    require(len(discrepancies) > 0, "E_AMOUNT", "a refusal names at least one discrepancy")
    require(
        note is not None or Discrepancy.OTHER not in discrepancies,
        "E_AMOUNT",
        "another discrepancy needs a note",
    )
    drawing.update(discrepancies=discrepancies, disposition=disposition, note=note)
    emit("Refused", drawing=id, discrepancies=discrepancies, disposition=disposition)


@action(by="issuing_bank")
def return_docs(id: Id[Drawing]):
    """The refused documents go back; their amount may be drawn again."""
    drawing = drawings[id].move_to(DrawingStatus.RETURNED)
    credit = credits[drawing.credit]
    credit.update(drawn=credit.drawn - drawing.amount)
    emit("Returned", drawing=id)


@due(on="preclude_on", at="opening")
def auto_preclude(id: Id[Drawing]):
    """The examination period has ended without a word: the bank must pay as if the documents complied."""
    drawing = drawings[id].move_to(DrawingStatus.DEEMED_COMPLIANT, preclude_on=None)
    credit = credits[drawing.credit]
    drawing = owe(credit, drawing, maturity_by_terms(credit, drawing))
    emit("DeemedCompliant", drawing=id, maturity=drawing.maturity)


# ---------------------------------------------------------------- the bank pays


@due(on="pay_date", at="cut_off")
def pay_at_maturity(id: Id[Drawing]):
    """At maturity the issuing bank pays, whatever the applicant has; if it cannot, it is in default."""
    drawing = drawings[id]
    credit = credits[drawing.credit]
    own = settlement.call("balance_of", party=credit.issuing_bank)
    if own_funds_needed(credit, drawing) <= own:
        pay_holder(credit, drawing.move_to(DrawingStatus.PAID, pay_date=None))
    else:
        drawing.move_to(DrawingStatus.OVERDUE, pay_date=None)
        claim.call("mark_overdue", id=id)
        emit("BankDefault", drawing=id, bank=credit.issuing_bank, amount=drawing.amount)


@action(by="issuing_bank")
def pay(id: Id[Drawing]):
    """The issuing bank pays on the day of maturity, before the cut-off does it."""
    drawing = drawings[id]
    pay_date = drawing.pay_date
    require(pay_date is not None, "E_STATE", f"the drawing is {drawing.status}, no payment is confirmed")
    require(pay_date is not None and today() >= pay_date, "E_DATE", f"the drawing is payable on {pay_date}")
    drawing = drawing.move_to(DrawingStatus.PAID, pay_date=None)
    credit = credits[drawing.credit]
    pay_holder(credit, drawing)


@action(by="issuing_bank")
def pay_overdue(id: Id[Drawing]):
    """A bank in default pays at last, with default interest out of its own funds."""
    drawing = drawings[id]
    require(
        drawing.status == DrawingStatus.OVERDUE, "E_STATE", f"the drawing is {drawing.status}, not overdue"
    )
    drawing = drawing.move_to(DrawingStatus.PAID)
    credit = credits[drawing.credit]
    interest = drawing.amount.at(PENALTY * (value_day() - drawing.maturity), round=HALF_UP)
    holder = holder_of(drawing)
    pay_holder(credit, drawing)
    settlement.call(
        "transfer", payer=credit.issuing_bank, payee=holder, amount=interest, instrument=credit.id
    )
    emit("DefaultInterest", drawing=id, holder=holder, interest=interest)


@action(by="applicant")
def repay_advance(id: Id[AdvanceLoan], amount: Money):
    """The applicant repays what its bank advanced: the interest first, then the principal."""
    loan = loans[id]
    require(loan.status == LoanStatus.OPEN, "E_STATE", "the advance has been repaid")
    interest = loan.interest + loan.principal.at(PENALTY * (value_day() - loan.since), round=HALF_UP)
    owed = interest + loan.principal
    require(0 < amount <= owed, "E_AMOUNT", f"{owed} is owed, interest of {interest} included")
    to_interest = min(amount, interest)
    to_principal = amount - to_interest
    bank = loan.issuing_bank
    settlement.call("charge", payer=loan.applicant, bank=bank, amount=to_interest, instrument=loan.credit)
    settlement.call("transfer", payer=loan.applicant, payee=bank, amount=to_principal, instrument=loan.credit)
    loan = loan.update(
        interest=interest - to_interest, principal=loan.principal - to_principal, since=value_day()
    )
    if amount == owed:
        loan.move_to(LoanStatus.REPAID)
    emit("AdvanceRepaid", loan=id, interest=to_interest, principal=to_principal)


# ---------------------------------------------------------------- the credit ends


@due(on="expire_on", at="opening")
def tick_expiry(id: Id[LetterOfCredit]):
    """The credit has expired: no new presentation, but the drawings that were made go on."""
    credits[id].move_to(CreditStatus.EXPIRED_OPEN, expire_on=None)
    emit("Expired", credit=id)


@due(on="close_on", at="cut_off")
def auto_close(id: Id[LetterOfCredit]):
    """Nothing more can be drawn and nothing is owed: margin, line and mandates are released."""
    credit = credits[id].move_to(CreditStatus.CLOSED, liability=ZERO, expire_on=None, close_on=None)
    use_line(credit, ZERO)
    margin = settlement.call("margin_of", customer=credit.applicant, instrument=id)
    if margin > 0:
        settlement.call("release_margin", customer=credit.applicant, amount=margin, instrument=id)
    settlement.call("end_mandate", party=credit.applicant, instrument=id)
    settlement.call("end_mandate", party=credit.issuing_bank, instrument=id)
    emit("Closed", credit=id, undrawn=credit.maximum - credit.drawn, margin_released=margin)


# ---------------------------------------------------------------- laws


@invariant(over="number")
def draws_stay_within_the_credit(credit: LetterOfCredit):
    return ZERO <= credit.drawn <= credit.maximum and ZERO <= credit.liability <= credit.maximum


@invariant(over="number")
def draws_add_up(credit: LetterOfCredit):
    # Every drawing counts that was not returned.
    paid = drawings.total("amount", credit=credit.id, status=DrawingStatus.PAID)
    return credit.drawn == open_drawings(credit.id) + paid


# ---------------------------------------------------------------- what people ask


@query
def drawings_of(credit: Id[LetterOfCredit]):
    """The drawings that were presented under a credit."""
    return drawings.where(credit=credit)


@query
def falling_due(bank: Bank, until: Day):
    """The accepted drawings that a bank must pay up to a day."""
    return drawings.where(issuing_bank=bank, status=DrawingStatus.ACCEPTED).upto(pay_date=until)


# ---------------------------------------------------------------- terms and amounts


@helper
def require_tenor(tenor: Tenor, tenor_days: int, fixed_maturity: Day | None):
    # Usance is at most one year; a day is named for FIXED, and for FIXED only.
    if tenor == Tenor.FIXED:
        require(
            fixed_maturity is not None and tenor_days == 0,
            "E_TENOR",
            "a fixed tenor names the day of maturity",
        )
        if fixed_maturity is not None:
            days = fixed_maturity - today()
            require(1 <= days <= TENOR_DAYS, "E_TENOR", f"usance is 1 to {TENOR_DAYS} days, not {days}")
    else:
        least = 0 if tenor == Tenor.SIGHT else 1
        most = 0 if tenor == Tenor.SIGHT else TENOR_DAYS
        require(fixed_maturity is None, "E_TENOR", "only a fixed tenor names the day of maturity")
        require(
            least <= tenor_days <= most, "E_TENOR", f"the tenor is {least} to {most} days, not {tenor_days}"
        )


@helper
def require_calendar(credit: LetterOfCredit):
    # Due work must never fail for want of a calendar: banking_day() refuses a year that the calendar lacks.
    # The slowest drawing is presented on the last day and forwarded on the last day, each after the cut-off.
    slowest = add_banking_days(banking_day(credit.expiry), FORWARD_DAYS + EXAMINATION_DAYS + 2) + 1
    banking_day(slowest + credit.tenor_days)
    if credit.fixed_maturity is not None:
        banking_day(credit.fixed_maturity)


@helper
def issuance_fee(maximum: Money) -> Money:
    return max(maximum.at(ISSUANCE_FEE, round=HALF_UP), ISSUANCE_FEE_MIN)


@helper
def acceptance_fee(amount: Money, days: int) -> Money:
    return amount.at(ACCEPTANCE_FEE * ((days + 29) // 30), round=HALF_UP)


@helper
def available(credit: LetterOfCredit) -> Money:
    # Without partial shipments the first drawing that stands exhausts the credit.
    if credit.drawn > 0 and not credit.partial_shipments:
        return ZERO
    return credit.maximum - credit.drawn


@helper
def open_drawings(credit: Id) -> Money:
    # The drawings whose outcome is still open.
    return (
        drawings.total("amount", credit=credit, status=DrawingStatus.PRESENTED)
        + drawings.total("amount", credit=credit, status=DrawingStatus.FORWARDED)
        + drawings.total("amount", credit=credit, status=DrawingStatus.DEEMED_COMPLIANT)
        + drawings.total("amount", credit=credit, status=DrawingStatus.ACCEPTED)
        + drawings.total("amount", credit=credit, status=DrawingStatus.OVERDUE)
        + drawings.total("amount", credit=credit, status=DrawingStatus.REFUSED)
    )


# ---------------------------------------------------------------- examination


@helper
def examined(id: Id) -> Drawing:
    # A drawing under examination is honoured in time; one deemed compliant, any time before it is paid.
    drawing = drawings[id]
    forwarded = drawing.status == DrawingStatus.FORWARDED
    deemed = drawing.status == DrawingStatus.DEEMED_COMPLIANT
    deadline = drawing.exam_deadline
    require(forwarded or deemed, "E_STATE", f"the drawing is {drawing.status}: there is nothing to examine")
    require(deemed or today() <= deadline, "E_DATE", f"the examination ended with {deadline}")
    return drawing


@helper
def maturity_by_terms(credit: LetterOfCredit, drawing: Drawing) -> Day:
    if credit.tenor == Tenor.AFTER_DOC_DATE:
        return drawing.shipped + credit.tenor_days
    if credit.tenor == Tenor.AFTER_SIGHT:
        return drawing.received_on + credit.tenor_days
    if credit.tenor == Tenor.FIXED:
        return credit.fixed_maturity
    return today()


@helper
def owe(credit: LetterOfCredit, drawing: Drawing, by_terms: Day) -> Drawing:
    # From now on the bank owes unconditionally. A maturity that has already passed means: today.
    maturity = banking_day(max(by_terms, today()))
    claim.call(
        "create",
        id=drawing.id,
        credit=credit.id,
        debtor=credit.issuing_bank,
        holder=credit.beneficiary,
        recourse=False,
        amount=drawing.amount,
        pay_date=maturity,
    )
    return drawing.update(maturity=maturity, pay_date=maturity)


# ---------------------------------------------------------------- the waterfall


@helper
def own_funds_needed(credit: LetterOfCredit, drawing: Drawing) -> Money:
    # What the applicant's margin and deposit leave uncovered.
    margin = settlement.call("margin_of", customer=credit.applicant, instrument=credit.id)
    deposit = settlement.call("reachable", party=credit.applicant, instrument=credit.id)
    return max(drawing.amount - margin - deposit, ZERO)


@helper
def pay_holder(credit: LetterOfCredit, drawing: Drawing):
    # In one transaction the applicant reimburses its bank (margin, deposit, the rest as an advance), and the
    # bank pays the holder in full; from the beneficiary's proceeds the charges that it owes are deducted.
    bank = credit.issuing_bank
    applicant = credit.applicant
    margin = settlement.call("margin_of", customer=applicant, instrument=credit.id)
    from_margin = min(margin, drawing.amount)
    if from_margin > 0:
        settlement.call("use_margin", customer=applicant, amount=from_margin, instrument=credit.id)
    deposit = settlement.call("reachable", party=applicant, instrument=credit.id)
    from_deposit = min(deposit, drawing.amount - from_margin)
    if from_deposit > 0:
        settlement.call("transfer", payer=applicant, payee=bank, amount=from_deposit, instrument=credit.id)
    holder = holder_of(drawing)
    left = drawing.amount
    if holder == credit.beneficiary:
        left = left - deduct_charges(credit, left)
    settlement.call("transfer", payer=bank, payee=holder, amount=left, instrument=credit.id)
    if drawing.maturity is not None:
        claim.call("pay", id=drawing.id)
    advance = drawing.amount - from_margin - from_deposit
    if advance > 0:
        credit = lend(credit, advance)
    discharge(credit, drawing.amount, margin - from_margin)
    emit("Honoured", drawing=drawing.id, holder=holder, amount=drawing.amount, charges=drawing.amount - left)


@helper
def holder_of(drawing: Drawing) -> Bank | Company:
    # A drawing that has become a claim may have been sold.
    return drawing.beneficiary if drawing.maturity is None else claim.call("holder", id=drawing.id)


@helper
def discharge(credit: LetterOfCredit, amount: Money, margin: Money):
    # The bank's liability falls by what it paid; the line covers what is left beyond the margin.
    liability = credit.liability - amount
    credit = credit.update(liability=liability)
    use_line(credit, max(liability - margin, ZERO))
    if open_drawings(credit.id) == 0 and available(credit) == 0:
        credit.update(close_on=today())


@helper
def use_line(credit: LetterOfCredit, amount: Money):
    settlement.call(
        "use_limit",
        bank=credit.issuing_bank,
        party=credit.applicant,
        kind="CREDIT",
        amount=amount,
        instrument=credit.id,
    )


@helper
def lend(credit: LetterOfCredit, amount: Money) -> LetterOfCredit:
    # What the bank paid in the applicant's place, or a fee it could not collect, is an advance from today.
    number = credit.loans + 1
    loans.add(
        AdvanceLoan(
            id=f"{credit.id}/advance-{number}",
            credit=credit.id,
            applicant=credit.applicant,
            issuing_bank=credit.issuing_bank,
            principal=amount,
            since=today(),
        )
    )
    emit("Advanced", credit=credit.id, applicant=credit.applicant, amount=amount)
    return credit.update(loans=number)


# ---------------------------------------------------------------- charges of the beneficiary


@helper
def accrue(credit: Id, bank: Bank, beneficiary: Company, amount: Money):
    charge = charges.find((credit, bank))
    if charge is None:
        charges.add(Charge(credit=credit, bank=bank, beneficiary=beneficiary, owed=amount))
    else:
        charge.update(owed=charge.owed + amount)


@helper
def deduct_charges(credit: LetterOfCredit, proceeds: Money) -> Money:
    # Paid out of what the issuing bank owes, before it reaches the beneficiary.
    left = proceeds
    for charge in charges.where(credit=credit.id):
        paid = min(charge.owed, left)
        if paid > 0:
            settlement.call(
                "charge", payer=credit.issuing_bank, bank=charge.bank, amount=paid, instrument=credit.id
            )
            left = left - paid
        if paid == charge.owed:
            charges.remove(charge)
        else:
            charge.update(owed=charge.owed - paid)
    return proceeds - left
