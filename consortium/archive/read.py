"""Reading an archive: rows for the auditor exactly as they are stored, and the audit itself."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from consortium.archive.database import open_to_read, told_to_the_user
from consortium.crypto import SignatureScheme, scheme_named
from consortium.errors import InputError
from consortium.ledger.audit import COLUMNS, AuditReport, Finding, audit_ledger
from consortium.ledger.audit.tables import GENESIS

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

ROWS_AT_ONCE = 1_000


def audit_archive(
    place: str | Path, scheme: SignatureScheme | None = None, chain_expected: bytes | None = None
) -> AuditReport:
    """Audit the ledger in an SQLite file or behind a database URL.

    `scheme` is needed only for a run whose signatures were keyed MACs: nobody else can verify those. Raises
    InputError where there is no ledger at all, EnvironmentFailedError where the database cannot be reached.
    """
    with told_to_the_user(place), Archive(place) as archive:
        if scheme is None and archive.scheme_name in {"ed25519", "none"}:
            scheme = scheme_named(archive.scheme_name)
        report = audit_ledger(archive, scheme, chain_expected)
        return replace(report, findings=(*archive.damage, *report.findings))


class Archive:
    """An open archive. Rows come as the database holds them, whatever their types; nothing is believed."""

    def __init__(self, place: str | Path) -> None:
        self._place = place
        self._engine = open_to_read(place)
        self._connection: Connection | None = None
        self._tables: tuple[str, ...] = ()
        self.damage: list[Finding] = []
        """What the database itself could not give, found while rows were read."""

    def __enter__(self) -> Self:
        from sqlalchemy import inspect  # noqa: PLC0415  half a second, only when it is needed
        from sqlalchemy.exc import DatabaseError  # noqa: PLC0415

        self._connection = self._engine.connect()
        try:
            self._tables = tuple(inspect(self._connection).get_table_names())
        except (DatabaseError, UnicodeDecodeError) as error:
            self._damaged(0, GENESIS, f"the database does not even say what its tables are: {error}")
            return self
        if GENESIS not in self._tables:
            self.__exit__()
            raise InputError(f"{self._place}: there is no ledger in this database")
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()

    @property
    def scheme_name(self) -> str:
        """The signature scheme that the genesis row names."""
        place = COLUMNS[GENESIS].index("scheme")
        return next((str(row[place]) for row in self.rows(GENESIS)), "")

    def rows(self, table: str) -> Iterator[tuple[Any, ...]]:
        """Walk a covered table in the order of its primary key, which the first columns are."""
        from sqlalchemy.exc import DatabaseError  # noqa: PLC0415

        assert self._connection is not None
        if table not in self._tables:
            if self._tables:
                self._damaged(0, table, "the table is missing")
            return
        height = 0
        try:
            # Plain SQL, because typed columns would turn values of another type into what was expected.
            result = self._connection.execution_options(stream_results=True).exec_driver_sql(
                self._select(table)
            )
            while some := result.fetchmany(ROWS_AT_ONCE):
                for row in some:
                    values = tuple(bytes(v) if isinstance(v, memoryview | bytearray) else v for v in row)
                    if COLUMNS[table][0] == "height" and type(values[0]) is int:
                        height = values[0]
                    yield values
        except (DatabaseError, UnicodeDecodeError) as error:
            self._damaged(height, table, f"the database cannot read on from here: {error}")

    def not_covered(self) -> tuple[str, ...]:
        from consortium.archive.schema import NOT_COVERED  # noqa: PLC0415

        known = [f"{name}: {why}" for name, why in NOT_COVERED.items() if name in self._tables]
        others = [name for name in sorted(self._tables) if name not in NOT_COVERED and name not in COLUMNS]
        return (*known, *(f"{name}: not a table of a ledger" for name in others))

    def _select(self, table: str) -> str:
        from consortium.archive.schema import PRIMARY_KEYS  # noqa: PLC0415

        quote = self._engine.dialect.identifier_preparer.quote
        columns = ", ".join(quote(column) for column in COLUMNS[table])
        order = ", ".join(quote(column) for column in PRIMARY_KEYS[table])
        return f"SELECT {columns} FROM {quote(table)} ORDER BY {order}"  # noqa: S608  names from our own lists

    def _damaged(self, height: int, table: str, problem: str) -> None:
        finding = Finding(height=height, table=table, problem=problem.splitlines()[0])
        if finding not in self.damage:
            self.damage.append(finding)
