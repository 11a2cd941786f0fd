"""The types of the contract language: what annotations say, what arguments and fields are checked against.

A `Type` is plain data, part of a contract's interface. How values of a type are checked, encoded and shown is
`conversion`; what a contract may do with them is `builtins`.
"""

from dataclasses import dataclass, replace

TEXT_LENGTH_DEFAULT = 255


@dataclass(frozen=True, slots=True)
class Type:
    """One type.

    `kind` is one of: int bool text hash id party money rate day choice status value list (arguments and
    fields), and record dict selection range nothing any (inside functions only). `name` is the class of a
    choice, status, value, record or selection, and the record that an `Id[...]` speaks of. `length` bounds
    text; `parties` are the organisation kinds admitted, () for all; `items` holds the item type of a list,
    or key and value type of a dict.
    """

    kind: str
    name: str = ""
    length: int = 0
    parties: tuple[str, ...] = ()
    items: tuple["Type", ...] = ()
    optional: bool = False

    def __str__(self) -> str:
        return describe(self)


INT = Type("int")
BOOL = Type("bool")
TEXT = Type("text", length=TEXT_LENGTH_DEFAULT)
# Text without a declared bound: what joining and formatting give.
LONG_TEXT = Type("text")
HASH = Type("hash")
ID = Type("id")
PARTY = Type("party")
MONEY = Type("money")
RATE = Type("rate")
DAY = Type("day")
DAY_COUNT = Type("choice", name="DayCount")
NOTHING = Type("nothing")
ANY = Type("any")
RANGE = Type("range")

# Kinds whose values are one plain Python text at run time.
TEXT_KINDS = frozenset({"text", "id", "party"})
# Kinds that may be stored, passed and encoded.
STORABLE_KINDS = frozenset(
    {
        "int",
        "bool",
        "text",
        "hash",
        "id",
        "party",
        "money",
        "rate",
        "day",
        "choice",
        "status",
        "value",
        "list",
    }
)
KEY_KINDS = frozenset({"int", "bool", "text", "hash", "id", "party", "money", "day", "choice", "status"})


def list_of(item: Type) -> Type:
    return Type("list", items=(item,))


def optional(kind: Type) -> Type:
    return kind if kind.optional or kind in (ANY, NOTHING) else replace(kind, optional=True)


def join(left: Type | None, right: Type | None) -> Type | None:
    """Return the type of a value that is of one of two types; None stands for "not known yet"."""
    if left is None or right is None:
        return left or right
    if left == right:
        return left
    if left == NOTHING:
        return optional(right)
    if right == NOTHING:
        return optional(left)
    if replace(left, optional=False) == replace(right, optional=False):
        return optional(left)
    if left.kind in TEXT_KINDS and right.kind in TEXT_KINDS:
        bounded = bool(is_short(left) and is_short(right))
        return replace(TEXT if bounded else LONG_TEXT, optional=left.optional or right.optional)
    if left.kind == right.kind == "list":
        item = join(left.items[0], right.items[0])
        return Type("list", items=(item or ANY,), optional=left.optional or right.optional)
    return ANY


def is_short(kind: Type) -> bool:
    """Tell whether text of this type is bounded, so that comparing it costs next to nothing."""
    return kind.kind in {"id", "party"} or (kind.kind == "text" and 0 < kind.length <= TEXT_LENGTH_DEFAULT)


_PARTY_NAMES = {"bank": "Bank", "central_bank": "CentralBank", "company": "Company", "regulator": "Regulator"}
_PLAIN_NAMES = {
    "any": "any value",
    "bool": "bool",
    "day": "Day",
    "hash": "Hash",
    "int": "int",
    "money": "Money",
    "nothing": "None",
    "range": "range",
    "rate": "Rate",
}


def describe(kind: Type) -> str:
    """Return the type as a contract writes it: `Text[32]`, `Bank | Company`, `list[Part]`, `Day | None`."""
    match kind.kind:
        case "text":
            bound = "" if kind.length in (0, TEXT_LENGTH_DEFAULT) else f"[{kind.length}]"
            text = f"Text{bound}"
        case "id":
            text = f"Id[{kind.name}]" if kind.name else "Id"
        case "party":
            text = " | ".join(_PARTY_NAMES[name] for name in kind.parties) or "Party"
        case "list" | "dict":
            text = f"{kind.kind}[{', '.join(describe(item) for item in kind.items)}]"
        case "choice" | "status" | "value" | "record":
            text = kind.name
        case "selection":
            text = f"selection of {kind.name}"
        case other:
            text = _PLAIN_NAMES[other]
    return f"{text} | None" if kind.optional else text
