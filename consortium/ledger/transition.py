"""The specification of the ledger: how a batch turns one state into the next. Read it top-down.

    genesis_block(rules)                     block 0: members, calendar, contracts, opening calls
    next_block(rules, parent, batch, ...)    a header over what `execute_batch` found
    execute_batch(rules, state, ...)         due work first, then transactions in their order
    _execute_transaction(...)                key -> bundle -> time -> number -> action

Everything here is a pure function of its arguments. Execution never asks whether a signature verified: a
batch only gets here when every signature it names did (design decision 5). What it does ask, because all must
answer alike, is whether the named key is the member's present one.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from consortium.calendar import Calendar
from consortium.crypto import hash_bytes
from consortium.encoding import decode, encode
from consortium.ledger.block import NO_HASH, Block, Header
from consortium.ledger.genesis import Genesis, calendar_value, organisation_of
from consortium.ledger.receipt import APPLIED, DUE, REFUSED, REPEATED, TRANSACTION, Receipt
from consortium.ledger.sessions import FRESH, Session, decode_session, session_key
from consortium.ledger.state import Root, get, items, root_digest, update
from consortium.ledger.transaction import Batch, Transaction
from consortium.membership import Membership, Organisation
from consortium.merkle import merkle_root
from consortium.vm.execute import BlockExecution, Call, ContractSet, Outcome, next_due_moment
from consortium.vm.keys import DUE_PREFIX

MEMBER_PREFIX = b"\x01member\0"
CALENDAR_KEY = b"\x01calendar\0"
CONTRACT_PREFIX = b"\x01contract\0"
LIMITS_KEY = b"\x01limits\0"

KEY_IS_NOT_CURRENT = "E-KEY"
NOT_IN_ITS_BANKS_BUNDLE = "E-BUNDLE"
TOO_LATE = "E-EXPIRED"
OUTSIDE_THE_WINDOW = "E-NONCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What execution depends on besides state and batch; equal at all banks of a chain."""

    genesis: Genesis
    chain: bytes
    membership: Membership
    contracts: ContractSet
    calendar: Calendar


class Execution(NamedTuple):
    """What a batch did, independent of where in the chain it stands.

    A function of (state root before, batch digest, previous business time), by which banks of one simulation
    may share it (design decision 18a).
    """

    state: Root
    time_us: int
    transactions: tuple[Transaction, ...]
    receipts: tuple[Receipt, ...]
    receipt_bytes: tuple[bytes, ...]
    texts: tuple[str, ...]
    transaction_root: bytes
    receipt_root: bytes
    state_root: bytes
    next_due_us: int | None
    gas_used: int


def genesis_block(rules: Rules) -> Block:
    """Return block 0. An opening call that is refused is an error of the genesis: raises ValueError."""
    genesis = rules.genesis
    changes: dict[bytes, bytes | None] = {
        MEMBER_PREFIX + organisation.id.encode() + b"\0": encode(organisation.as_value())
        for organisation in genesis.membership.organisations
    }
    changes[CALENDAR_KEY] = encode(calendar_value(genesis.calendar))
    changes[LIMITS_KEY] = encode(genesis.limits.as_value())
    for deployment in genesis.contracts:
        changes[CONTRACT_PREFIX + deployment.name.encode() + b"\0"] = encode(deployment.as_value())
    state = update(None, changes)
    machine = _machine(rules, state, genesis.start_us)
    for opening in genesis.openings:
        outcome = machine.run_opening(opening.contract, opening.function, opening.arguments)
        if outcome.status != APPLIED:
            raise ValueError(f"opening {opening.contract}.{opening.function}: {outcome.code} {outcome.text}")
    state = update(state, machine.writes())
    header = Header(
        chain=rules.chain,
        epoch=0,
        sequence=0,
        height=0,
        previous=NO_HASH,
        time_us=genesis.start_us,
        batch_digest=NO_HASH,
        transaction_root=merkle_root(()),
        receipt_root=merkle_root(()),
        state_root=root_digest(state),
    )
    header_bytes = header.encoded()
    return Block(
        header=header,
        header_bytes=header_bytes,
        hash=hash_bytes(header_bytes),
        batch=None,
        transactions=(),
        receipts=(),
        receipt_bytes=(),
        state=state,
        texts=(),
        outcomes=(),
        next_due_us=next_due_moment(StateView(state)),
    )


def next_block(
    rules: Rules, parent: Block, batch: Batch, epoch: int, sequence: int, execution: Execution | None = None
) -> Block:
    """Return the block that `batch`, ordered at `sequence`, makes on top of `parent`.

    `execution` may be given if the same batch was already executed on an equal state at an equal time.
    """
    done = execution or execute_batch(rules, parent.state, parent.header.time_us, parent.next_due_us, batch)
    header = Header(
        chain=rules.chain,
        epoch=epoch,
        sequence=sequence,
        height=parent.header.height + 1,
        previous=parent.hash,
        time_us=done.time_us,
        batch_digest=batch.digest,
        transaction_root=done.transaction_root,
        receipt_root=done.receipt_root,
        state_root=done.state_root,
    )
    header_bytes = header.encoded()
    return Block(
        header=header,
        header_bytes=header_bytes,
        hash=hash_bytes(header_bytes),
        batch=batch,
        transactions=done.transactions,
        receipts=done.receipts,
        receipt_bytes=done.receipt_bytes,
        state=done.state,
        texts=done.texts,
        outcomes=tuple(
            (t.sender.organisation, t.session, t.number, t.id, receipt.status)
            for t, receipt in zip(
                done.transactions, done.receipts[len(done.receipts) - len(done.transactions) :], strict=True
            )
        ),
        next_due_us=done.next_due_us,
        gas_used=done.gas_used,
    )


def execute_batch(
    rules: Rules, state: Root, previous_time_us: int, next_due_us: int | None, batch: Batch
) -> Execution:
    """Execute `batch` on `state`: the due work whose moment has passed, then the transactions in order.

    At most `due_per_block` entries run; while any is left, and once the block's gas is used up, the block
    takes no (further) transactions: they stay requests. `next_due_us` is the earliest moment in `state`.
    """
    limits = rules.genesis.limits
    block = _Block(rules, state, max(previous_time_us, batch.time_us))
    is_due = next_due_us is not None and next_due_us <= block.time_us
    due_left = is_due and block.run_due_work(limits.due_per_block)
    taken: list[Transaction] = []
    if not due_left:
        for bundle in batch.bundles:
            bank = rules.membership.validators[bundle.bank]
            for transaction in bundle.transactions:
                if block.gas_used >= limits.gas_per_block:
                    break
                block.run_transaction(transaction, bank)
                taken.append(transaction)
    changes = block.changes()
    after = update(state, changes)
    if any(key.startswith(DUE_PREFIX) for key in changes):
        next_due_us = next_due_moment(StateView(after))
    receipt_bytes = tuple(receipt.encoded() for receipt in block.receipts)
    return Execution(
        state=after,
        time_us=block.time_us,
        transactions=tuple(taken),
        receipts=tuple(block.receipts),
        receipt_bytes=receipt_bytes,
        texts=tuple(block.texts),
        transaction_root=merkle_root([transaction.id for transaction in taken]),
        receipt_root=merkle_root(receipt_bytes),
        state_root=root_digest(after),
        next_due_us=next_due_us,
        gas_used=block.gas_used,
    )


class _Block:
    """One block being executed: the engine's overlay, the sessions touched, the receipts so far."""

    def __init__(self, rules: Rules, state: Root, time_us: int) -> None:
        self.rules = rules
        self.state = state
        self.time_us = time_us
        self.machine = _machine(rules, state, time_us)
        self.sessions: dict[bytes, Session] = {}
        self.members: dict[str, Organisation | None] = {}
        self.receipts: list[Receipt] = []
        self.texts: list[str] = []
        self.gas_used = 0

    def run_due_work(self, count_max: int) -> bool:
        """Run due entries in order of (moment, contract, declaration, key); tell whether any is left."""
        for _ in range(count_max):
            entry = self.machine.next_due()
            if entry is None:
                return False
            outcome = self.machine.run_due(entry)
            subject = (DUE, entry.moment_us, entry.contract, entry.declaration, entry.key)
            self._record(subject, outcome)
        return self.machine.next_due() is not None

    def run_transaction(self, transaction: Transaction, bank: str) -> None:
        """Test key, bundle, number and time in this order, then run the action.

        The first two refusals leave the sender's number unused: such a transaction is not the sender's. All
        others use it, so that the client knows that this number is done.
        """
        subject = (TRANSACTION, transaction.id)
        for party in transaction.signers:
            member = self._member(party.organisation)
            if member is None or member.key_number != party.key_number:
                self._refuse(subject, KEY_IS_NOT_CURRENT, f"not the present key of {party.organisation}")
                return
        if self.rules.membership.carrier(transaction.sender.organisation) != bank:
            self._refuse(
                subject, NOT_IN_ITS_BANKS_BUNDLE, f"{bank} does not carry this sender's transactions"
            )
            return
        key = session_key(transaction.sender.organisation, transaction.session)
        session = self._session(key)
        if session.is_executed(transaction.number):
            self._append(Receipt(subject=subject, status=REPEATED), "")
            return
        if not session.in_window(transaction.number):
            self._refuse(subject, OUTSIDE_THE_WINDOW, "the number is outside the session's window")
            return
        if transaction.not_after_us is not None and self.time_us > transaction.not_after_us:
            self._refuse(subject, TOO_LATE, "the transaction's last moment has passed")
        else:
            self._record(subject, self.machine.run_action(_call(transaction)))
        # Written after the action, and after the undo of a refused one: the number is used either way.
        self.sessions[key] = session.with_executed(transaction.number, transaction.floor)

    def changes(self) -> dict[bytes, bytes | None]:
        """Return everything that the block changes in the state."""
        changes = self.machine.writes()
        for key, session in self.sessions.items():
            changes[key] = session.encoded()
        return changes

    def _record(self, subject: tuple[Any, ...], outcome: Outcome) -> None:
        self.gas_used += outcome.gas_used
        applied = outcome.status == APPLIED
        receipt = Receipt(
            subject=subject,
            status=outcome.status,
            code=outcome.code,
            contract=outcome.contract,
            function=outcome.function,
            statement=outcome.statement,
            gas_used=outcome.gas_used,
            events=outcome.events,
            result=outcome.result,
            writes=outcome.writes,
        )
        self._append(receipt, "" if applied else outcome.text)

    def _refuse(self, subject: tuple[Any, ...], code: str, text: str) -> None:
        self._append(Receipt(subject=subject, status=REFUSED, code=code), text)

    def _append(self, receipt: Receipt, text: str) -> None:
        self.receipts.append(receipt)
        self.texts.append(text)

    def _member(self, organisation: str) -> Organisation | None:
        if organisation not in self.members:
            self.members[organisation] = read_member(self.state, organisation)
        return self.members[organisation]

    def _session(self, key: bytes) -> Session:
        session = self.sessions.get(key)
        if session is None:
            stored = get(self.state, key)
            session = FRESH if stored is None else decode_session(stored)
        return session


@dataclass(frozen=True, slots=True)
class StateView:
    """A world state as the contract engine reads it."""

    root: Root = field(repr=False)

    def get(self, key: bytes) -> bytes | None:
        return get(self.root, key)

    def items(self, prefix: bytes, start: bytes | None = None) -> Any:
        return items(self.root, prefix, start)


def read_member(state: Root, organisation: str) -> Organisation | None:
    """Return the member as the state has it, or None for a stranger."""
    stored = get(state, MEMBER_PREFIX + organisation.encode() + b"\0")
    return None if stored is None else organisation_of(decode(stored))


def _machine(rules: Rules, state: Root, time_us: int) -> BlockExecution:
    return BlockExecution(
        StateView(state),
        rules.contracts,
        rules.calendar,
        time_us,
        rules.membership,
        rules.genesis.limits.gas_per_transaction,
    )


def _call(transaction: Transaction) -> Call:
    return Call(
        contract=transaction.contract,
        action=transaction.action,
        args=transaction.arguments,
        sender=transaction.sender.organisation,
        agreed_by=tuple(party.organisation for party in transaction.agreed_by),
    )
