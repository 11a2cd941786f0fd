"""`consortium check`: scenarios and contracts, all errors of all files at once, as text, JSON or SARIF."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import consortium
from consortium.commands.console import Console
from consortium.commands.explain import title_of
from consortium.errors import ExitCode, InputError
from consortium.scenario.load import display_name, load
from consortium.scenario.nodes import Refused
from consortium.scenario.problems import ENVIRONMENT_CODES, Problem, ScenarioInvalid, render
from consortium.scenario.source import read_source
from consortium.vm.check import check as findings_of

SCHEMA = 1
SARIF_ADDRESS = "https://json.schemastore.org/sarif-2.1.0.json"
# What a file is, before anybody looks at its text.
_FILE_CODES = frozenset({"S-001", "S-002", "S-003", "S-004"})


def check(console: Console, files: Sequence[Path], form: str) -> int:
    """Check every file; a contract is told by its ending."""
    if not files:
        raise InputError("name at least one file: consortium check FILE...")
    problems = [problem for path in files for problem in _problems_of(path)]
    code = _exit_code(problems)
    if form == "json":
        console.document(_as_document(files, problems, code))
    elif form == "sarif":
        console.document(_as_sarif(problems))
    elif problems:
        console.result(render(problems))
    else:
        plural = "file is" if len(files) == 1 else "files are"
        console.say(f"{len(files)} {plural} right")
    return code


def _problems_of(path: Path) -> Sequence[Problem]:
    if path.suffix == ".py":
        return _contract_problems(path)
    try:
        return load(path).warnings
    except ScenarioInvalid as invalid:
        return invalid.problems


def _contract_problems(path: Path) -> Sequence[Problem]:
    name = display_name(path)
    try:
        data = read_source(path, name).data
    except Refused as refused:
        if any(problem.code in _FILE_CODES for problem in refused.problems):
            return refused.problems
        data = path.read_bytes()
    return [
        Problem(
            code=finding.rule,
            severity="error",
            message=finding.reason,
            file=name,
            line=finding.line,
            column=finding.column,
            length=1,
            help=finding.advice,
            excerpt=finding.source_line,
        )
        for finding in findings_of(data, name)
    ]


def _exit_code(problems: Sequence[Problem]) -> ExitCode:
    errors = {problem.code for problem in problems if problem.severity == "error"}
    if not errors:
        return ExitCode.OK
    return ExitCode.ENVIRONMENT if errors <= set(ENVIRONMENT_CODES) else ExitCode.BAD_INPUT


def _as_document(files: Sequence[Path], problems: Sequence[Problem], code: ExitCode) -> dict[str, Any]:
    errors = sum(1 for problem in problems if problem.severity == "error")
    return {
        "schema": SCHEMA,
        "files": [display_name(path) for path in files],
        "errors": errors,
        "warnings": len(problems) - errors,
        "problems": [problem.as_value() for problem in problems],
        "exit_code": int(code),
    }


def _as_sarif(problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the problems as code-scanning services read them (SARIF 2.1.0)."""
    codes = list(dict.fromkeys(problem.code for problem in problems))
    driver = {
        "name": "consortium",
        "version": consortium.__version__,
        "rules": [{"id": code, "shortDescription": {"text": title_of(code)}} for code in codes],
    }
    results = [_sarif_result(problem) for problem in problems]
    return {
        "$schema": SARIF_ADDRESS,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _sarif_result(problem: Problem) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": Path(problem.file).as_posix()}}
    if problem.line:
        place["region"] = {
            "startLine": problem.line,
            "startColumn": problem.column,
            "endColumn": problem.column + max(problem.length, 1),
        }
    text = f"{problem.message} ({problem.help})" if problem.help else problem.message
    return {
        "ruleId": problem.code,
        "level": problem.severity,
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }
