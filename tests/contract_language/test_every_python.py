"""Findings, gas, codes and statement ids are the same on every Python and under every hash seed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgpack
import pytest

HERE = Path(__file__).parent
PROGRAMS = 40


def fingerprint(python: str, hash_seed: str) -> dict:
    # Another Python finds this one's msgpack, which has a form in plain Python.
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": str(Path(msgpack.__file__).parents[1]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [python, str(HERE / "fingerprint.py"), str(PROGRAMS)],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def python_named(version: str) -> str | None:
    """Return an interpreter of this version, from the path or from pyenv."""
    found = shutil.which(f"python{version}")
    if found and subprocess.run([found, "--version"], check=False, capture_output=True).returncode == 0:
        return found
    installed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    return str(installed[-1]) if installed else None


@pytest.fixture(scope="module")
def here():
    return fingerprint(sys.executable, "0")


def test_hash_seeds_make_no_difference(here):
    assert fingerprint(sys.executable, "1") == here


@pytest.mark.long
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_python_versions_make_no_difference(here, version):
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        pytest.skip("that is this Python")
    python = python_named(version)
    if python is None:
        pytest.skip(f"Python {version} is not installed")
    other = fingerprint(python, "random")
    for group, cases in here.items():
        for name, expected in cases.items():
            assert other[group][name] == expected, (group, name)
    assert other == here
