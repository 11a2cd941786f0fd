"""Executing a block's work: transactions, due work, openings; and queries beside it.

`BlockExecution` lives for one block. Each call is all or nothing: whatever refuses it undoes everything it
wrote, and the outcome names a stable code, the contract, the function and the statement.
"""

from typing import Any, NamedTuple

from consortium.calendar import Calendar, day_of
from consortium.vm import builtins, calls, gas, keys, store, walks
from consortium.vm.bind import CompiledContract, ContractSet, contract_set, load_contract
from consortium.vm.bound import BoundContract, Entry
from consortium.vm.exceptions import (
    ARGS,
    INVARIANT,
    KEY,
    OUT_OF_GAS,
    TYPE,
    ContractRejected,
    OutOfGasError,
    QueryFailedError,
    Refused,
    code_of,
)
from consortium.vm.machine import DueEntry, Machine, Organisations, StateReader
from consortium.vm.values import RecordValue, to_plain

APPLIED = "applied"
REFUSED = "refused"
QUERY_GAS = 20_000_000


class Call(NamedTuple):
    """What a transaction asks for. `contract` is `name@version` or a name (the latest version)."""

    contract: str
    action: str
    args: tuple[Any, ...]
    sender: str
    agreed_by: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """What became of a call. `text` is for people and never hashed; the rest goes into the receipt."""

    status: str
    code: str | None
    contract: str
    function: str
    statement: int
    text: str
    gas_used: int
    events: tuple[Any, ...] = ()
    writes: tuple[tuple[bytes, bytes | None], ...] = ()
    result: Any = None


class BlockExecution(Machine):
    """Runs the work of one block over one state."""

    __slots__ = ()

    def run_action(self, call: Call) -> Outcome:
        """Run a transaction's action, signed by its sender and by everybody in `agreed_by`."""
        contract = self.contracts.named(call.contract)
        entry = None if contract is None else contract.entries.get(call.action)
        if entry is None or entry.kind != "action":
            text = f"there is no action {call.contract}.{call.action}"
            return Outcome(REFUSED, ARGS, call.contract.partition("@")[0], call.action, 0, text, 0)
        self.sender = call.sender
        self.signers = (call.sender, *call.agreed_by) if call.agreed_by else (call.sender,)
        return self._run(contract, entry, call.args, authorised=False)

    def run_opening(self, contract: str, function: str, args: tuple[Any, ...]) -> Outcome:
        """Run an `@opening` function, unsigned. The ledger calls this for block 0 only."""
        bound = self.contracts.named(contract)
        entry = None if bound is None else bound.entries.get(function)
        if entry is None or entry.kind != "opening":
            return Outcome(
                REFUSED, ARGS, contract, function, 0, f"there is no opening {contract}.{function}", 0
            )
        self._unsigned()
        return self._run(bound, entry, args, authorised=True)

    def next_due(self) -> DueEntry | None:
        """Return the due entry that comes first, if its moment has passed."""
        key = self.first_due_key()
        if key is None:
            return None
        entry = due_entry_of(key)
        return entry if entry.moment_us <= self.time_us else None

    def run_due(self, entry: DueEntry) -> Outcome:
        """Run one piece of due work on its own day. Its entry is gone afterwards, whatever comes of it."""
        self._unsigned()
        self.day = day_of(entry.moment_us)
        self.is_due = True
        begin = len(self.undo)
        self.put(entry.state_key, None)
        try:
            return self._run_due(entry, begin)
        finally:
            self.day = day_of(self.time_us)
            self.is_due = False

    def _run_due(self, entry: DueEntry, begin: int) -> Outcome:
        contract = self.contracts.find(entry.contract)
        if contract is None or entry.declaration >= len(contract.dues):
            return Outcome(
                REFUSED,
                KEY,
                entry.contract,
                "",
                0,
                "the work is not declared",
                0,
                (),
                self.writes_since(begin),
            )
        function = contract.dues[entry.declaration]
        arguments = self._key_arguments(function, entry.key)
        if arguments is None:
            text = "its record is gone"
            return Outcome(
                REFUSED,
                KEY,
                contract.name,
                function.name,
                function.statement,
                text,
                0,
                (),
                self.writes_since(begin),
            )
        return self._run(contract, function, arguments, authorised=True, begin=begin)

    def _key_arguments(self, function: Entry, suffix: bytes) -> tuple[Any, ...] | None:
        collection = function.collection
        assert collection is not None, "the check finds the collection of a due field"
        self.gas = self.gas_limit
        record = store.load(self, collection, keys.key_of(collection.prefix, suffix))
        if record is None:
            return None
        runtime = collection.record
        if runtime.is_keyed_by_text:
            return (record.id,)
        return tuple(runtime.converters[name].encode(getattr(record, name)) for name in runtime.declared.key)

    def _unsigned(self) -> None:
        self.sender = None
        self.signers = ()

    def _run(
        self,
        contract: BoundContract,
        entry: Entry,
        args: tuple[Any, ...],
        *,
        authorised: bool,
        begin: int | None = None,
    ) -> Outcome:
        mark = len(self.undo)
        start = mark if begin is None else begin
        self.gas = self.gas_limit
        self.events = []
        self.frames = [contract]
        try:
            arguments = self.decoded_arguments(entry, args)
            if not authorised:
                calls.authorise(self, entry, arguments)
            result = entry.function(self, *arguments)
            if self.touched:
                self._keep_laws()
            plain = None if result is None else self._result(result)
            if self.gas < 0:
                raise OutOfGasError
        except MemoryError:
            raise  # the machine's fault, not the contract's: another bank would answer otherwise
        except Exception as error:  # noqa: BLE001  everything a contract can cause ends in a receipt
            return self._refused(error, contract, entry, mark, start)
        finally:
            if self.touched:
                self.touched = {}
        writes = self.writes_since(start)
        return Outcome(
            APPLIED, None, contract.name, entry.name, entry.statement, "", self.gas_limit - self.gas,
            tuple(self.events), writes, plain,
        )  # fmt: skip

    def decoded_arguments(self, entry: Entry, args: tuple[Any, ...]) -> list[Any]:
        converters = entry.converters
        missing = len(converters) - len(args)
        if missing:
            if not 0 < missing <= len(entry.defaults):
                raise Refused(ARGS, f"{entry.name} takes {len(converters)} arguments, not {len(args)}")
            args = (*args, *entry.defaults[-missing:])
        self.gas -= gas.TRANSACTION + gas.ARGUMENT * len(args)
        return [converter.decode(self, value) for converter, value in zip(converters, args, strict=True)]

    def _keep_laws(self) -> None:
        """Hold the invariants of every record that was touched, in order of their keys' first touch.

        A law that reads nothing but its `over` field runs once for each value of it that was touched, the
        value before the transaction included; other laws run for each record as it is now.
        """
        self.is_read_only = True
        held: dict[tuple[str, str, Any], None] = {}
        try:
            for collection, record, before in self.touched.values():
                contract = self.contracts.find(collection.contract)
                self.frames = [contract]
                for law in contract.laws[collection.name]:
                    if not law.over:
                        self._keep(contract, law, record)
                        continue
                    for version in (record,) if before is None else (record, before):
                        once = (contract.name, law.name, getattr(version, law.over))
                        if once not in held:
                            held[once] = None
                            self._keep(contract, law, version)
        finally:
            self.is_read_only = False

    def _keep(self, contract: BoundContract, law: Entry, record: Any) -> None:
        if law.function(self, record) is not True:
            raise _BrokenLawError(
                contract.name, law, f"{contract.name}.{law.name} does not hold for {record.id}"
            )

    def _result(self, value: Any) -> Any:
        if isinstance(value, RecordValue):
            raise Refused(TYPE, "an action gives plain values: return the record's id or fields")
        return walks.plain_form(self, value)

    def _refused(
        self, error: Exception, contract: BoundContract, entry: Entry, mark: int, start: int
    ) -> Outcome:
        self.undo_to(mark)
        self.is_read_only = False
        code, text = code_of(error)
        where = self.contracts.locate(error) or (contract.name, entry.name, entry.statement)
        if isinstance(error, _BrokenLawError):
            where = (error.contract, error.law.name, error.law.statement)
        error.__traceback__ = None
        if code == OUT_OF_GAS:
            self.gas = 0
        used = self.gas_limit - max(self.gas, 0)
        return Outcome(REFUSED, code, where[0], where[1], where[2], text, used, (), self.writes_since(start))


class _BrokenLawError(Refused):
    """An invariant that does not hold; the receipt names it, not the line that broke it."""

    def __init__(self, contract: str, law: Entry, text: str) -> None:
        super().__init__(INVARIANT, text)
        self.contract = contract
        self.law = law


def due_entry_of(state_key: bytes) -> DueEntry:
    """Read a key of the due index."""
    moment_us, at = keys.read_int(state_key, len(keys.DUE_PREFIX))
    contract, at = keys.read_text(state_key, at)
    declaration, at = keys.read_int(state_key, at)
    return DueEntry(moment_us, contract, declaration, state_key[at:], state_key)


def next_due_moment(reader: StateReader) -> int | None:
    """Return the earliest moment in the due index of a state."""
    for key, _ in reader.items(keys.DUE_PREFIX):
        return keys.read_int(key, len(keys.DUE_PREFIX))[0]
    return None


def run_query(
    reader: StateReader,
    contracts: ContractSet,
    calendar: Calendar,
    time_us: int,
    organisations: Organisations,
    contract: str,
    query: str,
    args: tuple[Any, ...],
    caller: str | None,
) -> Any:
    """Return the answer of a query in plain form (`from_plain` reads it), as `caller` may see it.

    `caller` None is the operator's viewpoint, which sees all. Raises QueryFailedError with a code.
    """
    machine = BlockExecution(reader, contracts, calendar, time_us, organisations, QUERY_GAS)
    bound = contracts.named(contract)
    entry = None if bound is None else bound.entries.get(query)
    if bound is None or entry is None or entry.kind != "query":
        raise QueryFailedError(ARGS, f"there is no query {contract}.{query}")
    machine.sender = caller
    machine.signers = () if caller is None else (caller,)
    machine.viewpoint = caller
    machine.is_query = True
    machine.is_read_only = True
    machine.frames = [bound]
    try:
        arguments = machine.decoded_arguments(entry, args)
        answer = builtins.sized(machine, entry.function(machine, *arguments))
        walks.walk(machine, answer, walks.ANSWER_BYTES_MAX)
        return to_plain(answer)
    except Exception as error:  # noqa: BLE001  everything a contract can cause has a code
        code, text = code_of(error)
        raise QueryFailedError(code, text) from None


__all__ = [
    "APPLIED", "REFUSED", "BlockExecution", "Call", "CompiledContract", "ContractRejected", "ContractSet",
    "DueEntry", "Outcome", "QueryFailedError", "contract_set", "load_contract", "next_due_moment",
    "run_query",
]  # fmt: skip
