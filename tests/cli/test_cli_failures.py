"""Every kind of failure has its exit code and one message; no traceback reaches a user."""

import codecs
import errno
import io
import json

import pytest

from consortium.commands.console import Console, replaced_marks
from consortium.commands.failures import InterruptedByUserError, guarded
from consortium.errors import EnvironmentFailedError, InputError


def failing(error: BaseException, *, json_wanted: bool = False) -> tuple[int, str, str]:
    console = Console(out=io.StringIO(), err=io.StringIO(), json=json_wanted)

    def action() -> int:
        raise error

    code = guarded(action, console, ["run", "x.yaml"])
    return code, console.out.getvalue(), console.err.getvalue()


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InputError("no such thing"), 2, "error: no such thing\n"),
        (EnvironmentFailedError("no broker"), 5, "error: no broker\n"),
        (InterruptedByUserError(), 130, "error: interrupted\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "runs/x"),
            5,
            "error: runs/x: no space left on device\n  help: free some space, or write elsewhere with --out\n",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "runs"),
            5,
            "error: runs: permission denied\n  help: check the permission, or write elsewhere with --out\n",
        ),
    ],
)
def test_the_exit_code_says_who_is_to_blame(error, code, message):
    assert failing(error) == (code, "", message)


def test_our_own_bug_is_70_and_leaves_a_file_to_report(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, out, err = failing(ZeroDivisionError("division by zero"))
    assert (code, out) == (70, "")
    assert err.startswith("error: internal error: ZeroDivisionError: division by zero\n")
    assert "Traceback" not in err
    (bundle,) = tmp_path.iterdir()
    assert str(bundle) in err
    text = bundle.read_text(encoding="utf-8")
    assert "Traceback (most recent call last)" in text
    assert "arguments: ['run', 'x.yaml']" in text


def test_a_bug_that_cannot_be_written_down_is_still_70(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    code, _, err = failing(AssertionError())
    assert code == 70
    assert "no file could be written" in err


def test_with_json_the_failure_is_a_document_too():
    code, out, err = failing(InputError("no such thing"), json_wanted=True)
    assert code == 2
    assert json.loads(out) == {"error": "no such thing", "exit_code": 2}
    assert err == "error: no such thing\n"


def test_what_a_message_quotes_cannot_move_the_cursor():
    assert failing(InputError("\x1b[2J\rgone"))[2] == "error: \\x1b[2J\\rgone\n"


def test_a_stream_without_the_marks_says_them_in_ascii():
    codecs.register_error("marks", replaced_marks)
    assert "✓ 5 µs … 汉".encode("ascii", "marks") == b"+ 5 us ... ?"
