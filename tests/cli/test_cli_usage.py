"""The command line before anything runs: what it imports, what it refuses, and with which exit code."""

import json
import subprocess
import sys

import pytest
from cli_program import REPOSITORY, called

COMMANDS = ("demo", "run", "check", "audit", "replay", "schema", "doctor", "version")


def test_nothing_heavy_is_imported_before_a_command_runs():
    program = "import sys, consortium.cli; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    heavy = {"sqlalchemy", "pydantic", "yaml", "starlette", "uvicorn", "nacl", "msgpack", "rich", "asyncio"}
    assert not heavy & set(done.stdout.split())


def test_help_names_every_command_and_no_arguments_give_help():
    for arguments in (["--help"], ["-h"], []):
        done = called(*arguments)
        assert done.code == 0
        assert all(f"  {command} " in done.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    done = called(command, "--help")
    assert (done.code, done.err) == (0, "")
    assert f"Usage: consortium {command}" in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rn"], "No such command 'rn'. Did you mean 'run'?"),
        (["run"], "Missing argument 'FILE'"),
        (["run", "x.yaml", "--sead", "1"], "or --seed or"),
        (["run", "x.yaml", "--seed", "one"], "--seed"),
        (["run", "x.yaml", "--signatures", "rsa"], "--signatures"),
        (["run", "x.yaml", "--set", "seed"], "--set needs KEY=VALUE, such as consensus.f=1, not 'seed'"),
        (["run", "x.yaml", "--set", "a=1", "--set", "a=2"], "--set: each key can be set once"),
        (["run", "x.yaml", "extra"], "extra"),
        (["check"], "name at least one file"),
        (["check", "--explain", "S-20"], "there is no code 'S-20'; did you mean S-2"),
        (["audit", "no-such-run"], "no-such-run"),
        (["replay", "no-such-run"], "no-such-run"),
        (["replay", "last"], "there is no last run"),
    ],
)
def test_wrong_usage_is_exit_2_with_one_message(arguments, message, tmp_path):
    done = called(*arguments, folder=tmp_path)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert message in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize(
    ("name", "code"),
    [("missing.yaml", "S-001"), ("folder.yaml", "S-002"), ("empty.yaml", "S-005"), ("binary.yaml", "S-006")],
)
def test_what_is_no_scenario_is_exit_2(command, name, code, tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "empty.yaml").write_bytes(b"")
    (tmp_path / "binary.yaml").write_bytes(b"PK\x03\x04\x00\x00")
    done = called(command, name, folder=tmp_path)
    assert done.code == 2
    assert f"error[{code}]" in done.out + done.err
    assert "Traceback" not in done.out + done.err


def test_a_failure_with_json_is_still_one_document(tmp_path):
    done = called("run", "missing.yaml", "--json", folder=tmp_path)
    assert done.code == 2
    document = json.loads(done.out)
    assert document["exit_code"] == 2
    assert "S-001" in document["error"]


def test_version():
    from consortium import __version__

    assert called("version").out == called("--version").out == f"consortium {__version__}\n"
    assert json.loads(called("version", "--json").out)["version"] == __version__


def test_schema_prints_the_json_schema():
    schema = json.loads(called("schema").out)
    assert schema["title"] == "consortium scenario"
    assert {"banks", "timeline", "expect"} <= schema["properties"].keys()


def test_without_assertions_nothing_runs():
    program = [sys.executable, "-O", "-m", "consortium.cli", "version"]
    done = subprocess.run(program, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (5, "")
    assert "assertions are off" in done.stderr
