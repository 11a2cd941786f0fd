"""The tables of a finished ledger (SQLAlchemy Core): one schema for SQLite and PostgreSQL.

The covered tables hold exactly the columns that `consortium.ledger.audit.tables` lists; the last two are for
people and are checked by nobody. Whoever imports this module loads SQLAlchemy.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, Text
from sqlalchemy.types import TypeEngine

from consortium.ledger.audit.tables import (
    BLOCKS,
    BUNDLES,
    CERTIFICATES,
    COLUMNS,
    CONTRACTS,
    GENESIS,
    RECEIPTS,
    STATE_CURRENT,
    STATE_NODES,
    TRANSACTIONS,
)

REFUSALS = "refusals"
NOTES = "notes"
NOT_COVERED = {
    REFUSALS: "the words of refusals: they come from Python and are outside every digest",
    NOTES: "remarks on the run (seed, scenario, verdict)",
}

PRIMARY_KEYS = {
    GENESIS: ("chain",),
    CONTRACTS: ("name", "version"),
    BLOCKS: ("height",),
    BUNDLES: ("height", "bundle"),
    TRANSACTIONS: ("height", "bundle", "position"),
    RECEIPTS: ("height", "position"),
    CERTIFICATES: ("sequence", "kind"),
    STATE_NODES: ("digest",),
    STATE_CURRENT: ("key",),
    REFUSALS: ("height", "position"),
    NOTES: ("name",),
}

_TEXT = {"scheme", "name", "sender", "contract", "action", "kind", "status", "code", "function", "text"}
_INTEGER = {
    "format", "height", "sequence", "version", "epoch", "time_us", "batch_time_us", "bundle", "bank",
    "position", "session", "number", "receipt", "statement", "gas_used", "view",
}  # fmt: skip
_NULLABLE = {
    (BLOCKS, "batch_time_us"),
    (TRANSACTIONS, "receipt"),
    (RECEIPTS, "transaction_id"),
    (RECEIPTS, "code"),
    (CERTIFICATES, "view"),
    (CERTIFICATES, "height"),
}


def _type_of(column: str) -> TypeEngine[Any]:
    if column in _TEXT:
        return Text()
    return BigInteger() if column in _INTEGER else LargeBinary()


def _table(name: str, columns: tuple[str, ...]) -> Table:
    """A table without a hidden row number: in SQLite the primary key is then the only order of rows."""
    return Table(
        name,
        metadata,
        *(
            Column(
                column,
                _type_of(column),
                primary_key=column in PRIMARY_KEYS[name],
                nullable=(name, column) in _NULLABLE,
                autoincrement=False,
            )
            for column in columns
        ),
        sqlite_with_rowid=False,
    )


metadata = MetaData()
tables = {name: _table(name, columns) for name, columns in COLUMNS.items()}
tables[REFUSALS] = _table(REFUSALS, ("height", "position", "text"))
tables[NOTES] = _table(NOTES, ("name", "text"))
