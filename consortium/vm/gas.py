"""The gas schedule: one page of costs, versioned. One unit stands for about 20 nanoseconds of this engine.

How gas is counted is part of the schedule: each block of our own tree (a function's body, a loop's body) is
charged as a whole when it is entered, an `if` in it with its dearer arm; the meter is tested there, and again
by every charged function before it works. Nothing is ever given back.
"""

from consortium.vm import tree

GAS_SCHEDULE_VERSION = 1

# --- what runs straight through: charged at the head of the block -----------------------------------------
FUNCTION = 10
LOOP = 5
ITERATION = 3
STATEMENT = 1
EXPRESSION: dict[type[tree.Node], int] = {
    tree.Name: 0,
    tree.Literal: 0,
    tree.FText: 5,
    tree.Binary: 3,
    tree.Unary: 1,
    tree.Logic: 2,
    tree.Compare: 2,
    tree.Argument: 1,
    tree.Call: 8,
    tree.Attribute: 2,
    tree.Subscript: 4,
    tree.Slice: 2,
    tree.ListDisplay: 4,
    tree.TupleDisplay: 2,
    tree.DictDisplay: 4,
    tree.Loop: 0,
    tree.Comprehension: 20,
    tree.Conditional: 1,
}

# --- what depends on values: charged by the function that does it ------------------------------------------
ITEM = 2  # a new item of a list or dict, or one visit of a value walk
BYTES_PER_GAS = 8  # text that is built, searched or compared
BIG_NUMBER_BITS = 64  # numbers cost one unit for each so many bits
CALENDAR_DAY = 60
TRANSACTION = 500
ARGUMENT = 20
RECORD_READ = 150
RECORD_WRITE = 600
STORED_BYTE = 1
INDEX_ENTRY = 400
TOTAL = 400
INDEX_STEP = 50
EVENT = 250
CALL = 300
EXCHANGE = 60  # an amount multiplied by a rate, or interest


def of_block(statements: list[tree.Statement]) -> int:
    """Return what entering a block costs: all its statements once, of each `if` the dearer arm."""
    return sum(of_statement(statement) for statement in statements)


def of_statement(node: tree.Statement) -> int:
    """Return the straight-line cost of a statement; the body of a loop is charged by each iteration."""
    match node:
        case tree.If(branches=branches, otherwise=otherwise):
            tests, dearest = 0, 0
            for branch in branches:
                tests += of_expression(branch.test)
                dearest = max(dearest, tests + of_block(branch.body))
            return STATEMENT + max(dearest, tests + of_block(otherwise))
        case tree.For(items=items):
            return STATEMENT + LOOP + of_expression(items)
        case tree.While(test=test):
            return STATEMENT + LOOP + of_expression(test)
        case tree.Annotated(target=target, value=value):
            return STATEMENT + of_expression(target) + (of_expression(value) if value is not None else 0)
        case _:
            return STATEMENT + sum(of_expression(part) for part in tree.children(node))


def of_iteration(node: tree.For | tree.While) -> int:
    """Return what one round of a loop costs; of `while`, its next test is a part."""
    test = of_expression(node.test) if isinstance(node, tree.While) else of_expression(node.target)
    return ITERATION + test + of_block(node.body)


def of_expression(node: tree.Node) -> int:
    """Return the straight-line cost of an expression; what a comprehension does inside is charged there."""
    own = EXPRESSION[type(node)]
    match node:
        case tree.Conditional(test=test, body=body, otherwise=otherwise):
            return own + of_expression(test) + max(of_expression(body), of_expression(otherwise))
        case tree.Comprehension(loops=loops):
            return own + of_expression(loops[0].items)
        case _:
            return own + sum(of_expression(part) for part in tree.children(node))


def of_comprehension_loop(node: tree.Comprehension, position: int) -> int:
    """Return what one round of the comprehension's loop number `position` costs."""
    loop = node.loops[position]
    cost = ITERATION + of_expression(loop.target) + sum(of_expression(test) for test in loop.conditions)
    if position + 1 < len(node.loops):
        return cost + LOOP + of_expression(node.loops[position + 1].items)
    key = 0 if node.key is None else of_expression(node.key)
    return cost + key + of_expression(node.element) + ITEM
