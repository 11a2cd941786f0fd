"""A finding: one thing in a contract file that the language refuses, as shown to its author."""

from dataclasses import dataclass, field

from consortium.vm.language import RULES
from consortium.vm.unicode14 import INVISIBLE


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Line and column count from 1; `source_line` is the line as written."""

    line: int
    column: int
    rule: str
    reason: str = field(compare=False)
    advice: str = field(compare=False)
    filename: str = field(compare=False)
    source_line: str = field(compare=False)

    def __str__(self) -> str:
        head = f"{self.filename}:{self.line}:{self.column}  {self.rule}  {self.reason}"
        margin = f"{self.line:5d} | "
        # Of a line that is too long, the part around the place is shown.
        start = max(0, self.column - LINE_SHOWN_MAX // 2) if len(self.source_line) > LINE_SHOWN_MAX else 0
        shown = "".join(
            "?" if character in INVISIBLE else character
            for character in self.source_line[start : start + LINE_SHOWN_MAX]
        )
        caret = " " * (len(margin) + self.column - start - 1) + "^"
        return f"{head}\n{margin}{shown}\n{caret}     {self.advice}"


LINE_SHOWN_MAX = 120


class Findings:
    """Collects findings about one file; the same one is kept once."""

    def __init__(self, filename: str, lines: list[str]) -> None:
        self.filename = filename
        self.lines = lines
        self._found: dict[tuple[int, int, str, str], Finding] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, rule: str, line: int, column: int, found: str = "", advice: str = "") -> None:
        """Record a breach of `rule`; `found` and `advice` fill the gaps of the rule's texts."""
        texts = RULES[rule]
        reason = texts.reason.format(found)
        self._found.setdefault(
            (line, column, rule, reason),
            Finding(
                line=line,
                column=column,
                rule=rule,
                reason=reason,
                advice=texts.advice.format(advice or found),
                filename=self.filename,
                source_line=self.lines[line - 1] if line <= len(self.lines) else "",
            ),
        )

    def all(self) -> tuple[Finding, ...]:
        """Return the findings in the order of the file."""
        return tuple(sorted(self._found.values()))
