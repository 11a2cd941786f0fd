"""A finished run, a stalled one and a hostile one to render: the figures are those of the domestic credit S1."""

from dataclasses import replace
from hashlib import sha256

from consortium.timeline.views import (
    OPERATOR,
    AccountView,
    BlockView,
    CheckerView,
    EventView,
    ExpectationView,
    FieldView,
    MessageView,
    NodeView,
    PartyView,
    RejectionView,
    RunView,
    StepView,
)

FILE = "scenarios/domestic_letter_of_credit.yaml"
BANKS = (
    ("IB1", "Issuing Bank"),
    ("PB2", "Presenting Bank"),
    ("VB1", "Validator One"),
    ("VB2", "Validator Two"),
)
DAY_US = 86_400_000_000


def fields(**values: str) -> tuple[FieldView, ...]:
    return tuple(FieldView(name=name, value=value) for name, value in values.items())


def event(name: str, contract: str = "letter_of_credit", **values: str) -> EventView:
    return EventView(contract=contract, name=name, fields=fields(**values))


def step(position: int, time: str, actor: str, action: str, **changes) -> StepView:
    """An applied, expected step of the letter of credit in block `position`; `changes` replace its fields."""
    view = StepView(
        position=position,
        step=f"step{position}",
        business_time_us=position * DAY_US,
        business_time=time,
        actor=actor,
        contract="letter_of_credit",
        action=action,
        arguments=fields(id="APP1/LC-2026-001"),
        status="applied",
        code=None,
        refusal="",
        is_expected=True,
        expected="applied",
        height=position,
        sequence=position,
        latency_us=11_000 + 137 * position,
        gas_used=3_000 + 411 * position,
        events=(),
        result="",
        place=f"{FILE}:{40 + 6 * position}:5",
    )
    return replace(view, **changes)


def presented(amount: str) -> tuple[FieldView, ...]:
    return fields(
        id="APP1/LC-2026-001",
        amount=f"{amount} CNY",
        shipped="2026-04-10",
        presenting_bank="PB2",
        documents="[5f2c…91aa, 0d77…c3e4]",
    )


STEPS = (
    step(
        1,
        "2026-03-02 09:30",
        "APP1",
        "apply",
        arguments=fields(
            number="LC-2026-001",
            applicant="APP1",
            beneficiary="C1",
            issuing_bank="IB1",
            advising_bank="PB2",
            amount="10000000.00 CNY",
            tenor="AFTER_DOC_DATE",
            tenor_days="180",
            tolerance="5.00 %",
            expiry="2026-05-29",
            latest_shipment="2026-04-30",
        ),
        result="APP1/LC-2026-001",
        events=(event("Applied", credit="APP1/LC-2026-001", amount="10000000.00 CNY"),),
    ),
    step(
        2,
        "2026-03-02 10:30",
        "IB1",
        "issue",
        events=(
            event("MarginLocked", "settlement", customer="APP1", amount="2100000.00 CNY"),
            event("Issued", credit="APP1/LC-2026-001", max_liability="10500000.00 CNY", fee="10500.00 CNY"),
        ),
    ),
    step(3, "2026-03-03 09:30", "PB2", "advise", events=(event("Advised", beneficiary="C1"),)),
    step(
        4,
        "2026-04-17 10:00",
        "C1",
        "present",
        arguments=presented("10500000.01"),
        status="refused",
        code="E_TOLERANCE",
        refusal="a drawing of 10500000.01 CNY is above the cap of 10500000.00 CNY",
        expected="refused: E_TOLERANCE",
    ),
    step(
        5,
        "2026-04-17 10:05",
        "C1",
        "present",
        arguments=presented("9499999.99"),
        status="refused",
        code="E_TOLERANCE",
        refusal="a single drawing must be at least 9500000.00 CNY",
        expected="refused: E_TOLERANCE",
    ),
    step(
        6,
        "2026-04-17 11:00",
        "C1",
        "present",
        arguments=presented("10300000.00"),
        result="APP1/LC-2026-001/1",
        events=(event("Presented", drawing="APP1/LC-2026-001/1", amount="10300000.00 CNY"),),
    ),
    step(7, "2026-04-20 10:00", "PB2", "forward", arguments=fields(id="APP1/LC-2026-001/1")),
    step(
        8,
        "2026-04-24 15:00",
        "IB1",
        "accept",
        arguments=fields(id="APP1/LC-2026-001/1"),
        result="APP1/LC-2026-001/1",
        events=(
            event("Accepted", drawing="APP1/LC-2026-001/1", maturity="2026-10-08"),
            event("ClaimCreated", "claim", debtor="IB1", holder="C1", amount="10300000.00 CNY"),
        ),
    ),
    step(
        9,
        "2026-04-28 10:00",
        "C1",
        "present",
        arguments=presented("10300000.00"),
        status="refused",
        code="E_DATE",
        refusal="documents had to be presented by 2026-04-27",
        expected="refused: E_DATE",
    ),
    step(
        10,
        "2026-10-08 17:00",
        "",
        "pay_at_maturity",
        step="",
        arguments=fields(drawing="APP1/LC-2026-001/1"),
        latency_us=None,
        place="",
        events=(event("Paid", drawing="APP1/LC-2026-001/1", amount="10300000.00 CNY", to="C1"),),
    ),
    step(
        11,
        "2026-10-08 17:00",
        "",
        "auto_close",
        step="",
        arguments=fields(credit="APP1/LC-2026-001"),
        latency_us=None,
        place="",
        height=10,
        sequence=10,
    ),
)


def account(name: str, amount: str, change: str = "") -> AccountView:
    return AccountView(
        account=name,
        currency="CNY",
        amount=amount.replace(",", ""),
        amount_grouped=amount,
        change_grouped=change,
    )


PARTIES = (
    PartyView(
        party="IB1",
        name="Issuing Bank",
        kind="bank",
        accounts=(
            account("own", "1,000,041,400.00", "+41,400.00"),
            account("income", "41,400.00", "+41,400.00"),
        ),
    ),
    PartyView(
        party="PB2",
        name="Presenting Bank",
        kind="bank",
        accounts=(account("own", "1,000,000,250.00", "+250.00"), account("income", "250.00", "+250.00")),
    ),
    PartyView(
        party="APP1",
        name="Applicant Auto Parts Ltd",
        kind="company",
        accounts=(
            account("deposit", "1,658,600.00", "-10,341,400.00"),
            account("margin", "0.00"),
            account("line_used", "0.00"),
        ),
    ),
    PartyView(
        party="C1",
        name="Steel Supplier Ltd",
        kind="company",
        accounts=(account("deposit", "10,299,750.00", "+10,299,750.00"), account("margin", "0.00")),
    ),
)


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


BLOCKS = tuple(
    BlockView(
        height=height,
        sequence=height,
        business_time=STEPS[height - 1].business_time,
        hash=digest(f"block {height}"),
        previous=digest(f"block {height - 1}"),
        state_root=digest(f"state {height}"),
        transactions=0 if height == 10 else 1,
        due_entries=2 if height == 10 else 0,
        gas_used=3_000 + 411 * height,
        signers=tuple(bank for bank, _ in BANKS if bank != BANKS[height % 4][0]),
        committed_us=height * 1_000_000 + 8_431,
    )
    for height in range(1, 11)
)


def message(type_: str, sent: int, formula: str = "") -> MessageView:
    return MessageView(type=type_, sent=sent, delivered=sent, lost=0, duplicated=0, formula=formula)


FINISHED = RunView(
    name="domestic_letter_of_credit",
    title="Domestic usance letter of credit with a tolerance of 5 %, paid at maturity",
    file=FILE,
    seed=20260302,
    viewpoint=OPERATOR,
    clock="simulated",
    scenario_digest=digest("scenario"),
    run_digest=digest("run"),
    version="0.1.0",
    signatures="ed25519",
    f=1,
    quorum=3,
    verdict="true",
    exit_code=0,
    outcome="finished",
    outcome_reason=(),
    duration_us=1_204_311,
    batches=10,
    deliveries=338,
    steps=STEPS,
    parties=PARTIES,
    blocks=BLOCKS,
    nodes=tuple(
        NodeView(
            id=bank,
            name=name,
            index=index,
            is_honest=True,
            is_running=True,
            view=0,
            height=10,
            header_hash=BLOCKS[-1].hash,
            state_root=BLOCKS[-1].state_root,
            executed=10,
            stable=10,
            waits_for=(),
        )
        for index, (bank, name) in enumerate(BANKS)
    ),
    messages=(
        message("request", 9),
        message("pre-prepare", 30, "10 x 3 = 30"),
        message("prepare", 90, "10 x 9 = 90"),
        message("commit", 120, "10 x 12 = 120"),
        message("checkpoint", 12),
        message("reply", 77),
    ),
    expectations=(
        ExpectationView(
            text="APP1 deposit == 1658600.00 CNY", is_met=True, found="1658600.00 CNY", place=f"{FILE}:120:5"
        ),
        ExpectationView(text="C1 deposit == 10299750.00 CNY", is_met=True, found="", place=f"{FILE}:121:5"),
        ExpectationView(text="IB1 income == 41400.00 CNY", is_met=True, found="", place=f"{FILE}:122:5"),
        ExpectationView(text="$credit is CLOSED", is_met=True, found="", place=f"{FILE}:123:5"),
        ExpectationView(text="all nodes agree", is_met=True, found="1 ledger", place=f"{FILE}:124:5"),
    ),
    checkers=tuple(
        CheckerView(name=name, verdict="true", reason=f"{number} things compared")
        for number, name in enumerate(
            (
                "agreement",
                "total_order",
                "state_root_equality",
                "exactly_once",
                "certificates",
                "value_conservation",
            )
        )
    ),
    rejections=(),
    warnings=("S-310: 2026-04-05 is a public holiday in CN",),
)

STALLED = replace(
    FINISHED,
    verdict="unknown",
    exit_code=4,
    outcome="stalled",
    outcome_reason=(
        "nothing was executed for 40 s of network time",
        "IB1: sequence 3 has 2 of 3 prepares, missing VB1, VB2",
    ),
    batches=2,
    blocks=BLOCKS[:2],
    steps=(
        *STEPS[:2],
        replace(
            STEPS[2],
            status="waiting",
            is_expected=False,
            height=None,
            sequence=None,
            latency_us=None,
            events=(),
        ),
    ),
    nodes=tuple(
        replace(
            node,
            height=2,
            executed=2,
            stable=0,
            is_honest=node.index < 2,
            waits_for=("prepares of VB1, VB2 for sequence 3",) if node.index < 2 else (),
        )
        for node in FINISHED.nodes
    ),
    expectations=(
        ExpectationView(
            text="APP1 deposit == 1658600.00 CNY",
            is_met=False,
            found="12000000.00 CNY",
            place=f"{FILE}:120:5",
        ),
        ExpectationView(text="all nodes agree", is_met=True, found="1 ledger", place=f"{FILE}:124:5"),
    ),
    checkers=(
        CheckerView(name="agreement", verdict="true", reason=""),
        CheckerView(name="certificates", verdict="unknown", reason="sequence 3 has no certificate"),
        CheckerView(name="value_conservation", verdict="false", reason="0.01 CNY appeared in block 2"),
    ),
    rejections=(
        RejectionView(node="IB1", sender="2", cause="bad-signature", count=14),
        RejectionView(node="PB2", sender="VB2", cause="bad-signature", count=14),
    ),
)

CANARY = "<script>alert('canary')</script>"
CONTROL = "\x1b[31mred\x1b[0m\x07\u202e"

HOSTILE = replace(
    FINISHED,
    name=CANARY,
    title=f"{CANARY}{CONTROL}",
    file="/home/someone/secret/place/story.yaml",
    steps=(
        replace(
            STEPS[0],
            actor=CANARY,
            refusal=CONTROL,
            status="refused",
            code="E_DATE",
            is_expected=False,
            arguments=fields(**{CANARY: CANARY, "b": CONTROL}),
            events=(event(CANARY, CANARY, a=CANARY),),
            place="/home/someone/secret/place/story.yaml:12:3",
        ),
    ),
    parties=(PartyView(party=CANARY, name=CANARY, kind=CANARY, accounts=(account("own", CANARY, CANARY),)),),
    expectations=(ExpectationView(text=CANARY, is_met=False, found=CANARY, place=CANARY),),
    checkers=(CheckerView(name=CANARY, verdict="false", reason=CANARY),),
    rejections=(RejectionView(node=CANARY, sender=CANARY, cause=CANARY, count=1),),
    outcome="stalled",
    outcome_reason=(CANARY,),
    warnings=(CANARY,),
)
