"""The contract files as texts: they pass the checker, run as plain Python, and speak the trade's language."""

import ast
import importlib.util
import re

import pytest
from harness import CONTRACTS

from consortium.vm.check import check

FILES = sorted(CONTRACTS.glob("*.py"))
TRADE_CODES = {
    "E_ROLE", "E_STATE", "E_DATE", "E_AMOUNT", "E_EXPIRED", "E_TENOR", "E_DUP_INVOICE", "E_OVERDRAW", "E_FUNDS",
    "E_LIMIT", "E_HOLD", "E_SANCTION", "E_CONSENT", "E_PRECLUDED", "E_TOLERANCE", "E_NOT_OWNER", "E_PLEDGED",
    "E_STALE",
}  # fmt: skip
DOCUMENTED = {"action", "due", "query", "opening"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_checker_has_nothing_to_say(path):
    assert check(path.read_bytes(), str(path)) == ()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_contract_is_importable_python(path):
    spec = importlib.util.spec_from_file_location(f"contract_{path.stem}", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_function_that_others_call_is_described_in_a_sentence_or_two(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        if decorators_of(function) & DOCUMENTED:
            text = ast.get_docstring(function) or ""
            assert re.fullmatch(r"[A-Z].{10,200}[.]", text), f"{function.name}: {text!r}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_refusal_has_a_code_of_the_trade_and_a_text(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "require":
            assert len(node.args) == 3, node.lineno
            assert node.args[1].value in TRADE_CODES, node.lineno


def decorators_of(function: ast.FunctionDef) -> set[str]:
    return {
        decorator.id if isinstance(decorator, ast.Name) else decorator.func.id
        for decorator in function.decorator_list
    }
