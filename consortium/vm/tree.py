"""Our own small syntax tree: what gas, statement ids, steps and hashes of meaning are computed from.

About forty kinds. CPython's tree differs between versions, ours does not. Positions are CPython's (lines
from 1, columns in bytes of UTF-8 from 0), only for messages and for the emitted code. Expressions that stand
inside an f-string carry the position of the whole f-string, because older parsers place them wrongly.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Where a node stands in the source."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(slots=True, eq=False)
class Node:
    span: Span


@dataclass(slots=True, eq=False)
class Name(Node):
    name: str


@dataclass(slots=True, eq=False)
class Literal(Node):
    value: int | str | bytes | bool | None


@dataclass(slots=True, eq=False)
class FText(Node):
    """An f-string: literal pieces and expressions, in order."""

    parts: list["Expression"]


@dataclass(slots=True, eq=False)
class Binary(Node):
    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(slots=True, eq=False)
class Unary(Node):
    operator: str
    operand: "Expression"


@dataclass(slots=True, eq=False)
class Logic(Node):
    """`and` or `or` over two or more operands."""

    operator: str
    operands: list["Expression"]


@dataclass(slots=True, eq=False)
class Compare(Node):
    left: "Expression"
    operators: list[str]
    rights: list["Expression"]


@dataclass(slots=True, eq=False)
class Argument(Node):
    name: str
    value: "Expression"


@dataclass(slots=True, eq=False)
class Call(Node):
    function: "Expression"
    arguments: list["Expression"]
    named: list[Argument]


@dataclass(slots=True, eq=False)
class Attribute(Node):
    value: "Expression"
    name: str


@dataclass(slots=True, eq=False)
class Subscript(Node):
    value: "Expression"
    index: "Expression"


@dataclass(slots=True, eq=False)
class Slice(Node):
    lower: "Expression | None"
    upper: "Expression | None"
    step: "Expression | None"


@dataclass(slots=True, eq=False)
class ListDisplay(Node):
    items: list["Expression"]


@dataclass(slots=True, eq=False)
class TupleDisplay(Node):
    items: list["Expression"]


@dataclass(slots=True, eq=False)
class DictDisplay(Node):
    keys: list["Expression"]
    values: list["Expression"]


@dataclass(slots=True, eq=False)
class Loop(Node):
    """One `for target in items if ...` of a comprehension."""

    target: "Expression"
    items: "Expression"
    conditions: list["Expression"]


@dataclass(slots=True, eq=False)
class Comprehension(Node):
    """A list comprehension, or a dict comprehension if there is a key."""

    key: "Expression | None"
    element: "Expression"
    loops: list[Loop]


@dataclass(slots=True, eq=False)
class Conditional(Node):
    test: "Expression"
    body: "Expression"
    otherwise: "Expression"


@dataclass(slots=True, eq=False)
class Refused(Node):
    """Stands where a finding was made, so that what is inside is still looked at.

    `binds` are the names it would set.
    """

    inside: list["Node"]
    binds: list[str]


Expression = (
    Name | Literal | FText | Binary | Unary | Logic | Compare | Call | Attribute | Subscript | Slice
    | ListDisplay | TupleDisplay | DictDisplay | Comprehension | Conditional | Refused
)  # fmt: skip


@dataclass(slots=True, eq=False)
class Statement(Node):
    """`sid` is the preorder index among the statements of the file, from 1."""

    sid: int


@dataclass(slots=True, eq=False)
class Assign(Statement):
    targets: list[Expression]
    value: Expression


@dataclass(slots=True, eq=False)
class Annotated(Statement):
    """`target: annotation = value`."""

    target: Expression
    annotation: Expression
    value: Expression | None


@dataclass(slots=True, eq=False)
class Augmented(Statement):
    target: Expression
    operator: str
    value: Expression


@dataclass(slots=True, eq=False)
class Return(Statement):
    value: Expression | None


@dataclass(slots=True, eq=False)
class Branch(Node):
    test: Expression
    body: list["Statement"]


@dataclass(slots=True, eq=False)
class If(Statement):
    """`if` with all its `elif`, in one node."""

    branches: list[Branch]
    otherwise: list[Statement]


@dataclass(slots=True, eq=False)
class For(Statement):
    target: Expression
    items: Expression
    body: list[Statement]


@dataclass(slots=True, eq=False)
class While(Statement):
    test: Expression
    body: list[Statement]


@dataclass(slots=True, eq=False)
class Break(Statement):
    pass


@dataclass(slots=True, eq=False)
class Continue(Statement):
    pass


@dataclass(slots=True, eq=False)
class Pass(Statement):
    pass


@dataclass(slots=True, eq=False)
class ExpressionStatement(Statement):
    value: Expression


@dataclass(slots=True, eq=False)
class Parameter(Node):
    name: str
    annotation: Expression | None
    default: Expression | None


@dataclass(slots=True, eq=False)
class Function(Statement):
    name: str
    parameters: list[Parameter]
    returns: Expression | None
    decorators: list[Expression]
    body: list[Statement]
    doc: str


@dataclass(slots=True, eq=False)
class Class(Statement):
    name: str
    bases: list[Expression]
    decorators: list[Expression]
    body: list[Statement]
    doc: str


@dataclass(slots=True, eq=False)
class Import(Statement):
    names: list[str]


@dataclass(slots=True, eq=False)
class RefusedStatement(Statement):
    inside: list[Node]
    binds: list[str]


@dataclass(slots=True, eq=False)
class Module(Node):
    doc: str
    body: list[Statement]


def children(node: Node) -> Iterator[Node]:
    """Yield the direct parts of a node in the order of its fields."""
    for name in node.__match_args__:
        part = getattr(node, name)
        if isinstance(part, Node):
            yield part
        elif isinstance(part, list):
            for item in part:
                if isinstance(item, Node):
                    yield item


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything in it, in preorder."""
    stack = [node]
    while stack:
        present = stack.pop()
        yield present
        stack.extend(reversed(list(children(present))))
