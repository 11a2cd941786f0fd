"""Reads the top level of a contract into `declarations`, refusing what cannot stand there.

Classes first need their names known (annotations may point forward), so the file is walked twice: once for
names, once for contents.
"""

import re
from collections.abc import Iterator

from consortium.vm import language, tree, types
from consortium.vm.annotations import AnnotationReader, MoneyError, NotConstantError, constant_of
from consortium.vm.declarations import (
    Authority,
    CollectionDeclaration,
    Constant,
    Contract,
    EnumClass,
    Field,
    FunctionDeclaration,
    ParameterDeclaration,
    RecordClass,
    RoleTest,
    UsedContract,
    ValueClass,
)
from consortium.vm.findings import Findings
from consortium.vm.parse import position_of
from consortium.vm.types import Type

CONTRACT_CODE = re.compile(r"E_[A-Z][A-Z0-9_]{0,30}")
CONTRACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
ORGANISATION_KINDS = ("bank", "company", "regulator", "central_bank")
_TOP_LEVEL_ADVICE = "declare constants, @record, @status and @value classes, collections and functions"


def declare(module: tree.Module, findings: Findings) -> Contract:
    """Return what the file declares; what is wrong is added to `findings`."""
    return _Declarer(module, findings).run()


class _Declarer:
    def __init__(self, module: tree.Module, findings: Findings) -> None:
        self.module = module
        self.findings = findings
        self.contract = Contract(doc=module.doc)
        self.taken: set[str] = set()
        records = tuple(
            item.name
            for item in module.body
            if isinstance(item, tree.Class) and _class_kind(item) == "record"
        )
        self.annotations = AnnotationReader(self.contract, findings, records)

    def run(self) -> Contract:
        for statement in self.module.body:
            if isinstance(statement, tree.Import):
                self.import_(statement)
        for statement in self.module.body:
            if isinstance(statement, tree.Class) and _class_kind(statement) in {"status", "choice"}:
                self.class_(statement)
        for statement in self.module.body:
            match statement:
                case tree.Import() | tree.RefusedStatement() | tree.Function():
                    pass
                case tree.Class():
                    if _class_kind(statement) not in {"status", "choice"}:
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

    # --- imports, constants, collections ----------------------------------------------------------------

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

    def constant(self, node: tree.Expression, rule: str) -> Constant | None:
        try:
            constant = constant_of(node, self.contract)
        except NotConstantError:
            if isinstance(node, tree.Refused):
                pass  # what is wrong with it has been said
            elif rule == "E-LANG-009":
                self.refuse(
                    rule,
                    node,
                    "a value that is not a plain literal",
                    'use a number, text, money("..."), rate("...") or a tuple of them',
                )
            else:
                self.refuse(rule, node)
            return None
        except MoneyError as error:
            self.refuse("E-LANG-034", node, f"{error}.", "correct the text")
            return None
        if (
            type(constant.value) is int
            and constant.type == types.INT
            and constant.value.bit_length() > language.INTEGER_BITS_MAX
        ):
            self.refuse("E-LANG-034", node, "the number is too large.", "numbers have at most 4096 bits")
            return None
        return constant

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
                entries = _items(argument.value) or ()
                indexes = tuple(self.field_names(entry, declared, types.KEY_KINDS) for entry in entries)
            elif argument.name == "totals":
                totals = tuple(self.total(entry, declared) for entry in _items(argument.value) or ())
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

    def field_names(
        self, node: tree.Expression, record: RecordClass, kinds: frozenset[str]
    ) -> tuple[str, ...]:
        names = self.names(node)
        for name in names:
            field = record.field(name)
            if field is None or field.type.kind not in kinds:
                self.refuse(
                    "E-LANG-028",
                    node,
                    name,
                    f"name a field of {record.name} that has an order: text, id, party, day, amount, status",
                )
        return tuple(name for name in names if record.field(name) is not None)

    def names(self, node: tree.Expression) -> tuple[str, ...]:
        """Read a text, or a tuple of texts."""
        parts = node.items if isinstance(node, tree.TupleDisplay) else [node]
        found = [
            part.value for part in parts if isinstance(part, tree.Literal) and isinstance(part.value, str)
        ]
        if len(found) != len(parts):
            self.refuse("E-LANG-034", node, "names are texts here.", 'write  "one"  or  ("one", "two")')
        return tuple(found)

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

    # --- classes ----------------------------------------------------------------------------------------

    def class_(self, node: tree.Class) -> None:
        kind = _class_kind(node)
        if not self.take(node.name, node):
            return
        if kind is None or not self.is_imported(kind):
            self.refuse("E-LANG-015", node, "only record, value, status and choice classes exist.")
            return
        for base in node.bases:
            if not (isinstance(base, tree.Name) and base.name == "Record" and kind == "record"):
                self.refuse("E-LANG-015", base, "a class has no base here (a @record may have Record).")
        decorator = node.decorators[0]
        if kind != "record" and isinstance(decorator, tree.Call):
            self.refuse("E-LANG-026", decorator, f"@{kind} takes no arguments.", f"write  @{kind}")
        match kind:
            case "status" | "choice":
                self.enum(node, kind)
            case "value":
                self.contract.values[node.name] = ValueClass(node.name, self.fields(node), node.doc)
            case _:
                self.record(node, decorator)

    def enum(self, node: tree.Class, kind: str) -> None:
        word = "to" if kind == "status" else "option"
        members: list[str] = []
        moves: list[tuple[str, ...]] = []
        for statement in node.body:
            match statement:
                case tree.Assign(
                    targets=targets,
                    value=tree.Call(function=tree.Name(name=called), arguments=following, named=[]),
                ) if called == word:
                    next_names = tuple(name for item in following for name in self.names(item))
                    for target in targets:
                        if isinstance(target, tree.Name) and self.good_name(target.name, target):
                            members.append(target.name)
                            moves.append(next_names)
                case tree.Pass():
                    pass
                case _:
                    example = 'NAME = to("NEXT")' if kind == "status" else "NAME = option()"
                    self.refuse("E-LANG-015", statement, f"a @{kind} class lists its names:  {example}.")
        for statement, names in zip(
            (s for s in node.body if isinstance(s, tree.Assign)), _moves_of(node), strict=False
        ):
            for name in names:
                if name not in members:
                    self.refuse("E-LANG-028", statement, name, f"it is not one of {', '.join(members)}")
        if not members or len(set(members)) != len(members) or len(members) > 256:
            self.refuse("E-LANG-015", node, f"a @{kind} class has 1 to 256 different names.")
        self.contract.enums[node.name] = EnumClass(node.name, kind, tuple(members), tuple(moves), node.doc)

    def record(self, node: tree.Class, decorator: tree.Expression) -> None:
        fields = self.fields(node)
        by_name = {field.name: field for field in fields}
        key: tuple[str, ...] = ()
        key_node: tree.Node = node
        visible: tuple[Authority, ...] | None = None
        fields_visible: tuple[tuple[str, tuple[Authority, ...]], ...] = ()
        for argument in decorator.named if isinstance(decorator, tree.Call) else ():
            match argument.name:
                case "key":
                    key, key_node = self.names(argument.value), argument.value
                case "visible_to":
                    visible = self.authorities(argument.value, fields)
                case "fields_visible_to":
                    fields_visible = tuple(
                        (name, self.authorities(item.items[1], fields))
                        for item in _items(argument.value) or ()
                        if isinstance(item, tree.TupleDisplay) and len(item.items) == 2
                        for name in self.names(item.items[0])
                    )
                case other:
                    self.refuse(
                        "E-LANG-026",
                        argument,
                        f"@record has no '{other}'.",
                        "use key=, visible_to= and fields_visible_to=",
                    )
        for name in key:
            if (
                name not in by_name
                or by_name[name].type.kind not in types.KEY_KINDS
                or by_name[name].type.optional
            ):
                self.refuse(
                    "E-LANG-028",
                    key_node,
                    name,
                    "a key names fields that are always there: text, id, party, day, int, choice",
                )
        if not key:
            self.refuse("E-LANG-026", node, "a record needs a key.", 'write  @record(key="number")')
            return
        if "id" in by_name and key != ("id",):
            self.refuse(
                "E-LANG-015",
                by_name["id"].node,
                "'id' is the record's own id; only the key may have this name.",
            )
        statuses = [field.name for field in fields if field.type.kind == "status"]
        if len(statuses) > 1:
            self.refuse("E-LANG-015", node, "a record has at most one status field.")
        for field in fields:
            first = self.contract.enums[field.type.name].members[:1] if field.type.kind == "status" else ()
            if first and field.default is not None and (field.default.value,) != first:
                self.refuse(
                    "E-LANG-034",
                    field.node,
                    "a record begins in the first status.",
                    f"write  {field.type.name}.{first[0]}",
                )
        if all(name in by_name for name in key):
            status = statuses[0] if statuses else None
            self.contract.records[node.name] = RecordClass(
                node.name, fields, key, visible, fields_visible, status, node.doc
            )

    def fields(self, node: tree.Class) -> tuple[Field, ...]:
        fields: list[Field] = []
        for statement in node.body:
            match statement:
                case tree.Annotated(target=tree.Name(name=name), annotation=annotation, value=value):
                    kind = self.annotations.type_of(annotation)
                    default = None if value is None else self.constant(value, "E-LANG-030")
                    if not self.good_name(name, statement):
                        continue
                    if any(field.name == name for field in fields):
                        self.refuse("E-LANG-015", statement, f"the field '{name}' is listed twice.")
                        continue
                    if not _is_storable(kind):
                        self.refuse("E-LANG-015", statement, f"a field cannot hold {kind}.")
                    if default is not None and not fits(default, kind):
                        self.refuse(
                            "E-LANG-034",
                            statement,
                            f"the default is not of the type {kind}.",
                            "write a value of that type",
                        )
                    fields.append(Field(name, kind, default, statement))
                case tree.Pass():
                    pass
                case _:
                    self.refuse("E-LANG-015", statement, "a class holds annotated fields only.")
        if not fields or len(fields) > 64:
            self.refuse("E-LANG-015", node, "a class has 1 to 64 fields.")
        return tuple(fields)

    # --- functions --------------------------------------------------------------------------------------

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
            name = _called_name(decorator)
            if name not in language.FUNCTION_DECORATORS or not self.is_imported(name):
                known = "only @action, @due, @query, @invariant, @opening and @helper mark a function."
                self.refuse("E-LANG-026", decorator, known, "import one of them from consortium.contract")
                return "helper"
        if len(node.decorators) > 1:
            self.refuse("E-LANG-026", node.decorators[1], "a function has one mark.", "keep one")
        return _called_name(node.decorators[0])

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
            if kind not in {"helper", "invariant"} and annotated != types.ANY and not _is_storable(annotated):
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
            if parameter is not None and not _holds_party(parameter.type):
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
                if word == "by" and field is not None and not _holds_party(field.type):
                    self.refuse(
                        "E-LANG-026",
                        declared.node,
                        f"'{name}' holds no party.",
                        "name a field of type Bank, Company or Party",
                    )

    def authorities(self, node: tree.Expression, fields: tuple[Field, ...]) -> tuple[Authority, ...]:
        """Read `by=` or `visible_to=`: field names and by_role(...)."""
        parts = node.items if isinstance(node, tree.TupleDisplay) else [node]
        found: list[Authority] = []
        for part in parts:
            match part:
                case tree.Call(function=tree.Name(name="by_role"), arguments=kinds, named=[]) if (
                    self.is_imported("by_role")
                ):
                    names = tuple(name for item in kinds for name in self.names(item))
                    for name in names:
                        if name not in ORGANISATION_KINDS:
                            self.refuse(
                                "E-LANG-026",
                                part,
                                f"'{name}' is no kind of organisation.",
                                f"use {', '.join(ORGANISATION_KINDS)}",
                            )
                    found.append(RoleTest(names))
                case tree.Literal(value=str(name)):
                    if fields and not any(
                        field.name == name and _holds_party(field.type) for field in fields
                    ):
                        self.refuse("E-LANG-028", part, name, "name a field that holds a party")
                    found.append(name)
                case _:
                    self.refuse(
                        "E-LANG-034",
                        part,
                        "parties are named by texts or by_role(...).",
                        'write  "issuer"  or  by_role("regulator")',
                    )
        return tuple(found)

    # --- names and places -------------------------------------------------------------------------------

    def take(self, name: str, node: tree.Node) -> bool:
        """Reserve a top-level name; tell whether it was free and allowed."""
        if not self.good_name(name, node):
            return False
        if name in self.taken or name in self.contract.imported or name in language.BUILTINS:
            self.refuse("E-LANG-009", node, f"a second '{name}'", "choose another name")
            return False
        self.taken.add(name)
        return True

    def good_name(self, name: str, node: tree.Node) -> bool:
        if name.startswith("_") or name.endswith("_"):
            self.refuse("E-LANG-007", node, name)
            return False
        return True

    def is_imported(self, name: str) -> bool:
        return name in self.contract.imported

    def refuse(self, rule: str, node: tree.Node, found: str = "", advice: str = "") -> None:
        line, column = position_of(node.span, self.findings)
        self.findings.add(rule, line, column, found, advice)


def fits(constant: Constant, kind: Type) -> bool:
    """Tell whether a literal may stand for a value of `kind`."""
    found = constant.type
    if found == types.NOTHING:
        return kind.optional
    if found.kind == "text":
        limit = kind.length or types.TEXT_LENGTH_DEFAULT
        return kind.kind in {"text", "id"} and len(str(constant.value)) <= limit
    return (found.kind, found.name) == (kind.kind, kind.name)


def _is_storable(kind: Type) -> bool:
    return kind == types.ANY or (
        kind.kind in types.STORABLE_KINDS and all(_is_storable(item) for item in kind.items)
    )


def _holds_party(kind: Type) -> bool:
    return kind.kind == "party" or (kind.kind == "list" and kind.items[0].kind == "party")


def _class_kind(node: tree.Class) -> str | None:
    name = _called_name(node.decorators[0]) if len(node.decorators) == 1 else ""
    return name if name in language.CLASS_DECORATORS else None


def _called_name(node: tree.Expression) -> str:
    match node:
        case tree.Name(name=name) | tree.Call(function=tree.Name(name=name)):
            return name
        case _:
            return ""


def _items(node: tree.Expression) -> list[tree.Expression] | None:
    return node.items if isinstance(node, tree.TupleDisplay | tree.ListDisplay) else [node]


def _moves_of(node: tree.Class) -> Iterator[tuple[str, ...]]:
    for statement in node.body:
        match statement:
            case tree.Assign(value=tree.Call(arguments=following)):
                yield tuple(
                    item.value
                    for item in following
                    if isinstance(item, tree.Literal) and isinstance(item.value, str)
                )
            case tree.Assign():
                yield ()
            case _:
                pass
