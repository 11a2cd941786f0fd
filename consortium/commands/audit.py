"""`consortium audit`: verify a finished ledger from outside, from a run folder, an SQLite file or a URL."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from consortium.archive.read import audit_archive
from consortium.commands.console import Console
from consortium.errors import ExitCode
from consortium.ledger.audit import AuditReport
from consortium.report.text import MARKS, Paint
from consortium.report.words import shown
from consortium.scenario.folder import LEDGER, find_run

SCHEMA = 1
_CODES = {"true": ExitCode.OK, "unknown": ExitCode.STALLED, "false": ExitCode.SAFETY_VIOLATED}


def audit(console: Console, ledger: str) -> int:
    """Audit a ledger; exit 3 if anything does not hold, 4 if something could not be decided."""
    place = _place(ledger)
    report = audit_archive(place)
    code = _CODES[report.verdict]
    if console.json:
        console.document(
            {"schema": SCHEMA, "verdict": report.verdict, **asdict(report), "exit_code": int(code)}
        )
    else:
        console.say(audit_text(report, console.paint))
        if console.quiet and code is not ExitCode.OK:
            console.error(f"the ledger is not proved: verdict {report.verdict}")
    return code


def audit_text(report: AuditReport, paint: Paint) -> str:
    """Return what an audit found, what it covered and what it did not."""
    covered = ", ".join(f"{rows:,} {table}" for table, rows in report.covered)
    verified, executed = f"{report.signatures_verified:,}", f"{report.blocks_executed:,}"
    lines = [
        paint.bold(f"ledger of chain {shown(report.chain)}, {report.height} blocks"),
        f"  covered      {covered}",
        f"  not covered  {_listed(report.not_covered) or 'nothing'}",
        f"  work         {verified} signatures verified, {executed} blocks executed again",
    ]
    lines += [f"  {paint.verdict('unknown', MARKS['unknown'])} {shown(each)}" for each in report.unproved]
    lines += [f"  {paint.verdict('false', MARKS['false'])} {shown(str(each))}" for each in report.findings]
    if report.findings_left_out:
        lines.append(f"    and {report.findings_left_out:,} more")
    words = {
        "true": "everything covered holds",
        "unknown": "not everything could be decided",
        "false": "the ledger is not what the banks agreed on",
    }
    verdict = f"{MARKS[report.verdict]} {report.verdict}: {words[report.verdict]}"
    lines.append(f"verdict  {paint.verdict(report.verdict, verdict)}   exit {int(_CODES[report.verdict])}")
    return "\n".join(lines)


def _listed(texts: Sequence[str]) -> str:
    """Several texts under each other, in the column of the first."""
    return ("\n" + " " * 15).join(shown(text) for text in texts)


def _place(ledger: str) -> str | Path:
    """A database URL or file as it is; anything else names a run."""
    if "://" in ledger:
        return ledger
    path = Path(ledger)
    if path.is_file():
        return path
    return find_run(ledger) / LEDGER
