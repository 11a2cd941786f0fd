"""From source text to our own tree, in the grammar of the oldest supported Python (`feature_version`)."""

import ast
import warnings

from consortium.vm import language, tree
from consortium.vm.convert import Converter
from consortium.vm.findings import Findings
from consortium.vm.lexer import Scan


def parse(text: str, findings: Findings, scanned: Scan) -> tree.Module | None:
    """Return the tree of a contract file, or None where it does not parse at all."""
    try:
        module = _python_tree(text)
    except SyntaxError:
        line = _first_bad_line(findings.lines, scanned.statement_lines)
        written = findings.lines[line - 1]
        column = len(written) - len(written.lstrip(" ")) + 1
        findings.add("E-LANG-006", line, column, "the file does not parse from here on.")
        return None
    except (RecursionError, MemoryError, ValueError):
        findings.add("E-LANG-004", 1, 1, "the file is nested too deep to parse.")
        return None
    if _too_deep(module, findings):
        return None
    return Converter(findings, scanned.operators).module(module)


def _python_tree(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text, feature_version=language.GRAMMAR)


def _first_bad_line(lines: list[str], starts: list[int]) -> int:
    """Return the first line of the first statement that does not parse.

    Parsers of different versions name different lines for the same mistake. So the place is found by asking
    only whether the beginning of the file, up to a statement, can be continued: all versions agree on that.
    """
    low, high = 0, len(starts) - 1
    while low < high:
        middle = (low + high) // 2
        if _can_go_on(lines, starts, middle):
            low = middle + 1
        else:
            high = middle
    return starts[low] if starts else 1


def _can_go_on(lines: list[str], starts: list[int], last: int) -> bool:
    """Tell whether the file up to statement number `last` is the beginning of one that parses."""
    end = starts[last + 1] - 1 if last + 1 < len(starts) else len(lines)
    begun = "\n".join(lines[:end])
    indent = " " * (len(lines[starts[last] - 1]) - len(lines[starts[last] - 1].lstrip(" ")))
    for continued in ("", f"{indent} pass", f"{indent}def f(): pass"):
        try:
            _python_tree(f"{begun}\n{continued}\n")
        except (SyntaxError, RecursionError, MemoryError, ValueError):
            continue
        return True
    return False


def _too_deep(module: ast.Module, findings: Findings) -> bool:
    """Bound the depth of the tree, so that no walk over it meets an interpreter's own limit."""
    stack: list[tuple[ast.AST, int]] = [(module, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > language.TREE_DEPTH_MAX:
            line = getattr(node, "lineno", 1)
            findings.add(
                "E-LANG-004", line, 1, f"the expression is deeper than {language.TREE_DEPTH_MAX} levels."
            )
            return True
        for name, part in ast.iter_fields(node):
            parts = part if isinstance(part, list) else [part]
            chained = (
                isinstance(node, ast.If)
                and name == "orelse"
                and len(parts) == 1
                and isinstance(parts[0], ast.If)
            )
            stack.extend((item, depth + (not chained)) for item in parts if isinstance(item, ast.AST))
    return False
