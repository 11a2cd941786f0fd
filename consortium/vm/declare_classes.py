"""Reading the classes of a contract: records, values, statuses, choices; and the names they are made of."""

from collections.abc import Iterator

from consortium.vm import language, tree, types
from consortium.vm.annotations import AnnotationReader, MoneyError, NotConstantError, constant_of
from consortium.vm.convert import position_of
from consortium.vm.declarations import (
    Authority,
    Constant,
    Contract,
    EnumClass,
    Field,
    RecordClass,
    RoleTest,
    ValueClass,
)
from consortium.vm.findings import Findings
from consortium.vm.types import Type

ORGANISATION_KINDS = ("bank", "company", "regulator", "central_bank")


class ClassDeclarer:
    """Reads classes into a `Contract`; `declare` adds the rest of the file."""

    def __init__(self, module: tree.Module, findings: Findings) -> None:
        self.module = module
        self.findings = findings
        self.contract = Contract(doc=module.doc)
        self.taken: set[str] = set()
        records = tuple(
            item.name for item in module.body if isinstance(item, tree.Class) and class_kind(item) == "record"
        )
        self.annotations = AnnotationReader(self.contract, findings, records)

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

    def class_(self, node: tree.Class) -> None:
        kind = class_kind(node)
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
                        for item in items_of(argument.value) or ()
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
                    if not is_storable(kind):
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
                    if fields and not any(field.name == name and holds_party(field.type) for field in fields):
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


def is_storable(kind: Type) -> bool:
    return kind == types.ANY or (
        kind.kind in types.STORABLE_KINDS and all(is_storable(item) for item in kind.items)
    )


def holds_party(kind: Type) -> bool:
    return kind.kind == "party" or (kind.kind == "list" and kind.items[0].kind == "party")


def class_kind(node: tree.Class) -> str | None:
    name = called_name(node.decorators[0]) if len(node.decorators) == 1 else ""
    return name if name in language.CLASS_DECORATORS else None


def called_name(node: tree.Expression) -> str:
    match node:
        case tree.Name(name=name) | tree.Call(function=tree.Name(name=name)):
            return name
        case _:
            return ""


def items_of(node: tree.Expression) -> list[tree.Expression] | None:
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
