"""Reading the ledger in the words of a scenario: what steps saved, balances, states, who sees what.

Reads the state as any bank has it, through the contract engine's own record classes; changes nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from consortium.ledger.block import Block
from consortium.ledger.receipt import APPLIED
from consortium.ledger.state import Root
from consortium.ledger.transaction import Transaction
from consortium.ledger.transition import StateView
from consortium.membership import OrganisationKind
from consortium.money import Money
from consortium.node.effects import Executed
from consortium.scenario.comparison import Reference
from consortium.scenario.genesis import SETTLEMENT, Consortium
from consortium.scenario.model import Step
from consortium.vm.bound import BoundContract
from consortium.vm.execute import BlockExecution
from consortium.vm.keys import key_of
from consortium.vm.store import Collection, stored_record
from consortium.vm.values import Member, RecordValue, from_plain

ACCOUNTS = ("own", "deposit", "margin", "line_used", "income")
CURRENCY = "CNY"
RecordKind = tuple[str, str]
"""A contract and one of its record classes."""


class LedgerReader:
    """The ledger at one state root (`read_at` moves it), and the results that steps saved."""

    def __init__(self, founded: Consortium) -> None:
        self._rules = founded.rules
        self._contracts = founded.contracts
        self._view = StateView(founded.block.state)
        self._saved: dict[str, Any] = {}
        self._kinds: dict[str, RecordKind] = {}

    def read_at(self, state: Root) -> None:
        self._view = StateView(state)

    # --- arguments and results --------------------------------------------------------------------------

    def positional(self, contract: str, action: str, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return named arguments in the order of the action's parameters, defaults filled in."""
        interface = self._contracts.interface(contract)
        function = None if interface is None else interface.function(action)
        assert function is not None, "the loader has checked the action"
        return tuple(given.get(parameter.name, parameter.default) for parameter in function.parameters)

    def save(self, step: Step, block: Block, transaction: Transaction) -> None:
        """Keep what an applied step returned under the name that the scenario gives it."""
        assert step.save is not None
        interface = self._contracts.interface(step.contract)
        function = None if interface is None else interface.function(step.action)
        for position, each in enumerate(block.transactions):
            if each.id == transaction.id and block.receipt_of(position).status == APPLIED:
                self._saved[step.save] = from_plain(block.receipt_of(position).result)
                if function is not None and function.returns.kind == "id":
                    self._kinds[step.save] = (step.contract, function.returns.name)

    def saved(self, reference: Reference) -> Any:
        """Return what `$name.field` stands for: a saved result, or a field of the record that it names.

        Raises LookupError where there is nothing of that name (a step that should have saved it was refused).
        """
        if reference.name not in self._saved:
            raise LookupError(f"${reference.name} was not saved: its step was not applied")
        value = self._saved[reference.name]
        kind = self._kinds.get(reference.name)
        for field in reference.fields:
            value = self._field(value, field, reference, kind)
            kind = None
        return value

    def _field(self, value: Any, field: str, reference: Reference, kind: RecordKind | None) -> Any:
        if isinstance(value, str):
            record = self.record(value, kind)
            if record is None:
                raise LookupError(f"{reference}: there is no record {value}")
            value = record
        if isinstance(value, list):
            if field.isdigit():
                if int(field) >= len(value):
                    raise LookupError(f"{reference}: there are only {len(value)} items")
                return value[int(field)]
            return [self._field(item, field, reference, kind) for item in value]
        found = value.get(field, _ABSENT) if isinstance(value, dict) else getattr(value, field, _ABSENT)
        if found is _ABSENT:
            raise LookupError(f"{reference}: there is no field '{field}'")
        return found.name if isinstance(found, Member) else found

    # --- records ----------------------------------------------------------------------------------------

    def record(self, record_id: str, kind: RecordKind | None = None) -> RecordValue | None:
        """Return the record of this id: of this contract and class, or the first contract's that has one.

        A claim has the id of the drawing that it grew out of, so an id alone may name both.
        """
        for collection in self._collections():
            declared = collection.record.declared
            if kind is not None and kind != (collection.contract, declared.name):
                continue
            if not (declared.is_keyed_by_text or declared.key == ("id",)):
                continue
            suffix = collection.record.suffix_of_id(record_id)
            if suffix is None:
                continue
            key = key_of(collection.prefix, suffix)
            data = self._view.get(key)
            if data is not None:
                found: RecordValue = stored_record(collection, key, data)
                return found
        return None

    def status_of(self, reference: Reference) -> str | None:
        """Return the status of the instrument that a reference names, or None."""
        try:
            value = self.saved(reference)
        except LookupError:
            return None
        kind = None if reference.fields else self._kinds.get(reference.name)
        record = self.record(value, kind) if isinstance(value, str) else None
        if record is None:
            return None
        status = getattr(record, "status", None)
        return status.name if isinstance(status, Member) else None

    def records(self, contract: str, collection: str) -> Iterator[Any]:
        """Yield all records of a collection in key order; none where it does not exist."""
        bound = self._contracts.find(contract)
        found = None if bound is None else bound.collections.get(collection)
        if found is not None:
            for key, data in self._view.items(found.prefix):
                yield stored_record(found, key, data)

    def id_of_key(self, contract: str, function: str, key: bytes) -> str:
        """Return the id of the record that a due entry's key names, as people read it."""
        bound = self._contracts.find(contract)
        entry = None if bound is None else bound.entries.get(function)
        if entry is None or entry.collection is None:
            return key.hex()
        collection = entry.collection
        state_key = key_of(collection.prefix, key)
        data = self._view.get(state_key)
        return key.hex() if data is None else str(stored_record(collection, state_key, data).id)

    # --- visibility -------------------------------------------------------------------------------------

    def sees(self, party: str, pattern: str) -> bool | None:
        """Tell whether a party sees something of `contract.Record`, `contract.field` or `contract.*`.

        None where no record exists to tell by.
        """
        contract, _, name = pattern.partition(".")
        bound = self._contracts.find(contract)
        if bound is None:
            return None
        machine = BlockExecution(
            self._view, self._contracts, self._rules.calendar, 0, self._rules.membership, 0
        )
        machine.viewpoint = party
        found: bool | None = None
        for collection in bound.collections.values():
            record_name = collection.record.declared.name
            field = name if name in collection.record.names else None
            if name not in {"*", record_name, collection.name} and field is None:
                continue
            for record in self.records(contract, collection.name):
                seen = self._contracts.as_seen(machine, collection, record)
                shown = seen is not None and not (
                    field and getattr(record, field) is not None and getattr(seen, field) is None
                )
                found = bool(found) or shown
        return found

    # --- balances ---------------------------------------------------------------------------------------

    def has_accounts(self, party: str) -> bool:
        organisation = self._rules.membership.organisation(party)
        return (
            self._contracts.find(SETTLEMENT) is not None
            and organisation is not None
            and organisation.kind in {OrganisationKind.BANK, OrganisationKind.COMPANY}
        )

    def accounts(self, party: str) -> dict[str, Money]:
        """Return a party's accounts: own and income of a bank; deposit, margin and line of a company."""
        organisation = self._rules.membership.organisation(party)
        assert organisation is not None, "the loader has checked the party"
        cash = self._sum("accounts", "balance", holder=party)
        if organisation.kind is OrganisationKind.BANK:
            return {"own": cash, "income": self._sum("settlements", "income", bank=party)}
        return {
            "deposit": cash,
            "margin": self._sum("margins", "balance", customer=party),
            "line_used": self._sum("limits", "used", party=party),
        }

    def balance(self, party: str, account: str) -> Money:
        """Return one account; one that this kind of party does not have is 0."""
        return self.accounts(party).get(account, Money(0, CURRENCY))

    def money_supply(self, event: Executed) -> dict[str, tuple[int, int]]:
        """Return for each currency what was issued and what all accounts hold after a block, in minor units.

        What the value conservation checker compares: own funds, deposits, margins and suspense together are
        what the central bank put in (invariant I0). Added up from the records, not from kept totals.
        """
        before, self._view = self._view, StateView(event.block.state)
        sums: dict[str, tuple[int, int]] = {}
        for record in self.records(SETTLEMENT, "settlements"):
            issued, held = sums.get(record.issued.currency, (0, 0))
            sums[record.issued.currency] = (issued + record.issued.minor, held)
        for collection in ("accounts", "margins", "suspenses"):
            for record in self.records(SETTLEMENT, collection):
                issued, held = sums.get(record.balance.currency, (0, 0))
                sums[record.balance.currency] = (issued, held + record.balance.minor)
        self._view = before
        return sums

    def _sum(self, collection: str, field: str, **where: str) -> Money:
        total = Money(0, CURRENCY)
        for record in self.records(SETTLEMENT, collection):
            if all(getattr(record, name) == value for name, value in where.items()):
                total += getattr(record, field)
        return total

    def _collections(self) -> Iterator[Collection]:
        bound: BoundContract | None
        for name in self._contracts.names():
            bound = self._contracts.find(name)
            if bound is not None:
                yield from bound.collections.values()


_ABSENT: Any = object()
