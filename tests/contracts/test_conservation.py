"""Random lives of credits, legal and illegal steps mixed: no fen appears or is lost, and nobody pays unasked."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from harness import BANKS, COMPANIES, CONTRACT_HASH, DOCUMENTS, Bench

from consortium.calendar import DAY_US, MINUTE_US, moment
from consortium.money import Day, Money

PARTIES = (*BANKS, *COMPANIES)
START = moment(Day.of("2026-03-02"), 600)
TERMINAL = {"PAID", "RETURNED", "CLOSED", "REJECTED", "REPAID", "VOID"}

amounts = st.sampled_from(
    [Money(-1), Money(0), Money(1), Money(33_333), Money(9_999_999), Money(50_000_000), Money(100_000_000)]
) | st.integers(1, 120_000_000).map(Money)
percentages = st.sampled_from(["0 %", "3.3333 %", "5 %", "20 %", "100 %"])
waits_us = st.sampled_from([0, MINUTE_US, 8 * 60 * MINUTE_US, DAY_US, 3 * DAY_US, 7 * DAY_US, 40 * DAY_US])
credits = st.sampled_from(["APP1/A", "APP1/B", "APP2/A"])
drawings = st.tuples(credits, st.integers(1, 3)).map(lambda parts: f"{parts[0]}/{parts[1]}")
loans = st.tuples(credits, st.integers(1, 2)).map(lambda parts: f"{parts[0]}/advance-{parts[1]}")
RIGHT = (
    "the party whose turn it is"  # most steps are sent by the right party: illegal ones alone lead nowhere
)


@st.composite
def applications(draw):
    tenor = draw(st.sampled_from(["SIGHT", "AFTER_DOC_DATE", "AFTER_SIGHT", "FIXED"]))
    applicant = draw(st.sampled_from(["APP1", "APP2"]))
    return (
        applicant,
        "apply",
        {
            "number": draw(st.sampled_from(["A", "B"])),
            "applicant": applicant,
            "beneficiary": draw(st.sampled_from(["C1", "C2"])),
            "issuing_bank": "IB1",
            "advising_bank": draw(st.sampled_from(["PB2", "IB1"])),
            "amount": draw(amounts),
            "tenor": tenor,
            "expiry": draw(st.sampled_from(["2026-03-06", "2026-05-02", "2026-06-30"])),
            "contract_hash": CONTRACT_HASH,
            "tenor_days": draw(st.sampled_from([5, 40])) if tenor.startswith("AFTER") else 0,
            "fixed_maturity": "2026-06-13" if tenor == "FIXED" else None,
            "partial_shipments": draw(st.booleans()),
            "tolerance_plus": draw(percentages),
            "tolerance_minus": draw(percentages),
            "margin_rate": draw(percentages),
        },
    )


def step(action, names, **arguments):
    return st.tuples(
        st.just(RIGHT) | st.just(RIGHT) | st.just(RIGHT) | st.sampled_from(PARTIES),
        st.just(action),
        st.fixed_dictionaries({"id": names, **arguments}),
    )


presentations = step(
    "present",
    credits,
    amount=amounts,
    shipped=st.sampled_from(["2026-03-01", "2026-03-20", "2026-05-20"]),
    presenting_bank=st.sampled_from(["PB2", "IB1"]),
    documents=st.just(DOCUMENTS),
)
refusals = step(
    "refuse",
    drawings,
    discrepancies=st.just(("SIGNATURE",)),
    disposition=st.sampled_from(["RETURN", "HOLD_FOR_WAIVER"]),
)
steps = st.one_of(
    applications(),
    step("issue", credits),
    step("issue", credits),
    step("reject_application", credits, reason=st.just("")),
    step("advise", credits),
    step("advise", credits),
    presentations,
    presentations,
    step("forward", drawings),
    step("forward", drawings),
    step("accept", drawings),
    step("honour_sight", drawings),
    refusals,
    step("return_docs", drawings),
    step("pay", drawings),
    step("pay_overdue", drawings),
    step("repay_advance", loans, amount=amounts),
    st.tuples(st.sampled_from(PARTIES), st.just("spend"), st.just({})),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(st.lists(st.tuples(waits_us, steps), min_size=8, max_size=40))
def test_no_sequence_of_steps_breaks_a_law(story):
    bench = Bench(
        own="600_000.00 CNY",
        deposits={"APP1": "900_000.00 CNY", "APP2": "700_000.00 CNY"},
        lines={("IB1", "APP1"): "1_500_000.00 CNY", ("IB1", "APP2"): "900_000.00 CNY"},
    )
    supply = bench.supply()
    ended: dict[str, str] = {}
    time_us = START
    bench.at(time_us)
    for wait_us, (actor, action, arguments) in story:
        time_us += wait_us
        watched(bench, (), lambda now=time_us: bench.at(now))
        sender = right_actor(bench, action, arguments) if actor == RIGHT else actor
        watched(bench, (sender,), lambda: act(bench, sender, action, arguments))
        assert bench.supply() == supply
        terminal_states_stay(bench, ended)


def act(bench: Bench, sender: str, action: str, arguments: dict) -> None:
    before = dict(bench.state)
    if action == "spend":
        amount = bench.cash(sender)
        outcome = bench.send(sender, "settlement.pay", payer=sender, payee="FB3", amount=amount)
    else:
        outcome = bench.send(sender, f"letter_of_credit.{action}", **arguments)
    if outcome.status != "applied":
        assert outcome.code is not None
        assert not outcome.code.startswith("E-INTERNAL"), outcome.text
        assert outcome.code != "E-INVARIANT", outcome.text
        assert bench.state == before


def watched(bench: Bench, signers: tuple[str, ...], do) -> None:
    """Run `do`; then no party that did not sign has lost more than its mandates allowed."""
    cash = {party: bench.cash(party) for party in PARTIES}
    allowed = dict.fromkeys(PARTIES, Money(0))
    for (_, _, party), mandate in bench.records("settlement", "mandates").items():
        allowed[party] += mandate["maximum"] - mandate["used"]
    do()
    bench.check_laws()
    for party in PARTIES:
        if party not in signers:
            assert cash[party] - bench.cash(party) <= allowed[party], party


def terminal_states_stay(bench: Bench, ended: dict[str, str]) -> None:
    for collection in ("credits", "drawings", "loans"):
        for key, record in bench.records("letter_of_credit", collection).items():
            name = f"{collection} {key}"
            assert ended.get(name, record["status"]) == record["status"], name
            if record["status"] in TERMINAL:
                ended[name] = record["status"]


def right_actor(bench: Bench, action: str, arguments: dict) -> str:
    """Say whose turn it is, from the records; anybody's where there is none."""
    collection, field = {
        "issue": ("credits", "issuing_bank"),
        "reject_application": ("credits", "issuing_bank"),
        "advise": ("credits", "advising_bank"),
        "present": ("credits", "beneficiary"),
        "forward": ("drawings", "presenting_bank"),
        "repay_advance": ("loans", "applicant"),
    }.get(action, ("drawings", "issuing_bank"))
    record = bench.records("letter_of_credit", collection).get(arguments["id"])
    return "IB1" if record is None else record[field]
