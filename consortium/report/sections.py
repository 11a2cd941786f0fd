"""The sections of the page: timeline, balances, blocks, messages, checks, banks and refused messages.

Each one is an entry in `SECTIONS`: when it is shown, what its link counts, and what stands in it. How long
lists are drawn is in `tables`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from consortium.report.markup import Content, Html, joined, tag
from consortium.report.tables import Column, folded, table
from consortium.report.text import MARKS
from consortium.report.words import (
    DUE_ACTOR,
    accounts_in_order,
    block_kind,
    block_name,
    detail,
    duration,
    messages_in_order,
    outcome,
    place_shown,
    prose,
    sender_name,
    short,
    step_name,
)
from consortium.timeline.views import (
    AccountView,
    BlockView,
    EventView,
    ExpectationView,
    FieldView,
    MessageView,
    NodeView,
    PartyView,
    RunView,
    StepView,
)

SIGNERS_NAMED = 10


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page; `content` is called only if there is something to show."""

    anchor: str
    title: str
    lead: str
    is_shown: Callable[[RunView], bool]
    count: Callable[[RunView], str]
    content: Callable[[RunView], Content]
    is_half: bool = False

    def element(self, view: RunView) -> Html:
        return tag(
            "section",
            tag("h2", self.title),
            tag("p", self.lead, class_="lead"),
            tag("div", self.content(view), class_="card"),
            id=self.anchor,
            class_="half" if self.is_half else None,
        )


# --- timeline -------------------------------------------------------------------------------------------


def _timeline(view: RunView) -> Content:
    days = groupby(view.steps, key=lambda step: step.business_time.partition(" ")[0])
    return folded([_day(day, list(steps)) for day, steps in days], "days", joined)


def _day(day: str, steps: Sequence[StepView]) -> Html:
    return tag(
        "div",
        tag("div", day, class_="date"),
        tag("div", (_step(step) for step in steps), class_="steps"),
        class_="day",
    )


def _step(step: StepView) -> Html:
    verdict = "unknown" if step.status == "waiting" else "true" if step.is_expected else "false"
    about = detail(step)
    summary = tag(
        "summary",
        tag("span", step.business_time.partition(" ")[2], class_="time"),
        tag("span", MARKS[verdict], class_=f"mark {verdict}"),
        tag("span", step.actor or DUE_ACTOR, class_="actor" if step.actor else "actor due"),
        tag(
            "span",
            tag("span", f"{step.contract}.", class_="contract"),
            step.action,
            tag("span", about, class_="about") if about else None,
            tag("span", prose(step.refusal), class_="about") if step.refusal else None,
            class_="what",
        ),
        tag("span", outcome(step), class_=f"pill {_pill(step)}"),
        tag("span", block_name(step), class_="at"),
        tag("span", _latency(step), class_="at latency"),
    )
    return tag("details", summary, _step_body(step), class_="step")


def _pill(step: StepView) -> str:
    if not step.is_expected:
        return "wrong"
    return step.status if step.status in ("applied", "refused") else "other"


def _latency(step: StepView) -> str:
    return duration(step.latency_us) if step.latency_us is not None else ""


def _step_body(step: StepView) -> Html:
    facts = (
        ("step", step_name(step)),
        ("result", prose(step.result)),
        ("expected", step.expected),
        ("latency", _latency(step)),
        ("gas", f"{step.gas_used:,}"),
        ("in the file", place_shown(step.place)),
    )
    arguments = (tag("h3", "Arguments"), _fields(step.arguments)) if step.arguments else None
    events = tag("div", tag("h3", "Events"), (_event(event) for event in step.events))
    return tag(
        "div",
        tag("div", arguments, tag("h3", "Facts"), _pairs([fact for fact in facts if fact[1]])),
        events if step.events else None,
        class_="body",
    )


def _event(event: EventView) -> Html:
    return tag("div", tag("b", event.name), f" from {event.contract}", _fields(event.fields), class_="event")


def _fields(fields: Sequence[FieldView]) -> Html:
    return _pairs([(each.name, prose(each.value)) for each in fields])


def _pairs(pairs: Sequence[tuple[str, str]]) -> Html:
    return tag("dl", ((tag("dt", name), tag("dd", value)) for name, value in pairs), class_="pairs")


# --- balances -------------------------------------------------------------------------------------------


def _balances(view: RunView) -> Content:
    accounts = accounts_in_order(view.parties)
    columns = (Column("party"), *(Column(account.replace("_", " "), "number") for account in accounts))
    return table(columns, [_balance_row(party, accounts) for party in view.parties], "parties")


def _balance_row(party: PartyView, accounts: Sequence[str]) -> list[Content]:
    name = tag("small", f"{party.name}, {party.kind}" if party.name != party.party else party.kind)
    held = {account: [each for each in party.accounts if each.account == account] for account in accounts}
    amounts = [[_amount(each) for each in held[account]] for account in accounts]
    return [tag("span", party.party, name), *amounts]


def _amount(account: AccountView) -> Html:
    amount = f"{account.amount_grouped} {account.currency}"
    is_zero = not account.amount.strip("-0.")
    direction = "up" if account.change_grouped.startswith("+") else "down"
    change = tag("small", tag("span", account.change_grouped, class_=direction))
    return tag(
        "span",
        tag("span", amount, class_="zero" if is_zero else None),
        change if account.change_grouped else None,
    )


# --- blocks ---------------------------------------------------------------------------------------------


def _blocks(view: RunView) -> Content:
    columns = (
        Column("block", "number"),
        Column("business time"),
        Column("holds"),
        Column("gas", "number"),
        Column("hash, and the one before", "hash"),
        Column("state root", "hash"),
        Column("at", "number"),
        Column("certificate signed by"),
    )
    banks = [node.id for node in view.nodes]
    return table(columns, [_block_row(block, banks) for block in view.blocks], "blocks")


def _block_row(block: BlockView, banks: Sequence[str]) -> list[Content]:
    sequence = tag("small", f"seq {block.sequence}") if block.sequence != block.height else None
    return [
        (str(block.height), sequence),
        block.business_time,
        block_kind(block),
        f"{block.gas_used:,}",
        tag(
            "span",
            tag("span", short(block.hash), title=block.hash),
            tag("small", f"← {short(block.previous)}", title=block.previous),
        ),
        tag("span", short(block.state_root), title=block.state_root),
        duration(block.committed_us),
        _signers(block.signers, banks),
    ]


def _signers(signers: Sequence[str], banks: Sequence[str]) -> Html:
    if len(banks) > SIGNERS_NAMED:
        return tag("span", f"{len(signers)} of {len(banks)}", title=", ".join(signers))
    return tag(
        "span",
        (tag("span", bank, class_="chip" if bank in signers else "chip off") for bank in banks),
        class_="signers",
    )


# --- messages -------------------------------------------------------------------------------------------


def _messages(view: RunView) -> Content:
    columns = (
        Column("message"),
        Column("", "track"),
        Column("sent", "number"),
        Column("without faults"),
        Column("delivered", "number"),
        Column("lost", "number"),
        Column("doubled", "number"),
    )
    most = max(each.sent for each in view.messages)
    rows = [_message_row(each, most) for each in messages_in_order(view.messages)]
    return table(columns, rows, "types")


def _message_row(message: MessageView, most: int) -> list[Content]:
    share = 100 * message.sent // most if most else 0
    return [
        message.type,
        tag("span", class_="bar", style=f"width:{share}%"),
        f"{message.sent:,}",
        message.formula,
        f"{message.delivered:,}",
        _count(message.lost),
        _count(message.duplicated),
    ]


def _count(number: int) -> Html:
    return tag("span", f"{number:,}", class_=None if number else "zero")


# --- checks, banks, refused messages ---------------------------------------------------------------------


def _checkers(view: RunView) -> Content:
    return _list([(each.verdict, each.name.replace("_", " "), each.reason) for each in view.checkers])


def _expectations(view: RunView) -> Content:
    return _list([(*_met_or_not(each), _instead(each)) for each in view.expectations])


def _met_or_not(expectation: ExpectationView) -> tuple[str, str]:
    return "true" if expectation.is_met else "false", prose(expectation.text)


def _instead(expectation: ExpectationView) -> str:
    if expectation.is_met:
        return ""
    found = prose(expectation.found) or "not met"
    return f"instead: {found} ({place_shown(expectation.place)})"


def _list(entries: Sequence[tuple[str, str, str]]) -> Html:
    rows = [
        tag(
            "li",
            tag("span", MARKS.get(verdict, "?"), class_=f"mark {verdict}"),
            tag("span", text, tag("small", note) if note else None),
        )
        for verdict, text, note in entries
    ]
    return folded(rows, "entries", lambda some: tag("ul", some, class_="list"))


def _banks(view: RunView) -> Content:
    columns = (
        Column("bank"),
        Column("state"),
        Column("view", "number"),
        Column("height", "number"),
        Column("executed", "number"),
        Column("stable", "number"),
        Column("last block", "hash"),
        Column("state root", "hash"),
    )
    return table(columns, [_bank_row(node) for node in view.nodes], "banks")


def _bank_row(node: NodeView) -> list[Content]:
    state = "running" if node.is_running else "stopped"
    return [
        tag("span", node.id, tag("small", node.name) if node.name != node.id else None),
        tag(
            "span",
            state if node.is_honest else f"{state}, not honest",
            (tag("small", f"waits for {reason}") for reason in node.waits_for),
        ),
        str(node.view),
        str(node.height),
        str(node.executed),
        str(node.stable),
        tag("span", short(node.header_hash), title=node.header_hash),
        tag("span", short(node.state_root), title=node.state_root),
    ]


def _rejections(view: RunView) -> Content:
    columns = (Column("refused by"), Column("sent by"), Column("cause"), Column("count", "number"))
    rows: list[list[Content]] = [
        [each.node, sender_name(view, each.sender), each.cause, f"{each.count:,}"] for each in view.rejections
    ]
    return table(columns, rows, "entries")


SECTIONS = (
    Section(
        "timeline",
        "Timeline",
        "What each party did, in business time. Open a line for its arguments and events.",
        lambda view: bool(view.steps),
        lambda view: str(len(view.steps)),
        _timeline,
    ),
    Section(
        "balances",
        "Balances",
        "At the end of the run, and how each account changed since its opening.",
        lambda view: bool(view.parties),
        lambda view: str(len(view.parties)),
        _balances,
    ),
    Section(
        "blocks",
        "Blocks",
        "Each block names the one before by its hash. A quorum of signatures fixes its place.",
        lambda view: bool(view.blocks),
        lambda view: str(sum(1 for block in view.blocks if block.height)),
        _blocks,
    ),
    Section(
        "messages",
        "Messages",
        "What the banks sent each other, by type, beside what agreement needs if nothing goes wrong.",
        lambda view: bool(view.messages),
        lambda view: f"{sum(each.sent for each in view.messages):,}",
        _messages,
    ),
    Section(
        "checkers",
        "Checkers",
        "Independent checks of the whole run; they share no code with what they check.",
        lambda view: bool(view.checkers),
        lambda view: f"{sum(1 for each in view.checkers if each.verdict == 'true')}/{len(view.checkers)}",
        _checkers,
        is_half=True,
    ),
    Section(
        "expectations",
        "Expectations",
        "What the scenario file says must come out.",
        lambda view: bool(view.expectations),
        lambda view: f"{sum(1 for each in view.expectations if each.is_met)}/{len(view.expectations)}",
        _expectations,
        is_half=True,
    ),
    Section(
        "banks",
        "Banks",
        "Where each validator stood at the end. Equal state roots mean equal ledgers.",
        lambda view: bool(view.nodes),
        lambda view: str(len(view.nodes)),
        _banks,
    ),
    Section(
        "refused",
        "Refused messages",
        "Messages and requests that a bank did not accept, and why.",
        lambda view: bool(view.rejections),
        lambda view: str(sum(each.count for each in view.rejections)),
        _rejections,
    ),
)
