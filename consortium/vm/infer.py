"""The local type pass: what an expression inside a function is proved to be.

Used by the check (bool in arithmetic, `%`, `str` of a list) and by the compiler, which leaves out a guard
only where the operands are proved. So a proof must hold whatever a contract does: what is read out of a
list or dict that code may change is never proved (`ANY`), tuples and record fields never change and are.
"""

from dataclasses import replace

from consortium.vm import tree, types
from consortium.vm.annotations import DAY_COUNTS, ROUNDINGS
from consortium.vm.declarations import Contract, Field, FunctionDeclaration
from consortium.vm.types import (
    ANY,
    BOOL,
    DAY,
    INT,
    LONG_TEXT,
    MONEY,
    NOTHING,
    RATE,
    TEXT,
    TEXT_KINDS,
    Type,
    join,
)

_LIST = types.list_of(ANY)
_DICT = Type("dict", items=(ANY, ANY))
_WORD_TYPES: dict[str, Type] = {
    "access_bank": types.PARTY,
    "add_banking_days": DAY,
    "banking_day": DAY,
    "before_cut_off": BOOL,
    "caller": types.optional(TEXT),
    "day": DAY,
    "distribute": _LIST,
    "is_bank": BOOL,
    "is_banking_day": BOOL,
    "is_company": BOOL,
    "money": MONEY,
    "own_id": types.ID,
    "rate": RATE,
    "sender": types.PARTY,
    "signers": Type("frozen", items=(types.PARTY,)),
    "today": DAY,
    "value_day": DAY,
}
_BUILTIN_TYPES: dict[str, Type] = {
    "dict": _DICT,
    "int": INT,
    "len": INT,
    "list": _LIST,
    "range": types.RANGE,
    "sorted": _LIST,
    "str": LONG_TEXT,
}
# Methods whose result has one type whatever they are called on (on anything else they are refused).
_METHOD_TYPES: dict[str, Type] = {
    "add_months": DAY,
    "at": MONEY,
    "days": INT,
    "endswith": BOOL,
    "interest": MONEY,
    "items": _LIST,
    "join": LONG_TEXT,
    "keys": _LIST,
    "replace": LONG_TEXT,
    "share": MONEY,
    "split": _LIST,
    "startswith": BOOL,
    "values": _LIST,
    "weekday": INT,
}
_ATTRIBUTE_TYPES: dict[tuple[str, str], Type] = {
    ("money", "currency"): TEXT,
    ("money", "minor"): INT,
    ("rate", "denominator"): INT,
    ("rate", "numerator"): INT,
    ("day", "month"): INT,
    ("day", "year"): INT,
}
_ROUNDS_MAX = 8


class Typer:
    """Types of the expressions of one function."""

    def __init__(self, contract: Contract, function: FunctionDeclaration) -> None:
        self.contract = contract
        self.function = function
        self.locals: dict[str, Type | None] = {}
        self.scopes: list[dict[str, Type | None]] = []
        for parameter in function.parameters:
            self.locals[parameter.name] = _argument_type(parameter.type)
        for name in local_names(function.node):
            self.locals.setdefault(name, None)
        for _ in range(_ROUNDS_MAX):
            before = dict(self.locals)
            self._statements(function.node.body)
            if self.locals == before:
                break
        else:
            self.locals = dict.fromkeys(self.locals, ANY)

    def type_of(self, node: tree.Expression) -> Type:
        """Return what is proved of an expression; ANY if nothing is."""
        return self._infer(node) or ANY

    # --- statements: what is assigned to each name ------------------------------------------------------

    def _statements(self, body: list[tree.Statement]) -> None:
        for statement in body:
            match statement:
                case tree.Assign(targets=targets, value=value):
                    for target in targets:
                        self._assign_expression(target, value)
                case tree.Annotated(sid=sid, target=target, value=value) if value is not None:
                    self._assign(target, _argument_type(self.function.annotations.get(sid, ANY)))
                case tree.Augmented(target=target, operator=operator, value=value):
                    self._assign(target, self._binary(operator, self._infer(target), self._infer(value)))
                case tree.If(branches=branches, otherwise=otherwise):
                    for branch in branches:
                        self._statements(branch.body)
                    self._statements(otherwise)
                case tree.For(target=target, items=items, body=inner):
                    self._assign(target, item_type(self._infer(items)))
                    self._statements(inner)
                case tree.While(body=inner):
                    self._statements(inner)
                case _:
                    pass

    def _assign_expression(self, target: tree.Expression, value: tree.Expression) -> None:
        """Bind a target to a value; of `a, b = b, a` each name to its own part."""
        match target, value:
            case tree.TupleDisplay(items=targets), tree.TupleDisplay(items=values) if len(targets) == len(
                values
            ):
                for part, item in zip(targets, values, strict=True):
                    self._assign_expression(part, item)
            case _:
                self._assign(target, self._infer(value))

    def _assign(self, target: tree.Expression, found: Type | None) -> None:
        match target:
            case tree.Name(name=name):
                scope = self.scopes[-1] if self.scopes and name in self.scopes[-1] else self.locals
                scope[name] = join(scope.get(name), found)
            case tree.TupleDisplay(items=items):
                for item in items:
                    self._assign(item, item_type(found) if found and found.kind == "frozen" else ANY)
            case _:
                pass

    # --- expressions ------------------------------------------------------------------------------------

    def _infer(self, node: tree.Expression) -> Type | None:
        match node:
            case tree.Name(name=name):
                return self._name(name)
            case tree.Literal(value=value):
                return _literal(value)
            case tree.FText():
                return LONG_TEXT
            case tree.Binary(operator=operator, left=left, right=right):
                return self._binary(operator, self._infer(left), self._infer(right))
            case tree.Unary(operator="not") | tree.Compare():
                return BOOL
            case tree.Unary(operand=operand):
                found = self._infer(operand)
                return found if found in (INT, MONEY, None) else ANY
            case tree.Logic(operands=operands):
                joined: Type | None = None
                for operand in operands:
                    joined = join(joined, self._infer(operand))
                return joined
            case tree.Conditional(body=body, otherwise=otherwise):
                return join(self._infer(body), self._infer(otherwise))
            case tree.Call():
                return self._call(node)
            case tree.Attribute(value=value, name=name):
                return self._attribute(value, name)
            case tree.Subscript(value=value, index=index):
                return self._subscript(value, index)
            case tree.ListDisplay():
                return _LIST
            case tree.DictDisplay():
                return _DICT
            case tree.TupleDisplay(items=items):
                kind: Type | None = None
                for item in items:
                    kind = join(kind, self._infer(item))
                return Type("frozen", items=(kind or ANY,))
            case tree.Comprehension():
                return _DICT if node.key is not None else _LIST
            case _:
                return ANY

    def enter(self, node: tree.Comprehension) -> None:
        """Open the scope of a comprehension, with the types of its loop variables."""
        scope: dict[str, Type | None] = {
            name: None for loop in node.loops for name in target_names(loop.target)
        }
        self.scopes.append(scope)
        for loop in node.loops:
            self._assign(loop.target, item_type(self._infer(loop.items)))

    def leave(self) -> None:
        self.scopes.pop()

    def _name(self, name: str) -> Type | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        if name in self.locals:
            return self.locals[name]
        contract = self.contract
        if name in contract.constants:
            return _argument_type(contract.constants[name].type)
        if name in contract.parameters:
            return _argument_type(contract.parameters[name].default.type)
        if name in contract.collections:
            return Type("collection", name=name)
        if name in DAY_COUNTS:
            return types.DAY_COUNT
        return TEXT if name in ROUNDINGS else ANY

    def is_local(self, name: str) -> bool:
        return name in self.locals or any(name in scope for scope in self.scopes)

    def _binary(self, operator: str, left: Type | None, right: Type | None) -> Type | None:
        if left is None or right is None:
            # A name whose type is still being found: it cannot be less than what the other side decides.
            return None
        match operator, left.kind, right.kind:
            case (("+" | "-" | "*" | "//" | "%" | "**"), "int", "int") if not (
                left.optional or right.optional
            ):
                return INT
            case "-", "day", "int":
                return DAY
            case "-", _, "day":
                return INT
            case (("+" | "-" | "*" | "//"), "money", _):
                return MONEY
            case (("+" | "-" | "*"), _, "money"):
                return MONEY
            case (("+" | "-" | "*"), "rate", _):
                return RATE
            case (("+" | "-" | "*"), _, "rate"):
                return RATE
            case "+", "int", _:
                return INT
            case "-", "int", _:
                return INT
            case "+", "day", _:
                return DAY
            case "+", ("text" | "id" | "party"), _:
                return LONG_TEXT
            case "+", _, ("text" | "id" | "party"):
                return LONG_TEXT
            case _:
                return ANY

    def _call(self, node: tree.Call) -> Type | None:
        match node.function:
            case tree.Name(name=name) if not self.is_local(name):
                return self._named_call(name, node)
            case tree.Attribute(value=value, name=name):
                return self._method(value, name, node)
            case _:
                return ANY

    def _named_call(self, name: str, node: tree.Call) -> Type | None:
        contract = self.contract
        if name in contract.functions:
            return return_type(contract.functions[name])
        if name in contract.records:
            return Type("record", name=name)
        if name in contract.values:
            return Type("value", name=name)
        if name in {"min", "max"} and len(node.arguments) > 1:
            joined: Type | None = None
            for argument in node.arguments:
                found = self._infer(argument)
                if found is None:
                    return None
                joined = join(joined, found)
            return joined
        if name in contract.imported:
            return _WORD_TYPES.get(name, ANY)
        return _BUILTIN_TYPES.get(name, ANY)

    def _method(self, value: tree.Expression, name: str, node: tree.Call) -> Type | None:
        if name in _METHOD_TYPES:
            return _METHOD_TYPES[name]
        found = self._infer(value)
        if found is None:
            return None
        if found.optional:
            return ANY
        if found.kind == "record" and name in {"update", "move_to", "child"}:
            return found
        if found.kind == "collection":
            return self._collection_method(found.name, name, node)
        if found.kind == "selection":
            return self._selection_method(found, name)
        if found.kind in TEXT_KINDS and name in {"count", "find"}:
            return INT
        return ANY

    def _collection_method(self, collection: str, name: str, node: tree.Call) -> Type:
        record = Type("record", name=self.contract.collections[collection].record)
        if name == "add":
            return record
        if name == "find":
            return types.optional(record)
        if name == "total":
            match node.arguments:
                case [tree.Literal(value=str(field_name))]:
                    field = self.contract.records[record.name].field(field_name)
                    return ANY if field is None else field.type
                case _:
                    return ANY
        return self._selection_method(Type("selection", name=record.name), name)

    def _selection_method(self, selection: Type, name: str) -> Type:
        if name in {"where", "since", "upto", "limit"}:
            return selection
        record = Type("record", name=selection.name)
        if name == "sorted_by":
            return Type("frozen", items=(record,))
        return types.optional(record) if name == "first" else ANY

    def _attribute(self, value: tree.Expression, name: str) -> Type | None:
        if (
            isinstance(value, tree.Name)
            and not self.is_local(value.name)
            and value.name in self.contract.enums
        ):
            enum = self.contract.enums[value.name]
            return Type(enum.kind, name=value.name)
        found = self._infer(value)
        if found is None or found.optional:
            return ANY if found else None
        field = field_of(self.contract, found, name)
        if field is not None:
            return _stored_type(field.type)
        if found.kind == "record" and name == "id":
            return types.optional(types.ID)
        return _ATTRIBUTE_TYPES.get((found.kind, name), ANY)

    def _subscript(self, value: tree.Expression, index: tree.Expression) -> Type | None:
        found = self._infer(value)
        if found is None:
            return None
        if found.kind == "collection":
            return Type("record", name=self.contract.collections[found.name].record)
        sliced = isinstance(index, tree.Slice)
        if found.kind in TEXT_KINDS and not found.optional:
            return LONG_TEXT if sliced else TEXT
        if found.kind == "frozen" and not found.optional:
            return found if sliced else found.items[0]
        return ANY


def field_of(contract: Contract, kind: Type, name: str) -> Field | None:
    """Return the declared field of a record or value type."""
    fields: tuple[Field, ...] = ()
    if kind.kind == "record":
        fields = contract.records[kind.name].fields
    elif kind.kind == "value":
        fields = contract.values[kind.name].fields
    return next((field for field in fields if field.name == name), None)


def item_type(kind: Type | None) -> Type | None:
    """Return the type of what a loop over `kind` yields."""
    if kind is None:
        return None
    if kind.optional:
        return ANY
    match kind.kind:
        case "range":
            return INT
        case "frozen":
            return kind.items[0]
        case "selection":
            return Type("record", name=kind.name)
        case "text" | "id" | "party":
            return TEXT
        case _:
            return ANY


def assignable(source: Type, target: Type) -> bool:
    """Tell whether a value proved to be of `source` needs no test to count as one of `target`."""
    if target in (ANY, source):
        return True
    if source == NOTHING:
        return target.optional
    if source.optional and not target.optional:
        return False
    if source.kind in TEXT_KINDS and target.kind in TEXT_KINDS:
        return types.is_short(source) or (target.kind == "text" and target.length == 0)
    if target.kind in {"list", "dict", "frozen"}:
        return False
    return replace(source, optional=False) == replace(target, optional=False)


def return_type(function: FunctionDeclaration) -> Type:
    """Return what a call of a helper is proved to give: None too, where its end can be reached."""
    declared = _argument_type(function.returns)
    return declared if always_ends(function.node.body) else types.optional(declared)


def always_ends(body: list[tree.Statement]) -> bool:
    """Tell whether no path through `body` reaches its end."""
    for statement in body:
        match statement:
            case tree.Return():
                return True
            case tree.ExpressionStatement(value=tree.Call(function=tree.Name(name="fail"))):
                return True
            case tree.If(branches=branches, otherwise=otherwise):
                if (
                    otherwise
                    and always_ends(otherwise)
                    and all(always_ends(branch.body) for branch in branches)
                ):
                    return True
            case _:
                pass
    return False


def local_names(function: tree.Function) -> list[str]:
    """Return the names that a function binds, parameters first, in order of their first place."""
    names = {parameter.name: None for parameter in function.parameters}
    for node in tree.walk(function):
        match node:
            case tree.Assign(targets=targets):
                for target in targets:
                    names.update(dict.fromkeys(target_names(target)))
            case tree.Annotated(target=target) | tree.Augmented(target=target) | tree.For(target=target):
                names.update(dict.fromkeys(target_names(target)))
            case tree.Refused(binds=binds) | tree.RefusedStatement(binds=binds):
                names.update(dict.fromkeys(binds))
            case _:
                pass
    return list(names)


def target_names(target: tree.Expression) -> list[str]:
    """Return the names that an assignment target binds."""
    match target:
        case tree.Name(name=name):
            return [name]
        case tree.TupleDisplay(items=items):
            return [name for item in items for name in target_names(item)]
        case _:
            return []


def _argument_type(kind: Type) -> Type:
    """Lists that come in as arguments are fresh lists: their items are not proved."""
    return Type("list", items=(ANY,), optional=kind.optional) if kind.kind == "list" else kind


def _stored_type(kind: Type) -> Type:
    if kind.kind != "list":
        return kind
    return Type("frozen", items=(_stored_type(kind.items[0]),), optional=kind.optional)


def _literal(value: object) -> Type:
    match value:
        case None:
            return NOTHING
        case bool():
            return BOOL
        case int():
            return INT
        case str():
            return TEXT if len(value) <= types.TEXT_LENGTH_DEFAULT else LONG_TEXT
        case _:
            return types.HASH
