"""The flat form of a scenario: one text and one digest for what all its files and options say together.

The text is YAML that loads to the same scenario without bases or options (run folders keep it beside the
original). The digest does not depend on comments, key order, quotes or the seed.
"""

import re
from typing import Any

from consortium.crypto import digest
from consortium.scenario.nodes import Mapping, Node, Scalar, Sequence
from consortium.scenario.source import REFUSED_CHARACTER

_ESCAPED = re.compile(r'["\\\n\r\t]|' + REFUSED_CHARACTER.pattern)
_NOT_COUNTED = ("extends", "seed")


def digest_of(root: Mapping) -> bytes:
    """Return the digest of a merged tree, without its seed."""
    return digest("scenario", _canonical(_without(root, _NOT_COUNTED)))


def flat_text(root: Mapping) -> str:
    """Return a merged tree as one YAML text."""
    lines = [f"{key}: {_written(entry.value)}" for key, entry in root.entries.items() if key != "extends"]
    return "\n".join(lines) + "\n"


def _without(root: Mapping, keys: tuple[str, ...]) -> Mapping:
    return Mapping({key: entry for key, entry in root.entries.items() if key not in keys}, root.span)


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
