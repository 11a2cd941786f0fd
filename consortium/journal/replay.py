"""Comparing two journals: a run that is repeated must write the same lines, byte for byte.

The first difference is all there is to report: what follows it follows from it. Either both journals are
files, or one of them is being written (`Comparison` is a journal's sink), so that a replay needs no second
file and may stop where it goes wrong.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from consortium.journal.reading import head_of

SHOWN_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class Difference:
    """The first line in which two journals differ; None on a side that ended before it."""

    line: int
    recorded: str | None
    repeated: str | None

    def __str__(self) -> str:
        return (
            f"first difference at line {self.line}\n"
            f"  recorded: {_shown(self.recorded)}\n"
            f"  repeated: {_shown(self.repeated)}"
        )


class Comparison:
    """Takes the lines of a run as it is repeated and compares them with recorded ones."""

    def __init__(self, recorded: Iterable[str], *, headers_only: bool = False) -> None:
        """With `headers_only` the full parts may differ (another level, another signature scheme)."""
        self.difference: Difference | None = None
        self.lines = 0
        self._recorded = iter(recorded)
        self._headers_only = headers_only

    def write(self, text: str) -> None:
        """Compare whole lines (the sink of a `Journal`)."""
        for line in text.splitlines(keepends=True):
            if self.difference is not None:
                return
            self._compare(next(self._recorded, None), line)

    def close(self) -> Difference | None:
        """Return the first difference; a recorded line that was not repeated is one too."""
        if self.difference is None:
            left_over = next(self._recorded, None)
            if left_over is not None:
                self._compare(left_over, None)
        return self.difference

    def _compare(self, recorded: str | None, repeated: str | None) -> None:
        self.lines += 1
        if self._part(recorded) != self._part(repeated):
            self.difference = Difference(self.lines, recorded, repeated)

    def _part(self, line: str | None) -> str | None:
        return head_of(line) if self._headers_only and line is not None else line


def compare(
    recorded: Iterable[str], repeated: Iterable[str], *, headers_only: bool = False
) -> Difference | None:
    """Return the first difference between two journals, or None if they are equal."""
    comparison = Comparison(recorded, headers_only=headers_only)
    for line in repeated:
        comparison.write(line)
        if comparison.difference is not None:
            break
    return comparison.close()


def _shown(line: str | None) -> str:
    """A line as it is reported, shortened in its middle."""
    if line is None:
        return "(ended)"
    line = line.rstrip("\n")
    if len(line) <= SHOWN_CHARACTERS:
        return line
    half = SHOWN_CHARACTERS // 2
    return f"{line[:half]} ... {line[-half:]}"
