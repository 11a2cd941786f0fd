"""A run as text for people: the heading, one line for each step, and the summary.

Made from the view models alone. With colour off there is no control code in the text; the information is the
same, for marks and words carry all of it.
"""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consortium.report.words import (
    DUE_ACTOR,
    accounts_in_order,
    block_name,
    detail,
    duration,
    messages_in_order,
    outcome,
    place_shown,
    prose,
    sender_name,
    shown,
    viewpoint,
)
from consortium.timeline.views import CheckerView, PartyView, RunView, StepView

WIDTH = 100
PARTIES_SHOWN = 12
FAILED_SHOWN = 10
ACTION_WIDTH_LEAST = 32
MARKS = {"true": "✓", "unknown": "?", "false": "✗"}
_COLOURS = {"true": "32", "unknown": "33", "false": "31"}


@dataclass(frozen=True, slots=True)
class Paint:
    """Puts colour on words, or leaves them as they are."""

    enabled: bool

    def verdict(self, verdict: str, text: str) -> str:
        return self._with(_COLOURS.get(verdict, "33"), text)

    def bold(self, text: str) -> str:
        return self._with("1", text)

    def dim(self, text: str) -> str:
        return self._with("2", text)

    def _with(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.enabled and text else text


PLAIN = Paint(enabled=False)


@dataclass(frozen=True, slots=True)
class StepLines:
    """Draws steps in columns. Widths are fixed before the first step, so that lines can appear one by one."""

    actor_width: int
    action_width: int
    paint: Paint = PLAIN

    @classmethod
    def fitting(cls, actors: Iterable[str], actions: Iterable[str], paint: Paint = PLAIN) -> "StepLines":
        actor_width = max((len(actor) for actor in actors), default=0)
        action_width = max((len(action) for action in actions), default=0)
        return cls(max(actor_width, len(DUE_ACTOR)), max(action_width, ACTION_WIDTH_LEAST), paint)

    def line(self, step: StepView) -> str:
        """Return the line of one step, and a second one if it did not go as the file says."""
        verdict = "unknown" if step.status == "waiting" else "true" if step.is_expected else "false"
        about = detail(step) if step.status == "applied" and step.is_expected else outcome(step)
        latency = duration(step.latency_us) if step.latency_us is not None else ""
        columns = (
            f"{step.business_time}  {shown(step.actor) or DUE_ACTOR:<{self.actor_width}}"
            f"  {shown(f'{step.contract}.{step.action}'):<{self.action_width}}  {about:<42}"
            f"  {block_name(step):<9}  {latency:>7}"
        )
        line = f"  {self.paint.verdict(verdict, MARKS[verdict])} {columns.rstrip()}"
        if step.is_expected or not (step.refusal or step.place):
            return line
        reason = ", ".join(part for part in (prose(step.refusal), place_shown(step.place)) if part)
        return f"{line}\n      {self.paint.dim(reason)}"


def step_line(step: StepView, paint: Paint = PLAIN) -> str:
    """Return one step as a line, in columns that fit it alone."""
    return StepLines.fitting([step.actor], [f"{step.contract}.{step.action}"], paint).line(step)


def heading(name: str, title: str, facts: Sequence[str], paint: Paint = PLAIN) -> str:
    """Return the first lines: what runs, from which seed, with how many banks."""
    lines = ["   ".join([paint.bold(shown(name)), *(shown(fact) for fact in facts)])]
    if title:
        lines.append(paint.dim(shown(title)))
    return "\n".join(lines)


def run_facts(seed: int, banks: int, f: int, signatures: str, clock: str) -> tuple[str, ...]:
    """Return what a heading says about the group."""
    plural = "bank" if banks == 1 else "banks"
    return (f"seed {seed}", f"{banks} {plural}, f={f}, pbft", f"signatures {signatures}", f"{clock} clock")


def run_text(view: RunView, next_commands: Sequence[tuple[str, str]] = (), paint: Paint = PLAIN) -> str:
    """Return the whole run: heading, steps and summary."""
    facts = run_facts(view.seed, len(view.nodes), view.f, view.signatures, view.clock)
    lines = StepLines.fitting(
        (step.actor for step in view.steps), (f"{step.contract}.{step.action}" for step in view.steps), paint
    )
    steps = "\n".join(lines.line(step) for step in view.steps)
    return f"{heading(view.name, view.title, facts, paint)}\n{steps}\n\n{summary(view, next_commands, paint)}"


def summary(view: RunView, next_commands: Sequence[tuple[str, str]] = (), paint: Paint = PLAIN) -> str:
    """Return what came out: balances, messages, checkers, expectations, digest, and what to do next."""
    sections = [
        _balances(view.parties, paint),
        _messages(view, paint),
        _rejections(view, paint),
        _checkers(view.checkers, paint),
        _expectations(view, paint),
        _ending(view, paint),
        _last_lines(view, paint),
        _next(next_commands, paint),
    ]
    return "\n\n".join("\n".join(section) for section in sections if section)


def _balances(parties: Sequence[PartyView], paint: Paint) -> list[str]:
    """One table for each currency: parties down, accounts across; of many parties only those that changed."""
    if len(parties) > PARTIES_SHOWN:
        changed = [party for party in parties if any(account.change_grouped for account in party.accounts)]
        listed = changed[:PARTIES_SHOWN]
        return [*_balances(listed, paint), f"  and {len(parties) - len(listed)} more parties"]
    accounts = accounts_in_order(parties)
    currencies = list(dict.fromkeys(account.currency for party in parties for account in party.accounts))
    lines: list[str] = []
    for currency in currencies:
        rows = []
        for party in parties:
            amounts = {
                account.account: shown(account.amount_grouped)
                for account in party.accounts
                if account.currency == currency
            }
            if amounts:
                rows.append([shown(party.party), *(amounts.get(account, "·") for account in accounts)])
        lines += _table([f"balances in {currency}", *accounts], rows, paint)
    return lines


def _messages(view: RunView, paint: Paint) -> list[str]:
    rows = [
        [
            shown(each.type),
            *(f"{number:,}" for number in (each.sent, each.delivered, each.lost, each.duplicated)),
            shown(each.formula),
        ]
        for each in messages_in_order(view.messages)
    ]
    if not rows:
        return []
    heads = ["messages", "sent", "delivered", "lost", "duplicated", "without faults"]
    return _table(heads, rows, paint)


def _rejections(view: RunView, paint: Paint) -> list[str]:
    rows = [
        [shown(each.node), shown(sender_name(view, each.sender)), shown(each.cause), f"{each.count:,}"]
        for each in view.rejections
    ]
    return _table(["refused by", "sent by", "cause", "count"], rows, paint) if rows else []


def _checkers(checkers: Sequence[CheckerView], paint: Paint) -> list[str]:
    if not checkers:
        return []
    good = [checker for checker in checkers if checker.verdict == "true"]
    lines = [paint.bold(f"checkers {len(good)}/{len(checkers)}")]
    if good:
        names = textwrap.wrap(", ".join(shown(checker.name) for checker in good), WIDTH - 4)
        mark = paint.verdict("true", MARKS["true"])
        lines += [f"  {mark} {names[0]}", *(f"    {more}" for more in names[1:])]
    for checker in checkers:
        if checker.verdict != "true":
            mark = paint.verdict(checker.verdict, MARKS.get(checker.verdict, "?"))
            lines.append(f"  {mark} {shown(checker.name)}: {checker.verdict}, {shown(checker.reason)}")
    return lines


def _expectations(view: RunView, paint: Paint) -> list[str]:
    if not view.expectations:
        return []
    met = sum(1 for expectation in view.expectations if expectation.is_met)
    lines = [paint.bold(f"expectations {met}/{len(view.expectations)}")]
    failed = [expectation for expectation in view.expectations if not expectation.is_met]
    for expectation in failed[:FAILED_SHOWN]:
        instead = f"; instead: {prose(expectation.found)}" if expectation.found else ""
        mark = paint.verdict("false", MARKS["false"])
        lines.append(f"  {mark} {prose(expectation.text)}{instead}  {place_shown(expectation.place)}")
    if len(failed) > FAILED_SHOWN:
        lines.append(f"    and {len(failed) - FAILED_SHOWN} more; the page and the document name all")
    return lines


def _ending(view: RunView, paint: Paint) -> list[str]:
    """Why a run did not come to its end."""
    if view.outcome == "finished":
        return []
    lines = [paint.verdict("false", view.outcome)]
    return [*lines, *(f"  {shown(reason)}" for reason in view.outcome_reason)]


def _last_lines(view: RunView, paint: Paint) -> list[str]:
    facts = (
        f"{sum(1 for block in view.blocks if block.height)} blocks in {view.batches} batches",
        f"{sum(each.sent for each in view.messages):,} messages",
        f"{duration(view.duration_us)} on the {view.clock} clock",
        f"view of {viewpoint(view)}",
    )
    verdict = paint.verdict(view.verdict, f"{MARKS.get(view.verdict, '?')} {view.verdict}")
    return [
        f"verdict     {verdict}   exit {view.exit_code}",
        f"run         {'   '.join(facts)}",
        f"run digest  {shown(view.run_digest)}",
    ]


def _next(commands: Sequence[tuple[str, str]], paint: Paint) -> list[str]:
    if not commands:
        return []
    width = max(len(command) for command, _ in commands)
    return [
        paint.bold("next"),
        *(f"  {command:<{width}}   {paint.dim(what)}".rstrip() for command, what in commands),
    ]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], paint: Paint) -> list[str]:
    """Return lines in columns: the first to the left, numbers to the right, words to the left."""
    widths = [max(len(line[column]) for line in (heads, *rows)) for column in range(len(heads))]
    widths[0] = max(*(len(row[0]) + 2 for row in rows), len(heads[0]))
    right = [all(_is_number(row[column]) for row in rows) for column in range(len(heads))]
    lines = []
    for indent, cells in (("", heads), *(("  ", row) for row in rows)):
        first, *others = cells
        texts = [f"{indent}{first}".ljust(widths[0])]
        for column, cell in enumerate(others, start=1):
            texts.append(cell.rjust(widths[column]) if right[column] else cell.ljust(widths[column]))
        lines.append("   ".join(texts).rstrip())
    return [paint.bold(lines[0]), *lines[1:]]


def _is_number(text: str) -> bool:
    return not text or text == "·" or text.replace(",", "").replace(".", "").lstrip("-+").isdigit()
