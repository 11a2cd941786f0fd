"""Random lives of credits, legal and illegal steps mixed: no fen appears or is lost, and nobody pays unasked.

Each story draws its steps from what the records make possible next, then spoils some of them: another sender,
another amount, another record. Hypothesis draws the seed and shortens a story that fails to its first bad step.
"""

from collections import Counter
from contextlib import contextmanager
from random import Random
from typing import Any

from harness import BANKS, COMPANIES, CONTRACT_HASH, DOCUMENTS, Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.calendar import DAY_US, MINUTE_US, day_of, moment
from consortium.money import Day, Money

PARTIES = (*BANKS, *COMPANIES)
START = moment(Day.of("2026-03-02"), 600)
TERMINAL = {"PAID", "RETURNED", "CLOSED", "REJECTED", "REPAID", "VOID"}
WAITS_US = (*[0] * 12, MINUTE_US, 8 * 60 * MINUTE_US, DAY_US, DAY_US, 3 * DAY_US, 7 * DAY_US, 20 * DAY_US)
LIVE_CREDITS_MAX = 6
PERCENTAGES = ("0 %", "3.3333 %", "20 %", "100 %")
HOSTILE_AMOUNTS = (Money(-1), Money(0), Money(1), Money(10**16))
NEXT_ACTIONS = {
    # what may follow each status: the action, the field that names whose turn it is, how often it is chosen
    "APPLIED": (("issue", "issuing_bank", 8), ("reject_application", "issuing_bank", 1)),
    "ISSUED": (("advise", "advising_bank", 8),),
    "ADVISED": (("present", "beneficiary", 8),),
    "PRESENTED": (("forward", "presenting_bank", 8),),
    "FORWARDED": (
        ("accept", "issuing_bank", 3),
        ("honour_sight", "issuing_bank", 3),
        ("refuse", "issuing_bank", 1),
    ),
    "DEEMED_COMPLIANT": (("accept", "issuing_bank", 2), ("honour_sight", "issuing_bank", 2)),
    "ACCEPTED": (("pay", "issuing_bank", 2),),
    "OVERDUE": (("pay_overdue", "issuing_bank", 4),),
    "REFUSED": (("return_docs", "issuing_bank", 4),),
    "OPEN": (("repay_advance", "applicant", 4),),
}
BARE_ACTIONS = ("issue", "advise", "forward", "accept", "honour_sight", "return_docs", "pay", "pay_overdue")
LANDMARKS = (
    "auto_preclude",
    "pay_at_maturity",
    "auto_close",
    "tick_expiry",
    "letter_of_credit.honour_sight",
    "letter_of_credit.accept",
    "letter_of_credit.pay_overdue",
    "letter_of_credit.repay_advance",
    "letter_of_credit.return_docs",
    "settlement.mint",
    "E_ROLE",
    "E_STATE",
    "E_OVERDRAW",
    "E_FUNDS",
    "E_LIMIT",
)

# Seeds, and the issuing bank's opening funds: with none it is soon in default.
RICH_STORIES = ((0, "0.00 CNY"), (14, "0.00 CNY"), (24, "0.00 CNY"), (22, "600_000.00 CNY"))

Step = tuple[str, str, dict[str, Any]]
reached: Counter[str] = Counter()


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32), length=st.integers(1, 80), own=st.sampled_from(["600_000.00 CNY", "0.00 CNY"])
)
def test_no_story_breaks_a_law(seed: int, length: int, own: str) -> None:
    play(Random(seed), length, own)


def test_long_stories_reach_every_corner_and_break_no_law():
    reached.clear()
    for seed, own in RICH_STORIES:
        play(Random(seed), 200, own)
    assert [name for name in LANDMARKS if not reached[name]] == []


def play(random: Random, length: int, own: str) -> None:
    bench = Bench(
        own=own,
        deposits={"APP1": "900_000.00 CNY", "APP2": "700_000.00 CNY"},
        lines={("IB1", "APP1"): "1_500_000.00 CNY", ("IB1", "APP2"): "900_000.00 CNY"},
    )
    supply = bench.supply()
    ended: dict[str, str] = {}
    time_us = START
    for _ in range(length):
        if day_of(time_us) < Day.of("2027-06-01"):
            time_us += random.choice(WAITS_US)
        with nobody_pays_unasked(bench, signers=()):
            for done in bench.at(time_us):
                reached[done.function] += 1
        sender, function, arguments = random.choice(possible_steps(bench))
        arguments = arguments | details_of(random, bench, function, arguments)
        if random.random() < 0.15:
            sender, function, arguments = spoiled(random, sender, function, arguments)
        with nobody_pays_unasked(bench, signers=(sender,)):
            outcome = bench.send(
                sender, function, **arguments
            )  # refused means unchanged: the bench asserts it
        reached[function if outcome.status == "applied" else str(outcome.code)] += 1
        assert outcome.code not in ("E-INVARIANT", "E-INTERNAL", "E-OUT-OF-GAS"), outcome.text
        if function == "settlement.mint" and outcome.status == "applied":
            supply += arguments["amount"]
        assert bench.supply() == supply
        draws_fit_their_credits(bench)
        terminal_states_stay(bench, ended)


# --- the stories --------------------------------------------------------------------------------------------


def possible_steps(bench: Bench) -> list[Step]:
    """Return what the records allow next, and who would do it; and some ordinary payments."""
    steps: list[Step] = []
    known = bench.records("letter_of_credit", "credits")
    if sum(credit["status"] not in TERMINAL for credit in known.values()) < LIVE_CREDITS_MAX:
        for applicant in ("APP1", "APP2"):
            terms = {"number": f"LC-{len(known)}", "applicant": applicant}
            steps += [(applicant, "letter_of_credit.apply", terms)]
    for collection in ("credits", "drawings", "loans"):
        for key, record in bench.records("letter_of_credit", collection).items():
            too_late = record.get("advise_by") or record.get("forward_by")
            if record["status"] in ("ISSUED", "PRESENTED") and day_of(bench.time_us) > too_late:
                continue  # it would stay the most likely step of the story
            for action, field, often in NEXT_ACTIONS.get(record["status"], ()):
                steps += often * [(record[field], f"letter_of_credit.{action}", {"id": key})]
    for payer, payee in (("APP1", "IB1"), ("IB1", "APP1"), ("C2", "APP1"), ("C1", "APP2"), ("IB1", "C1")):
        steps += [(payer, "settlement.pay", {"payer": payer, "payee": payee})]
    return [*steps, ("CB", "settlement.mint", {"bank": "IB1"})]


def details_of(random: Random, bench: Bench, function: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that a step still needs."""
    today = day_of(bench.time_us)
    match function.partition(".")[2]:
        case "apply":
            tenor = random.choice(["SIGHT", "AFTER_DOC_DATE", "AFTER_SIGHT", "FIXED"])
            return {
                "beneficiary": random.choice(["C1", "C2"]),
                "issuing_bank": "IB1",
                "advising_bank": random.choice(["PB2", "IB1"]),
                "amount": Money(random.choice([100, 33_333_33, 50_000_000, 100_000_000])),
                "tenor": tenor,
                "expiry": today + random.choice([4, 30, 90]),
                "contract_hash": CONTRACT_HASH,
                "tenor_days": random.choice([5, 40]) if tenor.startswith("AFTER") else 0,
                "fixed_maturity": today + 20 if tenor == "FIXED" else None,
                "partial_shipments": random.choice([True, False]),
                "tolerance_plus": random.choice(PERCENTAGES),
                "tolerance_minus": random.choice(PERCENTAGES),
                "margin_rate": random.choice(PERCENTAGES),
            }
        case "mint":
            return {"amount": Money(10_000_000)}
        case "reject_application":
            return {"reason": "no limit"}
        case "present":
            credit = bench.record("letter_of_credit", "credits", arguments["id"])
            left = credit["maximum"] - credit["drawn"]
            return {
                "amount": random.choice([left, credit["minimum"], left // 2, left // 3, left + Money(1)]),
                "shipped": today - random.choice([0, 3, 14, 30]),
                "presenting_bank": random.choice(["PB2", "IB1"]),
                "documents": DOCUMENTS,
            }
        case "refuse":
            return {"discrepancies": ("SIGNATURE",), "disposition": "RETURN"}
        case "repay_advance":
            loan = bench.record("letter_of_credit", "loans", arguments["id"])
            return {"amount": random.choice([Money(1), loan["principal"] // 2, loan["principal"]])}
        case "pay" if "payer" in arguments:
            amount = bench.cash(arguments["payer"])
            return {"amount": random.choice([amount // 2, amount // 10, amount + Money(1)])}
        case _:
            return {}


def spoiled(random: Random, sender: str, function: str, arguments: dict[str, Any]) -> Step:
    """Return the step with something wrong in it."""
    kind = random.choice(["sender", "amount", "record", "action"])
    if kind == "amount" and "amount" in arguments:
        return sender, function, arguments | {"amount": random.choice(HOSTILE_AMOUNTS)}
    if kind == "record" and "id" in arguments:
        return sender, function, arguments | {"id": random.choice(["APP1/LC-0/1", "APP1/LC-1", "C1/Z"])}
    if kind == "action" and set(arguments) == {"id"}:
        return sender, f"letter_of_credit.{random.choice(BARE_ACTIONS)}", arguments
    return random.choice(PARTIES), function, arguments


# --- the laws -----------------------------------------------------------------------------------------------


@contextmanager
def nobody_pays_unasked(bench: Bench, signers: tuple[str, ...]):
    """After the block, no party that did not sign has lost more than its mandates allowed before it."""
    cash = bench.balances()
    allowed = dict.fromkeys(PARTIES, Money(0))
    for (_, _, party), mandate in bench.records("settlement", "mandates").items():
        allowed[party] += mandate["maximum"] - mandate["used"]
    yield
    bench.check_laws()
    after = bench.balances()
    for party in cash:
        if party not in signers:
            assert cash[party] - after[party] <= allowed[party], party


def draws_fit_their_credits(bench: Bench) -> None:
    """L1 and L3, from the records alone."""
    drawn: Counter[str] = Counter()
    for drawing in bench.records("letter_of_credit", "drawings").values():
        if drawing["status"] != "RETURNED":
            drawn[drawing["credit"]] += drawing["amount"].minor
    for key, credit in bench.records("letter_of_credit", "credits").items():
        assert drawn[key] == credit["drawn"].minor <= credit["maximum"].minor, key
        if credit["status"] in ("CLOSED", "REJECTED"):
            assert ("letter_of_credit", key, credit["applicant"]) not in bench.records(
                "settlement", "margins"
            )


def terminal_states_stay(bench: Bench, ended: dict[str, str]) -> None:
    """I7: what has ended does not change any more."""
    for contract, collection in (
        ("letter_of_credit", "credits"),
        ("letter_of_credit", "drawings"),
        ("letter_of_credit", "loans"),
        ("claim", "claims"),
    ):
        for key, record in bench.records(contract, collection).items():
            name = f"{collection} {key}"
            assert ended.get(name, record["status"]) == record["status"], name
            if record["status"] in TERMINAL:
                ended[name] = record["status"]
