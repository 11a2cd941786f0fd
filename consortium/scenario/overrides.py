"""`--set a.b=c`: values from the command line, in the notation of the file and with its checks.

A path goes through keys, list positions and, in lists of things with an id, ids: `banks.ib1.own`. Errors name
the option in place of a line.
"""

from collections.abc import Mapping as MappingOf

from consortium.scenario.nodes import Entry, Mapping, Node, Refused, Scalar, Sequence, Span, described
from consortium.scenario.problems import Problems, listing, shown
from consortium.scenario.source import parse_node, source_of

OPTION = "--set"


def with_overrides(root: Mapping, overrides: MappingOf[str, str], problems: Problems) -> Mapping:
    """Return the tree with every override in its place; those that have none are reported."""
    for path, text in overrides.items():
        name = f"{OPTION} {shown(path)}={shown(text)}"
        nowhere = Span(source_of(b"", name), 0, 0, 0)
        parts = path.split(".")
        if not all(parts):
            problems.add(
                nowhere.problem(
                    "S-020", f"'{shown(path)}' is not a path", help_text="write --set consensus.f=1"
                )
            )
            continue
        if parts[0] == "extends":
            problems.add(nowhere.problem("S-020", "extends cannot be set from the command line"))
            continue
        value = _value(text, name, nowhere, problems)
        if value is None:
            continue
        changed = _placed(root, parts, value, nowhere, problems)
        if isinstance(changed, Mapping):
            root = changed
    return root


def _value(text: str, name: str, nowhere: Span, problems: Problems) -> Node | None:
    """Read a value as YAML; every node of it stands nowhere but in the option."""
    found = Problems()
    try:
        node = parse_node(source_of(text.encode("utf-8", "surrogateescape"), name), found)
    except Refused as refused:
        found.found.extend(refused.problems)
        node = None
    for problem in found.found:
        problems.add(nowhere.problem(problem.code, problem.message, help_text=problem.help))
    if found.found:
        return None
    return _moved(node, nowhere) if node is not None else Scalar(None, "", nowhere)


def _placed(
    node: Node | None, parts: list[str], value: Node, nowhere: Span, problems: Problems
) -> Node | None:
    """Return `node` with `value` at the path; None if the path leads nowhere."""
    if not parts:
        return value
    part, rest = parts[0], parts[1:]
    if node is None or (isinstance(node, Scalar) and node.value is None):
        node = Mapping({}, nowhere)
    if isinstance(node, Mapping):
        old = node.entries.get(part)
        new = _placed(old.value if old is not None else None, rest, value, nowhere, problems)
        if new is None:
            return None
        return Mapping({**node.entries, part: Entry(nowhere, new)}, node.span)
    if isinstance(node, Sequence):
        index = _index(node, part)
        if index is None:
            problems.add(
                nowhere.problem(
                    "S-020", f"there is no '{shown(part)}' in this list", help_text=f"it has: {_items(node)}"
                )
            )
            return None
        new = _placed(node.items[index], rest, value, nowhere, problems)
        if new is None:
            return None
        return Sequence((*node.items[:index], new, *node.items[index + 1 :]), node.span)
    problems.add(nowhere.problem("S-020", f"'{shown(part)}' cannot be set inside {described(node)}"))
    return None


def _index(node: Sequence, part: str) -> int | None:
    ids = [_id(item) for item in node.items]
    if part in ids:
        return ids.index(part)
    if part.isascii() and part.isdigit() and len(part) < 7 and int(part) < len(node.items):
        return int(part)
    return None


def _items(node: Sequence) -> str:
    ids = [each for each in map(_id, node.items) if each is not None]
    return listing(ids) if ids else f"{len(node.items)} items, counted from 0"


def _id(item: Node) -> str | None:
    entry = item.entries.get("id") if isinstance(item, Mapping) else None
    return entry.value.raw if entry is not None and isinstance(entry.value, Scalar) else None


def _moved(node: Node, span: Span) -> Node:
    match node:
        case Scalar():
            return Scalar(node.value, node.raw, span)
        case Sequence():
            return Sequence(tuple(_moved(item, span) for item in node.items), span)
        case Mapping():
            entries = {key: Entry(span, _moved(entry.value, span)) for key, entry in node.entries.items()}
            return Mapping(entries, span)
