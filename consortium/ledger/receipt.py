"""Receipts: what became of each transaction and each piece of due work in a block.

A receipt is canonical data under the receipt root. It has no height, sequence, view, network time or
signature in it, so the same ordered business steps give the same receipts whatever the batching. Texts that
come from Python are not part of it.
"""

from typing import Any, NamedTuple

from consortium.encoding import EncodingError, decode, encode

APPLIED = "applied"
REFUSED = "refused"
REPEATED = "repeated"

TRANSACTION = "tx"
DUE = "due"


class Receipt(NamedTuple):
    """The outcome of one transaction or due entry.

    `subject` is ("tx", transaction id) or ("due", moment, contract, declaration, record key). `code` is None
    if applied. `function` and `statement` say where a refusal arose. `writes` is the write set in order of
    first touch: (state key, new value or None); the sender's session, whose change follows from the
    transaction itself, is not in it. Replaying the write sets rebuilds the state root (invariant I6).
    """

    subject: tuple[Any, ...]
    status: str
    code: str | None = None
    contract: str = ""
    function: str = ""
    statement: int = 0
    gas_used: int = 0
    events: tuple[Any, ...] = ()
    result: Any = None
    writes: tuple[tuple[bytes, bytes | None], ...] = ()

    def encoded(self) -> bytes:
        """Return the canonical bytes: the fields in their order."""
        return encode(tuple(self))


def decode_receipt(data: bytes) -> Receipt:
    """Read a receipt back. Raises EncodingError for any other bytes."""
    match decode(data):
        case (
            tuple(subject),
            str(status),
            code,
            str(contract),
            str(function),
            int(statement),
            int(gas_used),
            tuple(events),
            result,
            tuple(writes),
        ):
            return Receipt(
                subject=subject,
                status=status,
                code=code,
                contract=contract,
                function=function,
                statement=statement,
                gas_used=gas_used,
                events=events,
                result=result,
                writes=writes,
            )
        case _:
            raise EncodingError("not a receipt")
