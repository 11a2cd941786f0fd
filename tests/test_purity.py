"""The pure part stays pure: no clock, chance, input, output, floats or set order (design, section 2)."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "consortium"
PURE = ("contract", "vm", "ledger", "consensus", "node")
VALUES = ("encoding", "crypto", "merkle", "certificate", "membership", "calendar", "money")
FORBIDDEN_IMPORTS = {
    "asyncio", "concurrent", "multiprocessing", "os", "pathlib", "random", "secrets", "shutil", "signal", "socket",
    "subprocess", "sys", "tempfile", "threading", "time", "uuid", "logging",
    "sqlalchemy", "pydantic", "yaml", "typer", "starlette", "uvicorn", "aiomqtt",
}  # fmt: skip
FORBIDDEN_CALLS = {"open", "print", "input", "hash", "id", "eval", "exec", "float"}
# The engine compiles and runs contracts: that is what these calls are for, and nowhere else.
ALLOWED = {("vm/compile.py", "exec"), ("vm/execute.py", "exec"), ("vm/records.py", "exec")}


def problems_in(source: str, name: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Import):
            modules = [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [(node.module or "").split(".")[0]]
        else:
            modules = []
        found += [f"{name}:{line} imports {module}" for module in modules if module in FORBIDDEN_IMPORTS]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called = node.func.id
            if called in FORBIDDEN_CALLS and (name, called) not in ALLOWED and not _in_hash(source, line):
                found.append(f"{name}:{line} calls {called}()")
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append(f"{name}:{line} has the float {node.value}")
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            found.append(f"{name}:{line} is asynchronous")
        if isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Set | ast.SetComp):
            found.append(f"{name}:{line} iterates over a set")
        if isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Call):
            function = node.iter.func
            if isinstance(function, ast.Name) and function.id in {"set", "frozenset"}:
                found.append(f"{name}:{line} iterates over a set")
    return found


def _in_hash(source: str, line: int) -> bool:
    return any(
        isinstance(node, ast.FunctionDef)
        and node.name == "__hash__"
        and node.lineno <= line <= node.end_lineno
        for node in ast.walk(ast.parse(source))
    )


def pure_files() -> list[Path]:
    files = [PACKAGE / f"{name}.py" for name in VALUES]
    for package in PURE:
        files += sorted((PACKAGE / package).rglob("*.py"))
    return files


@pytest.mark.parametrize("path", pure_files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_pure_part_is_pure(path: Path) -> None:
    name = path.relative_to(PACKAGE).as_posix()
    assert problems_in(path.read_text(encoding="utf-8"), name) == []


@pytest.mark.parametrize(
    "source",
    ["import time", "from os import path", "open('x')", "x = 0.5", "for a in {1, 2}: pass", "y = [b for b in set(z)]",
     "async def f(): pass", "hash('text')"],
)  # fmt: skip
def test_the_test_sees_what_is_not_pure(source: str) -> None:
    assert problems_in(source, "node/node.py")
