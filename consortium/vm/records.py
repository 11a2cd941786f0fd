"""Record and value classes, generated once per contract: small slotted classes with their encode and decode.

Contract code cannot assign to a field (E-LANG-037), so an instance never changes after it was made; a changed
record is a new one. State holds a record as the array of its fields in order of declaration.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from consortium.encoding import decode, encode
from consortium.vm.conversion import ClassTable, Converter, ValueRuntime, converter_of, shown
from consortium.vm.declarations import Contract, EnumClass, Field, RecordClass, ValueClass
from consortium.vm.exceptions import INITIAL, STATE, TYPE, Refused
from consortium.vm.keys import key_text
from consortium.vm.machine import Machine
from consortium.vm.types import TEXT_KINDS
from consortium.vm.values import DAY_COUNT_MEMBERS, Member, RecordValue, Structure

_NOT_GIVEN: Any = object()


@dataclass(frozen=True, slots=True)
class RecordRuntime:
    """A generated record class and what the engine does with it.

    `make` builds a new record from checked keywords; `copy` a stored one with changes; `encode` gives the
    canonical bytes and `load` reads them.
    """

    declared: RecordClass
    made: type[RecordValue]
    names: tuple[str, ...]
    converters: Mapping[str, Converter]
    defaults: Mapping[str, Any]
    status: str | None
    first: Member | None
    make: Callable[..., Any]
    encode: Callable[[Any], bytes]
    load: Callable[[bytes], Any]
    copy: Callable[[Any], Any]

    is_keyed_by_text: bool
    finders: tuple[Callable[[Any], bytes], ...]

    def key_suffix(self, creator: str, record: Any) -> bytes:
        """Return the key parts of a new record that `creator` makes."""
        parts = [_key_part(self.converters[name], getattr(record, name)) for name in self.declared.key]
        if self.is_keyed_by_text:
            parts.insert(0, key_text(creator))
        return b"".join(parts)

    def id_of(self, creator: str, record: Any) -> str:
        """Return the id that people and other records use for it."""
        if self.is_keyed_by_text:
            return f"{creator}/{getattr(record, self.declared.key[0])}"
        return "/".join(_id_part(getattr(record, name)) for name in self.declared.key)

    def suffix_of_id(self, key: Any) -> bytes | None:
        """Return the key parts of an id, or of a tuple of key fields; None if it can be none."""
        if self.is_keyed_by_text:
            if type(key) is not str:
                raise Refused(TYPE, f"the id of a {self.declared.name} is text")
            creator, slash, number = key.partition("/")
            return key_text(creator) + key_text(number) if slash else None
        finders = self.finders
        if type(key) is not tuple:
            key = (key,)
        if len(key) != len(finders):
            raise Refused(TYPE, f"a {self.declared.name} is found by {', '.join(self.declared.key)}")
        return b"".join([part(value) for part, value in zip(finders, key, strict=True)])


def finder_of(converter: Converter) -> Callable[[Any], bytes]:
    """Return how a value that is looked for becomes a key part: checked for its type, not for existing."""
    key = converter.key
    assert key is not None, "the check admits only types with an order"
    if converter.type.kind not in TEXT_KINDS:
        # Converters of other kinds do not look at the machine.
        return lambda value: key(converter.check(_NO_MACHINE, value))

    def part(value: Any) -> bytes:
        if type(value) is str:
            return key(value)
        if value is None and converter.type.optional:
            return key(None)
        raise Refused(TYPE, f"{converter.type} is wanted, not {shown(value)}")

    return part


_NO_MACHINE: Any = None


def member_tables(contract: Contract) -> dict[str, dict[str, Member]]:
    """Return the members of each enumeration of a contract, DayCount included."""
    tables = {"DayCount": DAY_COUNT_MEMBERS}
    for enum in contract.enums.values():
        tables[enum.name] = _members(enum)
    return tables


def value_runtimes(contract: Contract, classes: ClassTable, table: dict[str, ValueRuntime]) -> None:
    """Fill `table` (which `classes` refers to) with the generated value classes."""
    for declared in contract.values.values():
        table[declared.name] = _value_runtime(declared, classes)


def record_runtime(declared: RecordClass, contract: Contract, classes: ClassTable) -> RecordRuntime:
    """Generate the class of a record."""
    names = tuple(field.name for field in declared.fields)
    converters = {field.name: converter_of(field.type, classes) for field in declared.fields}
    first: Member | None = None
    if declared.status is not None:
        kind = converters[declared.status].type
        first = classes.members[kind.name][contract.enums[kind.name].members[0]]
    defaults = {
        field.name: converters[field.name].load(field.default.value)
        for field in declared.fields
        if field.default is not None
    }
    if declared.status is not None:
        defaults[declared.status] = first
    own_id = () if "id" in names else ("id",)
    made = type(
        declared.name,
        (RecordValue,),
        {"__slots__": (*own_id, *names), "_NAME": declared.name, "_FIELDS": frozenset({*names, "id"})},
    )
    # Methods of a class would be attributes a contract could meet; functions beside it are not.
    scope: dict[str, Any] = {"_made": made, "_new": made.__new__, "_pack": encode, "_unpack": decode}
    for name, converter in converters.items():
        scope[f"_check_{name}"] = converter.check
        scope[f"_encode_{name}"] = converter.encode
        scope[f"_load_{name}"] = converter.load
    for name, value in defaults.items():
        scope[f"_default_{name}"] = value
    exec(_source(declared.fields, defaults, own_id=bool(own_id)), scope)  # noqa: S102  our own generated text
    return RecordRuntime(
        declared=declared,
        made=made,
        names=names,
        converters=converters,
        defaults=defaults,
        status=declared.status,
        first=first,
        make=scope["_make"],
        encode=scope["_encode"],
        load=scope["_load"],
        copy=scope["_copy"],
        is_keyed_by_text=declared.is_keyed_by_text,
        finders=tuple(finder_of(converters[name]) for name in declared.key),
    )


def require_initial(runtime: RecordRuntime, record: Any) -> None:
    """Refuse a new record that does not begin where all begin (decision 19: E-INITIAL)."""
    for name, default in runtime.defaults.items():
        value = getattr(record, name)
        if value is not default and value != default:
            raise Refused(INITIAL, f"a new {runtime.declared.name} begins with its own '{name}'")


def require_move(runtime: RecordRuntime, record: Any, status: Any) -> str:
    """Refuse a move that the status class does not list (E_STATE); return the name of the status field."""
    if runtime.status is None:
        raise Refused(STATE, f"{runtime.declared.name} has no status")
    present: Member = getattr(record, runtime.status)
    if type(status) is not Member or status.owner != present.owner:
        raise Refused(TYPE, f"a status of {runtime.declared.name} is wanted")
    if status.name not in present.following:
        raise Refused(
            STATE, f"{runtime.declared.name} {record.id} is {present.name} and cannot become {status.name}"
        )
    return runtime.status


def _source(fields: tuple[Field, ...], defaults: Mapping[str, Any], *, own_id: bool) -> str:
    """Return the text of the four functions; their own names begin with '_', which no field does."""
    names = [field.name for field in fields]
    parameters = ", ".join(f"{name}=_default_{name}" if name in defaults else name for name in names)
    lines = [f"def _make(_machine, *, {parameters}):", "    _record = _new(_made)"]
    lines += [f"    _record.{name} = _check_{name}(_machine, {name})" for name in names]
    lines += ["    _record.id = None"] if own_id else []
    lines += ["    _record._key = _record._bytes = None", "    return _record", ""]
    lines += [
        "def _encode(_record):",
        f"    return _pack(({', '.join(_encoded(field) for field in fields)},))",
        "",
    ]
    lines += ["def _load(_data):", f"    {', '.join(names)}, = _unpack(_data)", "    _record = _new(_made)"]
    lines += [f"    _record.{field.name} = {_loaded(field)}" for field in fields]
    lines += ["    return _record", ""]
    lines += ["def _copy(_old):", "    _record = _new(_made)"]
    lines += [f"    _record.{name} = _old.{name}" for name in [*(["id"] if own_id else []), *names]]
    lines += ["    _record._key = _old._key", "    _record._bytes = None", "    return _record", ""]
    return "\n".join(lines)


_AS_IT_IS = frozenset({"int", "bool", "text", "hash", "id", "party"})


def _encoded(field: Field) -> str:
    value = f"_record.{field.name}"
    if field.type.kind in _AS_IT_IS:
        return value
    short = {
        "money": f"({value}.minor, {value}.currency)",
        "day": f"{value}.ordinal",
        "status": f"{value}.name",
    }
    if field.type.optional or field.type.kind not in short:
        return f"_encode_{field.name}({value})"
    return short[field.type.kind]


def _loaded(field: Field) -> str:
    return field.name if field.type.kind in _AS_IT_IS else f"_load_{field.name}({field.name})"


def _value_runtime(declared: ValueClass, classes: ClassTable) -> ValueRuntime:
    names = tuple(field.name for field in declared.fields)
    made = type(
        declared.name, (Structure,), {"__slots__": names, "_NAME": declared.name, "_FIELDS": frozenset(names)}
    )
    scope: dict[str, Any] = {"_new": made.__new__, "_made": made}
    lines = [f"def _make({', '.join(names)}):", "    _value = _new(_made)"]
    lines += [f"    _value.{name} = {name}" for name in names]
    exec("\n".join([*lines, "    return _value"]), scope)  # noqa: S102  our own generated text
    converters = tuple(converter_of(field.type, classes) for field in declared.fields)
    return ValueRuntime(made, names, converters, scope["_make"])


def value_maker(declared: ValueClass, runtime: ValueRuntime) -> Callable[..., Any]:
    """Return the function that contract code calls to make a value: keywords, checked."""
    defaults = {
        field.name: converter.load(field.default.value)
        for field, converter in zip(declared.fields, runtime.converters, strict=True)
        if field.default is not None
    }

    def make(machine: Machine, /, **given: Any) -> Any:
        return runtime.make(
            *[
                converter.check(machine, given.get(name, defaults.get(name, _NOT_GIVEN)))
                for name, converter in zip(runtime.names, runtime.converters, strict=True)
            ]
        )

    return make


def _members(enum: EnumClass) -> dict[str, Member]:
    return {
        name: Member(enum.name, name, order, frozenset(moves))
        for order, (name, moves) in enumerate(zip(enum.members, enum.moves, strict=True))
    }


def _key_part(converter: Converter, value: Any) -> bytes:
    assert converter.key is not None, "the check admits only types with an order"
    return converter.key(value)


def _id_part(value: Any) -> str:
    return value.name if type(value) is Member else value.hex() if type(value) is bytes else str(value)
