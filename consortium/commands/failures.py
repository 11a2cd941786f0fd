"""What a failure is to the caller of the process: its exit code, one message, never a traceback.

The whole mapping is here: errors of input and environment carry their code, the system's errors are the
environment's, an interruption is 130, and anything else is our own bug, 70, with a file to report it.
"""

import errno
import platform
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import consortium
from consortium.commands.console import Console
from consortium.errors import ConsortiumError, ExitCode

EXIT_CODES = {
    ExitCode.OK: "done; for a run: all expectations met and all checkers true",
    ExitCode.EXPECTATION_FAILED: "the run ended, but an expectation failed",
    ExitCode.BAD_INPUT: "a file, an option or another input is wrong",
    ExitCode.SAFETY_VIOLATED: "safety is violated: banks disagree, a ledger is not proved, a replay differs",
    ExitCode.STALLED: "the run stalled, or a checker could not decide; the output says which and why",
    ExitCode.ENVIRONMENT: "the machine: disk, permission, database, port",
    ExitCode.INTERNAL: "an internal error; the message names a file to report",
    ExitCode.INTERRUPTED: "interrupted; the partial result is kept and marked",
}
_ADVICE = {
    errno.ENOSPC: "free some space, or write elsewhere with --out",
    errno.EDQUOT: "free some space, or write elsewhere with --out",
    errno.EROFS: "write elsewhere with --out",
    errno.EACCES: "check the permission, or write elsewhere with --out",
    errno.EPERM: "check the permission, or write elsewhere with --out",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


class InterruptedByUserError(ConsortiumError):
    """Ctrl-C or SIGTERM, where there was no run that could keep its part."""

    exit_code = ExitCode.INTERRUPTED

    def __init__(self) -> None:
        super().__init__("interrupted")


def guarded(action: Callable[[], int], console: Console, arguments: Sequence[str]) -> int:
    """Run a command and return its exit code, whatever happens in it."""
    try:
        return int(action())
    except ConsortiumError as error:
        return _failed(console, str(error), error.exit_code)
    except OSError as error:
        return _failed(console, _system_error(error), ExitCode.ENVIRONMENT)
    except Exception as error:  # noqa: BLE001  the one place where our own bugs become an exit code
        return _failed(console, _own_bug(error, arguments), ExitCode.INTERNAL)


def _failed(console: Console, message: str, code: ExitCode) -> int:
    console.error(message)
    if console.json:
        console.document({"error": message, "exit_code": int(code)})
    return code


def _system_error(error: OSError) -> str:
    what = (error.strerror or str(error) or type(error).__name__).lower()
    where = f"{error.filename}: " if error.filename else ""
    advice = _ADVICE.get(error.errno or 0)
    return f"{where}{what}" + (f"\n  help: {advice}" if advice else "")


def _own_bug(error: Exception, arguments: Sequence[str]) -> str:
    """Write what is needed to find the bug into a file, and say where it is."""
    message = f"internal error: {type(error).__name__}: {error}"
    text = "\n".join(
        (
            f"consortium {consortium.__version__}, Python {sys.version}, {platform.platform()}",
            f"arguments: {list(arguments)}",
            "",
            "".join(traceback.format_exception(error)),
        )
    )
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="consortium-error-", suffix=".txt", delete=False, encoding="utf-8", errors="replace"
        ) as file:
            file.write(text)
        return f"{message}\n  this is a bug of consortium; please report it with the file {Path(file.name)}"
    except OSError:
        return f"{message}\n  this is a bug of consortium; no file could be written about it"
