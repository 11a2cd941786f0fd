"""Transactions, bundles and batches: what banks order and execute.

A transaction is signed by its sender (and by everybody it names in `agreed_by`); the sender's access bank
countersigns it by the bundle that carries it; a batch is an ordered list of bundles with a business time.
All digests are over bodies without signatures. A transaction's body has no epoch: the keys it names are
judged when it is executed.
"""

from dataclasses import dataclass
from typing import Any

from consortium.crypto import CHAIN_BYTES, PROTOCOL_VERSION, SIGNATURE_BYTES, digest, hash_bytes
from consortium.encoding import EncodingError, decode, encode

SESSIONS = 16
"""Sender sessions of one organisation: 0 to 15."""

TRANSACTION_BYTES_MAX = 64 * 1024
ARGUMENT_DEPTH_MAX = 16


class TransactionError(EncodingError):
    """The bytes are no transaction, bundle or batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A signer as a transaction names it: the organisation and which of its keys it signed with."""

    organisation: str
    key_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One action, with the signatures of everybody it names.

    `contract` is `name@version`. `arguments` are the action's typed arguments by position, encoded as plain
    values. `number` counts inside one of the sender's sessions; `floor` raises that session's floor (None
    leaves it). After business time `not_after_us` it is refused. `signatures` are the sender's, then those of
    `agreed_by` in order, all over the same `body`.
    """

    chain: bytes
    sender: Party
    session: int
    number: int
    contract: str
    action: str
    arguments: tuple[Any, ...]
    agreed_by: tuple[Party, ...]
    not_after_us: int | None
    floor: int | None
    body: bytes
    id: bytes
    signatures: tuple[bytes, ...]

    @property
    def signers(self) -> tuple[Party, ...]:
        return (self.sender, *self.agreed_by)

    def as_value(self) -> tuple[Any, ...]:
        return (self.body, self.signatures)


def transaction_body(
    *,
    chain: bytes,
    sender: Party,
    session: int,
    number: int,
    contract: str,
    action: str,
    arguments: tuple[Any, ...],
    agreed_by: tuple[Party, ...] = (),
    not_after_us: int | None = None,
    floor: int | None = None,
) -> bytes:
    """Return the bytes that all signers sign; their digest is the transaction's id."""
    return encode(
        (
            PROTOCOL_VERSION,
            chain,
            "TX",
            sender.organisation,
            sender.key_number,
            session,
            number,
            contract,
            action,
            arguments,
            tuple((party.organisation, party.key_number) for party in agreed_by),
            not_after_us,
            floor,
        )
    )


def transaction_of(body: bytes, signatures: tuple[bytes, ...]) -> Transaction:
    """Read a signed transaction. Raises TransactionError unless the form is right in every part.

    Whether the signatures verify is not asked here.
    """
    if len(body) > TRANSACTION_BYTES_MAX:
        raise TransactionError(f"a transaction has at most {TRANSACTION_BYTES_MAX} bytes")
    match decode(body, max_depth=ARGUMENT_DEPTH_MAX + 2):
        case (
            int(version),
            bytes(chain),
            "TX",
            str(sender),
            int(key_number),
            int(session),
            int(number),
            str(contract),
            str(action),
            tuple(arguments),
            tuple(agreed_by),
            not_after_us,
            floor,
        ):
            pass
        case _:
            raise TransactionError("not a transaction body")
    if version != PROTOCOL_VERSION or type(version) is bool or len(chain) != CHAIN_BYTES:
        raise TransactionError("a transaction of another protocol version")
    if not (0 <= session < SESSIONS and number >= 1 and key_number >= 1):
        raise TransactionError(f"a session lies in 0..{SESSIONS - 1}; numbers and keys count from 1")
    if any(type(value) is bool for value in (key_number, session, number)):
        raise TransactionError("a truth value stands where a number is needed")
    if not (not_after_us is None or type(not_after_us) is int):
        raise TransactionError("the last moment of a transaction is a business time")
    if not (floor is None or (type(floor) is int and 0 <= floor < number)):
        raise TransactionError("a transaction raises the floor to at most the number before its own")
    parties = tuple(_party(value) for value in agreed_by)
    if type(signatures) is not tuple or len(signatures) != 1 + len(parties):
        raise TransactionError("a transaction has one signature for each signer that it names")
    if any(type(s) is not bytes or len(s) != SIGNATURE_BYTES for s in signatures):
        raise TransactionError(f"a signature has {SIGNATURE_BYTES} bytes")
    return Transaction(
        chain=chain,
        sender=Party(organisation=sender, key_number=key_number),
        session=session,
        number=number,
        contract=contract,
        action=action,
        arguments=arguments,
        agreed_by=parties,
        not_after_us=not_after_us,
        floor=floor,
        body=body,
        id=hash_bytes(body),
        signatures=signatures,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Transactions of one bank and its customers under the bank's one signature over their ids.

    `bank` is the bank's replica number in `epoch`. The bundle's `digest` is that of its body.
    """

    epoch: int
    bank: int
    transactions: tuple[Transaction, ...]
    body: bytes
    digest: bytes
    signature: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.body) + SIGNATURE_BYTES + sum(len(t.body) + 70 for t in self.transactions)

    def as_value(self) -> tuple[Any, ...]:
        return (self.body, self.signature, transactions_value(self.transactions))


REQUEST = "REQUEST"


def bundle_body(chain: bytes, epoch: int, bank: int, ids: tuple[bytes, ...]) -> bytes:
    """Return the bytes that the access bank signs: the domain, then the ids in their order."""
    return encode((PROTOCOL_VERSION, chain, epoch, REQUEST, bank, ids))


def bundle_of(body: bytes, signature: bytes, transactions: tuple[Transaction, ...]) -> Bundle:
    """Put a bundle together. Raises TransactionError unless the body lists exactly these transactions."""
    match decode(body):
        case (int(version), bytes(chain), int(epoch), "REQUEST", int(bank), tuple(ids)):
            pass
        case _:
            raise TransactionError("not a bundle")
    if version != PROTOCOL_VERSION or type(epoch) is bool or type(bank) is bool or bank < 0 or epoch < 0:
        raise TransactionError("not a bundle of this protocol version")
    if not transactions or ids != tuple(transaction.id for transaction in transactions):
        raise TransactionError("the bundle does not list exactly the transactions that it carries")
    if any(transaction.chain != chain for transaction in transactions):
        raise TransactionError("a transaction of another chain")
    if type(signature) is not bytes or len(signature) != SIGNATURE_BYTES:
        raise TransactionError(f"a signature has {SIGNATURE_BYTES} bytes")
    return Bundle(
        epoch=epoch,
        bank=bank,
        transactions=transactions,
        body=body,
        digest=hash_bytes(body),
        signature=signature,
    )


def transactions_value(transactions: tuple[Transaction, ...]) -> tuple[Any, ...]:
    return tuple((transaction.body, transaction.signatures) for transaction in transactions)


def transactions_from(value: Any) -> tuple[Transaction, ...]:
    """Read what `transactions_value` made. Raises TransactionError for anything else."""
    if type(value) is not tuple:
        raise TransactionError("not a list of transactions")
    found = []
    for entry in value:
        match entry:
            case (bytes(body), tuple(signatures)):
                found.append(transaction_of(body, signatures))
            case _:
                raise TransactionError("not a signed transaction")
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one slot orders: bundles and the business time that the primary chose.

    Neither view, type nor sender is in the digest, so that it survives re-proposal in a later view.
    """

    bundles: tuple[Bundle, ...]
    time_us: int
    digest: bytes

    def encoded(self) -> bytes:
        """Return the bytes that travel beside a pre-prepare."""
        return encode((self.time_us, tuple(bundle.as_value() for bundle in self.bundles)))


def batch_of(chain: bytes, epoch: int, bundles: tuple[Bundle, ...], time_us: int) -> Batch:
    return Batch(
        bundles=bundles,
        time_us=time_us,
        digest=batch_digest(chain, epoch, tuple(bundle.digest for bundle in bundles), time_us),
    )


def batch_digest(chain: bytes, epoch: int, bundle_digests: tuple[bytes, ...], time_us: int) -> bytes:
    return digest("batch", PROTOCOL_VERSION, chain, epoch, bundle_digests, time_us)


def null_batch_digest(chain: bytes, epoch: int) -> bytes:
    """Return the digest of the batch that fills a gap in a new view: it consumes its number, no block."""
    return digest("null", chain, epoch)


def decode_batch(data: bytes, chain: bytes, epoch: int) -> Batch:
    """Read a batch from the bytes beside a pre-prepare. Raises TransactionError or EncodingError."""
    match decode(data):
        case (int(time_us), tuple(entries)):
            pass
        case _:
            raise TransactionError("not a batch")
    if type(time_us) is bool:
        raise TransactionError("a batch has a business time")
    bundles = []
    for entry in entries:
        match entry:
            case (bytes(body), bytes(signature), tuple(transactions)):
                bundles.append(bundle_of(body, signature, transactions_from(transactions)))
            case _:
                raise TransactionError("not a bundle")
        if bundles[-1].epoch != epoch:
            raise TransactionError("a bundle of another epoch")
    return batch_of(chain, epoch, tuple(bundles), time_us)


def _party(value: Any) -> Party:
    match value:
        case (str(organisation), int(key_number)) if type(key_number) is int and key_number >= 1:
            return Party(organisation=organisation, key_number=key_number)
        case _:
            raise TransactionError("a co-signer is named by organisation and key number")
