"""The credits that the contract tests are about, and short cuts to each stage of their lives."""

from typing import Any

from harness import CONTRACT_HASH, DOCUMENTS, Bench

LC = "APP1/LC-1"
D1 = "APP1/LC-1/1"


def usance_terms(**changes: Any) -> dict[str, Any]:
    """The credit of scenario S1: 10,000,000.00 +-5 %, 180 days after shipment, margin 20 %."""
    terms = {
        "number": "LC-1",
        "applicant": "APP1",
        "beneficiary": "C1",
        "issuing_bank": "IB1",
        "advising_bank": "PB2",
        "amount": "10_000_000.00 CNY",
        "tenor": "AFTER_DOC_DATE",
        "expiry": "2026-05-29",
        "contract_hash": CONTRACT_HASH,
        "tenor_days": 180,
        "latest_shipment": "2026-04-30",
        "presentation_days": 15,
        "tolerance_plus": "5 %",
        "tolerance_minus": "5 %",
        "margin_rate": "20 %",
    }
    return terms | changes


def sight_terms(**changes: Any) -> dict[str, Any]:
    """The credit of scenario S2: 5,000,000.00 at sight, partial shipments, margin 20 %."""
    terms = {
        "number": "LC-1",
        "applicant": "APP1",
        "beneficiary": "C1",
        "issuing_bank": "IB1",
        "advising_bank": "PB2",
        "amount": "5_000_000.00 CNY",
        "tenor": "SIGHT",
        "expiry": "2026-06-30",
        "contract_hash": CONTRACT_HASH,
        "latest_shipment": "2026-06-15",
        "partial_shipments": True,
        "margin_rate": "20 %",
    }
    return terms | changes


def s1_bench(**changes: Any) -> Bench:
    settings = {"deposits": {"APP1": "12_000_000.00 CNY"}, "lines": {("IB1", "APP1"): "10_000_000.00 CNY"}}
    return Bench(**(settings | changes))


def applied(bench: Bench, day: str = "2026-03-02", **changes: Any) -> Bench:
    bench.at(f"{day} 10:00")
    bench.applied("APP1", "letter_of_credit.apply", **usance_terms(**changes))
    return bench


def issued(bench: Bench, day: str = "2026-03-02", **changes: Any) -> Bench:
    applied(bench, day, **changes)
    bench.applied("IB1", "letter_of_credit.issue", id=LC)
    return bench


def advised(bench: Bench, day: str = "2026-03-02", **changes: Any) -> Bench:
    issued(bench, day, **changes)
    bench.applied("PB2", "letter_of_credit.advise", id=LC)
    return bench


def presented(bench: Bench, amount: str = "10_300_000.00 CNY", **changes: Any) -> Bench:
    advised(bench, **changes)
    bench.at("2026-04-17 10:00")
    present(bench, amount, "2026-04-10")
    return bench


def forwarded(bench: Bench, amount: str = "10_300_000.00 CNY", **changes: Any) -> Bench:
    presented(bench, amount, **changes)
    bench.at("2026-04-20 10:00")
    bench.applied("PB2", "letter_of_credit.forward", id=D1)
    return bench


def accepted(bench: Bench, amount: str = "10_300_000.00 CNY", **changes: Any) -> Bench:
    forwarded(bench, amount, **changes)
    bench.at("2026-04-24 10:00")
    bench.applied("IB1", "letter_of_credit.accept", id=D1)
    return bench


def present(bench: Bench, amount: str, shipped: str, credit: str = LC) -> str:
    drawing: str = bench.applied("C1", "letter_of_credit.present", **presentation(amount, shipped, credit))
    return drawing


def presentation(amount: str, shipped: str, credit: str = LC) -> dict[str, Any]:
    return {
        "id": credit,
        "amount": amount,
        "shipped": shipped,
        "presenting_bank": "PB2",
        "documents": DOCUMENTS,
    }
