"""Emitting expressions: operators proved or guarded, calls, comprehensions.

Python's own operator stands only where the local type pass proves both sides and the result cannot grow much;
everything else calls a charged function. Comprehensions become functions of their own, so that their rounds
are ticked like any loop's.
"""

import ast
from collections.abc import Callable

from consortium.vm import gas, language, tree, types
from consortium.vm.annotations import DAY_COUNTS, ROUNDINGS, constant_of
from consortium.vm.declarations import Constant, Contract, FunctionDeclaration
from consortium.vm.infer import Typer, assignable, field_of, target_names
from consortium.vm.nodes import GAS, ITEMS, MACHINE, RESULT, function_node, literal, load, meter, place, store
from consortium.vm.tree import Span
from consortium.vm.types import Type

_OPERATORS = {"+": "_add", "-": "_subtract", "*": "_multiply", "//": "_floor_divide", "%": "_remainder"}
_RAW_OPERATORS: dict[str, Callable[[], ast.operator]] = {
    "+": ast.Add,
    "-": ast.Sub,
    "//": ast.FloorDiv,
    "%": ast.Mod,
}
_COMPARISONS = {
    "!=": "_not_equal",
    "<": "_less",
    "<=": "_less_or_equal",
    "==": "_equal",
    ">": "_greater",
    ">=": "_greater_or_equal",
}
_RAW_COMPARISONS: dict[str, Callable[[], ast.cmpop]] = {
    "!=": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    "==": ast.Eq,
    ">": ast.Gt,
    ">=": ast.GtE,
    "is": ast.Is,
    "is not": ast.IsNot,
}
# What a `for` may walk as it stands; everything else goes through `_pairs`.
LOOPED = frozenset({"range", "frozen", "list"})
_ORDERED_KINDS = frozenset({"int", "money", "day", "rate"})
_SCALAR_KINDS = frozenset(
    {"bool", "text", "hash", "id", "party", "money", "rate", "day", "choice", "status", "nothing"}
)


class ExpressionEmitter:
    """Emits the expressions of one function after another; what they need besides is collected on the way.

    `constants` and `guards` are the pools that emitted code names by number, `owners` says which contract
    function each emitted one belongs to, `calls` counts emitted calls.
    """

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.constants: list[Constant] = []
        self.guards: list[Type] = []
        self.owners: dict[str, str] = {}
        self.enums = {name: number for number, name in enumerate(contract.enums)}
        self.comprehensions: list[ast.stmt] = []
        self.typer: Typer | None = None
        self.present: FunctionDeclaration | None = None
        self.temporaries = 0
        self.calls = 0
        self.numbered = 0
        self.is_pure: dict[int, bool] = {}
        self.keeps_gas = False

    def definition(
        self, name: str, parameters: list[str], body: list[ast.stmt], span: Span, defaults: list[ast.expr]
    ) -> ast.stmt:
        arguments = ast.arguments(
            posonlyargs=[],
            args=[ast.arg(arg=parameter) for parameter in (MACHINE, *parameters)],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=defaults,
        )
        return place(
            function_node(name, arguments, body),
            span,
        )

    def tick(self, cost: int, span: Span) -> list[ast.stmt]:
        """Take `cost` from the meter and test it."""
        if self.keeps_gas:
            left: list[ast.stmt] = [
                ast.AugAssign(target=store(GAS), op=ast.Sub(), value=ast.Constant(value=cost)),
            ]
        else:
            less = ast.BinOp(left=meter(ast.Load()), op=ast.Sub(), right=ast.Constant(value=cost))
            left = [
                ast.Assign(targets=[store(GAS)], value=less),
                ast.Assign(targets=[meter(ast.Store())], value=load(GAS)),
            ]
        test = ast.Compare(left=load(GAS), ops=[ast.Lt()], comparators=[ast.Constant(value=0)])
        stop = ast.Expr(value=ast.Call(func=load("_out"), args=[load(MACHINE)], keywords=[]))
        return [place(item, span) for item in (*left, ast.If(test=test, body=[stop], orelse=[]))]

    def tuple_target(self, target: tree.Expression) -> ast.expr:
        match target:
            case tree.Name(name=name):
                return store(name)
            case tree.TupleDisplay(items=items):
                return ast.Tuple(elts=[self.tuple_target(item) for item in items], ctx=ast.Store())
            case _:
                raise AssertionError("the check admits names in a tuple target only")

    def expression(self, node: tree.Expression) -> ast.expr:
        return place(self.unplaced(node), node.span)

    def unplaced(self, node: tree.Expression) -> ast.expr:
        match node:
            case tree.Name(name=name):
                return self.name(name)
            case tree.Literal(value=value):
                return literal(value)
            case tree.FText(parts=parts):
                return self.call("_formatted", [self.expression(part) for part in parts])
            case tree.Binary(operator=operator, left=left, right=right):
                return self.binary(operator, left, right)
            case tree.Unary(operator="not", operand=operand):
                return ast.UnaryOp(op=ast.Not(), operand=self.condition(operand))
            case tree.Unary(operand=operand):
                emitted = self.expression(operand)
                if self.type_of(operand) == types.INT:
                    return ast.UnaryOp(op=ast.USub(), operand=emitted)
                return self.call("_negative", [emitted])
            case tree.Logic(operator=operator, operands=operands):
                return self.logic(operator, operands)
            case tree.Compare():
                return self.compare(node)
            case tree.Call():
                return self.called(node)
            case tree.Attribute(value=value, name=name):
                return self.attribute(value, name)
            case tree.Subscript(value=value, index=index):
                return self.subscript(value, index)
            case tree.ListDisplay(items=items):
                emitted = ast.List(elts=[self.expression(item) for item in items], ctx=ast.Load())
                return emitted if all(_is_plain(item) for item in items) else self.call("_display", [emitted])
            case tree.TupleDisplay(items=items):
                pair = ast.Tuple(elts=[self.expression(item) for item in items], ctx=ast.Load())
                scalar = all(_is_plain(item) or self.type_of(item).kind in _SCALAR_KINDS for item in items)
                return pair if scalar else self.call("_display", [pair])
            case tree.DictDisplay(keys=keys, values=values):
                both = ast.Dict(
                    keys=[self.expression(item) for item in keys],
                    values=[self.expression(item) for item in values],
                )
                return self.call("_display", [both]) if keys else both
            case tree.Comprehension():
                return self.comprehension(node)
            case tree.Conditional(test=test, body=body, otherwise=otherwise):
                return ast.IfExp(
                    test=self.condition(test), body=self.expression(body), orelse=self.expression(otherwise)
                )
            case _:
                raise AssertionError("the check admits no other expression")

    def name(self, name: str) -> ast.expr:
        assert self.typer is not None
        if self.typer.is_local(name):
            return load(name)
        contract = self.contract
        if name in contract.constants:
            return load(f"_constant_{name}")
        if name in contract.parameters:
            return load(f"_parameter_{name}")
        if name in contract.collections:
            return load(f"_collection_{name}")
        if name in DAY_COUNTS:
            return load(f"_daycount_{name}")
        assert name in ROUNDINGS, "the check admits no other name"
        return ast.Constant(value=ROUNDINGS[name])

    def condition(self, node: tree.Expression) -> ast.expr:
        """An expression of which only true or false matters."""
        emitted = self.expression(node)
        if self.type_of(node) == types.BOOL:
            return emitted
        return place(self.call("_truth", [emitted]), node.span)

    def logic(self, operator: str, operands: list[tree.Expression]) -> ast.expr:
        if all(self.type_of(operand) == types.BOOL for operand in operands):
            values = [self.expression(operand) for operand in operands]
            return ast.BoolOp(op=ast.And() if operator == "and" else ast.Or(), values=values)
        result = self.expression(operands[-1])
        for operand in reversed(operands[:-1]):
            name = self.temporary()
            test = self.call("_truth", [ast.NamedExpr(target=store(name), value=self.expression(operand))])
            body, orelse = (result, load(name)) if operator == "and" else (load(name), result)
            result = place(ast.IfExp(test=test, body=body, orelse=orelse), operand.span)
        return result

    def binary(self, operator: str, left: tree.Expression, right: tree.Expression) -> ast.expr:
        raw = raw_operator(operator, self.type_of(left), self.type_of(right), right)
        first, second = self.expression(left), self.expression(right)
        if raw is not None:
            return ast.BinOp(left=first, op=raw, right=second)
        return self.operation(operator, first, second, right, in_place=False)

    def operation(
        self, operator: str, left: ast.expr, right: ast.expr, written: tree.Expression, *, in_place: bool
    ) -> ast.expr:
        if operator == "**":
            assert isinstance(written, tree.Literal), "the check admits literal exponents only"
            return self.call("_power", [left, right])
        name = "_add_in_place" if in_place and operator == "+" else _OPERATORS[operator]
        return self.call(name, [left, right])

    def compare(self, node: tree.Compare) -> ast.expr:
        sides = [node.left, *node.rights]
        pairs = list(zip(sides, node.operators, sides[1:], strict=False))
        if all(self.is_raw_comparison(left, operator, right) for left, operator, right in pairs):
            operators = [_RAW_COMPARISONS[operator]() for operator in node.operators]
            rights = [self.expression(item) for item in node.rights]
            return ast.Compare(left=self.expression(node.left), ops=operators, comparators=rights)
        emitted: list[ast.expr] = []
        left = self.expression(node.left) if not self.is_collection(node.left) else self.name_of(node.left)
        for number, (_, operator, side) in enumerate(pairs):
            right = self.name_of(side) if self.is_collection(side) else self.expression(side)
            name = self.temporary() if number + 1 < len(pairs) else ""
            kept = ast.NamedExpr(target=store(name), value=right) if name else right
            emitted.append(self.comparison(left, pairs[number], operator, kept))
            left = load(name) if name else right
        return emitted[0] if len(emitted) == 1 else ast.BoolOp(op=ast.And(), values=emitted)

    def comparison(
        self,
        left: ast.expr,
        pair: tuple[tree.Expression, str, tree.Expression],
        operator: str,
        right: ast.expr,
    ) -> ast.expr:
        if operator in {"in", "not in"}:
            if self.is_collection(pair[2]):
                found = self.call("_has", [right, left])
            else:
                found = self.call("_contains", [left, right])
            return found if operator == "in" else ast.UnaryOp(op=ast.Not(), operand=found)
        if self.is_raw_comparison(*pair):
            return ast.Compare(left=left, ops=[_RAW_COMPARISONS[operator]()], comparators=[right])
        return self.call(_COMPARISONS[operator], [left, right])

    def is_raw_comparison(self, left: tree.Expression, operator: str, right: tree.Expression) -> bool:
        """Tell whether Python's own comparison is exact and cheap here."""
        if operator in {"is", "is not"}:
            return True
        if operator in {"in", "not in"}:
            return False
        kind, other = self.type_of(left), self.type_of(right)
        if kind.optional or other.optional:
            return False
        if types.is_short(kind) and types.is_short(other):
            return True
        if kind.kind == other.kind and kind.kind in _ORDERED_KINDS:
            return True
        if operator in {"==", "!="} and kind.kind == other.kind and kind.kind in {"bool", "status", "choice"}:
            return True
        zero = isinstance(right, tree.Literal) and type(right.value) is int and right.value == 0
        return kind.kind == "money" and zero

    def is_collection(self, node: tree.Expression) -> bool:
        assert self.typer is not None
        return (
            isinstance(node, tree.Name)
            and not self.typer.is_local(node.name)
            and node.name in self.contract.collections
        )

    def name_of(self, node: tree.Expression) -> ast.expr:
        assert isinstance(node, tree.Name)
        return place(self.name(node.name), node.span)

    def attribute(self, value: tree.Expression, name: str) -> ast.expr:
        assert self.typer is not None
        if (
            isinstance(value, tree.Name)
            and not self.typer.is_local(value.name)
            and value.name in self.contract.enums
        ):
            order = self.contract.enums[value.name].members.index(name)
            return load(f"_member_{self.enums[value.name]}_{order}")
        emitted = self.expression(value)
        kind = self.type_of(value)
        proved = not kind.optional and (
            field_of(self.contract, kind, name) is not None
            or (kind.kind == "record" and name == "id")
            or (kind.kind in {"money", "rate", "day"} and name in _SHOWN_ATTRIBUTES[kind.kind])
        )
        if proved:
            return ast.Attribute(value=emitted, attr=name, ctx=ast.Load())
        return self.call("_attribute", [emitted, ast.Constant(value=name)])

    def subscript(self, value: tree.Expression, index: tree.Expression) -> ast.expr:
        if self.is_collection(value):
            return self.call("_get", [self.name_of(value), self.expression(index)])
        emitted, place = self.expression(value), self.index(index)
        kind = self.type_of(value)
        indexed = kind.kind == "frozen" or kind.kind in types.TEXT_KINDS
        if (
            indexed
            and not kind.optional
            and self.type_of(index) == types.INT
            and not isinstance(index, tree.Slice)
        ):
            return ast.Subscript(value=emitted, slice=place, ctx=ast.Load())
        return self.call("_item", [emitted, place])

    def index(self, node: tree.Expression) -> ast.expr:
        if not isinstance(node, tree.Slice):
            return self.expression(node)
        bounds = [
            ast.Constant(value=None) if part is None else self.expression(part)
            for part in (node.lower, node.upper, node.step)
        ]
        return place(ast.Call(func=load("_slice"), args=bounds, keywords=[]), node.span)

    def called(self, node: tree.Call) -> ast.expr:
        match node.function:
            case tree.Name(name=name):
                return self.named_call(node, name)
            case tree.Attribute(value=value, name=name):
                return self.method(node, value, name)
            case _:
                raise AssertionError("the check admits no other call")

    def named_call(self, node: tree.Call, name: str) -> ast.expr:
        contract = self.contract
        if name in contract.functions:
            return self.helper(node, contract.functions[name])
        if name in contract.records or name in contract.values:
            return self.call(f"_new_{name}", [], self.keywords(node.named))
        arguments = [self.expression(item) for item in node.arguments]
        if name in language.BUILTINS:
            return self.call(f"_builtin_{name}", arguments)
        if name in {"money", "rate", "day"}:
            self.constants.append(constant_of(node, contract))
            return load(f"_literal_{len(self.constants) - 1}")
        return self.call(f"_word_{name}", arguments)

    def helper(self, node: tree.Call, function: FunctionDeclaration) -> ast.expr:
        arguments = [
            self.guarded(self.expression(item), self.type_of(item), parameter.type)
            for item, parameter in zip(node.arguments, function.parameters, strict=False)
        ]
        keywords: list[ast.keyword] = []
        for named in node.named:
            parameter = function.parameter(named.name)
            assert parameter is not None, "the check admits declared names only"
            value = self.guarded(self.expression(named.value), self.type_of(named.value), parameter.type)
            keywords.append(ast.keyword(arg=named.name, value=value))
        return self.call(function.name, arguments, keywords)

    def method(self, node: tree.Call, value: tree.Expression, name: str) -> ast.expr:
        assert self.typer is not None
        if (
            isinstance(value, tree.Name)
            and not self.typer.is_local(value.name)
            and value.name in self.contract.used
        ):
            function = self.expression(node.arguments[0])
            return self.call("_call", [load(f"_used_{value.name}"), function, self.fields(node.named)])
        owner = self.name_of(value) if self.is_collection(value) else self.expression(value)
        arguments = [owner, *[self.expression(item) for item in node.arguments]]
        if name in language.FIELD_METHODS:
            return self.call(f"_method_{name}", [*arguments, self.fields(node.named)])
        return self.call(f"_method_{name}", arguments, self.keywords(node.named))

    def fields(self, named: list[tree.Argument]) -> ast.expr:
        keys: list[ast.expr | None] = [ast.Constant(value=item.name) for item in named]
        return ast.Dict(keys=keys, values=[self.expression(item.value) for item in named])

    def keywords(self, named: list[tree.Argument]) -> list[ast.keyword]:
        return [ast.keyword(arg=item.name, value=self.expression(item.value)) for item in named]

    def call(
        self, name: str, arguments: list[ast.expr], keywords: list[ast.keyword] | None = None
    ) -> ast.Call:
        self.calls += 1
        return ast.Call(func=load(name), args=[load(MACHINE), *arguments], keywords=keywords or [])

    def guarded(self, emitted: ast.expr, source: Type, target: Type) -> ast.expr:
        """Test a value against a declared type, where the type pass does not prove it."""
        if assignable(source, target):
            return emitted
        if target not in self.guards:
            self.guards.append(target)
        return self.call("_guard", [emitted, load(f"_guard_{self.guards.index(target)}")])

    def comprehension(self, node: tree.Comprehension) -> ast.expr:
        assert self.typer is not None
        assert self.present is not None
        items = self.loop_over(node.loops[0].items)
        free = self.free_names(node)
        kept, self.keeps_gas = self.keeps_gas, False
        self.typer.enter(node)
        body = self.comprehension_loops(node, 0)
        self.typer.leave()
        self.keeps_gas = kept
        start = ast.List(elts=[], ctx=ast.Load()) if node.key is None else ast.Dict(keys=[], values=[])
        name = f"_comprehension_{self.numbered}_{self.present.name}"
        self.numbered += 1
        self.owners[name] = self.present.name
        statements = [
            ast.Assign(targets=[store(RESULT)], value=start),
            body,
            ast.Return(value=load(RESULT)),
        ]
        self.comprehensions.append(self.definition(name, [ITEMS, *free], statements, node.span, []))
        return self.call(name, [items, *[load(item) for item in free]])

    def comprehension_loops(self, node: tree.Comprehension, position: int) -> ast.stmt:
        loop = node.loops[position]
        body = self.tick(gas.of_comprehension_loop(node, position), loop.span)
        for condition in loop.conditions:
            test = ast.UnaryOp(op=ast.Not(), operand=self.condition(condition))
            body.append(ast.If(test=test, body=[ast.Continue()], orelse=[]))
        if position + 1 < len(node.loops):
            body.append(self.comprehension_loops(node, position + 1))
        elif node.key is None:
            body.append(ast.Expr(value=self.call("_append", [load(RESULT), self.expression(node.element)])))
        else:
            parts = [load(RESULT), self.expression(node.key), self.expression(node.element)]
            body.append(ast.Expr(value=self.call("_put", parts)))
        items = load(ITEMS) if position == 0 else self.loop_over(loop.items)
        emitted = ast.For(target=self.tuple_target(loop.target), iter=items, body=body, orelse=[])
        return place(emitted, loop.span)

    def loop_over(self, node: tree.Expression) -> ast.expr:
        items = self.expression(node)
        kind = self.type_of(node)
        if kind.kind in LOOPED and not kind.optional:
            return items
        return place(self.call("_pairs", [items]), node.span)

    def free_names(self, node: tree.Comprehension) -> list[str]:
        """Return the local names that the comprehension reads from around it."""
        assert self.typer is not None
        names: dict[str, None] = {}
        _add_names(node, frozenset(), names, first_items=False)
        return [name for name in names if self.typer.is_local(name)]

    def type_of(self, node: tree.Expression) -> Type:
        assert self.typer is not None
        return self.typer.type_of(node)

    def temporary(self) -> str:
        self.temporaries += 1
        return f"_t{self.temporaries}"


_SHOWN_ATTRIBUTES = {
    "day": frozenset({"month", "year"}),
    "money": frozenset({"currency", "minor"}),
    "rate": frozenset({"denominator", "numerator"}),
}


def raw_operator(operator: str, left: Type, right: Type, written: tree.Expression) -> ast.operator | None:
    """Return Python's own operator where both sides are proved whole numbers and it cannot grow much."""
    if left != types.INT or right != types.INT:
        return None
    if operator in {"+", "-"}:
        return _RAW_OPERATORS[operator]()
    small = (
        isinstance(written, tree.Literal)
        and type(written.value) is int
        and 0 < written.value < language.SMALL_DIVISOR
    )
    return _RAW_OPERATORS[operator]() if operator in {"//", "%"} and small else None


def _add_names(node: tree.Node, bound: frozenset[str], names: dict[str, None], *, first_items: bool) -> None:
    """Collect the names read in `node` that no comprehension in it binds."""
    if isinstance(node, tree.Name):
        if node.name not in bound:
            names[node.name] = None
    elif isinstance(node, tree.Comprehension):
        if first_items:
            _add_names(node.loops[0].items, bound, names, first_items=True)
        inner = bound | {name for loop in node.loops for name in target_names(loop.target)}
        parts: list[tree.Node] = [loop.items for loop in node.loops[1:]]
        parts += [condition for loop in node.loops for condition in loop.conditions]
        parts += [node.element] if node.key is None else [node.key, node.element]
        for part in parts:
            _add_names(part, inner, names, first_items=True)
    else:
        for part in tree.children(node):
            _add_names(part, bound, names, first_items=True)


def _is_plain(node: tree.Expression) -> bool:
    return isinstance(node, tree.Literal)
