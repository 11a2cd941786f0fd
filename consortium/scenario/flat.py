"""The flat form of a scenario: one text and one digest for what all its files and options say together.

The text is YAML that loads to the same scenario without bases or options (run folders keep it beside the
original). The digest does not depend on comments, key order, quotes, file names or the seed.
"""

import re
from collections.abc import Mapping as MappingOf
from typing import Any

from consortium.crypto import digest
from consortium.scenario.nodes import Entry, Mapping, Node, Scalar, Sequence
from consortium.scenario.source import REFUSED_CHARACTER

_ESCAPED = re.compile(r'["\\\n\r\t]|' + REFUSED_CHARACTER.pattern)


def stand_alone(root: Mapping, file_digests: MappingOf[int, bytes]) -> Mapping:
    """Return a merged tree that names no file any more.

    Bases are merged already. A contract's `file:` goes, since a flat scenario finds its contracts by name in
    `contracts/` beside it. The digest of a file takes the place of its path (`file_digests`, by the identity
    of the node that names it).
    """
    entries = {key: entry for key, entry in root.entries.items() if key != "extends"}
    contracts = entries.get("contracts")
    if contracts is not None and isinstance(contracts.value, Mapping):
        named = {
            key: Entry(entry.key, _without_file(entry.value))
            for key, entry in contracts.value.entries.items()
        }
        entries["contracts"] = Entry(contracts.key, Mapping(named, contracts.value.span))
    found = _with_digests(Mapping(entries, root.span), file_digests)
    assert isinstance(found, Mapping)
    return found


def digest_of(root: Mapping) -> bytes:
    """Return the digest of a tree that stands alone; the seed is not counted."""
    counted = {key: entry for key, entry in root.entries.items() if key != "seed"}
    return digest("scenario", _canonical(Mapping(counted, root.span)))


def flat_text(root: Mapping) -> str:
    """Return a tree that stands alone as one YAML text."""
    return "".join(f"{key}: {_written(entry.value)}\n" for key, entry in root.entries.items())


def _without_file(node: Node) -> Node:
    if not isinstance(node, Mapping):
        return node
    return Mapping({key: entry for key, entry in node.entries.items() if key != "file"}, node.span)


def _with_digests(node: Node, file_digests: MappingOf[int, bytes]) -> Node:
    known = file_digests.get(id(node))
    if known is not None:
        return Scalar(known.hex(), known.hex(), node.span)
    match node:
        case Sequence():
            return Sequence(tuple(_with_digests(item, file_digests) for item in node.items), node.span)
        case Mapping():
            entries = {
                key: Entry(entry.key, _with_digests(entry.value, file_digests))
                for key, entry in node.entries.items()
            }
            return Mapping(entries, node.span)
        case _:
            return node


def _canonical(node: Node) -> Any:
    match node:
        case Scalar(value=str() as text):
            return text.encode("utf-8", "surrogatepass")
        case Scalar():
            return node.value
        case Sequence():
            return ("list", *(_canonical(item) for item in node.items))
        case Mapping():
            entries = sorted(node.entries.items())
            return (
                "map",
                *((key.encode("utf-8", "surrogatepass"), _canonical(each.value)) for key, each in entries),
            )


def _written(node: Node) -> str:
    match node:
        case Scalar():
            return _written_scalar(node.value)
        case Sequence():
            return "[" + ", ".join(_written(item) for item in node.items) + "]"
        case Mapping():
            pairs = (f"{_quoted(key)}: {_written(entry.value)}" for key, entry in node.entries.items())
            return "{" + ", ".join(pairs) + "}"


def _written_scalar(value: str | int | bool | None) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if value is None:
        return "null"
    return str(value).lower()


def _quoted(text: str) -> str:
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    return "\\" + character if character in '"\\' else f"\\U{ord(character):08x}"
