"""The contract language: its rules, with reason and advice, and everything a contract may name.

This page is the allow-list. What is not listed here does not exist for a contract; `check` applies it and
`builtins` gives the listed functions and methods their meaning. `LANGUAGE_VERSION` changes with any change
that makes an accepted contract refused or the other way round.
"""

from dataclasses import dataclass

LANGUAGE_VERSION = 1
# The oldest grammar among the supported interpreters: newer ones must not accept more.
GRAMMAR = (3, 10)

SOURCE_BYTES_MAX = 64 * 1024
LINE_LENGTH_MAX = 200
NESTING_MAX = 32
# Operators and calls chained in one expression, branches in one `if`, tokens in one statement, helpers and
# comprehensions inside one another: bounds that keep every parser, compiler and interpreter far from its own,
# version-dependent, limits.
TREE_DEPTH_MAX = 100
BRANCHES_MAX = 100
TOKENS_PER_STATEMENT_MAX = 1500
FRAMES_MAX = 32

INTEGER_BITS_MAX = 4096
TEXT_BYTES_MAX = 64 * 1024
ITEMS_MAX = 10_000
DEPTH_MAX = 16
KEY_BYTES_MAX = 255
CALL_DEPTH_MAX = 8
SMALL_DIVISOR = 2**30


@dataclass(frozen=True, slots=True)
class Rule:
    """Why something is refused, and what to write instead. `{}` is filled in with what was found."""

    reason: str
    advice: str


RULES: dict[str, Rule] = {
    "E-LANG-001": Rule(
        "{} has no place in a contract's bytes.", "save the file as plain UTF-8 with LF line ends and spaces"
    ),
    "E-LANG-002": Rule(
        "{} is invisible: the text would not mean what it shows.",
        "delete it, or write it as an escape in a text",
    ),
    "E-LANG-003": Rule(
        "a coding cookie changes how the bytes are read.", "delete the line: contracts are UTF-8"
    ),
    "E-LANG-004": Rule("{}", "split it into smaller pieces"),
    "E-LANG-005": Rule("'{}' holds letters that look like others.", "use a-z, A-Z, 0-9 and _ in names"),
    "E-LANG-006": Rule("{}", "write it as Python 3.10 reads it"),
    "E-LANG-007": Rule(
        "'{}' begins or ends with '_', which is kept for the engine.", "choose a name without it"
    ),
    "E-LANG-008": Rule(
        "only consortium.contract can be imported.",
        "write  from consortium.contract import ...  once, at the top",
    ),
    "E-LANG-009": Rule("{} cannot stand at the top level.", "{}"),
    "E-LANG-010": Rule(
        "'{}' could hide a failure; every failure undoes the whole transaction.",
        'use  require(condition, "E_CODE", "text")  or  fail("E_CODE", "text")',
    ),
    "E-LANG-011": Rule("'with' runs code that cannot be seen here.", "write the steps one after another"),
    "E-LANG-012": Rule(
        "a function inside a function hides what it remembers.", "write a top-level function marked @helper"
    ),
    "E-LANG-013": Rule(
        "a generator keeps a paused frame that others could reach.", "build a list:  [x for x in items]"
    ),
    "E-LANG-014": Rule("contracts run in one piece; there is nothing to wait for.", "write a plain  def"),
    "E-LANG-015": Rule("{}", "mark the class @record, @value, @status or @choice and list only its fields"),
    "E-LANG-016": Rule(
        "'{}' changes names behind the reader's back.", "return the value, or keep it in a record"
    ),
    "E-LANG-017": Rule(
        "'/' gives a float, which banks may round differently.",
        'use  amount.at(rate("0.1 %"), round=HALF_UP)  ,  amount.share(3, of=7)  or  //',
    ),
    "E-LANG-018": Rule("{} is not exact.", 'use int, Money or Rate:  money("10.50 CNY")  ,  rate("4.35 %")'),
    "E-LANG-019": Rule("':=' hides an assignment in an expression.", "assign on a line of its own"),
    "E-LANG-020": Rule(
        "'match' looks into objects in ways that cannot be seen here.", "use  if / elif / else"
    ),
    "E-LANG-021": Rule("{} hides how many values there are.", "name each argument or value"),
    "E-LANG-022": Rule(
        "a set has no fixed order, so banks could disagree.", "use a list, or a dict, which keeps its order"
    ),
    "E-LANG-023": Rule(
        "the operator '{}' is not part of the language.", "use  + - * // %  and the comparisons"
    ),
    "E-LANG-024": Rule(
        "'**' needs a whole-number literal from 0 up as its exponent.",
        "write the exponent as a number, or multiply in a loop",
    ),
    "E-LANG-025": Rule(
        "'is' compares places in memory, which differ between banks.",
        "use  ==  ;  is None  and  is not None  are fine",
    ),
    "E-LANG-026": Rule("{}", "{}"),
    "E-LANG-027": Rule("'.{}' is not on the list of attributes.", "{}"),
    "E-LANG-028": Rule("'{}' is not declared here.", "{}"),
    "E-LANG-029": Rule("'{}' is not a value.", "{}"),
    "E-LANG-030": Rule(
        "a default is a plain literal: number, text, True, False or None.", "use None and test it in the body"
    ),
    "E-LANG-031": Rule(
        "a format in an f-string depends on the Python version.",
        "write  {{value}}  alone; Money and Day print as banks write them",
    ),
    "E-LANG-032": Rule("'{}' calls itself, directly or through others.", "use a loop over a list"),
    "E-LANG-033": Rule("True and False are not numbers.", "write  1 if condition else 0"),
    "E-LANG-034": Rule("{}", "{}"),
    "E-LANG-035": Rule(
        "'%' formats text unless both sides are whole numbers.", "annotate both as int, or use an f-string"
    ),
    "E-LANG-036": Rule("a query changes nothing, but '{}' writes.", "move it into an @action"),
    "E-LANG-037": Rule("a field cannot be assigned.", "use  record.update({}=...)  or  record.move_to(...)"),
    "E-LANG-038": Rule("the text holds {}.", "use characters of Unicode 14 in composed form (NFC)"),
}

# What may stand on the right of a dot when it is not called, beside the fields that the contract declares.
ATTRIBUTES = frozenset({"currency", "denominator", "id", "minor", "month", "numerator", "year"})

# Functions of Python, and the number of arguments each takes.
BUILTINS: dict[str, tuple[int, int]] = {
    "dict": (0, 1),
    "enumerate": (1, 1),
    "int": (1, 1),
    "len": (1, 1),
    "list": (0, 1),
    "max": (1, 50),
    "min": (1, 50),
    "range": (1, 3),
    "sorted": (1, 1),
    "str": (1, 1),
    "sum": (1, 1),
    "zip": (1, 10),
}

# Functions of the authoring API and the number of positional arguments each takes.
WORDS: dict[str, tuple[int, int]] = {
    "access_bank": (1, 1),
    "add_banking_days": (2, 2),
    "banking_day": (1, 2),
    "before_cut_off": (0, 0),
    "caller": (0, 0),
    "day": (1, 1),
    "distribute": (2, 2),
    "emit": (1, 1),
    "fail": (1, 2),
    "is_bank": (1, 1),
    "is_banking_day": (1, 1),
    "is_company": (1, 1),
    "money": (1, 1),
    "own_id": (1, 1),
    "rate": (1, 1),
    "require": (2, 3),
    "sender": (0, 0),
    "signers": (0, 0),
    "today": (0, 0),
    "total": (2, 2),
    "value_day": (0, 0),
}
# They stand alone on a line: their value is nothing, and `require` computes its text only when it fails.
STATEMENT_WORDS = frozenset({"emit", "fail", "require"})

CONSTANT_WORDS = frozenset({"ACT_360", "ACT_365", "DOWN", "HALF_UP", "UP"})
TYPE_WORDS = frozenset(
    {"Bank", "CentralBank", "Company", "Day", "DayCount", "Hash", "Id", "Money", "Party", "Rate", "Regulator",
     "Text"}
)  # fmt: skip
DECLARING_WORDS = frozenset(
    {"action", "by_role", "choice", "collection", "due", "helper", "invariant", "opening", "option",
     "parameter", "query", "record", "status", "to", "uses", "value", "Record"}
)  # fmt: skip
IMPORTABLE = CONSTANT_WORDS | TYPE_WORDS | DECLARING_WORDS | WORDS.keys()

# Names of Python that a rule of its own refuses; every other unknown name is E-LANG-028.
NAMED_ELSEWHERE = {
    "complex": "E-LANG-018",
    "float": "E-LANG-018",
    "frozenset": "E-LANG-022",
    "set": "E-LANG-022",
}

FUNCTION_DECORATORS = frozenset({"action", "due", "helper", "invariant", "opening", "query"})
CLASS_DECORATORS = frozenset({"choice", "record", "status", "value"})

# Methods that a contract may call. Each is rewritten to a charged function of `builtins`; the numbers are
# those of the positional arguments, `...` stands for any keywords.
METHODS: dict[str, tuple[int, int]] = {
    "add": (1, 1),
    "add_months": (1, 1),
    "append": (1, 1),
    "at": (1, 2),
    "call": (1, 1),
    "child": (0, 0),
    "count": (1, 1),
    "days": (2, 2),
    "endswith": (1, 1),
    "find": (1, 1),
    "first": (0, 0),
    "get": (1, 2),
    "insert": (2, 2),
    "interest": (3, 4),
    "items": (0, 0),
    "join": (1, 1),
    "keys": (0, 0),
    "limit": (1, 1),
    "move_to": (1, 1),
    "pop": (0, 2),
    "remove": (1, 1),
    "replace": (2, 2),
    "share": (2, 2),
    "since": (0, 0),
    "sorted_by": (1, 1),
    "split": (1, 1),
    "startswith": (1, 1),
    "total": (1, 1),
    "update": (0, 0),
    "upto": (0, 0),
    "values": (0, 0),
    "weekday": (0, 0),
    "where": (0, 0),
}
# Methods that take fields by name.
FIELD_METHODS = frozenset({"call", "child", "move_to", "since", "total", "update", "upto", "where"})
# Methods with named arguments of their own.
NAMED_ARGUMENTS: dict[str, tuple[str, ...]] = {"at": ("round",), "interest": ("round",), "share": ("of",)}
WRITING_METHODS = frozenset({"add", "child", "move_to", "remove", "update"})

OPERATORS = frozenset({"+", "-", "*", "//", "%", "**"})

PARTY_KINDS: dict[str, tuple[str, ...]] = {
    "Bank": ("bank",),
    "CentralBank": ("central_bank",),
    "Company": ("company",),
    "Party": (),
    "Regulator": ("regulator",),
}
