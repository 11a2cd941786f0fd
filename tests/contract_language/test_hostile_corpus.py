"""Every hostile contract of the corpus has exactly its one outcome (`hostile.yaml`)."""

import re
from pathlib import Path

import pytest
import yaml
from engine_bench import IMPORT, Bench, value_of

from consortium.vm.check import check
from consortium.vm.execute import ContractSet, load_contract

CASES = yaml.safe_load(Path(__file__).with_name("hostile.yaml").read_text(encoding="utf-8"))
# What the alias cases of group D speak of.
PEER = "@action\ndef grow(xs: list[int]):\n    xs.append(2)\n"
BOXES = (
    '@record(key="id")\nclass Box:\n    id: Id\n    parts: list[int]\nboxes = collection(Box)\n'
    "@opening\ndef begin():\n    boxes.add(Box(id='a', parts=[1]))\n"
)


def source_of(case: dict) -> str:
    """Return the whole file: import on top (below leading comments), marks above unmarked functions."""
    if "repeated" in case:
        return "".join(text * count for text, count in case["repeated"])
    lines, marked = [], False
    body = case["source"].rstrip("\n").split("\n")
    comments = []
    while body and body[0].startswith("#"):
        comments.append(body.pop(0))
    for line in body:
        name = re.match(r"def (\w+)", line)
        if name and not marked:
            lines.append("@action" if name[1] == "f" else "@helper")
        marked = line.startswith("@")
        lines.append(line)
    boxes = BOXES if "boxes" in case["source"] else ""
    return "\n".join([*comments, IMPORT + boxes + "\n".join(lines), ""])


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_hostile_contract_has_its_one_outcome(case):
    source = source_of(case).encode()
    kind, _, detail = case["expected"].partition(": ")
    findings = check(source, "hostile.py")
    if kind == "deploy":
        assert detail in {finding.rule for finding in findings}, [str(finding) for finding in findings]
        return
    assert not findings, [str(finding) for finding in findings]
    compiled = [load_contract("c", 1, source, "hostile.py")]
    compiled.append(load_contract("peer", 1, (IMPORT + PEER).encode(), "peer.py"))
    ledger = Bench(ContractSet(compiled))
    if "boxes" in case.get("source", ""):
        assert ledger.opens("begin").status == "applied"
    before = dict(ledger.state.entries)
    outcome = ledger.run("f")
    if kind == "ok":
        assert value_of(outcome) == yaml.safe_load(detail)
    else:
        expected = "E-OUT-OF-GAS" if kind == "out of gas" else detail
        assert outcome.code == expected, outcome
        assert outcome.writes == ()
        assert ledger.state.entries == before


def test_the_corpus_is_complete():
    ids = {case["id"] for case in CASES}
    expected = {
        f"{group}{number:02d}"
        for group, count in (("A", 26), ("B", 27), ("C", 3), ("D", 25))
        for number in range(1, count + 1)
    }
    assert expected <= ids
    sized = {case["id"] for case in CASES if case["expected"] == "revert: E-VALUE-SIZE"}
    assert {f"{name}-near" for name in sized} <= ids
