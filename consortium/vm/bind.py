"""From source bytes to contracts that run: loading, and binding a set of them for one consortium.

`load_contract` checks and compiles; the result depends on the source alone and may be shared by everybody.
`ContractSet` binds the contracts of a genesis: parameters, the classes and collections of each, and by name
and source hash who counts as which contract.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from types import CodeType
from typing import Any

from consortium.crypto import hash_bytes
from consortium.errors import InputError
from consortium.vm import calls, tree
from consortium.vm.bound import BoundContract, Entry
from consortium.vm.check import examine
from consortium.vm.compile import Build, compile_contract, run_module
from consortium.vm.conversion import ClassTable, ValueRuntime, converter_of
from consortium.vm.declarations import Constant, Contract, FunctionDeclaration, RoleTest
from consortium.vm.exceptions import ContractRejected
from consortium.vm.gas import GAS_SCHEDULE_VERSION
from consortium.vm.interface import ContractInterface, describe_contract
from consortium.vm.keys import key_int, key_text
from consortium.vm.language import LANGUAGE_VERSION
from consortium.vm.machine import Machine
from consortium.vm.records import finder_of, member_tables, record_runtime, value_maker, value_runtimes
from consortium.vm.scope import ENGINE_SCOPE
from consortium.vm.store import Collection, Due, Index, Total, data_prefix, key_part_of

Location = tuple[str, str, int]
VERSION_DIGITS_MAX = 9


@dataclass(frozen=True, slots=True)
class CompiledContract:
    """A contract that passed the check, compiled; `places` are the spans of its statements per function.

    `language_version` and `gas_version` say under which rules and prices: both belong to what is deployed.
    """

    name: str
    version: int
    source: bytes
    source_hash: bytes
    filename: str
    interface: ContractInterface
    declared: Contract
    build: Build
    places: Mapping[str, tuple[tuple[tree.Span, int], ...]]
    language_version: int = LANGUAGE_VERSION
    gas_version: int = GAS_SCHEDULE_VERSION


def load_contract(name: str, version: int, source: bytes, filename: str) -> CompiledContract:
    """Check and compile a contract. Raises ContractRejected with everything the language refuses."""
    checked = examine(source, filename)
    if checked.findings or checked.contract is None:
        raise ContractRejected(checked.findings)
    contract = checked.contract
    return CompiledContract(
        name=name,
        version=version,
        source=source,
        source_hash=hash_bytes(source),
        filename=filename,
        interface=describe_contract(contract, name, version),
        declared=contract,
        build=compile_contract(contract, filename),
        places={
            function.name: tuple(
                (node.span, node.sid) for node in tree.walk(function.node) if isinstance(node, tree.Statement)
            )
            for function in contract.functions.values()
        },
    )


class ContractSet:
    """The contracts of a consortium, bound.

    `parameters` overrides, per contract name, the defaults of `parameter(...)`, in encoded form. `bindings`
    holds, per contract name, the source hashes that count as that contract for `by_contract=`; without it,
    the contracts of the set do. Raises InputError for a parameter that does not exist or fit.
    """

    def __init__(
        self,
        contracts: Iterable[CompiledContract],
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        bindings: Mapping[str, tuple[bytes, ...]] | None = None,
    ) -> None:
        self.compiled = tuple(contracts)
        self._by_version: dict[tuple[str, int], BoundContract] = {}
        self._latest: dict[str, BoundContract] = {}
        self._codes: dict[CodeType, tuple[CompiledContract, str]] = {}
        self._places: dict[tuple[CodeType, int], int] = {}
        own: dict[str, tuple[bytes, ...]] = {}
        for compiled in self.compiled:
            key = (compiled.name, compiled.version)
            if key in self._by_version:
                raise InputError(f"the contract {compiled.name}@{compiled.version} is deployed twice")
            bound, codes = _bind(compiled, (parameters or {}).get(compiled.name, {}))
            for code, function in codes:
                self._codes[code] = (compiled, function)
            self._by_version[key] = bound
            latest = self._latest.get(compiled.name)
            if latest is None or latest.version < compiled.version:
                self._latest[compiled.name] = bound
            own[compiled.name] = (*own.get(compiled.name, ()), compiled.source_hash)
        self._bindings = dict(bindings) if bindings is not None else own

    def find(self, name: str, version: int | None = None) -> BoundContract | None:
        """Return a contract by name; the latest version unless one is given."""
        return self._latest.get(name) if version is None else self._by_version.get((name, version))

    def named(self, text: str) -> BoundContract | None:
        """Return a contract by `name@version`, or by its name alone."""
        name, at, version = text.partition("@")
        if not at:
            return self.find(name)
        is_number = version.isascii() and version.isdigit() and len(version) <= VERSION_DIGITS_MAX
        return self.find(name, int(version)) if is_number else None

    def interface(self, name: str, version: int | None = None) -> ContractInterface | None:
        found = self.find(name, version)
        return None if found is None else found.interface

    def names(self) -> tuple[str, ...]:
        return tuple(self._latest)

    def source_hash(self, name: str, version: int | None = None) -> bytes:
        """Return the hash of a contract's source bytes. Raises InputError for one that is not in the set."""
        found = self.find(name, version)
        if found is None:
            raise InputError(f"there is no contract {name} in the set")
        return found.source_hash

    def is_bound(self, contract: BoundContract) -> bool:
        """Tell whether genesis bound this contract's source to its name."""
        return contract.source_hash in self._bindings.get(contract.name, ())

    def locate(self, error: BaseException) -> Location | None:
        """Return (contract, function, statement id) of the innermost contract line that `error` left."""
        found: tuple[CodeType, int] | None = None
        step = error.__traceback__
        while step is not None:
            if step.tb_frame.f_code in self._codes:
                found = (step.tb_frame.f_code, step.tb_lasti)
            step = step.tb_next
        if found is None:
            return None
        compiled, function = self._codes[found[0]]
        if found not in self._places:
            self._places[found] = _statement_at(compiled.places[function], *found)
        return compiled.name, function, self._places[found]

    def as_seen(self, machine: Machine, collection: Collection, record: Any) -> Any:
        """Return a record as the machine's viewpoint may see it: None, or with hidden fields emptied."""
        declared = collection.record.declared
        if declared.visible_to is not None and not self._sees(machine, record, declared.visible_to):
            return None
        hidden = [name for name, to in declared.fields_visible_to if not self._sees(machine, record, to)]
        if not hidden:
            return record
        seen = collection.record.copy(record)
        for name in hidden:
            setattr(seen, name, None)
        return seen

    def _sees(self, machine: Machine, record: Any, to: tuple[str | RoleTest, ...]) -> bool:
        viewpoint = machine.viewpoint
        for authority in to:
            if isinstance(authority, RoleTest):
                if calls.has_role(machine, viewpoint, authority):
                    return True
            else:
                value = getattr(record, authority)
                if value == viewpoint or (type(value) is tuple and viewpoint in value):
                    return True
        return False


def contract_set(
    contracts: Iterable[CompiledContract], parameters: Mapping[str, Mapping[str, Any]] | None = None
) -> ContractSet:
    """Return the contracts of a genesis, bound: each counts as itself for `by_contract=`."""
    return ContractSet(contracts, parameters)


def _statement_at(places: tuple[tuple[tree.Span, int], ...], code: CodeType, offset: int) -> int:
    """Return the innermost statement that holds the position of a bytecode offset.

    Which part of an expression Python names differs between versions; the statement around it does not.
    """
    line, _, column, _ = next(islice(code.co_positions(), offset // 2, None))
    assert line is not None
    assert column is not None, "run Python without -X no_debug_ranges"
    statement = places[0][1]
    for span, sid in places:
        if (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column):
            statement = sid
    return statement


# --- binding one contract -----------------------------------------------------------------------------------


def _bind(
    compiled: CompiledContract, parameters: Mapping[str, Any]
) -> tuple[BoundContract, list[tuple[CodeType, str]]]:
    declared, build = compiled.declared, compiled.build
    value_table: dict[str, ValueRuntime] = {}
    classes = ClassTable(member_tables(declared), value_table)
    value_runtimes(declared, classes, value_table)
    runtimes = {name: record_runtime(record, declared, classes) for name, record in declared.records.items()}
    bound = BoundContract(compiled.name, compiled.version, compiled.source_hash, compiled.interface)
    for item in declared.collections.values():
        runtime = runtimes[item.record]
        bound.collections[item.name] = Collection(
            name=item.name,
            contract=compiled.name,
            prefix=data_prefix(compiled.name, item.name),
            children=data_prefix(compiled.name, f"{item.name}#children"),
            record=runtime,
            indexes=tuple(_index(compiled.name, item.name, fields, runtime) for fields in item.indexes),
            totals=tuple(
                _total(compiled.name, item.name, field, groups, runtime) for field, groups in item.totals
            ),
        )
    scope: dict[str, Any] = dict(ENGINE_SCOPE)
    for name, collection in bound.collections.items():
        scope[f"_collection_{name}"] = collection
    for name, runtime in runtimes.items():
        scope[f"_new_{name}"] = runtime.make
    for name, value in declared.values.items():
        scope[f"_new_{name}"] = value_maker(value, value_table[name])
    for number, enum in enumerate(declared.enums.values()):
        for order, member in enumerate(enum.members):
            scope[f"_member_{number}_{order}"] = classes.members[enum.name][member]
    for name, used in declared.used.items():
        scope[f"_used_{name}"] = used
    for name, constant in declared.constants.items():
        scope[f"_constant_{name}"] = _value_of(constant, classes)
    for number, constant in enumerate(build.constants):
        scope[f"_literal_{number}"] = _value_of(constant, classes)
    for number, kind in enumerate(build.guards):
        scope[f"_guard_{number}"] = calls.guard_of(kind)
    _bind_parameters(compiled, parameters, classes, scope)
    run_module(build, scope)
    _bind_functions(compiled, bound, classes, scope)
    codes = [(scope[name].__code__, function) for name, function in build.functions.items()]
    return bound, codes


def _bind_parameters(
    compiled: CompiledContract, given: Mapping[str, Any], classes: ClassTable, scope: dict[str, Any]
) -> None:
    known = {item.name: item for item in compiled.declared.parameters.values()}
    for name in given:
        if name not in known:
            raise InputError(
                f"{compiled.name} has no parameter '{name}': it has {', '.join(known) or 'none'}"
            )
    for variable, item in compiled.declared.parameters.items():
        constant = item.default
        if item.name in given:
            constant = Constant(constant.type, given[item.name])
        try:
            scope[f"_parameter_{variable}"] = _value_of(constant, classes)
        except (TypeError, ValueError, KeyError, InputError) as error:
            raise InputError(f"the parameter '{item.name}' of {compiled.name}: {error}") from None


def _bind_functions(
    compiled: CompiledContract, bound: BoundContract, classes: ClassTable, scope: dict[str, Any]
) -> None:
    declared = compiled.declared
    laws: dict[str, tuple[Entry, ...]] = {}
    dues: list[Entry] = []
    for function in declared.functions.values():
        if function.kind == "helper":
            continue
        entry = _entry(function, bound, classes, scope[function.name])
        if function.kind == "invariant":
            for collection in bound.collections.values():
                if collection.record.declared.name in function.records:
                    laws[collection.name] = (*laws.get(collection.name, ()), entry)
                    collection.watched = True
            continue
        if function.kind == "due":
            assert entry.collection is not None, "the check finds the collection of a due field"
            due = Due(function.on, function.at, key_text(bound.name), key_int(len(dues)))
            entry.collection.dues = (*entry.collection.dues, due)
            dues.append(entry)
        bound.entries[function.name] = entry
    for collection in bound.collections.values():
        collection.prepare()
    owners: dict[Any, tuple[Collection, ...]] = {}
    for collection in bound.collections.values():
        made = collection.record.made
        owners[made] = (*owners.get(made, ()), collection)
    bound.dues, bound.laws, bound.owners = tuple(dues), laws, owners


def _entry(function: FunctionDeclaration, bound: BoundContract, classes: ClassTable, code: Any) -> Entry:
    collection = bound.collections.get(function.collection)
    key_length = 1
    if collection is not None and not collection.record.declared.is_keyed_by_text:
        key_length = len(collection.record.declared.key)
    storable = function.kind != "invariant"
    return Entry(
        name=function.name,
        kind=function.kind,
        function=code,
        parameters=tuple(item.name for item in function.parameters),
        converters=tuple(converter_of(item.type, classes) for item in function.parameters)
        if storable
        else (),
        defaults=tuple(item.default.value for item in function.parameters if item.default is not None),
        by=function.by,
        agreed_by=function.agreed_by,
        by_contract=function.by_contract,
        code=function.code,
        collection=collection,
        key_length=key_length,
        statement=function.node.sid,
        over=function.over if function.kind == "invariant" and _reads_only(function) else "",
    )


def _reads_only(function: FunctionDeclaration) -> bool:
    """Tell whether an invariant looks at nothing of its record but the field it runs over."""
    name = function.parameters[0].name
    nodes = list(tree.walk(function.node))
    uses = sum(isinstance(node, tree.Name) and node.name == name for node in nodes)
    reads = sum(
        isinstance(node, tree.Attribute)
        and isinstance(node.value, tree.Name)
        and node.value.name == name
        and node.name == function.over
        for node in nodes
    )
    return uses == reads


def _index(contract: str, collection: str, fields: tuple[str, ...], runtime: Any) -> Index:
    prefix = data_prefix(contract, f"{collection}:{','.join(fields)}")
    return Index(prefix, fields, tuple(key_part_of(runtime.converters[name]) for name in fields))


def _total(contract: str, collection: str, field: str, groups: tuple[str, ...], runtime: Any) -> Total:
    prefix = data_prefix(contract, f"{collection}={field}:{','.join(groups)}")
    parts = tuple(key_part_of(runtime.converters[name]) for name in groups)
    finders = tuple(finder_of(runtime.converters[name]) for name in groups)
    return Total(prefix, field, runtime.converters[field].type.kind == "money", groups, parts, finders)


def _value_of(constant: Constant, classes: ClassTable) -> Any:
    if constant.value is None:
        return None
    if constant.type.kind == "list":
        assert isinstance(constant.value, tuple)
        return tuple(_value_of(Constant(constant.type.items[0], part), classes) for part in constant.value)
    if constant.type.kind in {"any", "nothing"}:
        return constant.value
    converter = converter_of(constant.type, classes)
    if constant.type.kind in {"int", "bool", "text", "hash"}:
        value = constant.value
        if type(value) is not {"int": int, "bool": bool, "text": str, "hash": bytes}[constant.type.kind]:
            raise InputError(f"{constant.type} is wanted, not {value!r}")
        return value
    return converter.load(constant.value)
