"""Checking expressions: what a function names, reads, calls and computes (rules 027 to 036)."""

from consortium.vm import language, tree, types
from consortium.vm.annotations import DAY_COUNTS, ROUNDINGS, nearest
from consortium.vm.convert import position_of
from consortium.vm.declarations import Contract, FunctionDeclaration
from consortium.vm.declare import CONTRACT_CODE
from consortium.vm.findings import Findings
from consortium.vm.infer import Typer, field_of
from consortium.vm.types import Type

# What neither text nor f-strings take, where it is proved.
_NOT_TEXT = frozenset(
    {"list", "frozen", "dict", "record", "value", "selection", "collection", "range", "bool", "nothing"}
)
_API_ATTRIBUTES = language.ATTRIBUTES


class ExpressionCheck:
    """Looks at the expressions of the present function; `check` walks its statements."""

    def __init__(self, contract: Contract, findings: Findings) -> None:
        self.contract = contract
        self.findings = findings
        self.calls: dict[str, dict[str, tree.Node]] = {}
        self.reached: dict[str, dict[str, None]] = {}
        self.writes: dict[str, str] = {}
        self.declared_fields = {
            field.name
            for group in (contract.records, contract.values)
            for item in group.values()
            for field in item.fields
        }
        self.present: FunctionDeclaration | None = None
        self.typer: Typer | None = None
        self.loops = 0

    def inside(self, nodes: list[tree.Node]) -> None:
        """Look at the parts of something, statements among them."""
        raise NotImplementedError

    def names_only(self, node: tree.Expression) -> None:
        """Admit names, and tuples of names, as what a loop or an unpacking binds."""
        if isinstance(node, tree.TupleDisplay):
            for item in node.items:
                self.names_only(item)
        elif isinstance(node, tree.Refused):
            self.inside(node.inside)
        elif isinstance(node, tree.Name):
            self.plain_name(node.name, node)
        else:
            self.refuse(
                "E-LANG-034", node, "only names can be bound here.", "assign the item on a line of its own"
            )

    def expression(self, node: tree.Expression) -> None:
        match node:
            case tree.Name():
                self.value_name(node)
            case tree.Binary(operator=operator, left=left, right=right):
                self.expression(left)
                self.expression(right)
                self.arithmetic(operator, left, right, node)
            case tree.Unary(operator=operator, operand=operand):
                self.expression(operand)
                if operator == "-" and self.type_of(operand) == types.BOOL:
                    self.refuse("E-LANG-033", node)
            case tree.Compare(left=left, operators=operators, rights=rights):
                self.expression(left)
                for operator, right in zip(operators, rights, strict=True):
                    if not (operator in {"in", "not in"} and self.is_collection(right)):
                        self.expression(right)
            case tree.Call():
                self.call(node, alone=False)
            case tree.Attribute():
                self.attribute(node)
            case tree.Subscript(value=value, index=index):
                if not self.is_collection(value):
                    self.expression(value)
                self.expression(index)
            case tree.FText(parts=parts):
                for part in parts:
                    self.expression(part)
                    if not isinstance(part, tree.Literal):
                        self.takes_text(part, "an f-string")
            case tree.Comprehension():
                self.comprehension(node)
            case tree.Literal():
                pass
            case tree.Refused(inside=inside):
                self.inside(inside)
            case _:
                self.inside(list(tree.children(node)))

    def comprehension(self, node: tree.Comprehension) -> None:
        assert self.typer is not None
        self.expression(node.loops[0].items)
        self.typer.enter(node)
        for position, loop in enumerate(node.loops):
            if position:
                self.expression(loop.items)
            self.names_only(loop.target)
            for condition in loop.conditions:
                self.expression(condition)
        if node.key is not None:
            self.expression(node.key)
        self.expression(node.element)
        self.typer.leave()

    def value_name(self, node: tree.Name) -> None:
        """Judge a name that is read as a value."""
        name = node.name
        if self.is_local(name):
            return
        if not self.plain_name(name, node):
            return
        contract = self.contract
        if name in contract.constants or name in contract.parameters:
            return
        if name in contract.imported and (name in DAY_COUNTS or name in ROUNDINGS):
            return
        if name in contract.collections:
            self.refuse(
                "E-LANG-029", node, name, f"use  {name}[id]  ,  {name}.find(id)  or  {name}.where(...)"
            )
        elif contract.is_declared(name) or name in contract.imported or name in language.BUILTINS:
            self.refuse("E-LANG-029", node, name, _advice_for_callable(name, contract))
        else:
            self.unknown(node, name)

    def unknown(self, node: tree.Node, name: str) -> None:
        contract = self.contract
        if name in language.NAMED_ELSEWHERE:
            self.refuse(language.NAMED_ELSEWHERE[name], node, f"'{name}'")
            return
        if name in language.IMPORTABLE:
            self.refuse("E-LANG-028", node, name, f"add it:  from consortium.contract import {name}")
            return
        known = [
            *(self.typer.locals if self.typer else ()), *contract.constants, *contract.parameters,
            *contract.functions, *contract.records, *contract.values, *contract.enums, *contract.collections,
            *contract.used, *contract.imported, *language.BUILTINS,
        ]  # fmt: skip
        near = nearest(name, known)
        advice = "a contract has only what it declares, imports or assigns"
        if near:
            advice = f"did you mean '{near}'?"
        self.refuse("E-LANG-028", node, name, advice)

    def attribute(self, node: tree.Attribute) -> None:
        value, name = node.value, node.name
        contract = self.contract
        if isinstance(value, tree.Name) and not self.is_local(value.name):
            if value.name in contract.enums:
                members = contract.enums[value.name].members
                if name not in members:
                    self.refuse("E-LANG-027", node, name, f"{value.name} has {', '.join(members)}")
                return
            if value.name in contract.collections or value.name in contract.used:
                self.refuse("E-LANG-027", node, name, _advice_for_methods(name))
                return
        self.expression(value)
        found = self.type_of(value)
        if found.kind in {"record", "value"} and not found.optional:
            if field_of(contract, found, name) is None and not (found.kind == "record" and name == "id"):
                fields = (
                    contract.records[found.name].fields
                    if found.kind == "record"
                    else contract.values[found.name].fields
                )
                self.refuse(
                    "E-LANG-027", node, name, f"{found.name} has {', '.join(field.name for field in fields)}"
                )
        elif name not in self.declared_fields and name not in _API_ATTRIBUTES:
            self.refuse("E-LANG-027", node, name, _advice_for_methods(name))

    def call(self, node: tree.Call, *, alone: bool) -> None:
        assert self.present is not None
        match node.function:
            case tree.Name(name=name):
                self.named_call(node, node.function, name, alone=alone)
            case tree.Attribute(value=value, name=name):
                self.method(node, value, name)
            case function:
                self.expression(function)
                self.refuse("E-LANG-029", function, "this", "call a declared function by its name")
        for argument in node.arguments:
            self.expression(argument)
        seen: set[str] = set()
        for named in node.named:
            self.plain_name(named.name, named)
            if named.name in seen:
                self.refuse("E-LANG-034", named, f"'{named.name}' is given twice.", "keep one")
            seen.add(named.name)
            self.expression(named.value)

    def named_call(self, node: tree.Call, function: tree.Name, name: str, *, alone: bool) -> None:
        assert self.present is not None
        contract = self.contract
        if not self.plain_name(name, function):
            return
        if self.is_local(name):
            self.refuse("E-LANG-028", function, name, "it is a value here; call a declared function")
        elif name in contract.functions:
            self.calls[self.present.name].setdefault(name, node)
            called = contract.functions[name]
            if called.kind != "helper":
                self.refuse(
                    "E-LANG-029",
                    function,
                    name,
                    "transactions and the engine call it; share its lines in a @helper",
                )
            self.matches(node, name, [(item.name, item.default is not None) for item in called.parameters], 0)
        elif name in contract.records or name in contract.values:
            self.constructor(node, name)
        elif name in language.BUILTINS:
            self.builtin(node, name)
        elif self.is_word(name):
            self.word(node, name, alone=alone)
        elif contract.is_declared(name) or name in contract.imported:
            self.refuse("E-LANG-029", function, name, _advice_for_callable(name, contract))
        else:
            self.unknown(function, name)

    def matches(
        self, node: tree.Call, name: str, parameters: list[tuple[str, bool]], named_only_from: int
    ) -> None:
        """Compare a call's arguments with (name, has a default) pairs."""
        names = [parameter for parameter, _ in parameters]
        if len(node.arguments) > len(names) - named_only_from:
            self.refuse(
                "E-LANG-034",
                node,
                f"{name} takes {len(names)} arguments.",
                f"write  {name}({', '.join(names)})",
            )
            return
        given = names[: len(node.arguments)] if not named_only_from else []
        for argument in node.named:
            if argument.name not in names:
                self.refuse(
                    "E-LANG-034",
                    argument,
                    f"{name} has no '{argument.name}'.",
                    f"it takes {', '.join(names)}",
                )
            elif argument.name in given:
                self.refuse("E-LANG-034", argument, f"'{argument.name}' is given twice.", "keep one")
            given = [*given, argument.name]
        missing = [
            parameter for parameter, has_default in parameters if parameter not in given and not has_default
        ]
        if missing:
            self.refuse(
                "E-LANG-034",
                node,
                f"{name} needs {', '.join(missing)}.",
                f"write  {name}({', '.join(f'{item}=...' for item in missing)})",
            )

    def constructor(self, node: tree.Call, name: str) -> None:
        contract = self.contract
        fields = contract.records[name].fields if name in contract.records else contract.values[name].fields
        if node.arguments:
            self.refuse(
                "E-LANG-034",
                node.arguments[0],
                f"{name} takes its fields by name.",
                f"write  {name}({fields[0].name}=...)",
            )
            return
        parameters = [
            (field.name, field.default is not None or field.type.kind == "status") for field in fields
        ]
        self.matches(node, name, parameters, len(parameters))

    def builtin(self, node: tree.Call, name: str) -> None:
        self.count(node, name, language.BUILTINS[name])
        for named in node.named:
            self.refuse("E-LANG-034", named, f"{name} takes no named arguments.", f"leave out '{named.name}'")
        if name == "str" and len(node.arguments) == 1:
            self.takes_text(node.arguments[0], "str")

    def word(self, node: tree.Call, name: str, *, alone: bool) -> None:
        if name in language.STATEMENT_WORDS and not alone:
            self.refuse("E-LANG-029", node, name, f"write  {name}(...)  on a line of its own")
        self.count(node, name, language.WORDS[name])
        if name == "emit":
            self.no_write(node, "emit")
            self.literal_text(node, 0, "an event's name")
        elif node.named:
            self.refuse(
                "E-LANG-034", node.named[0], f"{name} takes no named arguments.", "give the values in order"
            )
        if name in {"money", "rate", "day"}:
            self.literal_text(node, 0, name)
        if name in {"require", "fail"}:
            position = 1 if name == "require" else 0
            code = self.literal_text(node, position, "a code")
            if code is not None and not CONTRACT_CODE.fullmatch(code):
                self.refuse(
                    "E-LANG-034",
                    node.arguments[position],
                    f"'{code}' is no code of a contract.",
                    'write E_ and capitals:  "E_AMOUNT"',
                )

    def method(self, node: tree.Call, value: tree.Expression, name: str) -> None:
        contract = self.contract
        owner = value.name if isinstance(value, tree.Name) and not self.is_local(value.name) else ""
        if owner not in contract.collections and owner not in contract.used:
            self.expression(value)
        if name not in language.METHODS:
            attribute = node.function
            self.refuse("E-LANG-027", attribute, name, _advice_for_methods(name))
            return
        if owner in contract.used:
            if name != "call":
                self.refuse("E-LANG-027", node.function, name, f'use  {owner}.call("action", ...)')
            self.literal_text(node, 0, "the name of the action")
        self.count(node, name, language.METHODS[name])
        if node.named and name not in language.FIELD_METHODS:
            allowed = language.NAMED_ARGUMENTS.get(name, ())
            for named in node.named:
                if named.name not in allowed:
                    self.refuse(
                        "E-LANG-034", named, f"{name} has no '{named.name}'.", "give the values in order"
                    )
        found = self.type_of(value)
        if name in language.WRITING_METHODS and found.kind in {"record", "collection", "any"}:
            self.no_write(node, name)
        if found.kind == "record" and name in {"update", "move_to", "child"}:
            record = contract.records[found.name]
            for named in node.named:
                if record.field(named.name) is None:
                    self.refuse(
                        "E-LANG-034",
                        named,
                        f"{found.name} has no '{named.name}'.",
                        f"it has {', '.join(field.name for field in record.fields)}",
                    )
        if owner in contract.collections:
            self.collection_method(node, contract.collections[owner].record, name, owner)

    def collection_method(self, node: tree.Call, record: str, name: str, owner: str) -> None:
        declared = self.contract.records[record]
        if name in {"where", "since", "upto", "total"}:
            for named in node.named:
                if declared.field(named.name) is None:
                    self.refuse(
                        "E-LANG-034",
                        named,
                        f"{record} has no '{named.name}'.",
                        f"it has {', '.join(field.name for field in declared.fields)}",
                    )
        if name == "total":
            field = self.literal_text(node, 0, "the field of a total")
            groups = tuple(sorted(named.name for named in node.named))
            kept = self.contract.collections[owner].totals
            if field is not None and not any(
                field == total and groups == tuple(sorted(group)) for total, group in kept
            ):
                self.refuse(
                    "E-LANG-034",
                    node,
                    f"this total of '{field}' is not kept.",
                    f"declare  totals=(({_quoted(field)}, {_quoted(*groups, many=True)}),)",
                )

    def arithmetic(
        self, operator: str, left: tree.Expression, right: tree.Expression, node: tree.Node
    ) -> None:
        kinds = (self.type_of(left), self.type_of(right))
        if types.BOOL in kinds and operator in language.OPERATORS:
            self.refuse("E-LANG-033", node)
        elif operator == "%" and kinds != (types.INT, types.INT):
            self.refuse("E-LANG-035", node)

    def takes_text(self, node: tree.Expression, taker: str) -> None:
        found = self.type_of(node)
        if found.kind in _NOT_TEXT:
            self.refuse(
                "E-LANG-034",
                node,
                f"{taker} takes no {_shown(found)}.",
                "give text, a number, an amount, a rate, a day or a party",
            )

    def literal_text(self, node: tree.Call, position: int, what: str) -> str | None:
        if position >= len(node.arguments):
            return None
        argument = node.arguments[position]
        if isinstance(argument, tree.Literal) and isinstance(argument.value, str):
            return argument.value
        self.refuse("E-LANG-034", argument, f"{what} is a plain text in quotes.", "write the text itself")
        return None

    def count(self, node: tree.Call, name: str, bounds: tuple[int, int]) -> None:
        least, most = bounds
        extra = len(node.named) if name in language.NAMED_ARGUMENTS else 0
        if not least <= len(node.arguments) + extra <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            self.refuse(
                "E-LANG-034",
                node,
                f"{name} takes {wanted} argument{'' if wanted == '1' else 's'}.",
                "give that many",
            )

    def no_write(self, node: tree.Node, what: str) -> None:
        assert self.present is not None
        self.writes.setdefault(self.present.name, what)
        if self.present.kind in {"query", "invariant"}:
            self.refuse("E-LANG-036", node, what)

    def plain_name(self, name: str, node: tree.Node) -> bool:
        if name.startswith("_") or name.endswith("_"):
            self.refuse("E-LANG-007", node, name)
            return False
        return True

    def is_local(self, name: str) -> bool:
        return self.typer is not None and self.typer.is_local(name)

    def is_word(self, name: str) -> bool:
        return name in language.WORDS and name in self.contract.imported

    def is_collection(self, node: tree.Expression) -> bool:
        return (
            isinstance(node, tree.Name)
            and not self.is_local(node.name)
            and node.name in self.contract.collections
        )

    def type_of(self, node: tree.Expression) -> Type:
        return types.ANY if self.typer is None else self.typer.type_of(node)

    def refuse(self, rule: str, node: tree.Node, found: str = "", advice: str = "") -> None:
        line, column = position_of(node.span, self.findings)
        self.findings.add(rule, line, column, found, advice)


def _quoted(*names: str, many: bool = False) -> str:
    """Write names as a contract would: `"face"`, or as a tuple `("root", "status")`."""
    texts = [f'"{name}"' for name in names]
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})" if many else texts[0]


def _shown(kind: Type) -> str:
    return {"frozen": "list", "nothing": "None", "collection": "collection"}.get(kind.kind, kind.kind)


def _advice_for_callable(name: str, contract: Contract) -> str:
    if name in contract.functions:
        return f"call it:  {name}(...)"
    if name in contract.enums:
        return f"name one of its values:  {name}.{contract.enums[name].members[0]}"
    if name in contract.used:
        return f'call an action of it:  {name}.call("action", ...)'
    if name in contract.records or name in contract.values:
        return f"make one:  {name}(...)"
    if name in {"Money", "Rate", "Day"}:
        return f'write  {name.lower()}("...")'
    if name in language.TYPE_WORDS:
        return "it stands in annotations only"
    return f"call it:  {name}(...)"


def _advice_for_methods(name: str) -> str:
    if name in language.METHODS:
        return f"call it:  .{name}(...)"
    if name == "format":
        return 'use an f-string:  f"{value}"'
    if name in {"upper", "lower", "isdigit", "isalpha", "strip", "casefold", "title"}:
        return "letters differ between Python versions; compare texts as they are"
    near = nearest(name, [*language.METHODS, *sorted(language.ATTRIBUTES)])
    return f"did you mean '.{near}'?" if near else "use a declared field, or a method the language lists"
