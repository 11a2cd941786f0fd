"""Whatever the bytes: a scenario, or the list of what is wrong with it. Never anything else."""

import pytest
from fake_catalog import GOOD, FakeCatalog
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.scenario.load import load_text
from consortium.scenario.model import Scenario
from consortium.scenario.problems import ScenarioInvalid

WORDS = (
    "banks", "id", "ib1", "app1", "timeline", "at", "+0bd 10:00", "as", "do", "credit.apply", "with", "$lc", "save", "expect",
    "that", "sum($lc.x) == 1", "5.00 CNY", "2.60 %", "null", "true", "NO", "010", "-1", "1e5", "90 s", "end", "extends", ".", "<<",
    "together", "faults", "crash", "<step>", "2026-02-30", "../x", "", "é", "balances", "consensus", "f", "own", "key", "contracts",
)  # fmt: skip


def outcome(data, **kwargs):
    """Anything but a scenario or ScenarioInvalid comes out of here as it is, and fails the test."""
    try:
        return load_text(data, catalog=FakeCatalog(), **kwargs)
    except ScenarioInvalid as invalid:
        return invalid


def check(data):
    result = outcome(data)
    if isinstance(result, Scenario):
        return
    assert any(problem.severity == "error" for problem in result.problems)
    for problem in result.problems:
        assert problem.line == 0 or problem.column >= 1
        assert problem.line == 0 or problem.excerpt is not None
    assert "Traceback" not in str(result)


@settings(max_examples=150)
@given(st.binary(max_size=200))
def test_any_bytes(data):
    check(data)


@settings(max_examples=150)
@given(st.text(alphabet="ab:-[]{}&*!|>%@`'\"#,?\n\t $.0\u0661\u2028é", max_size=80))
def test_any_text(text):
    check(text)


@settings(max_examples=150)
@given(
    position=st.integers(0, len(GOOD)),
    length=st.integers(0, 60),
    insert=st.one_of(st.sampled_from(WORDS), st.text(alphabet="ab:-[]{}&*!|>%'\"#,\n\t $.0", max_size=8)),
)
def test_a_good_file_with_one_piece_replaced(position, length, insert):
    check(GOOD[:position] + insert + GOOD[position + length :])


NODES = st.recursive(
    st.sampled_from(WORDS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
        st.lists(st.tuples(st.sampled_from(WORDS), inner), max_size=4).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=12,
)
SECTIONS = st.sampled_from(
    ["calendar", "banks", "corporates", "regulator", "central_bank", "limits", "network", "consensus", "contracts",
     "faults", "timeline", "expect", "load", "seed", "title", "extends"]
)  # fmt: skip


@settings(max_examples=200)
@given(section=SECTIONS, node=NODES)
def test_a_good_file_with_a_section_of_the_wrong_shape(section, node):
    lines = [line for line in GOOD.split("\n") if not line.startswith(f"{section}:")]
    check("\n".join([*lines, f"{section}: {node}", ""]))


@settings(max_examples=100)
@given(
    path=st.lists(st.sampled_from([*WORDS, "0", "3"]), max_size=4).map(".".join), value=st.sampled_from(WORDS)
)
def test_any_override(path, value):
    result = outcome(GOOD, overrides={path: value})
    assert isinstance(result, Scenario) or all(problem.file for problem in result.problems)


@pytest.mark.parametrize(
    "data",
    [b"? ", b"?\n?", b"{? a}", b"!!binary x", b"a: !<tag:yaml.org,2002:int> x", b"%TAG ! x\n---\na: 1"],
)
def test_odd_corners_of_yaml(data):
    check(data)
