"""What is wrong with a scenario file: problems as values, shown all at once.

A `Problem` says its code, its place and how to mend it; `render` draws problems the way compilers do, with
the source line and carets. `ScenarioInvalid` carries all of them. Where a problem comes from is the business
of the modules that find it; what its code means in general stands in `codes`.
"""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from consortium.errors import ExitCode, InputError

Severity = Literal["error", "warning"]

# More than this many are counted, not drawn: nobody reads the two-hundredth.
DRAWN_MAX = 100
# A source line longer than this is shown as a window around the place.
LINE_WIDTH_MAX = 160
WINDOW_BEFORE = 60
# A file with more problems than this is not looked at any further: it is not a scenario at all.
COLLECTED_MAX = 1000
# Words longer than this are not compared for a suggestion: difflib is quadratic.
COMPARED_LENGTH_MAX = 64
COMPARED_WORDS_MAX = 500
SHOWN_LENGTH_MAX = 60
# One of these codes alone means the machine, not the file, is to blame.
ENVIRONMENT_CODES = ("S-003",)
# What stands at the place of one of these was never read; further problems there only follow from it.
UNREADABLE_CODES = ("S-012", "S-013")


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that belongs to a problem: `saved at line 77`."""

    message: str
    file: str
    line: int
    column: int

    def text(self, seen_from: str) -> str:
        """Return it as one phrase; the file is named only if it is another one."""
        place = f"line {self.line}" if self.file == seen_from else f"{self.file}:{self.line}"
        return f"{self.message} {place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong (error) or doubtful (warning).

    `line` and `column` count from 1; line 0 means that the place has no line (a missing file, an option).
    `label` stands after the carets, `help` on a line of its own; `excerpt` is the source line.
    """

    code: str
    severity: Severity
    message: str
    file: str
    line: int
    column: int
    length: int
    label: str | None = None
    help: str | None = None
    related: tuple[Related, ...] = ()
    excerpt: str | None = None

    def as_value(self) -> dict[str, Any]:
        """Return the plain form for `--format json`."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "length": self.length,
            "label": self.label,
            "help": self.help,
            "related": [
                {"message": each.message, "file": each.file, "line": each.line, "column": each.column}
                for each in self.related
            ],
        }


class ScenarioInvalid(InputError):  # noqa: N818  the name says what the scenario is
    """A scenario that cannot be used; carries every problem found, warnings too."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        assert any(problem.severity == "error" for problem in problems)
        self.problems = tuple(problems)
        errors = {problem.code for problem in problems if problem.severity == "error"}
        if errors <= set(ENVIRONMENT_CODES):
            self.exit_code = ExitCode.ENVIRONMENT
        super().__init__(render(self.problems))


class TooManyProblems(Exception):  # noqa: N818  says when to stop, to our own callers only
    """The collector is full."""


@dataclass(slots=True)
class Problems:
    """Collects what is wrong while a file is read and checked."""

    found: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        """Keep one more. Raises TooManyProblems when there is no point in going on."""
        self.found.append(problem)
        if len(self.found) >= COLLECTED_MAX:
            raise TooManyProblems

    @property
    def any_error(self) -> bool:
        return any(problem.severity == "error" for problem in self.found)


def render(problems: Iterable[Problem]) -> str:
    """Return the text for a terminal: every problem with its source line, then a count and the exit code.

    No problems give an empty text.
    """
    listed = list(problems)
    if not listed:
        return ""
    blocks = [_drawn(problem) for problem in listed[:DRAWN_MAX]]
    if len(listed) > DRAWN_MAX:
        blocks.append(f"... and {len(listed) - DRAWN_MAX} more")
    return "\n".join([*blocks, _count_line(listed)])


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems by place, without repetitions and mere consequences; files in order of mention."""
    files: dict[str, int] = {}
    unique: dict[tuple[str, str, int, int, str], Problem] = {}
    unreadable = set()
    for problem in problems:
        files.setdefault(problem.file, len(files))
        key = (problem.code, problem.file, problem.line, problem.column, problem.message)
        unique.setdefault(key, problem)
        if problem.code in UNREADABLE_CODES:
            unreadable.add((problem.file, problem.line, problem.column))
    kept = [
        each
        for each in unique.values()
        if each.code in UNREADABLE_CODES or (each.file, each.line, each.column) not in unreadable
    ]
    return sorted(kept, key=lambda one: (files[one.file], one.line, one.column, one.code))


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the most similar of `words`, or None if nothing is near."""
    candidates = list(words)
    if len(word) > COMPARED_LENGTH_MAX or len(candidates) > COMPARED_WORDS_MAX:
        return None
    found = difflib.get_close_matches(word, candidates, n=1, cutoff=0.6)
    if found:
        return found[0]
    folded = {candidate.lower().replace("-", "_"): candidate for candidate in candidates}
    found = difflib.get_close_matches(word.lower().replace("-", "_"), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def did_you_mean(word: str, words: Iterable[str]) -> str | None:
    """Return the label `did you mean 'x'?`, or None."""
    near = nearest(word, words)
    return None if near is None else f"did you mean '{near}'?"


class Advice(NamedTuple):
    """What to write instead: shown after the carets, or as help."""

    label: str | None
    help_text: str | None


NO_ADVICE = Advice(None, None)


def hint(word: str, words: Iterable[str], otherwise: str) -> Advice:
    """Return the nearest word as a label or, if none is near, `otherwise` as help."""
    near = did_you_mean(word, words)
    return Advice(near, None if near is not None else otherwise)


def listing(words: Iterable[str], *, most: int = 16) -> str:
    """Return words for a help text, shortened where there are very many."""
    listed = list(words)
    if len(listed) > most:
        return ", ".join(listed[:most]) + f", ... ({len(listed)} in all)"
    return ", ".join(listed) if listed else "none"


def shown(text: str) -> str:
    """Return a user's text for a message: on one line, shortened, without control characters."""
    clean = "".join(character if character.isprintable() else "?" for character in text)
    return clean if len(clean) <= SHOWN_LENGTH_MAX else clean[: SHOWN_LENGTH_MAX - 3] + "..."


def _drawn(problem: Problem) -> str:
    head = f"{problem.severity}[{problem.code}]: {problem.message}"
    place = problem.file if problem.line == 0 else f"{problem.file}:{problem.line}:{problem.column}"
    if problem.related:
        place += "        " + "; ".join(each.text(problem.file) for each in problem.related)
    lines = [head, f"  --> {place}"]
    label = problem.label
    if problem.excerpt is not None and problem.line:
        text, start, length = _window(problem.excerpt, problem.column - 1, problem.length)
        lines.append(f"{problem.line:>4} | {text}".rstrip())
        carets = "^" * max(1, _width(text[start : start + length]))
        lines.append(f"     | {' ' * _width(text[:start])}{carets}{' ' + label if label else ''}")
        label = None
    if label:
        lines.append(f"     = {label}")
    if problem.help:
        lines.append(f"     = help: {problem.help}")
    return "\n".join(lines)


def _window(line: str, start: int, length: int) -> tuple[str, int, int]:
    """Return a line fit to be shown, and where in it the marked part lies."""
    start = min(start, len(line))
    length = min(max(1, length), max(1, len(line) - start))
    if len(line) <= LINE_WIDTH_MAX:
        return _printable(line), start, length
    first = max(0, start - WINDOW_BEFORE)
    cut = line[first : first + LINE_WIDTH_MAX - 6]
    before = "..." if first else ""
    after = "..." if first + len(cut) < len(line) else ""
    start = start - first + len(before)
    return before + _printable(cut) + after, start, min(length, len(before) + len(cut) - start)


def _printable(text: str) -> str:
    return "".join(" " if c == "\t" else c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _width(text: str) -> int:
    """Return how many columns a terminal uses: Chinese characters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def _count_line(problems: Sequence[Problem]) -> str:
    errors = [problem for problem in problems if problem.severity == "error"]
    warnings = len(problems) - len(errors)
    counts = [_counted(len(errors), "error")] if errors else []
    counts += [_counted(warnings, "warning")] if warnings else []
    explained = (errors or list(problems))[-1].code
    exit_code = ExitCode.OK
    if errors:
        only_environment = {problem.code for problem in errors} <= set(ENVIRONMENT_CODES)
        exit_code = ExitCode.ENVIRONMENT if only_environment else ExitCode.BAD_INPUT
    gap = "            "
    return f"{', '.join(counts)}{gap}explain one: consortium check --explain {explained}{gap}exit {exit_code}"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
