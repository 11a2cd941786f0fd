"""What an audit found."""

from dataclasses import dataclass, field
from typing import Any

from consortium.ledger.audit.tables import COLUMNS

FINDINGS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fact that does not hold. `height` is the block it belongs to (0: genesis)."""

    height: int
    table: str
    problem: str

    def __str__(self) -> str:
        return f"block {self.height}: {self.table}: {self.problem}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """The result of an audit.

    `covered` counts the rows of each covered table. `unproved` says what could not be decided, `not_covered`
    what the record holds besides. `findings` is cut at a number; `findings_left_out` counts the others.
    """

    chain: str
    height: int
    findings: tuple[Finding, ...]
    findings_left_out: int
    unproved: tuple[str, ...]
    covered: tuple[tuple[str, int], ...]
    not_covered: tuple[str, ...]
    signatures_verified: int
    blocks_executed: int

    @property
    def verdict(self) -> str:
        """`true`, `unknown` or `false`; unknown is no success."""
        if self.findings:
            return "false"
        return "unknown" if self.unproved else "true"


@dataclass(slots=True)
class Findings:
    """Collects while the audit runs."""

    found: list[Finding] = field(default_factory=list)
    left_out: int = 0
    unproved: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    signatures_verified: int = 0

    def add(self, height: int, table: str, problem: str) -> None:
        if len(self.found) < FINDINGS_MAX:
            self.found.append(Finding(height=height, table=table, problem=problem))
        else:
            self.left_out += 1

    def compare(self, height: int, table: str, row: tuple[Any, ...], expected: dict[str, Any]) -> None:
        """Report the columns that do not say, in value and type, what the body says."""
        for column, should in expected.items():
            stored = row[COLUMNS[table].index(column)]
            if type(stored) is not type(should) or stored != should:
                self.add(height, table, f"column '{column}' says {shown(stored)}, should be {shown(should)}")


def shown(value: Any) -> str:
    """A value for a message: bytes in hexadecimal, nothing endless, nothing that cannot be printed."""
    text = value.hex() if isinstance(value, bytes) else ascii(value)
    return text if len(text) <= 80 else f"{text[:64]}... ({len(text)} characters)"
