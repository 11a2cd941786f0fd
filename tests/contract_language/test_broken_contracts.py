"""Broken contracts and the complete text their author sees (`broken/*.py` beside `broken/*.txt`).

`REWRITE_GOLDEN=1 pytest tests/contract_language/test_broken_contracts.py` writes the texts anew.
"""

import os
from pathlib import Path

import pytest

from consortium.vm.check import check
from consortium.vm.execute import ContractRejected, load_contract
from consortium.vm.language import RULES

BROKEN = Path(__file__).with_name("broken")
CASES = sorted(BROKEN.glob("*.py"))


def report_of(path: Path) -> str:
    findings = check(path.read_bytes(), f"broken/{path.name}")
    return "".join(f"{finding}\n" for finding in findings) or "nothing is wrong\n"


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_a_broken_contract_is_explained(path):
    golden = path.with_suffix(".txt")
    report = report_of(path)
    if os.environ.get("REWRITE_GOLDEN"):
        golden.write_bytes(report.encode())
    assert report == golden.read_bytes().decode()


def test_loading_a_broken_contract_raises_the_same_text():
    path = BROKEN / "division.py"
    with pytest.raises(ContractRejected) as rejected:
        load_contract("division", 1, path.read_bytes(), f"broken/{path.name}")
    assert f"{rejected.value}\n" == report_of(path)


def test_the_corpus_meets_every_rule():
    met = {finding.rule for path in CASES for finding in check(path.read_bytes(), path.name)}
    assert set(RULES) - met == set()
    assert len(CASES) >= 20
