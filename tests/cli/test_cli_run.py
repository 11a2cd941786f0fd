"""`run`, `demo`, `audit` and `replay` over the bundled story, in this process."""

import errno
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from cli_program import REPOSITORY, SCENARIO, Done, called

from consortium.report.text import StepLines

PROMISED = {
    "scenario", "seed", "verdict", "run_digest", "nodes", "transactions", "balances", "expectations", "checkers",
    "messages",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("story")


@pytest.fixture(scope="module")
def told(folder) -> Done:
    """The demo as text."""
    return called("demo", folder=folder)


@pytest.fixture(scope="module")
def document(folder, told) -> dict:
    done = called("run", SCENARIO, "--json", folder=folder)
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def test_the_demo_tells_the_trade_step_by_step(told):
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    apply = next(line for line in lines if "letter_of_credit.apply" in line)
    assert apply.split()[:4] == ["✓", "2026-03-02", "10:00", "app1"]
    assert "block 1" in apply
    assert apply.endswith("ms")
    assert sum(line.count("refused: E_") for line in lines) == 3
    assert any("due work  letter_of_credit.pay_at_maturity" in line for line in lines)
    for expected in ("1,658,600.00", "10,299,750.00", "41,400.00", "250.00", "verdict     ✓ true   exit 0"):
        assert expected in told.out
    assert "\x1b" not in told.out


def test_the_next_commands_work_as_printed(told, folder):
    printed = told.out.partition("\nnext\n")[2].splitlines()
    commands = [line.strip().partition("   ")[0] for line in printed if line.startswith("  consortium ")]
    assert len(commands) == 3
    for command in commands:
        done = called(*command.split()[1:], folder=folder)
        assert done.code == 0, (command, done)


def test_json_is_one_document_with_the_promised_keys(document):
    assert document.keys() >= PROMISED
    assert document["verdict"] == "true"
    assert document["scenario"] == "domestic-letter-of-credit"
    assert len(document["nodes"]) == 4
    assert len({(node["height"], node["state_root"]) for node in document["nodes"]}) == 1


def test_all_figures_of_the_story_are_right_to_the_fen(document):
    balances = document["balances"]
    assert balances["app1"]["deposit"] == {"CNY": "1658600.00"}
    assert balances["app1"]["margin"] == balances["app1"]["line_used"] == {"CNY": "0.00"}
    assert balances["c1"]["deposit"] == {"CNY": "10299750.00"}
    assert balances["ib1"]["income"] == {"CNY": "41400.00"}
    assert balances["pb2"]["income"] == {"CNY": "250.00"}
    refused = [each["code"] for each in document["transactions"] if each["status"] == "refused"]
    assert refused == ["E_TOLERANCE", "E_TOLERANCE", "E_DATE"]
    applied = [each for each in document["transactions"] if each["status"] == "applied"]
    assert all(each["code"] is None for each in applied)
    paid = next(each for each in document["transactions"] if each["action"] == "pay_at_maturity")
    assert (paid["step"], paid["actor"]) == ("due:letter_of_credit.pay_at_maturity", None)
    assert paid["business_time"] == "2026-10-08 17:00"
    assert document["expectations"]["failed"] == []


def test_text_and_json_name_the_same_run(told, document):
    assert f"run digest  {document['run_digest']}" in told.out


def test_another_seed_gives_other_messages_and_the_same_money(folder, document):
    other = json.loads(called("run", SCENARIO, "--json", "--seed", "7", folder=folder).out)
    assert other["run_digest"] != document["run_digest"]
    assert other["balances"] == document["balances"]
    assert other["nodes"][0]["state_root"] == document["nodes"][0]["state_root"]


def test_the_run_folder_holds_what_the_readme_says(folder, document):
    path = folder / document["folder"]
    assert {entry.name for entry in path.iterdir()} == {
        "summary.json", "journal.jsonl", "ledger.sqlite", "report.html", "scenario.yaml", "contracts",
    }  # fmt: skip
    summary = json.loads((path / "summary.json").read_text(encoding="utf-8"))
    assert {key: summary[key] for key in PROMISED} == {key: document[key] for key in PROMISED}
    assert str(folder) not in (path / "report.html").read_text(encoding="utf-8")


def test_a_party_s_report_holds_only_what_it_may_see(folder):
    done = called("run", SCENARIO, "--as", "c1", "--out", "eyes", "--signatures", "none", folder=folder)
    assert done.code == 0
    (path,) = (each for each in (folder / "eyes").iterdir() if each.is_dir())
    page = (path / "report.html").read_text(encoding="utf-8")
    assert "made for c1" in page
    assert "10,299,750.00" in page
    for hidden in ("1,658,600.00", "41,400.00", "9,889,500.00"):
        assert hidden not in page
        assert hidden not in done.out


def test_an_unknown_viewpoint_is_refused_before_anything_runs(tmp_path):
    done = called("run", SCENARIO, "--as", "app", folder=tmp_path)
    assert (done.code, done.err) == (2, "error: --as: there is no party 'app'; did you mean 'app1'?\n")
    assert list(tmp_path.iterdir()) == []


def test_quiet_says_nothing_about_a_good_run(tmp_path):
    done = called("run", SCENARIO, "--quiet", "--signatures", "none", "--journal", "off", folder=tmp_path)
    assert done == Done(0, "", "")


def test_a_reader_who_goes_away_does_not_disturb_the_run(tmp_path):
    program = [sys.executable, "-m", "consortium.cli", "run", str(SCENARIO), "--signatures", "none"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        program, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline().startswith(b"domestic-letter-of-credit")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0
    assert (tmp_path / "runs" / "last").is_file()


def test_a_failed_expectation_is_exit_1_and_shows_what_was_found(tmp_path):
    text = SCENARIO.read_text(encoding="utf-8").replace(
        "deposit: 1_658_600.00 CNY", "deposit: 1_658_600.01 CNY"
    )
    (tmp_path / "story.yaml").write_text(text, encoding="utf-8")
    done = called("run", "story.yaml", "--signatures", "none", folder=tmp_path)
    assert done.code == 1
    assert "1,658,600.01" in done.out
    assert "; instead: 1,658,600.00 CNY" in done.out
    assert "✗ false   exit 1" in done.out


def test_a_run_without_its_primary_is_exit_4_and_says_what_it_waits_for(tmp_path):
    text = SCENARIO.read_text(encoding="utf-8")
    fault = "faults:\n  - {at: 2026-03-03 09:00, crash: ib1}\n\ntimeline:\n"
    (tmp_path / "story.yaml").write_text(text.replace("timeline:\n", fault), encoding="utf-8")
    done = called("run", "story.yaml", "--signatures", "none", folder=tmp_path)
    assert done.code == 4
    assert "\nstalled\n" in done.out
    assert "waiting (expected applied)" in done.out


@pytest.mark.parametrize("out", ["file/runs", "file"])
def test_a_run_folder_that_cannot_be_written_is_exit_5(out, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = called("run", SCENARIO, "--out", out, folder=tmp_path)
    assert done.code == 5
    assert done.err.startswith("error: cannot write the run folder file")
    assert "--out DIR" in done.err


def test_a_full_disk_is_exit_5(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("consortium.scenario.folder.write_archive", full)
    done = called("run", SCENARIO, "--signatures", "none", folder=tmp_path)
    assert done.code == 5
    assert "No space left on device" in done.err


def test_an_interrupted_run_keeps_its_part_and_says_so(monkeypatch, tmp_path):
    lines = StepLines.line

    def interrupted(self, step):
        if step.action == "forward":
            raise KeyboardInterrupt
        return lines(self, step)

    monkeypatch.setattr(StepLines, "line", interrupted)
    done = called("run", SCENARIO, "--signatures", "none", folder=tmp_path)
    assert done.code == 130
    assert "interrupted" in done.out
    (path,) = (tmp_path / "runs").iterdir()
    assert path.name.endswith(".partial")
    assert f"consortium audit runs/{path.name}" in done.out
    summary = json.loads((path / "summary.json").read_text(encoding="utf-8"))
    assert (summary["outcome"], summary["exit_code"], summary["verdict"]) == ("interrupted", 130, "unknown")
    assert "The run is interrupted: what is shown is partial." in (path / "report.html").read_text("utf-8")
    assert called("audit", f"runs/{path.name}", folder=tmp_path).code in (0, 4)


# --- audit and replay -------------------------------------------------------------------------------------------


def test_an_audit_says_what_it_covers_and_what_not(folder, document):
    done = called("audit", document["folder"], folder=folder)
    assert (done.code, done.err) == (0, "")
    assert "✓ true: everything covered holds" in done.out
    assert "not covered" in done.out
    found = json.loads(called("audit", "last", "--json", folder=folder).out)
    assert (found["verdict"], found["findings"], found["exit_code"]) == ("true", [], 0)


def test_a_changed_ledger_is_exit_3_and_names_the_block(folder, document, tmp_path):
    copy = tmp_path / "ledger.sqlite"
    copy.write_bytes((folder / document["folder"] / "ledger.sqlite").read_bytes())
    with sqlite3.connect(copy) as database:
        database.execute("UPDATE blocks SET hash = zeroblob(32) WHERE height = 3")
    database.close()
    done = called("audit", copy)
    assert done.code == 3
    assert "✗ block 3: blocks: " in done.out
    assert json.loads(called("audit", copy, "--json").out)["verdict"] == "false"
    assert called("audit", copy, "--quiet").code == 3


def test_a_replay_is_equal_byte_for_byte(folder, document):
    done = called("replay", document["folder"], "--json", folder=folder)
    assert done.code == 0
    found = json.loads(done.out)
    assert (found["equal"], found["run_digest"]) == (True, document["run_digest"])


def test_a_changed_journal_is_exit_3_at_its_first_difference(folder, document):
    path = folder / document["folder"] / "journal.jsonl"
    original = path.read_bytes()
    lines = original.splitlines(keepends=True)
    lines[41] = lines[41].replace(b'"us":', b'"us":1', 1)
    try:
        path.write_bytes(b"".join(lines))
        done = called("replay", document["folder"], folder=folder)
    finally:
        path.write_bytes(original)
    assert done.code == 3
    assert "first difference at line 42" in done.err


def test_a_changed_summary_is_exit_3(folder, document):
    path = folder / document["folder"] / "summary.json"
    original = path.read_text(encoding="utf-8")
    try:
        path.write_text(original.replace(document["run_digest"], "00" * 32), encoding="utf-8")
        done = called("replay", document["folder"], folder=folder)
    finally:
        path.write_text(original, encoding="utf-8")
    assert done.code == 3
    assert "another run digest" in done.err


def test_a_run_without_a_journal_cannot_be_replayed(tmp_path):
    called("run", SCENARIO, "--signatures", "none", "--journal", "off", folder=tmp_path)
    done = called("replay", "last", folder=tmp_path)
    assert done.code == 2
    assert "--journal off" in done.err


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"options": {"no": 1}, "seed": 1}'])
def test_a_damaged_summary_is_exit_2(text, tmp_path):
    (tmp_path / "summary.json").write_text(text, encoding="utf-8")
    done = called("replay", tmp_path)
    assert done.code == 2
    assert "Traceback" not in done.err
