"""The stored chain, block by block: hashes, links, batches, signatures and the roots of lists.

Nothing is executed here. Blocks that are in order come out as `BlockFacts`, for the replay.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from consortium.crypto import PROTOCOL_VERSION, SignatureScheme, digest
from consortium.encoding import INTEGER_MAX
from consortium.ledger.audit.bodies import (
    BundleFacts,
    GenesisFacts,
    HeaderFacts,
    Malformed,
    ReceiptFacts,
    TransactionFacts,
    is_signature,
    read_bundle,
    read_header,
    read_receipt,
    read_transaction,
)
from consortium.ledger.audit.report import Findings, shown
from consortium.ledger.audit.tables import (
    BLOCKS,
    BUNDLES,
    COLUMNS,
    RECEIPTS,
    TRANSACTIONS,
    Record,
)
from consortium.ledger.audit.tree import list_root

NO_HASH = bytes(32)
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockFacts:
    """A block as stored: for each bundle its bank and transactions, and the receipts with their bytes."""

    header: HeaderFacts
    bundles: tuple[tuple[int, tuple[TransactionFacts, ...]], ...]
    receipts: tuple[ReceiptFacts, ...]
    receipt_bytes: tuple[bytes, ...]
    taken: tuple[int | None, ...]
    """For each transaction of the batch the position of its receipt."""

    @property
    def due_count(self) -> int:
        return len(self.receipts) - sum(position is not None for position in self.taken)


class Chain:
    """Checks the tables of blocks against each other, in order of height."""

    def __init__(
        self, record: Record, genesis: GenesisFacts, scheme: SignatureScheme | None, findings: Findings
    ) -> None:
        self._record = record
        self._genesis = genesis
        self._scheme = scheme
        self._findings = findings
        self._members = genesis.membership
        self.headers: dict[int, HeaderFacts] = {}
        """Every header that could be read, by height."""

    def blocks(self) -> Iterator[BlockFacts]:
        """Check all blocks, and yield them up to the first that is not in order."""
        streams = {
            table: _ByHeight(self._record.rows(table), table, self._findings)
            for table in (BUNDLES, TRANSACTIONS, RECEIPTS)
        }
        in_order = True
        height = 0
        for count, row in enumerate(self._record.rows(BLOCKS), 1):
            self._findings.rows[BLOCKS] = count
            stored = row[0]
            if type(stored) is not int or stored < height:
                self._findings.add(height, BLOCKS, f"a row in this place says it is block {shown(stored)}")
                continue
            if stored > height:
                self._findings.add(height, BLOCKS, f"the block is missing; the next stored one is {stored}")
                height = stored
            rows = {table: stream.at(height) for table, stream in streams.items()}
            block = self._block(height, row, rows)
            in_order = in_order and block is not None and not self._findings.found
            if in_order and block is not None:
                yield block
            height += 1
        for stream in streams.values():
            stream.report_rest(height)

    def _header(self, height: int, row: Row) -> HeaderFacts | None:
        add = self._findings.add
        previous = self.headers.get(height - 1)
        try:
            header = read_header(row[-1])
        except Malformed as problem:
            add(height, BLOCKS, str(problem))
            return None
        columns = ("hash", "epoch", "sequence", "previous", "time_us", "batch_digest", "transaction_root",
                   "receipt_root", "state_root", "height")  # fmt: skip
        self._findings.compare(height, BLOCKS, row, {name: getattr(header, name) for name in columns})
        if header.chain != self._genesis.chain:
            add(
                height,
                BLOCKS,
                f"the header is of chain {header.chain.hex()}, not {self._genesis.chain.hex()}",
            )
        if header.epoch != self._members.epoch:
            add(height, BLOCKS, f"the header is of epoch {header.epoch}, not {self._members.epoch}")
        if height == 0:
            beginning = (header.sequence, header.previous, header.batch_digest, header.time_us)
            if beginning != (0, NO_HASH, NO_HASH, self._genesis.start_us):
                add(height, BLOCKS, "the header of block 0 is not that of a beginning")
        elif previous is not None:
            if header.previous != previous.hash:
                add(height, BLOCKS, "the previous hash is not the hash of the block before")
            if header.sequence <= previous.sequence:
                add(height, BLOCKS, f"sequence {header.sequence} does not follow {previous.sequence}")
        self.headers[height] = header
        return header

    def _block(self, height: int, row: Row, rows: dict[str, list[Row]]) -> BlockFacts | None:
        """Check what belongs to one block; None if some of it cannot be read."""
        header = self._header(height, row)
        bundles = self._bundles(height, rows[BUNDLES])
        transactions = self._transactions(height, rows[TRANSACTIONS])
        receipts = self._receipts(height, rows[RECEIPTS])
        if header is None or bundles is None or transactions is None or receipts is None:
            return None
        add = self._findings.add
        by_bundle: list[list[TransactionFacts]] = [[] for _ in bundles]
        taken: list[int | None] = []
        for stored, facts in zip(rows[TRANSACTIONS], transactions, strict=True):
            place, position = stored[1], stored[2]
            numbers = type(place) is int and type(position) is int
            if not numbers or not 0 <= place < len(bundles) or position != len(by_bundle[place]):
                add(height, TRANSACTIONS, f"transaction {facts.id.hex()} is not at its place in a bundle")
                return None
            by_bundle[place].append(facts)
            taken.append(stored[COLUMNS[TRANSACTIONS].index("receipt")])
        for number, (bundle, carried) in enumerate(zip(bundles, by_bundle, strict=True)):
            if bundle.ids != tuple(facts.id for facts in carried):
                add(height, BUNDLES, f"bundle {number} does not list exactly its stored transactions")
        self._batch(height, row, header, bundles)
        bodies = [stored[-1] for stored in rows[RECEIPTS]]
        if header.receipt_root != list_root(bodies):
            add(height, RECEIPTS, "the receipt root of the header is not that of the stored receipts")
        self._places_of_receipts(height, transactions, taken, receipts)
        ids = [facts.id for facts, position in zip(transactions, taken, strict=True) if position is not None]
        if header.transaction_root != list_root(ids):
            add(
                height,
                TRANSACTIONS,
                "the transaction root of the header is not that of the stored transactions",
            )
        return BlockFacts(
            header=header,
            bundles=tuple(
                (bundle.bank, tuple(carried)) for bundle, carried in zip(bundles, by_bundle, strict=True)
            ),
            receipts=tuple(receipts),
            receipt_bytes=tuple(bodies),
            taken=tuple(taken),
        )

    def _batch(self, height: int, row: Row, header: HeaderFacts, bundles: list[BundleFacts]) -> None:
        """The batch digest covers bundle digests and batch time; the block's time never goes back."""
        time_us = row[COLUMNS[BLOCKS].index("batch_time_us")]
        if height == 0:
            if time_us is not None or bundles:
                self._findings.add(height, BLOCKS, "block 0 has no batch, but one is stored")
            return
        if type(time_us) is not int or abs(time_us) > INTEGER_MAX:
            self._findings.add(height, BLOCKS, f"column 'batch_time_us' says {shown(time_us)}")
            return
        computed = digest(
            "batch",
            PROTOCOL_VERSION,
            self._genesis.chain,
            header.epoch,
            tuple(bundle.digest for bundle in bundles),
            time_us,
        )
        if computed != header.batch_digest:
            self._findings.add(height, BLOCKS, "the batch digest is not that of the stored bundles and time")
        parent = self.headers.get(height - 1)
        if parent is not None and header.time_us != max(parent.time_us, time_us):
            self._findings.add(
                height, BLOCKS, "the business time is not the later of the parent's and the batch's"
            )

    def _places_of_receipts(
        self,
        height: int,
        transactions: list[TransactionFacts],
        taken: list[int | None],
        receipts: list[ReceiptFacts],
    ) -> None:
        """Due work first, then one receipt for each transaction taken, in order and without gaps."""
        count = sum(receipt.subject[0] == "due" for receipt in receipts)
        if any(receipt.subject[0] != "due" for receipt in receipts[:count]):
            self._findings.add(height, RECEIPTS, "a receipt of due work stands after one of a transaction")
        for facts, position in zip(transactions, taken, strict=True):
            if position is None:
                continue
            if position != count or type(position) is not int:
                self._findings.add(
                    height, TRANSACTIONS, f"column 'receipt' says {shown(position)}, should be {count}"
                )
            elif count >= len(receipts) or receipts[count].subject != ("tx", facts.id):
                self._findings.add(
                    height, RECEIPTS, f"receipt {count} is not that of transaction {facts.id.hex()}"
                )
            count += 1
        if count != len(receipts):
            self._findings.add(
                height, RECEIPTS, f"{len(receipts)} receipts are stored, {count} have a subject"
            )

    # --- the rows of one block ------------------------------------------------------------------------------

    def _bundles(self, height: int, rows: list[Row]) -> list[BundleFacts] | None:
        found = []
        for number, row in enumerate(rows):
            try:
                facts = read_bundle(row[5])
            except Malformed as problem:
                self._findings.add(height, BUNDLES, f"bundle {number}: {problem}")
                return None
            self._findings.compare(
                height,
                BUNDLES,
                row,
                {"bundle": number, "digest": facts.digest, "epoch": facts.epoch, "bank": facts.bank},
            )
            if facts.chain != self._genesis.chain or facts.epoch != self._members.epoch:
                self._findings.add(height, BUNDLES, f"bundle {number} is of another chain or epoch")
            if not 0 <= facts.bank < self._members.n:
                self._findings.add(height, BUNDLES, f"bundle {number} is of a bank that is no validator")
                return None
            self._verify(
                height, BUNDLES, f"bundle {number}", self._members.replica_key(facts.bank), row[5], row[6]
            )
            found.append(facts)
        return found

    def _transactions(self, height: int, rows: list[Row]) -> list[TransactionFacts] | None:
        found = []
        for row in rows:
            try:
                facts = read_transaction(row[-2], row[-1])
            except Malformed as problem:
                self._findings.add(height, TRANSACTIONS, f"transaction {shown(row[3])}: {problem}")
                return None
            columns = ("id", "sender", "session", "number", "contract", "action")
            self._findings.compare(
                height, TRANSACTIONS, row, {name: getattr(facts, name) for name in columns}
            )
            if facts.chain != self._genesis.chain:
                self._findings.add(height, TRANSACTIONS, f"transaction {facts.id.hex()} is of another chain")
            for (identity, key_number), signature in zip(facts.signers, facts.signatures, strict=True):
                member = self._members.organisation(identity)
                what = f"transaction {facts.id.hex()}"
                if member is None or member.key_number != key_number:
                    self._findings.add(height, TRANSACTIONS, f"{what} names an unknown key of {identity!a}")
                else:
                    self._verify(
                        height, TRANSACTIONS, f"{what}: {identity}", member.public_key, facts.body, signature
                    )
            found.append(facts)
        return found

    def _receipts(self, height: int, rows: list[Row]) -> list[ReceiptFacts] | None:
        found = []
        for number, row in enumerate(rows):
            try:
                facts = read_receipt(row[-1])
            except Malformed as problem:
                self._findings.add(height, RECEIPTS, f"receipt {number}: {problem}")
                return None
            columns = ("status", "code", "contract", "function", "statement", "gas_used")
            expected = {name: getattr(facts, name) for name in columns}
            expected["position"] = number
            expected["kind"] = facts.subject[0]
            expected["transaction_id"] = facts.subject[1] if facts.subject[0] == "tx" else None
            self._findings.compare(height, RECEIPTS, row, expected)
            found.append(facts)
        return found

    def _verify(self, height: int, table: str, what: str, key: bytes, body: bytes, signature: Any) -> None:
        if self._scheme is None:
            return
        if not is_signature(signature) or not self._scheme.verify(key, body, signature):
            self._findings.add(height, table, f"{what}: the signature does not verify")
        else:
            self._findings.signatures_verified += 1


class _ByHeight:
    """The rows of one table, handed out by height."""

    def __init__(self, rows: Iterable[Row], table: str, findings: Findings) -> None:
        self._rows = iter(rows)
        self._table = table
        self._findings = findings
        self._next: Row | None = None
        findings.rows.setdefault(table, 0)
        self._advance()

    def at(self, height: int) -> list[Row]:
        found = []
        while self._next is not None:
            stored = self._next[0]
            if type(stored) is int and stored > height:
                break
            if type(stored) is not int or stored < height:
                self._findings.add(height, self._table, f"a row says it is of block {shown(stored)}")
            else:
                found.append(self._next)
            self._advance()
        return found

    def report_rest(self, height: int) -> None:
        while self._next is not None:
            self._findings.add(
                height, self._table, f"a row of block {shown(self._next[0])}, which is not stored"
            )
            self._advance()

    def _advance(self) -> None:
        self._next = next(self._rows, None)
        if self._next is not None:
            self._findings.rows[self._table] += 1
