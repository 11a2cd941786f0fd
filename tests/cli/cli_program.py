"""Calls the command line in this process and returns what a shell would see."""

import io
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from consortium.cli import main

REPOSITORY = Path(__file__).resolve().parents[2]
SCENARIO = REPOSITORY / "scenarios" / "domestic_letter_of_credit.yaml"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


def called(*arguments: str, folder: Path | None = None) -> Done:
    out, err = io.StringIO(), io.StringIO()
    with chdir(folder or Path.cwd()), redirect_stdout(out), redirect_stderr(err):
        code = main([str(each) for each in arguments])
    return Done(int(code), out.getvalue(), err.getvalue())
