"""Small pieces of emitted code: CPython nodes, with positions of our tree."""

import ast
from typing import Any, TypeVar

from consortium.vm.tree import Span

MACHINE, GAS, RESULT, ITEMS = "_x", "_g", "_r", "_items"
Placed = TypeVar("Placed", bound=ast.AST)


def literal(value: Any) -> ast.expr:
    return ast.Constant(value=value)


def load(name: str) -> ast.Name:
    return ast.Name(id=name, ctx=ast.Load())


def store(name: str) -> ast.Name:
    return ast.Name(id=name, ctx=ast.Store())


def meter(context: ast.expr_context) -> ast.Attribute:
    return ast.Attribute(value=load(MACHINE), attr="gas", ctx=context)


def function_node(name: str, arguments: ast.arguments, body: list[ast.stmt]) -> ast.FunctionDef:
    node = ast.FunctionDef(name=name, args=arguments, body=body, decorator_list=[], returns=None)
    if "type_params" in node._fields:
        node.type_params = []  # type: ignore[attr-defined,unused-ignore]
    return node


def place(node: Placed, span: Span) -> Placed:
    """Give a node, and what is new below it, the position of `span`."""
    stack: list[Any] = [node]
    while stack:
        present = stack.pop()
        if "lineno" in present._attributes:  # noqa: SLF001  documented, in spite of its name
            if hasattr(present, "lineno"):
                continue
            present.lineno = span.line
            present.col_offset = span.column
            present.end_lineno = span.end_line
            present.end_col_offset = span.end_column
        stack.extend(ast.iter_child_nodes(present))
    return node
