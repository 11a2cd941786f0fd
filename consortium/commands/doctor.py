"""`consortium doctor`: is this machine ready, and if not, what to do. One line for each thing looked at."""

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import consortium
from consortium.commands.console import Console
from consortium.errors import ConsortiumError, ExitCode
from consortium.report.words import shown
from consortium.resources import contracts_folder, scenarios_folder

SCHEMA = 1
PYTHON_LEAST = (3, 11)
FREE_BYTES_LEAST = 20 * 2**20
FREE_BYTES_WISHED = 500 * 2**20
# What the command line needs to run; the same bounds stand in pyproject.toml.
PACKAGES = {
    "pynacl": "1.5",
    "msgpack": "1.0.8",
    "sqlalchemy": "2.0.40",
    "pydantic": "2.7",
    "pyyaml": "6.0",
    "typer": "0.12",
    "starlette": "0.37",
    "uvicorn": "0.29",
}

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Line:
    """What was looked at, what was found, and what to do about it."""

    state: State
    subject: str
    found: str
    advice: str = ""


def doctor(console: Console, runs: Path) -> int:
    """Look at everything; exit 5 if something fails."""
    lines = [*(line for look in _LOOKS for line in look()), *_runs(runs)]
    failed = any(line.state == "fail" for line in lines)
    code = ExitCode.ENVIRONMENT if failed else ExitCode.OK
    if console.json:
        shown_lines = [
            {"state": each.state, "subject": each.subject, "found": each.found, "advice": each.advice or None}
            for each in lines
        ]
        console.document({"schema": SCHEMA, "checks": shown_lines, "exit_code": int(code)})
        return code
    verdicts = {"ok": "true", "warn": "unknown", "fail": "false"}
    width = max(len(line.subject) for line in lines)
    for line in lines:
        state = console.paint.verdict(verdicts[line.state], f"{line.state:<4}")
        text = f"{state}  {line.subject:<{width}}  {shown(line.found)}"
        (console.say if line.state == "ok" else console.result)(text)
        if line.advice:
            console.result(f"      {'':<{width}}  {console.paint.dim(shown(line.advice))}")
    return code


def _python() -> Iterator[Line]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < PYTHON_LEAST:
        yield Line("fail", "python", version, "install Python 3.11 or newer")
    else:
        yield Line("ok", "python", version)
    yield Line("ok", "consortium", consortium.__version__)


def _packages() -> Iterator[Line]:
    wrong = []
    for name, least in PACKAGES.items():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        if _numbers(found) < _numbers(least):
            wrong.append(f"{name} {found} is older than {least}")
    if wrong:
        yield Line("fail", "packages", "; ".join(wrong), "install again: pip install .")
    else:
        yield Line("ok", "packages", f"all {len(PACKAGES)} are there")
    if _is_installed("asyncio-mqtt"):
        yield Line(
            "warn",
            "asyncio-mqtt",
            "installed, but no longer maintained; it fails with today's paho-mqtt",
            "pip uninstall asyncio-mqtt; live runs use aiomqtt, its continuation",
        )


def _signatures() -> Iterator[Line]:
    from consortium.crypto import Ed25519Scheme  # noqa: PLC0415  a broken libsodium must not stop the others

    scheme = Ed25519Scheme()
    signer = scheme.signer(b"d" * 32)
    signature = signer.sign(b"doctor")
    right = scheme.verify(signer.public_key, b"doctor", signature)
    wrong = scheme.verify(signer.public_key, b"rotcod", signature)
    if right and not wrong:
        yield Line("ok", "signatures", "Ed25519 signs and verifies")
    else:
        yield Line("fail", "signatures", "Ed25519 does not work", "install pynacl again")


def _contracts() -> Iterator[Line]:
    from consortium.vm.check import check  # noqa: PLC0415

    folder = contracts_folder()
    files = sorted(folder.glob("*.py"))
    if not files:
        yield Line("fail", "contracts", f"none in {folder}", "install consortium again")
        return
    refused = [path.name for path in files if check(path.read_bytes(), path.name)]
    if refused:
        names = ", ".join(refused)
        yield Line(
            "fail", "contracts", f"not accepted: {names}", "consortium check contracts/NAME.py says why"
        )
    else:
        yield Line("ok", "contracts", f"{len(files)}: {', '.join(path.stem for path in files)}")


def _scenarios() -> Iterator[Line]:
    from consortium.scenario.load import load  # noqa: PLC0415

    folder = scenarios_folder()
    files = sorted(folder.glob("*.yaml"))
    if not files:
        yield Line("fail", "scenarios", f"none in {folder}", "install consortium again")
        return
    wrong = []
    for path in files:
        try:
            load(path)
        except ConsortiumError:
            wrong.append(path.name)
    if wrong:
        yield Line("fail", "scenarios", f"wrong: {', '.join(wrong)}", "consortium check FILE says why")
    else:
        yield Line("ok", "scenarios", f"{len(files)}: {', '.join(path.stem for path in files)}")


def _database() -> Iterator[Line]:
    yield Line("ok", "sqlite", sqlite3.sqlite_version)


def _terminal() -> Iterator[Line]:
    encoding = (sys.stdout.encoding or "none").lower()
    if encoding.replace("-", "") == "utf8":
        yield Line("ok", "terminal", "UTF-8")
    else:
        yield Line("warn", "terminal", f"{encoding}: some marks appear as '?'", "set PYTHONUTF8=1")


def _runs(runs: Path) -> Iterator[Line]:
    """The folder that takes the results: may we write, is there space, is something left over?"""
    folder = runs if runs.is_dir() else runs.absolute().parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            yield Line("ok", "run folder", f"{runs} can be written")
    except OSError as error:
        reason = (error.strerror or "not writable").lower()
        yield Line("fail", "run folder", f"{runs}: {reason}", "choose another one with --out DIR")
        return
    free = shutil.disk_usage(folder).free
    found = f"{free // 2**20:,} MiB free"
    if free < FREE_BYTES_LEAST:
        yield Line("fail", "disk", found, "a run needs some MiB: free some space")
    elif free < FREE_BYTES_WISHED:
        yield Line("warn", "disk", found, "long runs write large journals")
    else:
        yield Line("ok", "disk", found)
    yield from _leftovers(runs)


def _leftovers(runs: Path) -> Iterator[Line]:
    """Folders of runs that were killed before they could be finished."""
    entries = sorted(os.scandir(runs), key=lambda entry: entry.name) if runs.is_dir() else []
    folders = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    unfinished = [path for path in folders if not (path / "summary.json").is_file()]
    if unfinished:
        names = " ".join(str(path) for path in unfinished[:5])
        found = f"{len(unfinished)} unfinished of {len(folders)} runs"
        yield Line("warn", "leftovers", found, f"remove what you do not need: {names}")
    else:
        yield Line("ok", "leftovers", f"none, {len(folders)} finished runs")


_LOOKS: tuple[Callable[[], Iterator[Line]], ...] = (
    _python,
    _packages,
    _signatures,
    _database,
    _contracts,
    _scenarios,
    _terminal,
)


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers at the beginning of a version; what comes after them does not matter here."""
    numbers = []
    for part in version.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
