"""The tiny language after `that:`: one comparison of paths, sums and literals, parsed and never run as code.

comparison = operand ("==" | "!=" | "<" | "<=" | ">" | ">=") operand
operand    = "sum" "(" path ")" | path | amount | rate | date | whole number | word | "text" | true | false
path       = "$" name { "." field }            a field may be a number: $parts.0.amount
"""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from consortium.money import Day, Money, MoneyError, Rate, parse_money, parse_rate
from consortium.scenario.problems import shown

COMPARISON_LENGTH_MAX = 500

Literal = None | bool | int | str | Money | Rate | Day


@dataclass(frozen=True, slots=True)
class Reference:
    """`$name.field`: what a step saved under a name, and the way into it."""

    name: str
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "$" + ".".join((self.name, *self.fields))


@dataclass(frozen=True, slots=True)
class SumOf:
    """The sum over all items of a path."""

    path: Reference

    def __str__(self) -> str:
        return f"sum({self.path})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands and the relation that must hold between them."""

    left: "Operand"
    relation: str
    right: "Operand"

    def references(self) -> tuple[Reference, ...]:
        """Return the paths it reads."""
        paths = [side.path if isinstance(side, SumOf) else side for side in (self.left, self.right)]
        return tuple(path for path in paths if isinstance(path, Reference))


Operand = Reference | SumOf | Literal


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison came to: both values and whether it holds; `reason` tells why it has no answer."""

    left: Any
    right: Any
    holds: bool
    reason: str | None = None


class ComparisonError(Exception):
    """A text that is not a comparison; `offset` is where it stops making sense."""

    def __init__(self, message: str, offset: int, help_text: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.help = help_text


RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<relation>==|!=|<=|>=|<|>)
  | (?P<path>\$[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_]+)*)
  | (?P<sum>sum\s*\()
  | (?P<close>\))
  | (?P<quoted>"[^"]*"|'[^']*')
  | (?P<amount>-?[0-9][0-9_,]*(?:\.[0-9]+)?\s*[A-Z]{3}\b)
  | (?P<rate>-?[0-9]+(?:\.[0-9]+)?\s*%)
  | (?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}\b)
  | (?P<whole>-?[0-9]{1,18}(?![0-9.,_A-Za-z]))
  | (?P<word>[A-Za-z][A-Za-z0-9_-]*)
    )""",
    re.VERBOSE,
)
_EXAMPLE = "such as sum($parts.amount) == $voucher.amount or $lc.status == CLOSED"
_REFERENCE = re.compile(r"\$([A-Za-z][A-Za-z0-9_-]*)((?:\.[A-Za-z0-9_]+)*)")


def parse_reference(text: str) -> Reference | None:
    """Read `$name.field`, or return None if the text is not a reference."""
    match = _REFERENCE.fullmatch(text)
    return None if match is None else Reference(match[1], tuple(match[2].split(".")[1:]))


def parse_comparison(text: str) -> Comparison:
    """Read a comparison. Raises ComparisonError that says where and why it is none."""
    if len(text) > COMPARISON_LENGTH_MAX:
        raise ComparisonError(f"a comparison has at most {COMPARISON_LENGTH_MAX} characters", 0)
    tokens = _tokens(text)
    left, rest = _operand(tokens, text)
    if not rest or rest[0][0] != "relation":
        offset = rest[0][2] if rest else len(text.rstrip())
        raise ComparisonError("a comparison needs one of == != < <= > >= here", offset, _EXAMPLE)
    relation = rest[0][1]
    right, rest = _operand(rest[1:], text)
    if rest:
        raise ComparisonError(f"nothing may follow the comparison: '{shown(text[rest[0][2] :])}'", rest[0][2])
    return Comparison(left, relation, right)


def compare(comparison: Comparison, lookup: Callable[[Reference], Any]) -> Compared:
    """Evaluate over what `lookup` gives for each path; a sum adds up the items of a sequence."""
    try:
        left, right = (_value(side, lookup) for side in (comparison.left, comparison.right))
    except (LookupError, TypeError, MoneyError) as error:
        return Compared(None, None, holds=False, reason=str(error))
    try:
        return Compared(left, right, bool(RELATIONS[comparison.relation](left, right)))
    except (TypeError, MoneyError):
        reason = f"{_kind(left)} and {_kind(right)} cannot be compared by {comparison.relation}"
        return Compared(left, right, holds=False, reason=reason)


def _tokens(text: str) -> list[tuple[str, str, int]]:
    tokens = []
    offset = 0
    end = len(text.rstrip())
    while offset < end:
        match = _TOKEN.match(text, offset)
        if match is None:
            start = offset + len(text[offset:]) - len(text[offset:].lstrip())
            advice = "equality is written ==" if text[start] == "=" else _EXAMPLE
            raise ComparisonError(f"'{shown(text[start:end])}' cannot be read", start, advice)
        kind = str(match.lastgroup)
        tokens.append((kind, match[kind], match.start(kind)))
        offset = match.end()
    return tokens


def _operand(
    tokens: Sequence[tuple[str, str, int]], text: str
) -> tuple[Operand, Sequence[tuple[str, str, int]]]:
    if not tokens:
        raise ComparisonError("a value is missing here", len(text.rstrip()), _EXAMPLE)
    (kind, word, offset), rest = tokens[0], tokens[1:]
    if kind == "path":
        return _path(word), rest
    if kind == "sum":
        if not rest or rest[0][0] != "path":
            raise ComparisonError("sum( needs a path such as $parts.amount", offset + len(word))
        if len(rest) < 2 or rest[1][0] != "close":
            raise ComparisonError("the closing ) is missing", rest[0][2] + len(rest[0][1]))
        return SumOf(_path(rest[0][1])), rest[2:]
    if kind in _LITERALS:
        try:
            return _LITERALS[kind](word), rest
        except MoneyError as error:
            raise ComparisonError(str(error), offset) from None
    raise ComparisonError(f"a value is missing before '{word}'", offset, _EXAMPLE)


def _path(text: str) -> Reference:
    reference = parse_reference(text)
    assert reference is not None
    return reference


def _word(text: str) -> Literal:
    return {"true": True, "false": False, "null": None}.get(text, text)


_LITERALS: dict[str, Callable[[str], Literal]] = {
    "quoted": lambda text: text[1:-1],
    "amount": parse_money,
    "rate": parse_rate,
    "day": Day.of,
    "whole": int,
    "word": _word,
}


def _value(side: Operand, lookup: Callable[[Reference], Any]) -> Any:
    if isinstance(side, Reference):
        return lookup(side)
    if isinstance(side, SumOf):
        items = lookup(side.path)
        if not isinstance(items, (list, tuple)) or not items:
            raise TypeError(f"{side.path} is not a list that can be added up")
        total = items[0]
        for item in items[1:]:
            total = total + item
        return total
    return side


def _kind(value: Any) -> str:
    return {
        "NoneType": "nothing", "bool": "a truth value", "int": "a whole number", "str": "a text",
        "Money": "an amount", "Rate": "a rate", "Day": "a date", "tuple": "a list", "list": "a list",
    }.get(type(value).__name__, "a record")  # fmt: skip
