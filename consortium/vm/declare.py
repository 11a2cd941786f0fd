"""Reads the top level of a contract into `declarations`, refusing what cannot stand there.

Classes first need their names known (annotations may point forward), so the file is walked twice: once for
names, once for contents.
"""

import re

from consortium.vm import language, tree, types
from consortium.vm.declarations import (
    CollectionDeclaration,
    Contract,
    Field,
    FunctionDeclaration,
    ParameterDeclaration,
    RecordClass,
    UsedContract,
)
from consortium.vm.declare_classes import (
    ClassDeclarer,
    called_name,
    class_kind,
    fits,
    holds_party,
    is_storable,
    items_of,
)
from consortium.vm.findings import Findings

CONTRACT_CODE = re.compile(r"E_[A-Z][A-Z0-9_]{0,30}")
CONTRACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_TOP_LEVEL_ADVICE = "declare constants, @record, @status and @value classes, collections and functions"


def declare(module: tree.Module, findings: Findings) -> Contract:
    """Return what the file declares; what is wrong is added to `findings`."""
    return _Declarer(module, findings).run()


class _Declarer(ClassDeclarer):
    """Reads imports, constants, collections and functions."""

    def run(self) -> Contract:
        for statement in self.module.body:
            if isinstance(statement, tree.Import):
                self.import_(statement)
        for statement in self.module.body:
            if isinstance(statement, tree.Class) and class_kind(statement) in {"status", "choice"}:
                self.class_(statement)
        for statement in self.module.body:
            match statement:
                case tree.Import() | tree.RefusedStatement() | tree.Function():
                    pass
                case tree.Class():
                    if class_kind(statement) not in {"status", "choice"}:
                        self.class_(statement)
                case tree.Assign():
                    self.assignment(statement)
                case tree.Annotated(target=tree.Name(), value=value) if value is not None:
                    self.assignment(tree.Assign(statement.span, statement.sid, [statement.target], value))
                case _:
                    self.refuse("E-LANG-009", statement, "this statement", _TOP_LEVEL_ADVICE)
        for statement in self.module.body:
            if isinstance(statement, tree.Function):
                self.function(statement)
        return self.contract

    def import_(self, node: tree.Import) -> None:
        if self.contract.imported:
            self.refuse("E-LANG-008", node)
        for name in node.names:
            if name not in language.IMPORTABLE:
                self.refuse("E-LANG-028", node, name, "consortium.contract has no such name")
        self.contract.imported += tuple(name for name in node.names if name in language.IMPORTABLE)

    def assignment(self, node: tree.Assign) -> None:
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, tree.Name):
            self.refuse("E-LANG-009", node, "this assignment", "assign one name to one literal value")
            return
        if not self.take(target.name, target):
            return
        match node.value:
            case tree.Call(function=tree.Name(name="collection")) if self.is_imported("collection"):
                self.collection(target.name, node.value)
            case tree.Call(function=tree.Name(name="uses")) if self.is_imported("uses"):
                self.uses(target.name, node.value)
            case tree.Call(function=tree.Name(name="parameter")) if self.is_imported("parameter"):
                self.parameter(target.name, node.value)
            case value:
                constant = self.constant(value, "E-LANG-009")
                if constant is not None:
                    self.contract.constants[target.name] = constant

    def collection(self, name: str, node: tree.Call) -> None:
        record = node.arguments[0] if len(node.arguments) == 1 else None
        if not isinstance(record, tree.Name) or record.name not in self.contract.records:
            if isinstance(record, tree.Name) and record.name in self.taken:
                return  # a record class with findings of its own
            self.refuse(
                "E-LANG-028",
                node,
                "this collection",
                "write  collection(SomeRecord)  below the record's class",
            )
            return
        declared = self.contract.records[record.name]
        indexes: tuple[tuple[str, ...], ...] = ()
        totals: tuple[tuple[str, tuple[str, ...]], ...] = ()
        for argument in node.named:
            if argument.name == "index":
                entries = items_of(argument.value) or ()
                indexes = tuple(self.field_names(entry, declared, types.KEY_KINDS) for entry in entries)
            elif argument.name == "totals":
                totals = tuple(self.total(entry, declared) for entry in items_of(argument.value) or ())
            else:
                self.refuse(
                    "E-LANG-034",
                    argument,
                    f"collection has no argument '{argument.name}'.",
                    "use index= and totals=",
                )
        self.contract.collections[name] = CollectionDeclaration(name, record.name, indexes, totals)

    def total(self, node: tree.Expression, record: RecordClass) -> tuple[str, tuple[str, ...]]:
        match node:
            case tree.TupleDisplay(items=[tree.Literal(value=str(field)), tree.TupleDisplay() as group]):
                declared = record.field(field)
                if declared is None or declared.type.kind not in {"int", "money"} or declared.type.optional:
                    self.refuse(
                        "E-LANG-028",
                        node,
                        field,
                        f"a total sums a field of {record.name} that is int or Money",
                    )
                groups = tuple(
                    name for item in group.items for name in self.field_names(item, record, types.KEY_KINDS)
                )
                return field, groups
            case _:
                self.refuse(
                    "E-LANG-034",
                    node,
                    "a total is a field and its groups.",
                    'write  ("face", ("root", "status"))',
                )
                return "", ()

    def uses(self, name: str, node: tree.Call) -> None:
        match node:
            case tree.Call(
                arguments=[tree.Literal(value=str(contract))],
                named=[tree.Argument(name="version", value=tree.Literal(value=int(version)))],
            ) if CONTRACT_NAME.fullmatch(contract) and type(version) is int:
                self.contract.used[name] = UsedContract(name, contract, version)
            case _:
                self.refuse(
                    "E-LANG-034",
                    node,
                    "uses() takes a name and a version.",
                    'write  uses("claim", version=1)',
                )

    def parameter(self, name: str, node: tree.Call) -> None:
        match node:
            case tree.Call(arguments=[tree.Literal(value=str(spoken)), default], named=[]):
                constant = self.constant(default, "E-LANG-009")
                if constant is not None:
                    self.contract.parameters[name] = ParameterDeclaration(name, spoken, constant)
            case _:
                self.refuse(
                    "E-LANG-034",
                    node,
                    "parameter() takes a name and a default.",
                    'write  parameter("days", 15)',
                )

    def function(self, node: tree.Function) -> None:
        if not self.take(node.name, node):
            return
        kind = self.function_kind(node)
        parameters = self.parameters(node, kind)
        declared = FunctionDeclaration(node, kind, parameters)
        if node.returns is not None:
            declared.returns = self.annotations.type_of(node.returns)
        for statement in tree.walk(node):
            if isinstance(statement, tree.Annotated):
                declared.annotations[statement.sid] = self.annotations.type_of(statement.annotation)
        self.contract.functions[node.name] = declared
        decorator = node.decorators[0] if node.decorators else None
        named = decorator.named if isinstance(decorator, tree.Call) else []
        if isinstance(decorator, tree.Call) and decorator.arguments:
            self.refuse(
                "E-LANG-026", decorator, f"@{kind} takes named arguments.", 'write  @action(by="issuer")'
            )
        match kind:
            case "action":
                self.action(declared, named)
            case "due":
                self.due(declared, named)
            case "invariant":
                self.invariant(declared, named)
            case _:
                for argument in named:
                    self.refuse(
                        "E-LANG-026", argument, f"@{kind} has no '{argument.name}'.", f"write  @{kind}"
                    )

    def function_kind(self, node: tree.Function) -> str:
        if not node.decorators:
            self.refuse(
                "E-LANG-009",
                node,
                "a function without a mark",
                "put @action, @due, @query, @invariant, @opening or @helper above it",
            )
            return "helper"
        for decorator in node.decorators:
            name = called_name(decorator)
            if name not in language.FUNCTION_DECORATORS or not self.is_imported(name):
                known = "only @action, @due, @query, @invariant, @opening and @helper mark a function."
                self.refuse("E-LANG-026", decorator, known, "import one of them from consortium.contract")
                return "helper"
        if len(node.decorators) > 1:
            self.refuse("E-LANG-026", node.decorators[1], "a function has one mark.", "keep one")
        return called_name(node.decorators[0])

    def parameters(self, node: tree.Function, kind: str) -> tuple[Field, ...]:
        fields: list[Field] = []
        for parameter in node.parameters:
            self.good_name(parameter.name, parameter)
            annotated = types.ANY
            if parameter.annotation is not None:
                annotated = self.annotations.type_of(parameter.annotation)
            elif kind not in {"helper", "invariant"}:
                self.refuse(
                    "E-LANG-034",
                    parameter,
                    f"'{parameter.name}' has no type to check it by.",
                    f"write  {parameter.name}: Text  or another type",
                )
            if kind not in {"helper", "invariant"} and annotated != types.ANY and not is_storable(annotated):
                self.refuse(
                    "E-LANG-034",
                    parameter,
                    f"{annotated} cannot be an argument.",
                    "pass its id, or plain and @value arguments",
                )
            default = None
            if parameter.default is not None:
                default = self.constant(parameter.default, "E-LANG-030")
                if default is not None and not isinstance(parameter.default, tree.Literal | tree.Unary):
                    self.refuse("E-LANG-030", parameter.default)
                if default is not None and annotated != types.ANY and not fits(default, annotated):
                    self.refuse(
                        "E-LANG-034",
                        parameter,
                        f"the default is not of the type {annotated}.",
                        "write a value of that type",
                    )
            if any(field.name == parameter.name for field in fields):
                self.refuse("E-LANG-034", parameter, f"'{parameter.name}' is listed twice.", "rename one")
                continue
            fields.append(Field(parameter.name, annotated, default, parameter))
        return tuple(fields)

    def action(self, declared: FunctionDeclaration, named: list[tree.Argument]) -> None:
        for argument in named:
            match argument.name:
                case "by":
                    declared.by = self.authorities(argument.value, ())
                case "agreed_by":
                    declared.agreed_by = self.names(argument.value)
                case "by_contract":
                    declared.by_contract = self.names(argument.value)
                case "code":
                    code = self.names(argument.value)
                    declared.code = code[0] if code else ""
                    if not CONTRACT_CODE.fullmatch(declared.code):
                        self.refuse(
                            "E-LANG-034", argument, "a code is E_ and capitals.", 'write  code="E_ROLE"'
                        )
                case other:
                    self.refuse(
                        "E-LANG-026",
                        argument,
                        f"@action has no '{other}'.",
                        "use by=, agreed_by=, by_contract= and code=",
                    )
        fields = [
            name
            for name in (*declared.by, *declared.agreed_by)
            if isinstance(name, str) and not declared.parameter(name)
        ]
        self.choose_collection(declared, tuple(fields), "by")
        parties = [
            declared.parameter(name) for name in (*declared.by, *declared.agreed_by) if isinstance(name, str)
        ]
        for parameter in parties:
            if parameter is not None and not holds_party(parameter.type):
                self.refuse(
                    "E-LANG-026",
                    parameter.node,
                    f"'{parameter.name}' holds no party.",
                    "annotate it as Bank, Company or Party",
                )

    def due(self, declared: FunctionDeclaration, named: list[tree.Argument]) -> None:
        for argument in named:
            match argument.name:
                case "on":
                    declared.on = "".join(self.names(argument.value)[:1])
                case "at":
                    declared.at = "".join(self.names(argument.value)[:1])
                case other:
                    self.refuse("E-LANG-026", argument, f"@due has no '{other}'.", "use on= and at=")
        if not declared.on or declared.at not in {"opening", "cut_off"}:
            self.refuse(
                "E-LANG-026",
                declared.node,
                "@due names a field and a moment.",
                'write  @due(on="matures", at="cut_off")',
            )
            return
        self.choose_collection(declared, (declared.on,), "on")
        if not declared.collection:
            return
        record = self.contract.records[self.contract.collections[declared.collection].record]
        field = record.field(declared.on)
        if field is None or field.type.kind != "day":
            self.refuse(
                "E-LANG-026",
                declared.node,
                f"'{declared.on}' is not a day.",
                "name a field of type Day or Day | None",
            )
        takes = len(declared.parameters)
        if takes != (1 if record.is_keyed_by_text else len(record.key)):
            self.refuse(
                "E-LANG-026",
                declared.node,
                "due work takes the key of its record.",
                "write one parameter for each key field:  id: Id",
            )

    def invariant(self, declared: FunctionDeclaration, named: list[tree.Argument]) -> None:
        for argument in named:
            if argument.name == "over":
                declared.over = "".join(self.names(argument.value)[:1])
            else:
                self.refuse("E-LANG-026", argument, f"@invariant has no '{argument.name}'.", "use over=")
        if len(declared.parameters) != 1 or not declared.over:
            self.refuse(
                "E-LANG-026",
                declared.node,
                "an invariant takes one record.",
                'write  @invariant(over="root")  above  def law(voucher):',
            )
            return
        chosen = self.annotations.records_of(declared.node.parameters[0].annotation)
        declared.records = chosen or tuple(
            item.record for item in self.contract.collections_with(declared.over)
        )
        for name in chosen or (None,):
            owners = [
                item for item in self.contract.collections_with(declared.over) if name in (None, item.record)
            ]
            if not owners:
                self.refuse(
                    "E-LANG-026",
                    declared.node,
                    f"no collection of {name or 'this file'} has the field '{declared.over}'.",
                    "name a field of a stored record",
                )

    def choose_collection(self, declared: FunctionDeclaration, fields: tuple[str, ...], word: str) -> None:
        """Find the collection whose record has the fields that `by=`, `agreed_by=` or `on=` name."""
        if not fields:
            return
        first = declared.parameters[0].type if declared.parameters else types.ANY
        owners = [
            item
            for item in self.contract.collections.values()
            if all(self.contract.records[item.record].field(name) for name in fields)
            and (first.kind != "id" or first.name in ("", item.record))
        ]
        named = ", ".join(f"'{name}'" for name in fields)
        if not owners:
            self.refuse(
                "E-LANG-026",
                declared.node,
                f"{named} is no argument, and no field of a stored record.",
                "name an argument, or a field of the record whose id comes first",
            )
        elif len(owners) > 1:
            records = " or ".join(item.record for item in owners)
            self.refuse(
                "E-LANG-026",
                declared.node,
                f"{word}={named} could speak of {records}.",
                f"say which:  id: Id[{owners[0].record}]",
            )
        elif word == "by" and not declared.parameters:
            self.refuse(
                "E-LANG-026",
                declared.node,
                "the record's id must come first.",
                "write  id: Id  as first parameter",
            )
        else:
            declared.collection = owners[0].name
            record = self.contract.records[owners[0].record]
            for name in fields:
                field = record.field(name)
                if word == "by" and field is not None and not holds_party(field.type):
                    self.refuse(
                        "E-LANG-026",
                        declared.node,
                        f"'{name}' holds no party.",
                        "name a field of type Bank, Company or Party",
                    )
