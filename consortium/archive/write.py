"""Writing a finished ledger: flatten it into rows, in one database transaction, once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from consortium.archive.database import is_url, open_to_write, told_to_the_user
from consortium.certificate import Certificate
from consortium.encoding import encode
from consortium.errors import EnvironmentFailedError
from consortium.ledger.audit.tables import (
    BLOCKS,
    BUNDLES,
    CERTIFICATES,
    CONTRACTS,
    FORMAT,
    GENESIS,
    RECEIPTS,
    STATE_CURRENT,
    STATE_NODES,
    TRANSACTIONS,
)
from consortium.ledger.block import Block
from consortium.ledger.genesis import Genesis
from consortium.ledger.receipt import TRANSACTION
from consortium.ledger.state import items, nodes

ROWS_AT_ONCE = 5_000
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedLedger:
    """A ledger as one bank holds it at the end of a run.

    `blocks` are by height, block 0 included. `commits` holds the commit certificate of every sequence number
    that was executed, null slots too. `checkpoint` is the last stable one (None if there never was any).
    `sources` are the contracts' source bytes by name and version; `scheme` is the name of the signature
    scheme. `notes` are remarks for people.
    """

    genesis: Genesis
    blocks: Sequence[Block]
    commits: Mapping[int, Certificate]
    checkpoint: Certificate | None
    sources: Mapping[tuple[str, int], bytes]
    scheme: str
    notes: Mapping[str, str] = field(default_factory=dict)


def write_archive(place: str | Path, ledger: FinishedLedger) -> None:
    """Write the ledger to a new SQLite file (replacing an old one at once, when it is complete) or to the
    empty database behind a URL. Raises EnvironmentFailedError.
    """
    with told_to_the_user(place):
        if is_url(place):
            _write(str(place), ledger)
            return
        path = Path(place)
        partial = path.with_name(path.name + ".partial")
        partial.unlink(missing_ok=True)
        _write(partial, ledger)
        partial.replace(path)


def _write(place: str | Path, ledger: FinishedLedger) -> None:
    from sqlalchemy import inspect  # noqa: PLC0415  half a second, only when it is needed

    from consortium.archive.schema import metadata, tables  # noqa: PLC0415

    engine = open_to_write(place)
    try:
        with engine.begin() as connection:
            if set(inspect(connection).get_table_names()) & set(tables):
                raise EnvironmentFailedError("the database already holds a ledger; give an empty one")
            metadata.create_all(connection)
            for name, rows in _rows(ledger):
                waiting = iter(rows)
                while some := list(islice(waiting, ROWS_AT_ONCE)):
                    connection.execute(tables[name].insert(), some)
    finally:
        engine.dispose()


def _rows(ledger: FinishedLedger) -> Iterator[tuple[str, Iterable[Row]]]:
    """All tables with their rows, in the order of the schema."""
    from consortium.archive.schema import NOTES, REFUSALS  # noqa: PLC0415

    yield GENESIS, [_genesis(ledger)]
    yield CONTRACTS, _contracts(ledger)
    yield BLOCKS, map(_block, ledger.blocks)
    yield BUNDLES, (row for block in ledger.blocks for row in _bundles(block))
    yield TRANSACTIONS, (row for block in ledger.blocks for row in _transactions(block))
    yield RECEIPTS, (row for block in ledger.blocks for row in _receipts(block))
    yield CERTIFICATES, _certificates(ledger)
    state = ledger.blocks[-1].state
    yield STATE_NODES, ({"digest": digest, "body": body} for digest, body in nodes(state))
    yield STATE_CURRENT, ({"key": key, "value": value} for key, value in items(state))
    yield REFUSALS, (row for block in ledger.blocks for row in _refusals(block))
    yield NOTES, [{"name": name, "text": text} for name, text in sorted(ledger.notes.items())]


def _genesis(ledger: FinishedLedger) -> Row:
    genesis = ledger.genesis
    return {
        "chain": genesis.chain,
        "format": FORMAT,
        "digest": genesis.digest,
        "scheme": ledger.scheme,
        "height": ledger.blocks[-1].header.height,
        "sequence": max(ledger.commits, default=0),
        "body": genesis.encoded(),
    }


def _contracts(ledger: FinishedLedger) -> Iterator[Row]:
    for deployment in ledger.genesis.contracts:
        yield {
            "name": deployment.name,
            "version": deployment.version,
            "source_hash": deployment.source_hash,
            "source": ledger.sources[deployment.name, deployment.version],
        }


def _block(block: Block) -> Row:
    header = block.header
    return {
        "height": header.height,
        "hash": block.hash,
        "epoch": header.epoch,
        "sequence": header.sequence,
        "previous": header.previous,
        "time_us": header.time_us,
        "batch_time_us": None if block.batch is None else block.batch.time_us,
        "batch_digest": header.batch_digest,
        "transaction_root": header.transaction_root,
        "receipt_root": header.receipt_root,
        "state_root": header.state_root,
        "header": header.encoded(),
    }


def _bundles(block: Block) -> Iterator[Row]:
    for number, bundle in enumerate(block.batch.bundles if block.batch else ()):
        yield {
            "height": block.header.height,
            "bundle": number,
            "digest": bundle.digest,
            "epoch": bundle.epoch,
            "bank": bundle.bank,
            "body": bundle.body,
            "signature": bundle.signature,
        }


def _transactions(block: Block) -> Iterator[Row]:
    """The transactions of the batch. A block takes them in order up to some point and none after it."""
    receipt = block.due_count
    for number, bundle in enumerate(block.batch.bundles if block.batch else ()):
        for position, transaction in enumerate(bundle.transactions):
            yield {
                "height": block.header.height,
                "bundle": number,
                "position": position,
                "id": transaction.id,
                "sender": transaction.sender.organisation,
                "session": transaction.session,
                "number": transaction.number,
                "contract": transaction.contract,
                "action": transaction.action,
                "receipt": receipt if receipt < len(block.receipts) else None,
                "body": transaction.body,
                "signatures": encode(transaction.signatures),
            }
            receipt += 1


def _receipts(block: Block) -> Iterator[Row]:
    for position, (receipt, body) in enumerate(zip(block.receipts, block.receipt_bytes, strict=True)):
        kind = receipt.subject[0]
        yield {
            "height": block.header.height,
            "position": position,
            "kind": kind,
            "transaction_id": receipt.subject[1] if kind == TRANSACTION else None,
            "status": receipt.status,
            "code": receipt.code,
            "contract": receipt.contract,
            "function": receipt.function,
            "statement": receipt.statement,
            "gas_used": receipt.gas_used,
            "body": body,
        }


def _certificates(ledger: FinishedLedger) -> Iterator[Row]:
    height_of = {block.header.sequence: block.header.height for block in ledger.blocks[1:]}
    for sequence in sorted(ledger.commits):
        certificate = ledger.commits[sequence]
        view, _, batch_digest = certificate.fields
        yield _certificate(certificate, sequence, view, height_of.get(sequence), batch_digest)
    if ledger.checkpoint is not None:
        sequence, height, header_hash, _ = ledger.checkpoint.fields
        yield _certificate(ledger.checkpoint, sequence, None, height, header_hash)


def _certificate(
    certificate: Certificate, sequence: int, view: int | None, height: int | None, digest: bytes
) -> Row:
    value = certificate.as_value()
    return {
        "sequence": sequence,
        "kind": certificate.kind,
        "epoch": certificate.epoch,
        "view": view,
        "height": height,
        "digest": digest,
        "signers": value[3],
        "body": encode(value),
    }


def _refusals(block: Block) -> Iterator[Row]:
    for position, text in enumerate(block.texts):
        if text:
            yield {"height": block.header.height, "position": position, "text": text}
