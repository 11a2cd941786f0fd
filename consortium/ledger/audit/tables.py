"""What a stored ledger consists of: the tables that the auditor covers, their columns, and their source.

Every table but the last two repeats in columns what its encoded body says, so that people can query it; the
auditor compares each of these columns with the body. The database side is in `consortium.archive`.
"""

from collections.abc import Iterable
from typing import Any, Protocol

GENESIS = "genesis"
CONTRACTS = "contracts"
BLOCKS = "blocks"
BUNDLES = "bundles"
TRANSACTIONS = "transactions"
RECEIPTS = "receipts"
CERTIFICATES = "certificates"
STATE_NODES = "state_nodes"
STATE_CURRENT = "state_current"

FORMAT = 1

COLUMNS: dict[str, tuple[str, ...]] = {
    # One row: the agreed beginning and where the record ends.
    GENESIS: ("chain", "format", "digest", "scheme", "height", "sequence", "body"),
    # The sources behind the source hashes of the genesis.
    CONTRACTS: ("name", "version", "source_hash", "source"),
    BLOCKS: (
        "height",
        "hash",
        "epoch",
        "sequence",
        "previous",
        "time_us",
        "batch_time_us",  # null in block 0
        "batch_digest",
        "transaction_root",
        "receipt_root",
        "state_root",
        "header",
    ),
    # A block's batch: its bundles and their transactions in their order. `receipt` is the position of the
    # transaction's receipt, null if the block did not take it.
    BUNDLES: ("height", "bundle", "digest", "epoch", "bank", "body", "signature"),
    TRANSACTIONS: (
        "height",
        "bundle",
        "position",
        "id",
        "sender",
        "session",
        "number",
        "contract",
        "action",
        "receipt",
        "body",
        "signatures",
    ),
    RECEIPTS: (
        "height",
        "position",
        "kind",
        "transaction_id",
        "status",
        "code",
        "contract",
        "function",
        "statement",
        "gas_used",
        "body",
    ),
    # A commit certificate for each sequence number, also of null slots (no height), and the last stable
    # checkpoint. `digest` is the batch's, or the header hash.
    CERTIFICATES: ("sequence", "kind", "epoch", "view", "height", "digest", "signers", "body"),
    # The state after the last block: the tree's nodes by their digests, and the same as keys and values.
    STATE_NODES: ("digest", "body"),
    STATE_CURRENT: ("key", "value"),
}

WHAT_IS_CHECKED: dict[str, str] = {
    GENESIS: "digest and chain id over the encoded genesis; where the record ends",
    CONTRACTS: "sources against the source hashes of the genesis",
    BLOCKS: "header hashes and links, sequence, time, batch digest, transaction, receipt and state roots",
    BUNDLES: "digests, listed transactions, the access bank's signature",
    TRANSACTIONS: "ids and every signer's signature",
    RECEIPTS: "receipt roots, write sets replayed to every state root, execution repeated",
    CERTIFICATES: "a quorum of distinct members for every sequence number and for the last checkpoint",
    STATE_NODES: "hashes; exactly the nodes of the last state root",
    STATE_CURRENT: "exactly the keys and values of the last state root",
}


class Record(Protocol):
    """A stored ledger as the auditor reads it."""

    def rows(self, table: str) -> Iterable[tuple[Any, ...]]:
        """All rows of a covered table, by the order of its first columns; columns as in COLUMNS."""
        ...

    def not_covered(self) -> tuple[str, ...]:
        """What the record holds besides, which nobody has checked."""
        ...
