"""A tiny ledger for tests of the language and the engine: a dict as the state, one block per call.

`bench(source, ...)` deploys contracts written in the test; `run` sends one transaction, `opens` runs an
opening, `at` moves business time and runs the due work that has come due.
"""

from collections.abc import Iterator

from consortium.calendar import Calendar, moment
from consortium.membership import Membership, Organisation, OrganisationKind
from consortium.money import Day
from consortium.vm.execute import BlockExecution, Call, ContractSet, Outcome, load_contract, run_query
from consortium.vm.interface import encode_arguments
from consortium.vm.reading import read_all, read_record
from consortium.vm.values import from_plain

CALENDAR = Calendar(years=(2026, 2027), holidays=(), make_up_days=())
START = moment(Day.of("2026-03-02"), 10 * 60)
GAS = 2_000_000
IMPORT = (
    "from consortium.contract import (ACT_360, DOWN, HALF_UP, UP, Bank, Company, Day, DayCount, Hash, Id, Money, "
    "Party, Rate,\n    Record, Text, access_bank, action, add_banking_days, banking_day, before_cut_off, by_role, "
    "caller, choice,\n    collection, day, distribute, due, emit, fail, helper, invariant, is_bank, is_banking_day, "
    "is_company,\n    money, opening, option, own_id, parameter, query, rate, record, require, sender, signers, "
    "status, to,\n    today, total, uses, value, value_day)\n"
)


def _membership() -> Membership:
    bank, company = OrganisationKind.BANK, OrganisationKind.COMPANY
    members = [
        ("B1", bank, None), ("B2", bank, None), ("B3", bank, None), ("B4", bank, None), ("C1", company, "B1"),
        ("C2", company, "B2"), ("REG", OrganisationKind.REGULATOR, "B1"), ("CB", OrganisationKind.CENTRAL_BANK, "B1"),
    ]  # fmt: skip
    return Membership(
        epoch=0,
        organisations=tuple(
            Organisation(id=name, name=name, kind=kind, public_key=b"", access_bank=access)
            for name, kind, access in members
        ),
        validators=("B1", "B2", "B3", "B4"),
        f=1,
    )


MEMBERSHIP = _membership()


class DictState:
    """A state kept in a dict, read in the order of its keys."""

    def __init__(self) -> None:
        self.entries: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.entries.get(key)

    def items(self, prefix: bytes, start: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        for key in sorted(self.entries):
            if key.startswith(prefix) and (start is None or key >= start):
                yield key, self.entries[key]


class Bench:
    """Contracts over a dict; each call is a block of its own unless `block` is used."""

    def __init__(self, contracts: ContractSet, gas: int = GAS) -> None:
        self.contracts = contracts
        self.state = DictState()
        self.time_us = START
        self.gas = gas
        self.due_outcomes: list[Outcome] = []

    def machine(self) -> BlockExecution:
        return BlockExecution(self.state, self.contracts, CALENDAR, self.time_us, MEMBERSHIP, self.gas)

    def apply(self, machine: BlockExecution) -> None:
        for key, value in machine.writes().items():
            if value is None:
                self.state.entries.pop(key, None)
            else:
                self.state.entries[key] = value

    def call(
        self, action: str, sender: str = "B1", agreed: tuple[str, ...] = (), contract: str = "c", **given
    ) -> Call:
        interface = self.contracts.interface(contract)
        assert interface is not None
        function = interface.function(action)
        assert function is not None, action
        return Call(contract, action, encode_arguments(interface, function, given), sender, agreed)

    def run(
        self, action: str, sender: str = "B1", agreed: tuple[str, ...] = (), contract: str = "c", **given
    ) -> Outcome:
        machine = self.machine()
        outcome = machine.run_action(self.call(action, sender, agreed, contract, **given))
        self.apply(machine)
        return outcome

    def raw(self, action: str, args: tuple, sender: str = "B1", contract: str = "c") -> Outcome:
        machine = self.machine()
        outcome = machine.run_action(Call(contract, action, args, sender))
        self.apply(machine)
        return outcome

    def opens(self, function: str, contract: str = "c", **given) -> Outcome:
        interface = self.contracts.interface(contract)
        info = interface.function(function)
        machine = self.machine()
        outcome = machine.run_opening(contract, function, encode_arguments(interface, info, given))
        self.apply(machine)
        return outcome

    def at(self, day: str, minute: int = 10 * 60) -> list[Outcome]:
        """Move business time and run the due work, in one block; return what became of each entry."""
        self.time_us = moment(Day.of(day), minute)
        machine = self.machine()
        outcomes = []
        while (entry := machine.next_due()) is not None:
            outcomes.append(machine.run_due(entry))
        self.apply(machine)
        return outcomes

    def ask(self, query: str, caller: str | None = None, contract: str = "c", **given):
        interface = self.contracts.interface(contract)
        args = encode_arguments(interface, interface.function(query), given)
        answer = run_query(
            self.state, self.contracts, CALENDAR, self.time_us, MEMBERSHIP, contract, query, args, caller
        )
        return from_plain(answer)

    def record(self, collection: str, record_id, contract: str = "c"):
        return read_record(self.state, self.contracts, contract, collection, record_id)

    def all(self, collection: str, contract: str = "c") -> list:
        return list(read_all(self.state, self.contracts, contract, collection))


def bench(source: str, gas: int = GAS, parameters=None, **others: str) -> Bench:
    """Deploy `source` as contract `c`, and other sources under their names; the import is added to each."""
    sources = {"c": source, **others}
    compiled = [
        load_contract(name, 1, (IMPORT + text).encode(), f"{name}.py") for name, text in sources.items()
    ]
    return Bench(ContractSet(compiled, parameters), gas)


def value_of(outcome: Outcome):
    """Return the result of an applied outcome; fail with its code and text otherwise."""
    assert outcome.status == "applied", (outcome.code, outcome.text)
    return from_plain(outcome.result)
