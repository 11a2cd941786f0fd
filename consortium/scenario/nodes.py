"""The tree of a scenario source: scalars, lists and maps that know where they stand.

Values are typed already (`source` says how); places count lines and columns from 1 in characters. A node
keeps its place through merging and moving, so that an error is always shown where it was written.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consortium.scenario.problems import NO_ADVICE, Advice, Problem, Related, shown


@dataclass(frozen=True, slots=True, eq=False)
class SourceFile:
    """One file as it was read; `name` is how messages call it."""

    name: str
    path: Path | None
    data: bytes
    text: str = field(repr=False)
    lines: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Span:
    """A place on one line of a file; lines and columns count from 1, line 0 is no line."""

    source: SourceFile
    line: int
    column: int
    length: int

    def problem(
        self,
        code: str,
        message: str,
        *,
        label: str | None = None,
        help_text: str | None = None,
        advice: Advice = NO_ADVICE,
        related: tuple[Related, ...] = (),
        warning: bool = False,
    ) -> Problem:
        """Return a problem at this place."""
        lines = self.source.lines
        return Problem(
            code=code,
            severity="warning" if warning else "error",
            message=message,
            file=self.source.name,
            line=self.line,
            column=self.column,
            length=self.length,
            label=label or advice.label,
            help=help_text or advice.help_text,
            related=related,
            excerpt=lines[self.line - 1] if 0 < self.line <= len(lines) else None,
        )

    def related(self, message: str) -> Related:
        return Related(message, self.source.name, self.line, self.column)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A word: typed if it is plain and looks like null, a truth value or a whole number, else text."""

    value: str | int | bool | None
    raw: str
    span: Span


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple["Node", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Entry:
    key: Span
    value: "Node"


@dataclass(frozen=True, slots=True)
class Mapping:
    entries: dict[str, Entry]
    span: Span


Node = Scalar | Sequence | Mapping


class Refused(Exception):  # noqa: N818  carries problems, says nothing by itself
    """The source has no tree; carries the problems that say why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems


def plain(node: Node) -> Any:
    """Return the node's data as plain Python values."""
    match node:
        case Scalar():
            return node.value
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {key: plain(entry.value) for key, entry in node.entries.items()}


def described(node: Node) -> str:
    """Return what a node is, for messages: `the text 'abc'`, `a list`."""
    match node:
        case Scalar(value=None):
            return "nothing"
        case Scalar(value=bool()):
            return f"the truth value {node.raw}"
        case Scalar(value=int()):
            return f"the whole number {node.raw}"
        case Scalar():
            return f"the text '{shown(node.raw)}'"
        case Sequence():
            return "a list"
        case Mapping():
            return "a map"
