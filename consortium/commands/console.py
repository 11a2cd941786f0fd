"""Where a command's words go: results to standard output, everything about them to standard error.

With `--json` standard output holds one document and nothing else. Colour is used only where a person looks:
on a terminal, unless it was switched off. A reader who goes away (`| head`) does not disturb the command.
"""

import json
import os
from dataclasses import dataclass
from typing import Any, TextIO

from consortium.report.text import Paint
from consortium.report.words import shown

_PLAIN_MARKS = {"✓": "+", "✗": "x", "·": ".", "…": "...", "µ": "u", "←": "<-"}


@dataclass(slots=True)
class Console:
    """The two streams of one command, and how the user wants to be spoken to.

    `program` is how this program was called, so that the commands it prints work as printed.
    """

    out: TextIO
    err: TextIO
    program: str = "consortium"
    colour: bool = False
    json: bool = False
    quiet: bool = False

    @property
    def paint(self) -> Paint:
        return Paint(enabled=self.colour and self.out.isatty())

    def say(self, text: str) -> None:
        """Print a part of the result for people; nothing where a document was asked for, or quiet."""
        if not self.json and not self.quiet:
            self.result(text)

    def result(self, text: str) -> None:
        """Print the result itself, quiet or not."""
        _write(self.out, text)

    def document(self, value: Any) -> None:
        """Print the one JSON document; in ASCII, so that no stream has to know an encoding."""
        _write(self.out, json.dumps(value, indent=2))

    def note(self, text: str) -> None:
        """Tell something about the result."""
        if not self.quiet:
            self._to_err(text)

    def error(self, message: str) -> None:
        """Say why there is no result. Problems that name their own code and place are printed as they are."""
        self._to_err(message if message.startswith(("error", "warning")) else f"error: {message}")

    def _to_err(self, text: str) -> None:
        _write(self.err, "\n".join(shown(line) for line in text.split("\n")))


def replaced_marks(error: UnicodeError) -> tuple[str, int]:
    """Say in ASCII what a stream's encoding does not have (a handler for `codecs.register_error`)."""
    assert isinstance(error, UnicodeEncodeError)
    missing = error.object[error.start : error.end]
    return "".join(_PLAIN_MARKS.get(each, "?") for each in missing), error.end


def _write(stream: TextIO, text: str) -> None:
    """Write lines at once, so that they can be followed; once nobody reads, write to nowhere."""
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
