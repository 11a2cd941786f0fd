"""`doctor`: it says what is wrong with the machine and what to do."""

import json
import tomllib

from cli_program import REPOSITORY, called

from consortium.commands import doctor as subject
from consortium.commands.doctor import PACKAGES


def test_a_good_machine_is_exit_0(tmp_path):
    done = called("doctor", folder=tmp_path)
    assert (done.code, done.err) == (0, "")
    states = {
        line.split()[1]: line.split()[0] for line in done.out.splitlines() if line.startswith(("ok", "warn"))
    }
    for name in ("python", "packages", "signatures", "contracts", "scenarios", "disk"):
        assert states[name] == "ok", done.out


def test_a_run_folder_that_cannot_be_written_is_exit_5(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = called("doctor", "--out", "file/runs", folder=tmp_path)
    assert done.code == 5
    assert "fail  run folder" in done.out
    assert "--out DIR" in done.out


def test_what_a_killed_run_left_over_is_named(tmp_path):
    (tmp_path / "runs" / "story-1-0badcafe.partial").mkdir(parents=True)
    done = called("doctor", folder=tmp_path)
    assert done.code == 0
    assert "1 unfinished of 1 runs" in done.out
    assert "story-1-0badcafe.partial" in done.out


def test_a_missing_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(subject.PACKAGES, "no-such-package", "1.0")
    monkeypatch.setitem(subject.PACKAGES, "typer", "999.0")
    done = called("doctor", "--json", folder=tmp_path)
    assert done.code == 5
    document = json.loads(done.out)
    packages = next(each for each in document["checks"] if each["subject"] == "packages")
    assert packages["state"] == "fail"
    assert "no-such-package is missing" in packages["found"]
    assert "is older than 999.0" in packages["found"]
    assert document["exit_code"] == 5


def test_the_packages_are_those_of_the_project():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {}
    for dependency in project["dependencies"]:
        name, _, bounds = dependency.partition(">=")
        wanted[name] = bounds.partition(",")[0]
    assert wanted == PACKAGES


def test_quiet_shows_only_what_needs_attention(tmp_path):
    done = called("doctor", "--quiet", folder=tmp_path)
    assert done.code == 0
    assert "ok " not in done.out
