"""Words that the text, the document and the page share: how a view's values are put for people.

Nothing is computed about a run here. Texts of a scenario or a contract come from outside: `shown` makes them
one printable line, so that none of them can move a cursor, and `place_shown` keeps folders of this machine
out of what is written.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath, PureWindowsPath

from consortium.timeline.views import OPERATOR, BlockView, MessageView, PartyView, RunView, StepView

ACCOUNTS = ("own", "deposit", "margin", "line_used", "income")
MESSAGES = ("request", "pre-prepare", "prepare", "commit", "checkpoint", "reply", "status")
DUE_ACTOR = "due work"
DETAIL_LENGTH_MAX = 48
_AMOUNT = re.compile(r"-?\d[\d,]*(\.\d+)? [A-Z]{3}")
_MONEY = re.compile(r"(?<![\w.,-])(-?\d+)((?:\.\d+)? [A-Z]{3})(?!\w)")


def shown(text: str) -> str:
    """Return the text with everything unprintable written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text
    )


def place_shown(place: str) -> str:
    """Return a file or a place in it; of an absolute path only the name, for folders tell where we are."""
    if PurePosixPath(place).is_absolute():
        return shown(PurePosixPath(place).name)
    if PureWindowsPath(place).is_absolute():
        return shown(PureWindowsPath(place).name)
    return shown(place)


def prose(text: str) -> str:
    """Return a text or a value with the thousands of its amounts of money grouped."""
    return _MONEY.sub(lambda money: f"{int(money[1]):,}{money[2]}", shown(text))


def step_name(step: StepView) -> str:
    """Return how a step is named: by its id, due work by what it is."""
    return step.step or f"due:{step.contract}.{step.action}"


def detail(step: StepView) -> str:
    """Return what a step was about: its result or its subject, and the amounts given to it."""
    amounts = [prose(each.value) for each in step.arguments if _AMOUNT.fullmatch(each.value)]
    subject = step.result or (step.arguments[0].value if step.arguments else "")
    text = "  ".join(dict.fromkeys(part for part in (prose(subject), *amounts) if part))
    return text if len(text) <= DETAIL_LENGTH_MAX else text[: DETAIL_LENGTH_MAX - 1] + "…"


def outcome(step: StepView) -> str:
    """Return what became of a step, and what was expected where the two differ."""
    became = f"{step.status}: {shown(step.code)}" if step.code else step.status
    if not step.is_expected:
        return f"{became} (expected {shown(step.expected) or 'otherwise'})"
    return f"{became} (expected)" if step.status != "applied" else became


def block_name(step: StepView) -> str:
    """Return the block of a step, with its sequence number where null batches made the two differ."""
    if step.height is None:
        return ""
    if step.sequence is None or step.sequence == step.height:
        return f"block {step.height}"
    return f"block {step.height} (seq {step.sequence})"


def duration(time_us: int) -> str:
    """Return a time as people read it: 950 µs, 11 ms, 431 ms, 1.20 s."""
    if time_us < 1_000:
        return f"{time_us} µs"
    if time_us < 10_000:
        return f"{time_us / 1_000:.1f} ms"
    if time_us < 1_000_000:
        return f"{time_us // 1_000} ms"
    return f"{time_us / 1_000_000:.2f} s"


def short(digest: str) -> str:
    """Return the two ends of a digest."""
    return digest if len(digest) <= 16 else f"{digest[:8]}…{digest[-4:]}"


def viewpoint(view: RunView) -> str:
    """Return whose eyes the report is for."""
    return f"{OPERATOR} (sees all)" if view.viewpoint == OPERATOR else shown(view.viewpoint)


def reproducing_command(view: RunView) -> str:
    """Return the command that makes this run again."""
    options = [f"--seed {view.seed}"]
    if view.signatures != "ed25519":
        options.append(f"--signatures {shown(view.signatures)}")
    return f"consortium run {place_shown(view.file)} {' '.join(options)}"


def sender_name(view: RunView, sender: str) -> str:
    """Return who sent something; a replica number as the bank that it stands for."""
    names = {str(node.index): node.id for node in view.nodes}
    return names.get(sender, sender)


def block_kind(block: BlockView) -> str:
    """Return what a block holds, in words."""
    if block.height == 0:
        return "genesis"
    parts = [f"{block.transactions} tx"] if block.transactions or not block.due_entries else []
    parts += [f"{block.due_entries} due"] if block.due_entries else []
    return ", ".join(parts)


def accounts_in_order(parties: Sequence[PartyView]) -> list[str]:
    """Return the accounts that occur: those of every ledger in their usual order, then any others."""
    found = dict.fromkeys(account.account for party in parties for account in party.accounts)
    return [*(each for each in ACCOUNTS if each in found), *(each for each in found if each not in ACCOUNTS)]


def messages_in_order(messages: Sequence[MessageView]) -> list[MessageView]:
    """Return the types of messages in the order of the protocol, then any others."""
    place = {name: number for number, name in enumerate(MESSAGES)}
    return sorted(messages, key=lambda message: (place.get(message.type, len(place)), message.type))
