"""Runs as processes: interrupted, out of disk, on another Python."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from run_cases import CREDIT, ROOT, run_json

from consortium.errors import ExitCode


def test_an_interrupted_run_leaves_a_marked_readable_result(tmp_path):
    command = [
        sys.executable,
        "-u",
        "-m",
        "consortium",
        "run",
        str(CREDIT),
        "--out",
        str(tmp_path),
        "--nodes",
        "13",
        "--no-share",
    ]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        # A test run in the background of a shell inherits that interrupts are ignored; a terminal's are not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        for line in process.stdout:
            if "letter_of_credit.apply" in line:
                process.send_signal(signal.SIGINT)
                break
        _, stderr = process.communicate(timeout=120)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "Traceback" not in stderr
    (folder,) = [path for path in tmp_path.iterdir() if path.name.endswith(".partial")]
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["outcome"], summary["verdict"]) == ("interrupted", "unknown")
    assert (folder / "report.html").is_file()
    assert not (tmp_path / "last").exists()


def test_a_full_disk_is_exit_5_and_leaves_no_whole_looking_run(tmp_path):
    # A limit on file size is what a process can set without a disk of its own; the journal hits it first.
    command = f'ulimit -f 16; exec "{sys.executable}" -m consortium run "{CREDIT}" --out "{tmp_path}"'
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == ExitCode.ENVIRONMENT
    assert "run folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert all(path.name.endswith(".partial") for path in tmp_path.iterdir())


def python_found(version: str) -> str | None:
    """Return an interpreter of this version: on the PATH, or among those that pyenv keeps."""
    found = shutil.which(f"python{version}")
    if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
        return found
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    kept = sorted(root.glob(f"{version}.*/bin/python{version}")) if root.is_dir() else []
    return str(kept[-1]) if kept else None


@pytest.mark.long
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_digest_does_not_depend_on_the_python_version(version, tmp_path):
    python = python_found(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")
    _, expected = run_json(CREDIT, tmp_path / "own", "--signatures", "none")
    home = tmp_path / "venv"
    subprocess.run([python, "-m", "venv", str(home)], check=True)
    subprocess.run(
        [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", str(ROOT)],
        check=True,
    )
    _, found = run_json(
        CREDIT,
        tmp_path / "other",
        "--signatures",
        "none",
        python=str(home / "bin" / "python"),
        cwd=tmp_path,
        PYTHONPATH="",
    )
    assert found["run_digest"] == expected["run_digest"]
    assert found["balances"] == expected["balances"]
