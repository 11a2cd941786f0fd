"""From our tree to code objects: the fast build, with gas ticks and charged functions.

Each function of a contract becomes a Python function that takes the machine first. Positions are those of
the source, so debuggers and tracebacks bind to the contract's own lines. Gas is what `gas` computes from our
tree; it is taken when a function or a round of a loop begins, and tested there:

    _g = _x.gas - 37 ; _x.gas = _g ; if _g < 0: _out(_x)

A loop that calls nothing keeps the counter in the local `_g` and writes it back when it is left, however it
is left. Comprehensions become functions of their own, so that their rounds are ticked like any loop's.

There is one build so far. A step build differs in `_Emitter.before` alone (a call before each statement) and
must charge the same.
"""

import ast
import warnings
from dataclasses import dataclass
from types import CodeType
from typing import Any

from consortium.vm import gas, tree, types
from consortium.vm.compile_expressions import LOOPED, ExpressionEmitter, raw_operator
from consortium.vm.declarations import Constant, Contract, FunctionDeclaration
from consortium.vm.infer import Typer
from consortium.vm.nodes import GAS, literal, load, meter, place, store
from consortium.vm.types import Type


@dataclass(frozen=True, slots=True)
class Build:
    """The code of a contract: module code, and which contract function each code name belongs to.

    `constants` are the literal amounts, rates and days of the functions, `guards` the types that arguments
    and results of helpers are tested against; emitted code names both by number.
    """

    code: CodeType
    functions: dict[str, str]
    constants: tuple[Constant, ...]
    guards: tuple[Type, ...]


def compile_contract(contract: Contract, filename: str) -> Build:
    """Return the fast build of a checked contract."""
    emitter = _Emitter(contract)
    module = ast.Module(body=[], type_ignores=[])
    for function in contract.functions.values():
        module.body.extend(emitter.function(function))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = compile(module, filename, "exec", dont_inherit=True, optimize=0)
    return Build(code, emitter.owners, tuple(emitter.constants), tuple(emitter.guards))


def run_module(build: Build, scope: dict[str, Any]) -> None:
    """Define a contract's functions in `scope`, which holds all they can name."""
    exec(build.code, scope)  # noqa: S102  the check admitted it; its only builtins are the engine's


class _Emitter(ExpressionEmitter):
    """Emits functions and their statements."""

    def function(self, declared: FunctionDeclaration) -> list[ast.stmt]:
        node = declared.node
        self.present = declared
        self.typer = Typer(self.contract, declared)
        self.comprehensions = []
        self.owners[declared.name] = declared.name
        defaults = [
            literal(parameter.default.value)
            for parameter in declared.parameters
            if parameter.default is not None
        ]
        names = [parameter.name for parameter in declared.parameters]
        trailing = sum(parameter.default is not None for parameter in declared.parameters)
        body = [*self.tick(gas.FUNCTION + gas.of_block(node.body), node.span), *self.block(node.body)]
        emitted = self.definition(node.name, names, body, node.span, defaults[-trailing:] if trailing else [])
        return [*self.comprehensions, emitted]

    def block(self, statements: list[tree.Statement]) -> list[ast.stmt]:
        emitted: list[ast.stmt] = []
        for statement in statements:
            emitted.extend(self.before(statement))
            emitted.extend(place(item, statement.span) for item in self.statement(statement))
        return emitted or [place(ast.Pass(), tree.Span(1, 0, 1, 0))]

    def before(self, _statement: tree.Statement) -> list[ast.stmt]:
        """What stands before each statement: nothing in the fast build."""
        return []

    def statement(self, node: tree.Statement) -> list[ast.stmt]:
        match node:
            case tree.Assign(targets=targets, value=value):
                return self.assign(targets, value)
            case tree.Annotated(target=tree.Name(name=name), value=value):
                return [] if value is None else [self.annotated(node.sid, name, value)]
            case tree.Augmented():
                return [self.augmented(node)]
            case tree.Return(value=value):
                return [ast.Return(value=self.returned(value))]
            case tree.If(branches=branches, otherwise=otherwise):
                return [self.branches(branches, otherwise)]
            case tree.For() | tree.While():
                return self.loop(node)
            case tree.Break():
                return [ast.Break()]
            case tree.Continue():
                return [ast.Continue()]
            case tree.ExpressionStatement(value=value):
                return [self.lone(value)]
            case _:
                return [ast.Pass()]

    def assign(self, targets: list[tree.Expression], value: tree.Expression) -> list[ast.stmt]:
        if len(targets) == 1:
            return [self.assign_one(targets[0], value, self.expression(value))]
        name = self.temporary()
        first: ast.stmt = ast.Assign(targets=[store(name)], value=self.expression(value))
        return [first, *[self.assign_one(target, value, load(name)) for target in targets]]

    def annotated(self, sid: int, name: str, value: tree.Expression) -> ast.stmt:
        assert self.present is not None
        wanted = self.present.annotations[sid]
        emitted = self.guarded(self.expression(value), self.type_of(value), wanted)
        return ast.Assign(targets=[store(name)], value=emitted)

    def assign_one(self, target: tree.Expression, value: tree.Expression, emitted: ast.expr) -> ast.stmt:
        match target:
            case tree.Name(name=name):
                return ast.Assign(targets=[store(name)], value=emitted)
            case tree.TupleDisplay(items=items):
                if not (isinstance(value, tree.TupleDisplay) and len(value.items) == len(items)):
                    emitted = self.call("_unpack", [emitted, ast.Constant(value=len(items))])
                return ast.Assign(targets=[self.tuple_target(target)], value=emitted)
            case tree.Subscript(value=container, index=index):
                parts = [emitted, self.expression(container), self.index(index)]
                return ast.Expr(value=self.call("_set", parts))
            case _:
                raise AssertionError("the check admits no other target")

    def augmented(self, node: tree.Augmented) -> ast.stmt:
        target, operator = node.target, node.operator
        value = self.expression(node.value)
        if isinstance(target, tree.Name):
            kinds = (self.type_of(target), self.type_of(node.value))
            raw = raw_operator(operator, *kinds, node.value)
            if raw is not None:
                return ast.AugAssign(target=store(target.name), op=raw, value=value)
            result = self.operation(operator, load(target.name), value, node.value, in_place=True)
            return ast.Assign(targets=[store(target.name)], value=result)
        assert isinstance(target, tree.Subscript), "the check admits names and items only"
        container, index = self.temporary(), self.temporary()
        present = self.call(
            "_item",
            [
                ast.NamedExpr(target=store(container), value=self.expression(target.value)),
                ast.NamedExpr(target=store(index), value=self.index(target.index)),
            ],
        )
        result = self.operation(operator, present, value, node.value, in_place=True)
        return ast.Expr(value=self.call("_set", [result, load(container), load(index)]))

    def returned(self, value: tree.Expression | None) -> ast.expr:
        assert self.present is not None
        if value is None:
            return ast.Constant(value=None)
        emitted = self.expression(value)
        if self.present.kind == "helper" and self.present.returns != types.ANY:
            return self.guarded(emitted, self.type_of(value), self.present.returns)
        return emitted

    def branches(self, branches: list[tree.Branch], otherwise: list[tree.Statement]) -> ast.stmt:
        last = self.block(otherwise) if otherwise else []
        emitted: ast.If | None = None
        for branch in reversed(branches):
            orelse: list[ast.stmt] = last if emitted is None else [emitted]
            emitted = ast.If(test=self.condition(branch.test), body=self.block(branch.body), orelse=orelse)
            place(emitted, branch.span)
        assert emitted is not None, "an if has a branch"
        return emitted

    def loop(self, node: tree.For | tree.While) -> list[ast.stmt]:
        """A loop; one that calls nothing, and is in no such loop already, keeps the counter local."""
        if self.keeps_gas or not self.calls_nothing(node):
            return [self.loop_itself(node)]
        before: list[ast.stmt] = []
        items = self.loop_items(node)
        if items is not None:
            # Made before the counter is taken over: what it charges must not be lost in writing that back.
            name = self.temporary()
            before.append(ast.Assign(targets=[store(name)], value=items))
            items = load(name)
        self.keeps_gas = True
        emitted = self.loop_itself(node, items)
        self.keeps_gas = False
        taken = ast.Assign(targets=[store(GAS)], value=meter(ast.Load()))
        back = ast.Assign(targets=[meter(ast.Store())], value=load(GAS))
        guarded = ast.Try(body=[emitted], handlers=[], orelse=[], finalbody=[back])
        return [*before, taken, guarded]

    def calls_nothing(self, node: tree.For | tree.While) -> bool:
        """Tell whether no round of the loop calls anything (what a `for` loops over is made before)."""
        known = self.is_pure.get(node.sid)
        if known is None:
            before = (self.calls, len(self.comprehensions), self.temporaries, self.numbered)
            pools = (len(self.constants), len(self.guards))
            kept, self.keeps_gas = self.keeps_gas, True
            if isinstance(node, tree.While):
                self.condition(node.test)
            self.block(node.body)
            self.keeps_gas = kept
            known = self.calls == before[0]
            self.calls = before[0]
            del self.comprehensions[before[1] :]
            self.temporaries, self.numbered = before[2:]
            del self.constants[pools[0] :]
            del self.guards[pools[1] :]
            self.is_pure[node.sid] = known
        return known

    def loop_items(self, node: tree.For | tree.While) -> ast.expr | None:
        if isinstance(node, tree.While):
            return None
        items = self.expression(node.items)
        kind = self.type_of(node.items)
        if kind.kind in LOOPED and not kind.optional:
            return items
        return self.call("_pairs", [items])

    def loop_itself(self, node: tree.For | tree.While, items: ast.expr | None = None) -> ast.stmt:
        body = [*self.tick(gas.of_iteration(node), node.span), *self.block(node.body)]
        if isinstance(node, tree.While):
            return ast.While(test=self.condition(node.test), body=body, orelse=[])
        target = self.tuple_target(node.target)
        return ast.For(target=target, iter=items or self.loop_items(node) or target, body=body, orelse=[])

    def lone(self, value: tree.Expression) -> ast.stmt:
        match value:
            case tree.Call(function=tree.Name(name="require"), arguments=[condition, *rest]):
                stop = self.call("_word_fail", [self.expression(item) for item in rest])
                place(stop, value.span)
                test = ast.UnaryOp(op=ast.Not(), operand=self.condition(condition))
                return ast.If(test=test, body=[ast.Expr(value=stop)], orelse=[])
            case tree.Call(function=tree.Name(name="emit"), arguments=[name, *_], named=named):
                fields = self.fields(named)
                return ast.Expr(value=self.call("_word_emit", [self.expression(name), fields]))
            case _:
                return ast.Expr(value=self.expression(value))
