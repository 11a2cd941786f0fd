"""The check of a contract file: one function, run by editors, by `consortium check`, and by every bank.

`check(source, filename)` returns all findings. The stages are bytes and tokens (`lexer`), shape of the syntax
(`parse`), declarations (`declare`), and here: what each function names, calls and computes.
"""

from dataclasses import dataclass
from functools import lru_cache

from consortium.vm import language, tree
from consortium.vm.check_expressions import ExpressionCheck
from consortium.vm.declarations import Contract, FunctionDeclaration
from consortium.vm.declare import declare
from consortium.vm.findings import Finding
from consortium.vm.infer import Typer
from consortium.vm.lexer import decode_source, scan
from consortium.vm.parse import parse


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was looked at: its findings, and its tree and declarations if there are none."""

    findings: tuple[Finding, ...]
    module: tree.Module | None
    contract: Contract | None


def check(source: bytes, filename: str) -> tuple[Finding, ...]:
    """Return everything in a contract file that the language refuses, in the order of the file."""
    return examine(source, filename).findings


@lru_cache(maxsize=64)
def examine(source: bytes, filename: str) -> Checked:
    """Check a contract file and return what was read from it.

    Remembered: a scenario's loader and the founding of its consortium look at the same files.
    """
    text, findings = decode_source(source, filename)
    if findings:
        return Checked(findings.all(), None, None)
    scanned = scan(text, findings)
    if findings:
        return Checked(findings.all(), None, None)
    module = parse(text, findings, scanned)
    if module is None:
        return Checked(findings.all(), None, None)
    contract = declare(module, findings)
    checker = _Checker(contract, findings)
    for function in contract.functions.values():
        checker.function(function)
    checker.call_graph()
    checker.loose_names(module)
    return Checked(findings.all(), module, contract)


class _Checker(ExpressionCheck):
    """Walks statements, then the graph of calls between functions."""

    def function(self, function: FunctionDeclaration) -> None:
        self.present = function
        self.calls[function.name] = {}
        self.typer = Typer(self.contract, function)
        self.body(function.node.body)
        self.present, self.typer = None, None

    def body(self, statements: list[tree.Statement]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, node: tree.Statement) -> None:
        match node:
            case tree.Assign(targets=targets, value=value):
                self.expression(value)
                for target in targets:
                    self.target(target)
            case tree.Annotated(target=target, annotation=_, value=value):
                if not isinstance(target, tree.Name):
                    self.refuse(
                        "E-LANG-034", target, "only a name can be annotated.", "annotate the variable"
                    )
                if value is not None:
                    self.expression(value)
                self.target(target)
            case tree.Augmented(target=target, operator=operator, value=value):
                self.target(target)
                self.expression(value)
                self.arithmetic(operator, target, value, node)
            case tree.Return(value=value):
                if value is not None:
                    self.expression(value)
            case tree.If(branches=branches, otherwise=otherwise):
                for branch in branches:
                    self.expression(branch.test)
                    self.body(branch.body)
                self.body(otherwise)
            case tree.For(target=target, items=items, body=body):
                self.expression(items)
                self.names_only(target)
                self.loop(body)
            case tree.While(test=test, body=body):
                self.expression(test)
                self.loop(body)
            case tree.Break() | tree.Continue():
                if not self.loops:
                    self.refuse("E-LANG-006", node, "there is no loop around it.")
            case tree.ExpressionStatement(value=value):
                self.lone_expression(value)
            case tree.RefusedStatement(inside=inside):
                self.inside(inside)
            case _:
                pass

    def loop(self, body: list[tree.Statement]) -> None:
        self.loops += 1
        self.body(body)
        self.loops -= 1

    def target(self, node: tree.Expression) -> None:
        match node:
            case tree.Name() | tree.TupleDisplay():
                self.names_only(node)
            case tree.Subscript(value=value):
                self.expression(node)
                if self.type_of(value).kind in {"collection", "record"}:
                    self.refuse(
                        "E-LANG-034",
                        node,
                        "a collection is not assigned to.",
                        "use  add(...) , update(...)  or  remove(...)",
                    )
            case tree.Refused(inside=inside):
                self.inside(inside)
            case _:
                self.refuse(
                    "E-LANG-034",
                    node,
                    "this cannot be assigned to.",
                    "assign to a name, or to an item of a list or dict",
                )

    def lone_expression(self, node: tree.Expression) -> None:
        match node:
            case tree.Call(function=tree.Name(name=name)) if (
                name in language.STATEMENT_WORDS and self.is_word(name)
            ):
                self.call(node, alone=True)
            case _:
                self.expression(node)

    def inside(self, nodes: list[tree.Node]) -> None:
        for node in nodes:
            if isinstance(node, tree.Statement):
                self.statement(node)
            elif isinstance(node, tree.Parameter):
                self.plain_name(node.name, node)
            else:
                self.expression(node)  # type: ignore[arg-type]

    def call_graph(self) -> None:
        """Refuse cycles and chains that are too deep; find queries that write through helpers."""
        functions = self.contract.functions
        for name in self.calls:
            reachable = self.reachable(name)
            if name in reachable:
                self.refuse("E-LANG-032", functions[name].node, name)
            if functions[name].kind in {"query", "invariant"}:
                for called, node in self.calls[name].items():
                    if any(item in self.writes for item in (called, *self.reachable(called))):
                        self.refuse("E-LANG-036", node, called)
        depths: dict[str, int] = {}
        for name, function in functions.items():
            if self.depth(name, depths, ()) > language.FRAMES_MAX:
                found = f"'{name}' has helpers and comprehensions more than {language.FRAMES_MAX} deep."
                self.refuse("E-LANG-004", function.node, found)

    def reachable(self, name: str) -> dict[str, None]:
        if name not in self.reached:
            self.reached[name] = self.reach(name)
        return self.reached[name]

    def reach(self, name: str) -> dict[str, None]:
        found: dict[str, None] = {}
        waiting = list(self.calls.get(name, ()))
        while waiting:
            called = waiting.pop()
            if called not in found:
                found[called] = None
                waiting.extend(self.calls.get(called, ()))
        return found

    def depth(self, name: str, depths: dict[str, int], above: tuple[str, ...]) -> int:
        """Return how many frames of Python a call of this function may need."""
        if name in above or len(above) > language.FRAMES_MAX:
            return 1
        if name not in depths:
            below = [self.depth(called, depths, (*above, name)) for called in self.calls.get(name, ())]
            own = 1 + _comprehensions_deep(self.contract.functions[name].node)
            depths[name] = own + max(below, default=0)
        return depths[name]

    def loose_names(self, module: tree.Module) -> None:
        """Look at refused top-level statements too: every finding at once."""
        for statement in module.body:
            for node in tree.walk(statement) if not isinstance(statement, tree.Function | tree.Class) else ():
                if isinstance(node, tree.Name):
                    self.plain_name(node.name, node)


def _comprehensions_deep(node: tree.Node) -> int:
    """Return how deep comprehensions stand in one another."""
    deepest, stack = 0, [(node, 0)]
    while stack:
        present, depth = stack.pop()
        depth += isinstance(present, tree.Comprehension)
        deepest = max(deepest, depth)
        stack.extend((part, depth) for part in tree.children(present))
    return deepest
