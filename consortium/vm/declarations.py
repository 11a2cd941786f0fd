"""What a contract declares at its top level, as plain data: classes, collections, constants, functions.

Built once from the tree by `declare`; checked there, then used by `check`, `compile` and the interface.
"""

from dataclasses import dataclass, field

from consortium.vm import tree
from consortium.vm.types import ANY, Type


@dataclass(frozen=True, slots=True)
class RoleTest:
    """`by_role(...)`: the kinds of organisations that pass."""

    kinds: tuple[str, ...]


Authority = str | RoleTest


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal value of a contract: the tree that says it, its type, and the value in plain form.

    The plain form is the canonical encoding's: money as (minor, currency), a choice as its name.
    """

    type: Type
    value: object


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: Type
    default: Constant | None
    node: tree.Node


@dataclass(frozen=True, slots=True)
class EnumClass:
    """A `@status` class (with moves) or a `@choice` class (without)."""

    name: str
    kind: str
    members: tuple[str, ...]
    moves: tuple[tuple[str, ...], ...]
    doc: str = ""


@dataclass(frozen=True, slots=True)
class ValueClass:
    name: str
    fields: tuple[Field, ...]
    doc: str = ""


@dataclass(frozen=True, slots=True)
class RecordClass:
    """`key` are the key fields; `status` is the name of the status field, if there is one."""

    name: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    visible_to: tuple[Authority, ...] | None
    fields_visible_to: tuple[tuple[str, tuple[Authority, ...]], ...]
    status: str | None
    doc: str = ""

    def field(self, name: str) -> Field | None:
        return next((item for item in self.fields if item.name == name), None)

    @property
    def is_keyed_by_text(self) -> bool:
        """True where the creator's organisation is the first part of the key (and of the id)."""
        first = self.field(self.key[0])
        return len(self.key) == 1 and first is not None and first.type.kind == "text"

    @property
    def is_family(self) -> bool:
        """True where `child` derives ids: key `id: Id` and a field `parent: Id | None`."""
        key, parent = self.field("id"), self.field("parent")
        return (
            self.key == ("id",)
            and key is not None
            and key.type.kind == "id"
            and parent is not None
            and parent.type.kind == "id"
            and parent.type.optional
        )


@dataclass(frozen=True, slots=True)
class CollectionDeclaration:
    name: str
    record: str
    indexes: tuple[tuple[str, ...], ...]
    totals: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class UsedContract:
    """`variable = uses("contract", version=n)`."""

    variable: str
    contract: str
    version: int


@dataclass(frozen=True, slots=True)
class ParameterDeclaration:
    """`variable = parameter("name", default)`."""

    variable: str
    name: str
    default: Constant


@dataclass(slots=True)
class FunctionDeclaration:
    """A function and what its decorator says.

    `collection` is the one that `by=` or `on=` speaks of, `records` those an invariant watches.
    """

    node: tree.Function
    kind: str
    parameters: tuple[Field, ...]
    returns: Type = ANY
    by: tuple[Authority, ...] = ()
    agreed_by: tuple[str, ...] = ()
    by_contract: tuple[str, ...] = ()
    code: str = ""
    on: str = ""
    at: str = ""
    over: str = ""
    collection: str = ""
    records: tuple[str, ...] = ()
    annotations: dict[int, Type] = field(default_factory=dict)
    """The types of annotated assignments in the body, by statement id."""

    @property
    def name(self) -> str:
        return self.node.name

    def parameter(self, name: str) -> Field | None:
        return next((item for item in self.parameters if item.name == name), None)


@dataclass(slots=True)
class Contract:
    """Everything a file declares; dicts are in the order of the file."""

    doc: str = ""
    imported: tuple[str, ...] = ()
    enums: dict[str, EnumClass] = field(default_factory=dict)
    values: dict[str, ValueClass] = field(default_factory=dict)
    records: dict[str, RecordClass] = field(default_factory=dict)
    collections: dict[str, CollectionDeclaration] = field(default_factory=dict)
    used: dict[str, UsedContract] = field(default_factory=dict)
    parameters: dict[str, ParameterDeclaration] = field(default_factory=dict)
    constants: dict[str, Constant] = field(default_factory=dict)
    functions: dict[str, FunctionDeclaration] = field(default_factory=dict)

    def is_declared(self, name: str) -> bool:
        groups = (
            self.enums, self.values, self.records, self.collections, self.used, self.parameters,
            self.constants, self.functions,
        )  # fmt: skip
        return any(name in group for group in groups)

    def collections_with(self, field_name: str) -> list[CollectionDeclaration]:
        """Return the collections whose records have this field."""
        return [item for item in self.collections.values() if self.records[item.record].field(field_name)]
