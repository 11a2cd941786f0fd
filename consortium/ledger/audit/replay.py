"""Playing the chain again: the write sets of the receipts, and the execution itself.

Two independent things are shown for every block. Replaying the stored write sets with the session rule gives
the header's state root (invariant I6). Executing the batch again with the contract engine gives the stored
receipts, byte for byte.
"""

from collections.abc import Iterable
from typing import Any

from consortium.encoding import EncodingError, decode, encode
from consortium.ledger.audit.bodies import GenesisFacts, TransactionFacts
from consortium.ledger.audit.chain import BlockFacts
from consortium.ledger.audit.report import Findings, shown
from consortium.ledger.audit.tables import BLOCKS, RECEIPTS
from consortium.ledger.audit.tree import StateTree
from consortium.vm.execute import BlockExecution, Call, ContractSet, Outcome

SESSION_WINDOW = 1024


class Replay:
    """The state as the auditor rebuilds it, block after block, and who wrote which key last."""

    def __init__(self, genesis: GenesisFacts, contracts: ContractSet | None, findings: Findings) -> None:
        self._genesis = genesis
        self._contracts = contracts
        self._findings = findings
        self.state = StateTree()
        self.height = -1
        self.written_at: dict[bytes, int] = {}
        self.executed = 0

    def run(self, blocks: Iterable[BlockFacts]) -> None:
        """Play blocks from 0 on. After the first finding the chain yields no more of them."""
        for block in blocks:
            self._play(block)

    def _play(self, block: BlockFacts) -> None:
        """Execute, compare, then take over the write sets and compare the state root."""
        height = block.header.height
        if height == 0:
            writes = self._opening_writes()
        elif self._is_what_execution_gives(block):
            writes = self._replayed(block)
        else:
            return
        self.state.change(writes)
        for key in writes:
            self.written_at[key] = height
        self.height = height
        if self.state.root() != block.header.state_root:
            self._findings.add(height, BLOCKS, "the state root is not that of the replayed write sets")

    # --- block 0 ------------------------------------------------------------------------------------------

    def _opening_writes(self) -> dict[bytes, bytes | None]:
        """What the genesis puts into the state: members, calendar, limits, contracts, opening calls."""
        genesis = self._genesis
        writes: dict[bytes, bytes | None] = {}
        for member in genesis.membership.organisations:
            fields = (
                member.id,
                member.name,
                member.kind.value,
                member.public_key,
                member.key_number,
                member.access_bank,
            )
            writes[_member_key(member.id)] = encode(fields)
        writes[b"\x01calendar\0"] = encode(genesis.calendar_value)
        writes[b"\x01limits\0"] = encode(genesis.limits_value)
        for name, version, source_hash, parameters in genesis.contracts:
            writes[b"\x01contract\0" + name.encode() + b"\0"] = encode(
                (name, version, source_hash, parameters)
            )
        beginning = StateTree()
        beginning.change(writes)
        machine = self._machine(beginning, genesis.start_us)
        for contract, function, arguments in genesis.openings:
            outcome = machine.run_opening(contract, function, arguments)
            if outcome.status != "applied":
                self._findings.add(0, BLOCKS, f"the opening {contract}.{function} is refused: {outcome.code}")
        writes.update(machine.writes())
        return writes

    # --- write sets and sessions --------------------------------------------------------------------------

    def _replayed(self, block: BlockFacts) -> dict[bytes, bytes | None]:
        """The block's changes by its receipts: the write sets in order, then the numbers that were used."""
        writes: dict[bytes, bytes | None] = {}
        for receipt in block.receipts:
            writes.update(receipt.writes)
        sessions: dict[bytes, bytes | None] = {}
        for transaction, position in _batch_of(block):
            if position is None:
                continue
            receipt = block.receipts[position]
            # Refused before the action for one of these, or repeated: the number was not used (again).
            before_action = not receipt.contract and receipt.code in {"E-KEY", "E-BUNDLE", "E-NONCE"}
            if receipt.status == "repeated" or before_action:
                continue
            key = _session_key(transaction)
            stored = sessions.get(key, self.state.get(key))
            sessions[key] = _session_after(stored, transaction)
        writes.update(sessions)
        return writes

    # --- execution ----------------------------------------------------------------------------------------

    def _is_what_execution_gives(self, block: BlockFacts) -> bool:
        """Execute the batch on the rebuilt state; compare the transactions taken and all receipts."""
        receipts, taken = self._execute(block)
        self.executed += 1
        problem = None
        if taken != list(block.taken):
            problem = "executing the batch again takes other transactions"
        elif len(receipts) != len(block.receipt_bytes):
            problem = f"{len(block.receipt_bytes)} receipts are stored, executing gives {len(receipts)}"
        for number, (stored, again) in enumerate(zip(block.receipt_bytes, receipts, strict=False)):
            if stored != again:
                problem = f"receipt {number} is not what executing gives: {_difference(stored, again)}"
                break
        if problem is not None:
            self._findings.add(block.header.height, RECEIPTS, problem)
        return problem is None

    def _execute(self, block: BlockFacts) -> tuple[list[bytes], list[int | None]]:
        """Due work first; while some is left, and once the block's gas is used, no transaction is taken."""
        genesis = self._genesis
        time_us = block.header.time_us
        machine = self._machine(self.state, time_us)
        receipts: list[bytes] = []
        gas_used = 0
        entry = machine.next_due()
        while entry is not None and len(receipts) < genesis.due_per_block:
            due = ("due", entry.moment_us, entry.contract, entry.declaration, entry.key)
            outcome = machine.run_due(entry)
            gas_used += outcome.gas_used
            receipts.append(_receipt(due, outcome))
            entry = machine.next_due()
        taken: list[int | None] = []
        sessions: dict[bytes, bytes | None] = {}
        for bank, transactions in block.bundles:
            for transaction in transactions:
                if entry is not None or gas_used >= genesis.gas_per_block:
                    taken.append(None)
                    continue
                taken.append(len(receipts))
                subject = ("tx", transaction.id)
                refusal = self._refusal(transaction, bank, time_us, sessions)
                if refusal == "repeated":
                    receipts.append(_plain_receipt(subject, "repeated", None))
                    continue
                if refusal is not None:
                    receipts.append(_plain_receipt(subject, "refused", refusal))
                else:
                    outcome = machine.run_action(_call(transaction))
                    gas_used += outcome.gas_used
                    receipts.append(_receipt(subject, outcome))
                if refusal in {None, "E-EXPIRED"}:
                    key = _session_key(transaction)
                    sessions[key] = _session_after(sessions.get(key, self.state.get(key)), transaction)
        return receipts, taken

    def _refusal(
        self, transaction: TransactionFacts, bank: int, time_us: int, sessions: dict[bytes, bytes | None]
    ) -> str | None:
        """Why a transaction does not reach its action: key, bundle, number, time, in this order."""
        members = self._genesis.membership
        for identity, key_number in transaction.signers:
            stored = self.state.get(_member_key(identity))
            if stored is None or decode(stored)[4] != key_number:
                return "E-KEY"
        if members.access_bank(transaction.sender) != members.validators[bank]:
            return "E-BUNDLE"
        key = _session_key(transaction)
        floor, bits = _session(sessions.get(key, self.state.get(key)))
        place = transaction.number - floor - 1
        if 0 <= place < SESSION_WINDOW and bits >> place & 1:
            return "repeated"
        if not 0 <= place < SESSION_WINDOW:
            return "E-NONCE"
        if transaction.not_after_us is not None and time_us > transaction.not_after_us:
            return "E-EXPIRED"
        return None

    def _machine(self, state: StateTree, time_us: int) -> BlockExecution:
        assert self._contracts is not None, "a missing contract is a finding, and then no block is played"
        genesis = self._genesis
        return BlockExecution(
            state, self._contracts, genesis.calendar, time_us, genesis.membership, genesis.gas_per_transaction
        )


def _batch_of(block: BlockFacts) -> list[tuple[TransactionFacts, int | None]]:
    """The transactions of the batch with the positions of their receipts."""
    transactions = [transaction for _, bundle in block.bundles for transaction in bundle]
    return list(zip(transactions, block.taken, strict=True))


def _member_key(identity: str) -> bytes:
    return b"\x01member\0" + identity.encode() + b"\0"


def _session_key(transaction: TransactionFacts) -> bytes:
    return b"\x02" + transaction.sender.encode() + b"\0" + bytes([transaction.session])


def _session(stored: bytes | None) -> tuple[int, int]:
    """Floor and bits of a stored session; a new one has neither."""
    if stored is None:
        return 0, 0
    floor, bits = decode(stored)
    return floor, int.from_bytes(bits, "big")


def _session_after(stored: bytes | None, transaction: TransactionFacts) -> bytes:
    """Set the number's bit; then let the transaction raise the floor, which drops the bits below it."""
    floor, bits = _session(stored)
    if transaction.number > floor:
        bits |= 1 << (transaction.number - floor - 1)
    if transaction.floor is not None and transaction.floor > floor:
        bits >>= transaction.floor - floor
        floor = transaction.floor
    return encode((floor, bits.to_bytes((bits.bit_length() + 7) // 8, "big")))


def _call(transaction: TransactionFacts) -> Call:
    return Call(
        contract=transaction.contract,
        action=transaction.action,
        args=transaction.arguments,
        sender=transaction.sender,
        agreed_by=tuple(identity for identity, _ in transaction.signers[1:]),
    )


def _receipt(subject: tuple[Any, ...], outcome: Outcome) -> bytes:
    return encode(
        (
            subject,
            outcome.status,
            outcome.code,
            outcome.contract,
            outcome.function,
            outcome.statement,
            outcome.gas_used,
            outcome.events,
            outcome.result,
            outcome.writes,
        )
    )


def _plain_receipt(subject: tuple[Any, ...], status: str, code: str | None) -> bytes:
    return encode((subject, status, code, "", "", 0, 0, (), None, ()))


def _difference(stored: bytes, again: bytes) -> str:
    """Name the first part of two receipts that differs."""
    names = (
        "subject",
        "status",
        "code",
        "contract",
        "function",
        "statement",
        "gas",
        "events",
        "result",
        "writes",
    )
    try:
        one, other = decode(stored), decode(again)
    except EncodingError:
        return "not readable"
    for name, left, right in zip(names, one, other, strict=False):
        if left != right:
            return f"{name} {shown(left)}, executed {shown(right)}"
    return "another form"
