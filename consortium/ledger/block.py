"""Blocks: hash-chained at execution, so that a view change cannot break the chain.

The header has no view and its hash excludes certificates: the same execution gives the same block, whoever
ordered it and however often it was proposed. A null slot makes no block; height counts blocks.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from consortium.crypto import PROTOCOL_VERSION, hash_bytes
from consortium.encoding import EncodingError, decode, encode
from consortium.ledger.receipt import Receipt
from consortium.ledger.transaction import Batch, Transaction

NO_HASH = bytes(32)


class Header(NamedTuple):
    """What a block commits to. `time_us` is its business time: max(previous block's, the batch's)."""

    chain: bytes
    epoch: int
    sequence: int
    height: int
    previous: bytes
    time_us: int
    batch_digest: bytes
    transaction_root: bytes
    receipt_root: bytes
    state_root: bytes

    def encoded(self) -> bytes:
        return encode(
            (
                PROTOCOL_VERSION,
                self.chain,
                "HEADER",
                self.epoch,
                self.sequence,
                self.height,
                self.previous,
                self.time_us,
                self.batch_digest,
                self.transaction_root,
                self.receipt_root,
                self.state_root,
            )
        )


def decode_header(data: bytes) -> Header:
    """Read a header back. Raises EncodingError for any other bytes."""
    match decode(data):
        case (
            1,
            bytes(chain),
            "HEADER",
            int(epoch),
            int(sequence),
            int(height),
            bytes(previous),
            int(time_us),
            bytes(batch_digest),
            bytes(transaction_root),
            bytes(receipt_root),
            bytes(state_root),
        ):
            return Header(
                chain=chain,
                epoch=epoch,
                sequence=sequence,
                height=height,
                previous=previous,
                time_us=time_us,
                batch_digest=batch_digest,
                transaction_root=transaction_root,
                receipt_root=receipt_root,
                state_root=state_root,
            )
        case _:
            raise EncodingError("not a block header")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """An executed batch: the header, what it took from the batch, and what became of it.

    `receipts` holds those of the due work first, then one for each of `transactions`. A transaction of the
    batch that the block did not take (due work left over, or the block's gas used up) is in neither and
    stays with the banks as a request. `state` is the world state after it, a trie root.
    """

    header: Header
    header_bytes: bytes
    hash: bytes
    batch: Batch | None
    transactions: tuple[Transaction, ...]
    receipts: tuple[Receipt, ...]
    receipt_bytes: tuple[bytes, ...]
    state: Any
    texts: tuple[str, ...]
    """For each receipt the words of its refusal (empty if applied): for people, outside every digest."""
    outcomes: tuple[tuple[str, int, int, bytes, str], ...]
    """For each transaction: (sender, session, number, transaction id, status)."""
    next_due_us: int | None
    """The moment of the earliest due work left in `state`."""
    gas_used: int = 0

    @property
    def due_count(self) -> int:
        return len(self.receipts) - len(self.transactions)

    def receipt_of(self, position: int) -> Receipt:
        """Return the receipt of the transaction at `position` in `transactions`."""
        return self.receipts[self.due_count + position]


def block_hash(header: Header) -> bytes:
    """Return the block id: it excludes certificates."""
    return hash_bytes(header.encoded())
