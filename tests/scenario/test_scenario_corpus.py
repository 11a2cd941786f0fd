"""Broken scenario files with the text that people see.

Run with CONSORTIUM_REWRITE=1 to write the texts anew, and look at every difference before keeping it.
"""

import os
from pathlib import Path

import pytest

from consortium.scenario.codes import CODES
from consortium.scenario.load import load
from consortium.scenario.problems import ScenarioInvalid, render

BROKEN = Path(__file__).parent / "broken"
FILES = sorted(path.name for path in BROKEN.glob("*.yaml"))
# Found elsewhere: paths that are no files, command-line options, and what only a run can find.
CODES_WITHOUT_FILE = {"S-001", "S-002", "S-003", "S-004", "S-020", "S-212", "S-411", "S-412"}


@pytest.fixture(autouse=True)
def _in_the_corpus(monkeypatch):
    monkeypatch.chdir(BROKEN)


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_is_explained(name):
    with pytest.raises(ScenarioInvalid) as caught:
        load(name)
    text = render(caught.value.problems) + "\n"
    golden = BROKEN / name.replace(".yaml", ".txt")
    if os.environ.get("CONSORTIUM_REWRITE"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    assert text == f"{caught.value}\n"
    assert "Traceback" not in text
    assert str(BROKEN) not in text


def test_every_text_belongs_to_a_file():
    assert sorted(path.name for path in BROKEN.glob("*.txt")) == [
        name.replace(".yaml", ".txt") for name in FILES
    ]
    assert len(FILES) >= 30


def test_every_code_is_seen_and_explained():
    seen = set()
    for name in FILES:
        with pytest.raises(ScenarioInvalid) as caught:
            load(name)
        seen |= {problem.code for problem in caught.value.problems}
    assert seen | CODES_WITHOUT_FILE == set(CODES)


def test_many_mistakes_are_found_at_once():
    with pytest.raises(ScenarioInvalid) as caught:
        load("many_at_once.yaml")
    codes = [problem.code for problem in caught.value.problems]
    assert len(codes) >= 9
    assert {"S-101", "S-103", "S-110", "S-128", "S-141", "S-201", "S-207", "S-301", "S-310"} <= set(codes)


def test_problems_stand_in_the_order_of_the_file():
    with pytest.raises(ScenarioInvalid) as caught:
        load("many_at_once.yaml")
    places = [(problem.line, problem.column) for problem in caught.value.problems]
    assert places == sorted(places)
