"""Whole runs of the bundled credit: to the fen, reproducible, and right about what goes wrong."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from run_cases import CREDIT, PRIMARY_CRASH, consortium, credit_with, run_json

from consortium.errors import ExitCode
from consortium.scenario.load import load
from consortium.scenario.run import RunOptions, run_scenario


def credit(path=CREDIT, **options):
    return run_scenario(load(path), RunOptions(**{"signatures": "mac", **options}))


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    return run_json(CREDIT, tmp_path_factory.mktemp("runs"))


def test_the_credit_comes_out_to_the_fen(document):
    code, found = document
    assert code == 0
    assert found["verdict"] == "true"
    assert found["balances"] == {
        "ib1": {"own": {"CNY": "1000041400.00"}, "income": {"CNY": "41400.00"}},
        "pb2": {"own": {"CNY": "1000000250.00"}, "income": {"CNY": "250.00"}},
        "vb1": {"own": {"CNY": "1000000000.00"}, "income": {"CNY": "0.00"}},
        "vb2": {"own": {"CNY": "1000000000.00"}, "income": {"CNY": "0.00"}},
        "app1": {"deposit": {"CNY": "1658600.00"}, "margin": {"CNY": "0.00"}, "line_used": {"CNY": "0.00"}},
        "c1": {"deposit": {"CNY": "10299750.00"}, "margin": {"CNY": "0.00"}, "line_used": {"CNY": "0.00"}},
    }
    assert found["expectations"]["failed"] == []
    assert {each["verdict"] for each in found["checkers"]} == {"true"}
    assert [(t["status"], t["code"]) for t in found["transactions"] if t["code"]] == [
        ("refused", "E_TOLERANCE"),
        ("refused", "E_TOLERANCE"),
        ("refused", "E_DATE"),
    ]
    assert found["transactions"][-2]["business_time"].startswith("2026-10-08")


def test_the_document_has_the_promised_keys(document):
    _, found = document
    assert {
        "scenario",
        "seed",
        "verdict",
        "run_digest",
        "nodes",
        "transactions",
        "balances",
        "expectations",
        "checkers",
        "messages",
    } <= set(found)
    assert {"id", "height", "state_root"} <= set(found["nodes"][0])
    assert {"step", "contract", "action", "status", "code", "height"} <= set(found["transactions"][0])
    assert set(found["checkers"][0]) >= {"name", "verdict"}


def test_all_banks_end_with_one_ledger(document):
    _, found = document
    assert len({(node["height"], node["state_root"]) for node in found["nodes"]}) == 1


@pytest.mark.parametrize("n", [4, 7, 10, 16])
def test_messages_equal_the_formula(n):
    view = credit(nodes=n).view
    assert view.verdict == "true"
    sent = {each.type: each.sent for each in view.messages}
    assert sent["pre-prepare"] == view.batches * (n - 1)
    assert sent["prepare"] == view.batches * (n - 1) ** 2
    assert sent["commit"] == view.batches * n * (n - 1)


# --- the same run again ------------------------------------------------------------------------------------


def test_the_digest_does_not_depend_on_signatures_sharing_or_journal():
    digests = {
        credit(**options).run_digest
        for options in (
            {},
            {"signatures": "none"},
            {"signatures": "ed25519"},
            {"share_execution": False},
            {"journal": "off"},
        )
    }
    assert len(digests) == 1


def test_another_seed_gives_another_schedule_and_the_same_ledger():
    first, second = credit(seed=1), credit(seed=2)
    assert first.run_digest != second.run_digest
    assert first.witness.tip.header.state_root == second.witness.tip.header.state_root
    assert first.view.parties == second.view.parties


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_the_digest_does_not_depend_on_the_hash_seed(document, tmp_path, hash_seed):
    _, found = run_json(CREDIT, tmp_path, "--signatures", "none", PYTHONHASHSEED=hash_seed)
    assert found["run_digest"] == document[1]["run_digest"]


def test_one_bank_of_four_more_changes_balances_of_nobody():
    assert [p for p in credit(nodes=5).view.parties if p.party != "bank05"] == list(credit().view.parties)


# --- what goes wrong ------------------------------------------------------------------------------------------


def test_one_wrong_key_is_refused_counted_and_survived(tmp_path):
    view = credit(credit_with(tmp_path, faults="  - {wrong_key: vb1}")).view
    assert view.verdict == "true"
    refused = [each for each in view.rejections if each.cause == "signature"]
    assert {each.node for each in refused} == {"ib1", "pb2", "vb2"}
    assert {each.sender for each in refused} == {"2"}
    assert sum(each.count for each in refused) > 20


def test_two_wrong_keys_of_four_stall_the_run(tmp_path):
    path = credit_with(tmp_path, faults="  - {wrong_key: vb1}\n  - {wrong_key: vb2}")
    view = credit(path).view
    assert (view.outcome, view.exit_code) == ("stalled", ExitCode.STALLED)
    assert any("1 more PREPARE" in reason and "vb1, vb2" in reason for reason in view.outcome_reason)


@pytest.mark.parametrize("signatures", ["mac", "ed25519", "none"])
@pytest.mark.parametrize("nodes", [4, 7])
def test_a_dead_primary_is_replaced_and_the_trade_ends_to_the_fen(nodes, signatures):
    """It crashes before the third act: service resumes within two view timeouts, the ledger is the same."""
    run = credit(PRIMARY_CRASH, nodes=nodes, signatures=signatures)
    view = run.view
    assert view.verdict == "true"
    assert [node.is_running for node in view.nodes] == [False] + [True] * (nodes - 1)
    slowest = max(step.latency_us or 0 for step in view.steps)
    assert 400_000 < slowest < 800_000
    sent = {each.type: each.sent for each in view.messages}
    assert sent["view-change"] == (nodes - 1) ** 2
    assert sent["new-view"] == nodes - 1
    parties = {each.party: each.accounts for each in view.parties}
    assert parties == {each.party: each.accounts for each in credit(nodes=nodes).view.parties}


def test_two_dead_of_four_stall_the_run_and_what_is_missing_is_named(tmp_path):
    faults = "  - {at: 2026-04-01, crash: vb1}\n  - {at: 2026-04-01, crash: vb2}"
    view = credit(credit_with(tmp_path, faults=faults)).view
    assert (view.outcome, view.exit_code) == ("stalled", ExitCode.STALLED)
    assert any("VIEW-CHANGE (missing: " in reason and "vb1, vb2)" in reason for reason in view.outcome_reason)
    assert view.blocks[-1].height == 3


def test_a_dead_backup_is_survived(tmp_path):
    view = credit(credit_with(tmp_path, faults="  - {at: 2026-04-01, crash: vb2}")).view
    assert view.verdict == "true"
    assert [node.is_running for node in view.nodes] == [True, True, True, False]


@pytest.mark.parametrize("share", [True, False])
def test_loss_is_survived(share, tmp_path):
    path = credit_with(
        tmp_path,
        (
            "network: {preset: metro}",
            "network: {preset: metro, loss: 10 %, duplication: 5 %, reordering: 5 %}",
        ),
    )
    run = credit(path, share_execution=share)
    assert run.view.verdict == "true"
    assert run.witness.tip.header.state_root == credit().witness.tip.header.state_root


def test_an_expectation_that_fails_is_exit_1(tmp_path):
    code, found = run_json(
        credit_with(tmp_path, ("c1: {deposit: 10_299_750.00 CNY}", "c1: {deposit: 10_299_750.01 CNY}")),
        tmp_path,
        "--signatures",
        "none",
    )
    assert code == ExitCode.EXPECTATION_FAILED
    assert len(found["expectations"]["failed"]) == 1
    assert "10,299,750.00" in found["expectations"]["failed"][0]


def test_a_step_that_is_refused_unexpectedly_is_exit_1(tmp_path):
    view = credit(credit_with(tmp_path, ("amount: 10_300_000.00 CNY", "amount: 10_600_000.00 CNY"))).view
    assert view.exit_code == ExitCode.EXPECTATION_FAILED
    assert any(not step.is_expected and step.code == "E_TOLERANCE" for step in view.steps)
    skipped = [step for step in view.steps if step.status == "skipped"]
    assert {step.action for step in skipped} == {"forward", "accept"}
    assert "$drawing was not saved" in skipped[0].refusal


@pytest.mark.parametrize(
    ("change", "deposit", "income"),
    [
        # 10,000,000.00: fee 0.05 % x 6 = 30,000.00; issuance 10,500.00
        (("amount: 10_300_000.00 CNY", "amount: 10_000_000.00 CNY"), "1959500.00", "40500.00"),
        # the cap itself: 10,500,000.00; acceptance fee 31,500.00
        (("amount: 10_300_000.00 CNY", "amount: 10_500_000.00 CNY"), "1458000.00", "42000.00"),
        # the minimum itself
        (("amount: 10_300_000.00 CNY", "amount: 9_500_000.00 CNY"), "2461000.00", "39000.00"),
    ],
)
def test_other_draws_come_out_by_the_rule(tmp_path, change, deposit, income):
    parties = {
        each.party: {a.account: a.amount for a in each.accounts}
        for each in credit(credit_with(tmp_path, change)).view.parties
    }
    assert parties["app1"]["deposit"] == deposit
    assert parties["ib1"]["income"] == income


def test_an_applicant_without_cash_leaves_an_advance_and_the_seller_is_paid(tmp_path):
    view = credit(credit_with(tmp_path, ("cash: 12_000_000.00 CNY", "cash: 5_000_000.00 CNY"))).view
    parties = {each.party: {a.account: a.amount for a in each.accounts} for each in view.parties}
    assert parties["c1"]["deposit"] == "10299750.00"
    assert parties["app1"]["deposit"] == "0.00"
    assert any(event.name == "Advanced" for step in view.steps for event in step.events)


# --- folders -------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(document, tmp_path):
    """A copy of a run's folder, to be damaged at will."""
    return Path(shutil.copytree(document[1]["folder"], tmp_path / "kept"))


def test_a_kept_run_audits_and_replays(kept):
    assert consortium("audit", str(kept))[0] == 0
    code, stdout, _ = consortium("replay", str(kept))
    assert code == 0
    assert "equal byte for byte" in stdout


def test_a_changed_journal_is_reported_at_the_first_difference(kept):
    journal = kept / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    lines[40] = lines[40].replace('"us":', '"us":1', 1)
    journal.write_text("".join(lines))
    code, _, stderr = consortium("replay", str(kept))
    assert code == ExitCode.SAFETY_VIOLATED
    assert "line 41" in stderr


def test_a_changed_scenario_is_reported_at_the_first_difference(kept):
    scenario = kept / "scenario.yaml"
    text = scenario.read_text()
    assert "10_300_000.00 CNY" in text or "10300000.00 CNY" in text
    scenario.write_text(
        text.replace("10_300_000.00 CNY", "10_300_000.01 CNY").replace("10300000.00 CNY", "10300000.01 CNY")
    )
    code, _, stderr = consortium("replay", str(kept))
    assert code == ExitCode.SAFETY_VIOLATED
    assert "first difference" in stderr


@pytest.mark.parametrize(
    "table", ["blocks", "transactions", "receipts", "certificates", "state_nodes", "state_current", "bundles"]
)
def test_one_changed_byte_in_the_ledger_is_exit_3(kept, table):
    with sqlite3.connect(kept / "ledger.sqlite") as database:
        column = {"blocks": "header", "state_current": "value"}.get(table, "body")
        (body,) = database.execute(
            f"select {column} from {table} order by length({column}) desc limit 1"
        ).fetchone()
        changed = body[:-1] + bytes([body[-1] ^ 1])
        database.execute(f"update {table} set {column} = ? where {column} = ?", (changed, body))
    code, stdout, _ = consortium("audit", str(kept))
    assert code == ExitCode.SAFETY_VIOLATED
    assert "block" in stdout or "height" in stdout


def test_a_read_only_place_is_exit_5_before_anything_runs(tmp_path):
    place = tmp_path / "file"
    place.write_text("not a folder")
    code, stdout, stderr = consortium("run", str(CREDIT), "--out", str(place))
    assert code == ExitCode.ENVIRONMENT
    assert "--out" in stderr
    assert "Traceback" not in stdout + stderr


def test_the_report_is_one_offline_page(kept):
    page = (kept / "report.html").read_text(encoding="utf-8")
    for text in ("app1/LC-1", "1,658,600.00", "E_TOLERANCE", "pre-prepare", "sees all"):
        assert text in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert "<script src" not in page
