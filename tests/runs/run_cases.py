"""Scenarios for the tests of whole runs: the bundled credit, and copies of it that go wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CREDIT = ROOT / "scenarios" / "domestic_letter_of_credit.yaml"
PRIMARY_CRASH = ROOT / "scenarios" / "primary_crash.yaml"


def credit_with(tmp_path: Path, *changes: tuple[str, str], faults: str = "") -> Path:
    """Write a copy of the credit's file with texts replaced and faults added."""
    text = CREDIT.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, f"the scenario no longer says {old!r}"
        text = text.replace(old, new)
    if faults:
        text = text.replace("\ntimeline:", f"\nfaults:\n{faults}\n\ntimeline:")
    path = tmp_path / "credit.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def consortium(*arguments: str, python: str = sys.executable, cwd: Path | None = None, **environment: str):
    """Run the command line in a process of its own; returns (exit code, stdout, stderr)."""
    done = subprocess.run(
        [python, "-m", "consortium", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=cwd or ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def run_json(path: Path, out: Path, *options: str, **process):
    """Run a scenario with --json; returns (exit code, document)."""
    code, stdout, stderr = consortium("run", str(path), "--out", str(out), "--json", *options, **process)
    assert stdout, stderr
    return code, json.loads(stdout)
