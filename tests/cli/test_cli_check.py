"""`check`: all errors of all files at once, in three forms, and what each code means."""

import json
import re
from pathlib import Path

import pytest
from cli_program import REPOSITORY, called

from consortium.commands.explain import ENGINE_CODES, TRADE_CODES
from consortium.scenario.codes import CODES
from consortium.vm.language import RULES

CONTRACT = "from consortium.contract import *\n\ndef half(x: int):\n    return x / 2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wrong.yaml").write_text("consortium: 1\nname: x\nbankz: []\n", encoding="utf-8")
    (tmp_path / "wrong.py").write_text(CONTRACT, encoding="utf-8")
    return tmp_path


def test_errors_of_all_files_come_at_once(folder):
    done = called("check", "wrong.yaml", "wrong.py", "missing.yaml", "missing.py", folder=folder)
    assert done.code == 2
    assert re.search(r"error\[S-\d+\].*bankz", done.out)
    assert "--> wrong.yaml:3:1" in done.out
    assert re.search(r"error\[E-LANG-\d+\]", done.out)
    assert "--> wrong.py:1:" in done.out
    assert done.out.count("error[S-001]") == 2
    assert re.search(r"\d+ errors .*exit 2\n$", done.out)


def test_the_bundled_contracts_are_right():
    contracts = sorted((REPOSITORY / "contracts").glob("*.py"))
    done = called("check", *contracts)
    assert (done.code, done.out, done.err) == (0, f"{len(contracts)} files are right\n", "")


def test_json_form(folder):
    done = called("check", "wrong.yaml", "wrong.py", "--format", "json", folder=folder)
    document = json.loads(done.out)
    assert (done.code, document["exit_code"]) == (2, 2)
    assert document["files"] == ["wrong.yaml", "wrong.py"]
    assert document["errors"] == len(document["problems"])
    assert {"code", "severity", "message", "file", "line", "column", "help"} <= document["problems"][0].keys()


def test_sarif_form(folder):
    done = called("check", "wrong.py", "--format", "sarif", folder=folder)
    assert done.code == 2
    document = json.loads(done.out)
    assert document["version"] == "2.1.0"
    run = document["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert result["ruleId"] in rules
        assert result["level"] == "error"
        location = result["locations"][0]["physicalLocation"]
        assert location["artifactLocation"]["uri"] == "wrong.py"
        assert location["region"]["startLine"] >= 1


def test_a_right_file_in_sarif_has_no_results():
    done = called("check", REPOSITORY / "contracts" / "noop.py", "--format", "sarif")
    assert json.loads(done.out)["runs"][0]["results"] == []


@pytest.mark.parametrize("code", [*CODES, *RULES, *ENGINE_CODES, *TRADE_CODES])
def test_every_code_is_explained(code):
    done = called("check", "--explain", code.lower())
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{code}: ")
    assert "{}" not in done.out


def test_no_code_that_the_engine_gives_is_unknown():
    files = [
        *(REPOSITORY / "consortium" / "vm").glob("*.py"),
        *(REPOSITORY / "consortium" / "ledger").glob("*.py"),
    ]
    given = {
        code for path in files for code in re.findall(r'"(E-[A-Z-]+)"', path.read_text(encoding="utf-8"))
    }
    assert given <= ENGINE_CODES.keys()
    contracts = (REPOSITORY / "contracts").glob("*.py")
    given = {code for path in contracts for code in re.findall(r'"(E_[A-Z_]+)"', path.read_text("utf-8"))}
    assert given <= TRADE_CODES.keys()
