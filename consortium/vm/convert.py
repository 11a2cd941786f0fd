"""From CPython's tree to ours, refusing on the way what the shape of the syntax alone shows.

Each kind of CPython node that the language has is converted; every other kind gives a finding and a `Refused`
node that keeps its parts, so that one pass reports everything.
"""

import ast
from collections.abc import Sequence

from consortium.vm import language, tree
from consortium.vm.findings import Findings
from consortium.vm.lexer import Operator
from consortium.vm.unicode14 import problem_with_text

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.Div: "/",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitOr: "|",
    ast.BitAnd: "&",
    ast.BitXor: "^",
    ast.MatMult: "@",
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
_REFUSED_STATEMENTS: dict[str, tuple[str, str]] = {
    "Assert": ("E-LANG-010", "assert"),
    "AsyncFor": ("E-LANG-014", ""),
    "AsyncFunctionDef": ("E-LANG-014", ""),
    "AsyncWith": ("E-LANG-014", ""),
    "Delete": ("E-LANG-016", "del"),
    "Global": ("E-LANG-016", "global"),
    "Match": ("E-LANG-020", ""),
    "Nonlocal": ("E-LANG-016", "nonlocal"),
    "Raise": ("E-LANG-010", "raise"),
    "Try": ("E-LANG-010", "try"),
    "TryStar": ("E-LANG-006", "'except*' is newer than the language."),
    "With": ("E-LANG-011", ""),
}
_REFUSED_EXPRESSIONS: dict[str, tuple[str, str]] = {
    "Await": ("E-LANG-014", ""),
    "GeneratorExp": ("E-LANG-013", ""),
    "Lambda": ("E-LANG-012", ""),
    "NamedExpr": ("E-LANG-019", ""),
    "Set": ("E-LANG-022", ""),
    "SetComp": ("E-LANG-022", ""),
    "Starred": ("E-LANG-021", "a star"),
    "Yield": ("E-LANG-013", ""),
    "YieldFrom": ("E-LANG-013", ""),
}


class Converter:
    def __init__(self, findings: Findings, operators: list[Operator]) -> None:
        self.findings = findings
        self.operators = operators
        self.sid = 0
        self.functions = 0
        self.frozen_span: tree.Span | None = None
        self.in_annotation = False

    def module(self, module: ast.Module) -> tree.Module:
        doc, body = _split_doc(module.body)
        return tree.Module(tree.Span(1, 0, 1, 0), doc, [self.statement(item) for item in body])

    # --- statements -------------------------------------------------------------------------------------

    def statement(self, node: ast.stmt) -> tree.Statement:
        self.sid += 1
        sid, span = self.sid, self.span(node)
        match node:
            case ast.Assign():
                targets = [self.target(target) for target in node.targets]
                return tree.Assign(span, sid, targets, self.expression(node.value))
            case ast.AnnAssign():
                target = self.target(node.target)
                annotation = self.annotation(node.annotation)
                value = None if node.value is None else self.expression(node.value)
                return tree.Annotated(span, sid, target, annotation, value)
            case ast.AugAssign():
                target = self.target(node.target)
                operator = _BINARY[type(node.op)]
                self.check_operator(operator, node.target, node.value, node.value)
                return tree.Augmented(span, sid, target, operator, self.expression(node.value))
            case ast.Return():
                return tree.Return(span, sid, None if node.value is None else self.expression(node.value))
            case ast.If():
                return self.branches(node, span, sid)
            case ast.For():
                target, items = self.target(node.target), self.expression(node.iter)
                body = [self.statement(item) for item in node.body]
                self.refuse_else(node.orelse)
                return tree.For(span, sid, target, items, body)
            case ast.While():
                test = self.expression(node.test)
                body = [self.statement(item) for item in node.body]
                self.refuse_else(node.orelse)
                return tree.While(span, sid, test, body)
            case ast.Break():
                return tree.Break(span, sid)
            case ast.Continue():
                return tree.Continue(span, sid)
            case ast.Pass():
                return tree.Pass(span, sid)
            case ast.Expr():
                return tree.ExpressionStatement(span, sid, self.expression(node.value))
            case ast.FunctionDef():
                return self.function(node, span, sid)
            case ast.ClassDef():
                return self.class_(node, span, sid)
            case ast.Import() | ast.ImportFrom():
                return self.import_(node, span, sid)
            case _:
                return self.refused_statement(node, span, sid)

    def branches(self, node: ast.If, span: tree.Span, sid: int) -> tree.If:
        found: list[tree.Branch] = []
        present = node
        while True:
            test = self.expression(present.test)
            found.append(
                tree.Branch(self.span(present), test, [self.statement(item) for item in present.body])
            )
            following = present.orelse
            if len(following) == 1 and isinstance(following[0], ast.If):
                present = following[0]
            else:
                return tree.If(span, sid, found, [self.statement(item) for item in following])

    def function(self, node: ast.FunctionDef, span: tree.Span, sid: int) -> tree.Statement:
        decorators = [self.expression(item) for item in node.decorator_list]
        if self.functions:
            self.refuse("E-LANG-012", node)
        self.functions += 1
        parameters = self.parameters(node.args)
        returns = None if node.returns is None else self.annotation(node.returns)
        doc, body = _split_doc(node.body)
        statements = [self.statement(item) for item in body]
        self.functions -= 1
        if self.functions:
            return tree.RefusedStatement(span, sid, list(statements), [node.name])
        return tree.Function(span, sid, node.name, parameters, returns, decorators, statements, doc)

    def parameters(self, arguments: ast.arguments) -> list[tree.Parameter]:
        for argument in (*arguments.posonlyargs, *arguments.kwonlyargs):
            self.refuse("E-LANG-021", argument, "'/' or '*' among the parameters")
        for starred in (arguments.vararg, arguments.kwarg):
            if starred is not None:
                self.refuse("E-LANG-021", starred, "a star argument")
        plain = [*arguments.posonlyargs, *arguments.args]
        defaults: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults))
        defaults += arguments.defaults
        plain += arguments.kwonlyargs
        defaults += arguments.kw_defaults
        return [
            tree.Parameter(
                self.span(argument),
                argument.arg,
                None if argument.annotation is None else self.annotation(argument.annotation),
                None if default is None else self.expression(default),
            )
            for argument, default in zip(plain, defaults, strict=True)
        ]

    def class_(self, node: ast.ClassDef, span: tree.Span, sid: int) -> tree.Statement:
        if self.functions:
            self.refuse("E-LANG-015", node, "a class inside a function is refused.")
        if node.keywords:
            self.refuse("E-LANG-015", node, "a class takes no keywords here.")
        decorators = [self.expression(item) for item in node.decorator_list]
        bases = [self.expression(item) for item in node.bases]
        doc, body = _split_doc(node.body)
        statements = [self.statement(item) for item in body]
        if self.functions:
            return tree.RefusedStatement(span, sid, list(statements), [node.name])
        return tree.Class(span, sid, node.name, bases, decorators, statements, doc)

    def import_(self, node: ast.Import | ast.ImportFrom, span: tree.Span, sid: int) -> tree.Statement:
        names = [alias.name for alias in node.names]
        plain = isinstance(node, ast.ImportFrom) and node.module == "consortium.contract" and not node.level
        if not plain or self.functions or any(alias.asname for alias in node.names) or "*" in names:
            self.refuse("E-LANG-008", node)
            return tree.RefusedStatement(span, sid, [], _bound_names(node))
        return tree.Import(span, sid, names)

    def refuse_else(self, body: Sequence[ast.stmt]) -> None:
        if body:
            self.refuse("E-LANG-006", body[0], "'else' after a loop is not part of the language.")
            for item in body:
                self.statement(item)

    def refused_statement(self, node: ast.stmt, span: tree.Span, sid: int) -> tree.Statement:
        kind = type(node).__name__
        rule, found = _REFUSED_STATEMENTS.get(kind, ("E-LANG-006", f"'{kind}' is not part of the language."))
        self.refuse(rule, node, found)
        if kind in {"Global", "Nonlocal"}:
            return tree.RefusedStatement(span, sid, [], [])
        deeper = kind.startswith("Async")
        self.functions += deeper
        inside = self.inside(node)
        self.functions -= deeper
        return tree.RefusedStatement(span, sid, inside, _bound_names(node))

    # --- expressions ------------------------------------------------------------------------------------

    def target(self, node: ast.expr) -> tree.Expression:
        match node:
            case ast.Attribute():
                self.refuse("E-LANG-037", node, node.attr)
                return tree.Refused(self.span(node), [self.expression(node.value)], [])
            case ast.Tuple() | ast.List():
                return tree.TupleDisplay(self.span(node), [self.target(item) for item in node.elts])
            case _:
                return self.expression(node)

    def annotation(self, node: ast.expr) -> tree.Expression:
        self.in_annotation = True
        converted = self.expression(node)
        self.in_annotation = False
        return converted

    def expression(self, node: ast.expr) -> tree.Expression:
        span = self.span(node)
        match node:
            case ast.Name():
                return tree.Name(span, node.id)
            case ast.Constant():
                return self.literal(node, span)
            case ast.JoinedStr():
                return self.joined(node, span)
            case ast.BinOp():
                operator = _BINARY[type(node.op)]
                self.check_operator(operator, node.left, node.right, node.right)
                return tree.Binary(span, operator, self.expression(node.left), self.expression(node.right))
            case ast.UnaryOp():
                return self.unary(node, span)
            case ast.BoolOp():
                operator = "and" if isinstance(node.op, ast.And) else "or"
                return tree.Logic(span, operator, [self.expression(item) for item in node.values])
            case ast.Compare():
                return self.compare(node, span)
            case ast.Call():
                return self.call(node, span)
            case ast.Attribute():
                return tree.Attribute(span, self.expression(node.value), node.attr)
            case ast.Subscript():
                return tree.Subscript(span, self.expression(node.value), self.expression(node.slice))
            case ast.Slice():
                bounds = (node.lower, node.upper, node.step)
                lower, upper, step = (None if item is None else self.expression(item) for item in bounds)
                return tree.Slice(span, lower, upper, step)
            case ast.List():
                return tree.ListDisplay(span, [self.expression(item) for item in node.elts])
            case ast.Tuple():
                return tree.TupleDisplay(span, [self.expression(item) for item in node.elts])
            case ast.Dict():
                return self.dict_(node, span)
            case ast.ListComp():
                return tree.Comprehension(span, None, self.expression(node.elt), self.loops(node.generators))
            case ast.DictComp():
                key = self.expression(node.key)
                return tree.Comprehension(span, key, self.expression(node.value), self.loops(node.generators))
            case ast.IfExp():
                parts = (self.expression(item) for item in (node.test, node.body, node.orelse))
                return tree.Conditional(span, *parts)
            case _:
                kind = type(node).__name__
                unknown = ("E-LANG-006", f"'{kind}' is not part of the language.")
                self.refuse(
                    *_REFUSED_EXPRESSIONS.get(kind, unknown)[:1],
                    node,
                    _REFUSED_EXPRESSIONS.get(kind, unknown)[1],
                )
                return tree.Refused(span, self.inside(node), _bound_names(node))

    def literal(self, node: ast.Constant, span: tree.Span) -> tree.Expression:
        value = node.value
        if isinstance(value, float | complex):
            self.refuse("E-LANG-018", node, str(self.source_of(span)))
            return tree.Refused(span, [], [])
        if value is ...:
            self.refuse("E-LANG-028", node, "...", "write  pass")
            return tree.Refused(span, [], [])
        if isinstance(value, str):
            problem = problem_with_text(value)
            if problem is not None:
                self.refuse("E-LANG-038", node, problem)
        assert value is None or isinstance(value, bool | int | str | bytes)
        return tree.Literal(span, value)

    def joined(self, node: ast.JoinedStr, span: tree.Span) -> tree.Expression:
        outermost = self.frozen_span is None
        if outermost:
            self.frozen_span = span
        parts: list[tree.Expression] = []
        for item in node.values:
            if isinstance(item, ast.FormattedValue):
                if item.conversion != -1 or item.format_spec is not None:
                    self.refuse("E-LANG-031", node)
                parts.append(self.expression(item.value))
            else:
                piece = self.expression(item)
                last = parts[-1] if parts else None
                if (
                    isinstance(piece, tree.Literal)
                    and isinstance(last, tree.Literal)
                    and self.is_piece(last, piece)
                ):
                    last.value = str(last.value) + str(piece.value)
                else:
                    parts.append(piece)
        if outermost:
            self.frozen_span = None
        return tree.FText(span, parts)

    def is_piece(self, last: tree.Literal, piece: tree.Literal) -> bool:
        # Parsers cut literal text of an f-string at different places; a constant in braces is no piece of it.
        return isinstance(last.value, str) and isinstance(piece.value, str)

    def unary(self, node: ast.UnaryOp, span: tree.Span) -> tree.Expression:
        operand = self.expression(node.operand)
        match node.op:
            case ast.Not():
                return tree.Unary(span, "not", operand)
            case ast.USub():
                return tree.Unary(span, "-", operand)
            case other:
                self.refuse("E-LANG-023", node, "+" if isinstance(other, ast.UAdd) else "~")
                return tree.Refused(span, [operand], [])

    def compare(self, node: ast.Compare, span: tree.Span) -> tree.Expression:
        operators = [_COMPARE[type(item)] for item in node.ops]
        rights = [self.expression(item) for item in node.comparators]
        for operator, right in zip(operators, rights, strict=True):
            if operator.startswith("is") and not (isinstance(right, tree.Literal) and right.value is None):
                self.refuse("E-LANG-025", node)
        return tree.Compare(span, self.expression(node.left), operators, rights)

    def call(self, node: ast.Call, span: tree.Span) -> tree.Expression:
        named: list[tree.Argument] = []
        for keyword in node.keywords:
            if keyword.arg is None:
                self.refuse("E-LANG-021", keyword.value, "a star argument")
            named.append(
                tree.Argument(
                    self.span(keyword.value), keyword.arg or "stars", self.expression(keyword.value)
                )
            )
        return tree.Call(
            span, self.expression(node.func), [self.expression(item) for item in node.args], named
        )

    def dict_(self, node: ast.Dict, span: tree.Span) -> tree.Expression:
        keys: list[tree.Expression] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                self.refuse("E-LANG-021", value, "a star in a dict")
                keys.append(tree.Literal(self.span(value), None))
            else:
                keys.append(self.expression(key))
        return tree.DictDisplay(span, keys, [self.expression(item) for item in node.values])

    def loops(self, generators: list[ast.comprehension]) -> list[tree.Loop]:
        found: list[tree.Loop] = []
        for item in generators:
            if item.is_async:
                self.refuse("E-LANG-014", item.target)
            conditions = [self.expression(test) for test in item.ifs]
            found.append(
                tree.Loop(
                    self.span(item.target), self.target(item.target), self.expression(item.iter), conditions
                )
            )
        return found

    def check_operator(self, operator: str, left: ast.expr, right: ast.expr, exponent: ast.expr) -> None:
        if operator == "|" and self.in_annotation:
            return
        if operator == "/":
            self.refuse_operator("E-LANG-017", operator, left, right)
        elif operator == "**":
            plain = isinstance(exponent, ast.Constant) and type(exponent.value) is int
            if not plain:
                self.refuse_operator("E-LANG-024", operator, left, right)
        elif operator not in language.OPERATORS:
            self.refuse_operator("E-LANG-023", operator, left, right)

    def refuse_operator(self, rule: str, operator: str, left: ast.expr, right: ast.expr) -> None:
        line, column = self.operator_position(operator, left, right)
        self.findings.add(rule, line, column, operator)

    def inside(self, node: ast.AST) -> list[tree.Node]:
        found: list[tree.Node] = []
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.stmt):
                found.append(self.statement(part))
            elif isinstance(part, ast.expr):
                found.append(
                    self.target(part)
                    if isinstance(getattr(part, "ctx", None), ast.Store)
                    else self.expression(part)
                )
            elif isinstance(part, ast.arguments):
                found.extend(self.parameters(part))
            else:
                found.extend(self.inside(part))
        return found

    def span(self, node: ast.AST) -> tree.Span:
        if self.frozen_span is not None:
            return self.frozen_span
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        return tree.Span(
            line, column, getattr(node, "end_lineno", line), getattr(node, "end_col_offset", column)
        )

    def refuse(self, rule: str, node: ast.AST, found: str = "", advice: str = "") -> None:
        line, column = position_of(self.span(node), self.findings)
        self.findings.add(rule, line, column, found, advice)

    def source_of(self, span: tree.Span) -> str:
        return (
            self.findings.lines[span.line - 1]
            .encode()[span.column : span.end_column]
            .decode("utf-8", "replace")
        )

    def operator_position(self, operator: str, left: ast.expr, right: ast.expr) -> tuple[int, int]:
        if self.frozen_span is not None:
            return position_of(self.frozen_span, self.findings)
        left_span, right_span = self.span(left), self.span(right)
        end = position_of(tree.Span(left_span.end_line, left_span.end_column, 0, 0), self.findings)
        start = position_of(right_span, self.findings)
        for token in self.operators:
            if token.text in {operator, f"{operator}="} and end <= (token.line, token.column + 1) < start:
                return token.line, token.column + 1
        return start


def position_of(span: tree.Span, findings: Findings) -> tuple[int, int]:
    """Return line and column (both from 1, columns in characters) of the start of a span."""
    line = findings.lines[span.line - 1] if span.line <= len(findings.lines) else ""
    if line.isascii():
        return span.line, span.column + 1
    return span.line, len(line.encode()[: span.column].decode("utf-8", "replace")) + 1


def _bound_names(node: ast.AST) -> list[str]:
    """Return the names that a refused construct would set: using them is not a second finding."""
    found: list[str] = []
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            found.append(part.id)
        elif isinstance(part, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and part.name:
            found.append(part.name)
        elif isinstance(part, ast.alias):
            found.append(part.asname or part.name.partition(".")[0])
    return found


def _split_doc(body: list[ast.stmt]) -> tuple[str, list[ast.stmt]]:
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        doc = body[0].value.value
        if isinstance(doc, str):
            return doc, body[1:]
    return "", body
