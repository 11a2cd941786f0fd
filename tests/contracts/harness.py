"""A ledger of one executor, for contract tests: contracts run directly, days are set by hand, no consensus.

`Bench` holds the state as one dict. `at` moves business time and runs the due work that has come due, `send`
sends one transaction. Amounts, days and rates are written as scenarios write them ("10_000_000.00 CNY").
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from consortium.calendar import Calendar, moment
from consortium.encoding import decode
from consortium.membership import Membership, Organisation, OrganisationKind
from consortium.money import Day, Money, parse_money
from consortium.vm.execute import (
    BlockExecution,
    Call,
    CompiledContract,
    ContractSet,
    Outcome,
    load_contract,
    run_query,
)
from consortium.vm.interface import ContractInterface, decode_value, encode_arguments, encode_value
from consortium.vm.store import data_prefix
from consortium.vm.values import from_plain

CONTRACTS = Path(__file__).parents[2] / "contracts"
GAS_PER_TRANSACTION = 2_000_000
DOCUMENTS = (b"\x11" * 32, b"\x22" * 32)
CONTRACT_HASH = b"\x33" * 32

BANKS = ("IB1", "PB2", "FB3", "VB1", "VB2")
COMPANIES = {"APP1": "IB1", "APP2": "PB2", "C1": "PB2", "C2": "FB3"}

# The calendar of the acceptance scenarios.
_HOLIDAYS = (
    ("2026-01-01", 3), ("2026-02-15", 9), ("2026-04-04", 3), ("2026-05-01", 5), ("2026-06-19", 3),
    ("2026-09-25", 3), ("2026-10-01", 7), ("2027-01-01", 3),
)  # fmt: skip
_MAKE_UP_DAYS = ("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10")
CALENDAR = Calendar(
    years=(2026, 2027),
    holidays=tuple(Day.of(first).ordinal + n for first, days in _HOLIDAYS for n in range(days)),
    make_up_days=tuple(Day.of(day).ordinal for day in _MAKE_UP_DAYS),
)


def membership() -> Membership:
    organisations = [
        *(Organisation(id=bank, name=bank, kind=OrganisationKind.BANK, public_key=b"") for bank in BANKS),
        *(
            Organisation(
                id=company, name=company, kind=OrganisationKind.COMPANY, public_key=b"", access_bank=bank
            )
            for company, bank in COMPANIES.items()
        ),
        Organisation(
            id="CB", name="CB", kind=OrganisationKind.CENTRAL_BANK, public_key=b"", access_bank="VB1"
        ),
        Organisation(
            id="REG", name="REG", kind=OrganisationKind.REGULATOR, public_key=b"", access_bank="VB1"
        ),
    ]
    return Membership(
        epoch=0, organisations=tuple(organisations), validators=("IB1", "PB2", "VB1", "VB2"), f=1
    )


MEMBERS = membership()


class DictReader:
    """A state kept in a dict, read in the order of its keys."""

    def __init__(self, state: dict[bytes, bytes]) -> None:
        self.state = state
        self.order = sorted(state)

    def get(self, key: bytes) -> bytes | None:
        return self.state.get(key)

    def items(self, prefix: bytes, start: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        for position in range(bisect_left(self.order, start or prefix), len(self.order)):
            key = self.order[position]
            if not key.startswith(prefix):
                return
            yield key, self.state[key]


@cache
def compiled(name: str, source: bytes | None = None) -> CompiledContract:
    """Return a contract of the folder, or a test's own source under that name."""
    path = CONTRACTS / f"{name}.py"
    return load_contract(name, 1, path.read_bytes() if source is None else source, str(path))


class Bench:
    """One ledger, its business time, and the outcome of what ran last.

    `contracts` adds or replaces contracts by source; `parameters` overrides deployment parameters; `own` are the
    opening funds of every bank.
    """

    def __init__(
        self,
        *,
        contracts: Mapping[str, bytes] | None = None,
        parameters: Mapping[str, Mapping[str, str]] | None = None,
        own: str = "1_000_000_000.00 CNY",
        deposits: Mapping[str, str] | None = None,
        lines: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        sources: dict[str, bytes | None] = dict.fromkeys(("settlement", "claim", "letter_of_credit"))
        loaded = [compiled(name, source) for name, source in (sources | dict(contracts or {})).items()]
        self.contracts = ContractSet(loaded, _encoded_parameters(loaded, parameters or {}))
        self.state: dict[bytes, bytes] = {}
        self.time_us = moment(Day.of("2026-01-05"))
        self.last: Outcome | None = None
        for bank in BANKS:
            self._open("open_bank", bank=bank, own=own)
        for customer, deposit in (deposits or {}).items():
            self._open("open_customer", customer=customer, deposit=deposit)
        for (bank, party), amount in (lines or {}).items():
            self._open("open_limit", bank=bank, party=party, kind="CREDIT", amount=amount)

    def copy(self) -> "Bench":
        """Return a second ledger in the same state, to try another way on."""
        other = object.__new__(Bench)
        other.contracts, other.state = self.contracts, dict(self.state)
        other.time_us, other.last = self.time_us, self.last
        return other

    # --- time and transactions --------------------------------------------------------------------------

    def at(self, when: str | int) -> list[Outcome]:
        """Move business time on (`2026-03-02 10:00`) and run the due work that has come due."""
        self.set_time(when)
        done: list[Outcome] = []
        block = self._block()
        while (entry := block.next_due()) is not None:
            done.append(block.run_due(entry))
        self._apply(block)
        for outcome in done:
            assert outcome.status == "applied", f"due work {outcome.function}: {outcome.code} {outcome.text}"
            self.last = outcome
        return done

    def set_time(self, when: str | int) -> None:
        """Move business time on, as if due work could not run."""
        time_us = when if isinstance(when, int) else _time(when)
        assert time_us >= self.time_us, f"business time does not go back to {when}"
        self.time_us = time_us

    def send(
        self, sender: str, function: str, *, agreed_by: tuple[str, ...] = (), **arguments: Any
    ) -> Outcome:
        """Run one transaction; a refused one must leave the state as it was."""
        name, _, action = function.partition(".")
        interface = self._interface(name)
        signature = interface.function(action)
        assert signature is not None, f"no function {function}"
        encoded = encode_arguments(interface, signature, arguments)
        block = self._block()
        outcome = block.run_action(Call(name, action, encoded, sender, agreed_by))
        if outcome.status != "applied":
            assert all(self.state.get(key) == value for key, value in block.writes().items()), (
                "refused, but written"
            )
            assert outcome.writes == ()
            assert outcome.events == ()
        self._apply(block)
        self.last = outcome
        return outcome

    def applied(self, sender: str, function: str, **arguments: Any) -> Any:
        """Run a transaction that must be applied; return its result."""
        outcome = self.send(sender, function, **arguments)
        assert outcome.status == "applied", f"{function}: {outcome.code} {outcome.text}"
        return from_plain(outcome.result)

    def refused(self, code: str, sender: str, function: str, **arguments: Any) -> Outcome:
        """Run a transaction that must be refused with `code`, and change nothing."""
        before = dict(self.state)
        outcome = self.send(sender, function, **arguments)
        assert outcome.code == code, f"{sender} {function}: {outcome.status} {outcome.code} {outcome.text}"
        assert self.state == before
        return outcome

    def ends(self, expected: str, sender: str, function: str, **arguments: Any) -> None:
        """Run a transaction that ends as `expected`: `applied`, or a code."""
        if expected == "applied":
            self.applied(sender, function, **arguments)
        else:
            self.refused(expected, sender, function, **arguments)

    def ask(self, caller: str | None, question: str, **arguments: Any) -> Any:
        """Return the answer of a query as `caller` may see it; None sees all."""
        name, _, query = question.partition(".")
        interface = self._interface(name)
        signature = interface.function(query)
        assert signature is not None, f"no query {question}"
        encoded = encode_arguments(interface, signature, arguments)
        reader = DictReader(self.state)
        return from_plain(
            run_query(reader, self.contracts, CALENDAR, self.time_us, MEMBERS, name, query, encoded, caller)
        )

    # --- what the ledger holds --------------------------------------------------------------------------

    def records(self, contract: str, collection: str) -> dict[Any, dict[str, Any]]:
        """Return the records of a collection by id (or by their key fields)."""
        interface = self._interface(contract)
        declared = interface.collection(collection)
        assert declared is not None, f"{contract} has no collection {collection}"
        record = interface.record(declared.record)
        assert record is not None
        prefix = data_prefix(contract, collection)
        found: dict[Any, dict[str, Any]] = {}
        for key in sorted(key for key in self.state if key.startswith(prefix)):
            fields = zip(record.fields, decode(self.state[key]), strict=True)
            shown = {field.name: decode_value(interface, field.type, item) for field, item in fields}
            names = [shown[name] for name in record.key]
            if record.is_keyed_by_text:
                creator = key[len(prefix) :].split(b"\0")[0].decode()
                found[f"{creator}/{names[0]}"] = shown
            else:
                found[names[0] if len(names) == 1 else tuple(names)] = shown
        return found

    def record(self, contract: str, collection: str, key: Any) -> dict[str, Any]:
        return self.records(contract, collection)[key]

    def cash(self, party: str) -> Money:
        """Return a bank's own funds or a company's deposit."""
        return self.balances().get(party, Money(0))

    def balances(self) -> dict[str, Money]:
        """Return what is on every account."""
        return {key: record["balance"] for key, record in self.records("settlement", "accounts").items()}

    def settle(self, bank: str) -> Money:
        return self.record("settlement", "settlements", bank)["settle"]

    def income(self, bank: str) -> Money:
        return self.record("settlement", "settlements", bank)["income"]

    def margin(self, party: str) -> Money:
        found = self.records("settlement", "margins").values()
        return sum((item["balance"] for item in found if item["customer"] == party), Money(0))

    def line_used(self, party: str) -> Money:
        found = self.records("settlement", "limits").values()
        return sum((item["used"] for item in found if item["party"] == party), Money(0))

    def supply(self) -> Money:
        return sum((item["settle"] for item in self.records("settlement", "settlements").values()), Money(0))

    def events(self, outcome: Outcome | None) -> list[tuple[str, dict[str, Any]]]:
        """Return the events of an outcome; amounts as text."""
        assert outcome is not None
        return [
            (name, {field: _shown(from_plain(value)) for field, value in fields})
            for _, name, fields in outcome.events
        ]

    def money(self, text: str) -> Money:
        return parse_money(text)

    def fen(self, text: str, more: int) -> str:
        """Return the amount `more` fen away."""
        return str(parse_money(text) + Money(more))

    def check_laws(self) -> None:
        """I0 and I1, computed from the stored records alone."""
        parts: dict[str, Money] = {}
        for collection in ("accounts", "margins", "suspenses"):
            for key, record in self.records("settlement", collection).items():
                assert record["balance"] >= 0, f"{collection} {key}"
                parts[record["bank"]] = parts.get(record["bank"], Money(0)) + record["balance"]
        settlements = self.records("settlement", "settlements")
        assert {bank: record["settle"] for bank, record in settlements.items()} == parts
        issued = sum((record["issued"] for record in settlements.values()), Money(0))
        assert issued == self.supply()
        used: dict[tuple[str, str, str], Money] = {}
        for (bank, party, kind, _, _), record in self.records("settlement", "limit_uses").items():
            used[(bank, party, kind)] = used.get((bank, party, kind), Money(0)) + record["amount"]
        for key, record in self.records("settlement", "limits").items():
            assert record["used"] == used.get(key, Money(0)), key

    # --- inside -----------------------------------------------------------------------------------------

    def _interface(self, contract: str) -> ContractInterface:
        interface = self.contracts.interface(contract)
        assert interface is not None, f"no contract {contract}"
        return interface

    def _block(self) -> BlockExecution:
        return BlockExecution(
            DictReader(self.state), self.contracts, CALENDAR, self.time_us, MEMBERS, GAS_PER_TRANSACTION
        )

    def _apply(self, block: BlockExecution) -> None:
        for key, value in block.writes().items():
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value

    def _open(self, function: str, **arguments: Any) -> None:
        interface = self._interface("settlement")
        signature = interface.function(function)
        assert signature is not None
        block = self._block()
        outcome = block.run_opening("settlement", function, encode_arguments(interface, signature, arguments))
        assert outcome.status == "applied", f"{function}: {outcome.code} {outcome.text}"
        self._apply(block)


def balances(bench: Bench, party: str) -> dict[str, str]:
    """Return what a company has and owes, as text."""
    return {
        "cash": bench.cash(party).plain(),
        "margin": bench.margin(party).plain(),
        "line_used": bench.line_used(party).plain(),
    }


def _encoded_parameters(
    loaded: list[CompiledContract], given: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, Any]]:
    encoded: dict[str, dict[str, Any]] = {}
    for contract in loaded:
        for parameter in contract.interface.parameters:
            if parameter.name in given.get(contract.name, {}):
                value = encode_value(contract.interface, parameter.type, given[contract.name][parameter.name])
                encoded.setdefault(contract.name, {})[parameter.name] = value
    return encoded


def _time(text: str) -> int:
    day, _, clock = text.partition(" ")
    hour, _, minute = clock.partition(":")
    return moment(Day.of(day), int(hour) * 60 + int(minute))


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, Money | Day) else value
