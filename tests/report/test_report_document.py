"""The JSON document: the promised keys in their promised forms, and a golden file of the whole."""

import json

from report_samples import FINISHED, HOSTILE, STALLED
from snapshots import same_as_snapshot

from consortium.report.document import document, document_text

PROMISED = [
    "schema", "scenario", "seed", "verdict", "run_digest", "nodes", "transactions", "balances", "expectations",
    "checkers", "messages",
]  # fmt: skip


def test_a_finished_run_is_this_document():
    same_as_snapshot("finished.json", document_text(FINISHED))


def test_the_promised_keys_come_first():
    assert list(document(STALLED))[: len(PROMISED)] == PROMISED


def test_the_promised_forms():
    found = document(FINISHED)
    assert found["schema"] == 1
    assert found["verdict"] == "true"
    assert found["balances"]["APP1"]["deposit"] == {"CNY": "1658600.00"}
    assert found["balances"]["IB1"]["income"] == {"CNY": "41400.00"}
    assert found["expectations"] == {"met": 5, "failed": []}
    assert found["messages"] == {
        "request": 9, "pre-prepare": 30, "prepare": 90, "commit": 120, "checkpoint": 12, "reply": 77,
    }  # fmt: skip
    assert {"id", "height", "state_root"} <= found["nodes"][0].keys()
    assert found["checkers"][0] == {"name": "agreement", "verdict": "true", "reason": "0 things compared"}
    applied, refused = found["transactions"][0], found["transactions"][3]
    assert (applied["status"], applied["code"], applied["height"]) == ("applied", None, 1)
    assert (refused["status"], refused["code"], refused["actor"]) == ("refused", "E_TOLERANCE", "C1")


def test_due_work_is_a_transaction_without_actor():
    due = document(FINISHED)["transactions"][9]
    assert (due["step"], due["actor"], due["latency_us"]) == (
        "due:letter_of_credit.pay_at_maturity", None, None,
    )  # fmt: skip


def test_failed_expectations_say_what_was_found():
    assert document(STALLED)["expectations"] == {
        "met": 1,
        "failed": ["APP1 deposit == 1658600.00 CNY; instead: 12000000.00 CNY"],
    }


def test_the_document_is_one_line_of_ascii_after_another_and_names_no_folder():
    text = document_text(HOSTILE)
    assert json.loads(text) == document(HOSTILE)
    assert text.isascii()
    assert "secret" not in text
