"""The auditor's own reading of the encoded bodies, by exact types; it shares none with the ledger.

Each function returns plain facts or raises Malformed. The canonical decoder is strict, so equal facts are
equal bytes.
"""

from dataclasses import dataclass
from typing import Any

from consortium.calendar import Calendar
from consortium.crypto import CHAIN_BYTES, DIGEST_BYTES, PROTOCOL_VERSION, SIGNATURE_BYTES, digest, hash_bytes
from consortium.encoding import EncodingError, decode
from consortium.errors import InputError
from consortium.membership import Membership, Organisation, OrganisationKind

NONE = type(None)
SESSIONS = 16


class Malformed(Exception):  # noqa: N818  a finding, not an error of the program
    """A stored body does not have the form it must have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisFacts:
    """The genesis, and what its digest says."""

    digest: bytes
    chain: bytes
    start_us: int
    membership: Membership
    calendar: Calendar
    calendar_value: tuple[Any, ...]
    contracts: tuple[tuple[str, int, bytes, tuple[Any, ...]], ...]
    openings: tuple[tuple[str, str, tuple[Any, ...]], ...]
    gas_per_transaction: int
    gas_per_block: int
    due_per_block: int
    limits_value: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFacts:
    hash: bytes
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionFacts:
    id: bytes
    body: bytes
    chain: bytes
    signers: tuple[tuple[str, int], ...]
    session: int
    number: int
    contract: str
    action: str
    arguments: tuple[Any, ...]
    not_after_us: int | None
    floor: int | None
    signatures: tuple[bytes, ...]

    @property
    def sender(self) -> str:
        return self.signers[0][0]


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFacts:
    digest: bytes
    chain: bytes
    epoch: int
    bank: int
    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptFacts:
    subject: tuple[Any, ...]
    status: str
    code: str | None
    contract: str
    function: str
    statement: int
    gas_used: int
    writes: tuple[tuple[bytes, bytes | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    epoch: int
    kind: str
    fields: tuple[Any, ...]
    bitmap: bytes
    signers: tuple[int, ...]
    signatures: tuple[bytes, ...]


def read_genesis(body: Any) -> GenesisFacts:
    value = _decoded(body, "genesis")
    _shape(value, "genesis", str, int, tuple, tuple, int, tuple, tuple, tuple, tuple, tuple)
    _name, start_us, organisations, validators, f, _consensus, calendar, contracts, openings, limits = value
    for organisation in organisations:
        _shape(organisation, "organisation", str, str, str, bytes, int, (str, NONE))
    _shape(calendar, "calendar", int, str, tuple, tuple, tuple, int)
    for contract in contracts:
        _shape(contract, "contract", str, int, bytes, tuple)
    for opening in openings:
        _shape(opening, "opening", str, str, tuple)
    _shape(limits, "limits", int, int, int, int)
    try:
        membership = Membership(
            epoch=0,
            organisations=tuple(
                Organisation(
                    id=identity,
                    name=name,
                    kind=OrganisationKind(kind),
                    public_key=public_key,
                    key_number=key_number,
                    access_bank=access_bank,
                )
                for identity, name, kind, public_key, key_number, access_bank in organisations
            ),
            validators=validators,
            f=f,
        )
    except (ValueError, TypeError, InputError) as error:
        raise Malformed(f"the members of the genesis: {error}") from None
    version, market, years, holidays, make_up_days, cut_off_minute = calendar
    whole = digest("genesis", value)
    return GenesisFacts(
        digest=whole,
        chain=whole[:CHAIN_BYTES],
        start_us=start_us,
        membership=membership,
        calendar=Calendar(
            version=version,
            market=market,
            years=years,
            holidays=holidays,
            make_up_days=make_up_days,
            cut_off_minute=cut_off_minute,
        ),
        calendar_value=calendar,
        contracts=contracts,
        openings=openings,
        gas_per_transaction=limits[0],
        gas_per_block=limits[1],
        due_per_block=limits[2],
        limits_value=limits,
    )


def read_header(body: Any) -> HeaderFacts:
    value = _decoded(body, "header")
    _shape(value, "header", int, bytes, str, int, int, int, bytes, int, bytes, bytes, bytes, bytes)
    if value[0] != PROTOCOL_VERSION or value[2] != "HEADER":
        raise Malformed("the body is not a header of this protocol version")
    return HeaderFacts(
        hash=hash_bytes(body),
        chain=value[1],
        epoch=value[3],
        sequence=value[4],
        height=value[5],
        previous=value[6],
        time_us=value[7],
        batch_digest=value[8],
        transaction_root=value[9],
        receipt_root=value[10],
        state_root=value[11],
    )


def read_transaction(body: Any, signatures: Any) -> TransactionFacts:
    value = _decoded(body, "transaction")
    _shape(
        value,
        "transaction",
        int, bytes, str, str, int, int, int, str, str, tuple, tuple, (int, NONE), (int, NONE),
    )  # fmt: skip
    if value[0] != PROTOCOL_VERSION or value[2] != "TX":
        raise Malformed("the body is not a transaction of this protocol version")
    for party in value[10]:
        _shape(party, "co-signer", str, int)
    if not 0 <= value[5] < SESSIONS or value[6] < 1 or not 0 <= (value[12] or 0) < value[6]:
        raise Malformed("the transaction has a session, number or floor that cannot be")
    signers = ((value[3], value[4]), *value[10])
    made = _decoded(signatures, "signatures")
    _shape(made, "signatures", *([bytes] * len(signers)))
    return TransactionFacts(
        id=hash_bytes(body),
        body=body,
        chain=value[1],
        signers=signers,
        session=value[5],
        number=value[6],
        contract=value[7],
        action=value[8],
        arguments=value[9],
        not_after_us=value[11],
        floor=value[12],
        signatures=made,
    )


def read_bundle(body: Any) -> BundleFacts:
    value = _decoded(body, "bundle")
    _shape(value, "bundle", int, bytes, int, str, int, tuple)
    version, chain, epoch, kind, bank, ids = value
    if version != PROTOCOL_VERSION or kind != "REQUEST":
        raise Malformed("the body is not a bundle of this protocol version")
    _shape(ids, "bundle", *([bytes] * len(ids)))
    return BundleFacts(digest=hash_bytes(body), chain=chain, epoch=epoch, bank=bank, ids=ids)


def read_receipt(body: Any) -> ReceiptFacts:
    value = _decoded(body, "receipt")
    if type(value) is not tuple or len(value) != 10:
        raise Malformed("the body is not a receipt")
    subject, status, code, contract, function, statement, gas_used, events, _result, writes = value
    parts = (subject, status, code, contract, function, statement, gas_used, events, writes)
    _shape(parts, "receipt", tuple, str, (str, NONE), str, str, int, int, tuple, tuple)
    for write in writes:
        _shape(write, "write", bytes, (bytes, NONE))
    if subject[:1] == ("tx",):
        _shape(subject, "receipt's subject", str, bytes)
    elif subject[:1] == ("due",):
        _shape(subject[1:], "receipt's subject", int, str, int, bytes)
    else:
        raise Malformed("the receipt is of neither a transaction nor due work")
    return ReceiptFacts(
        subject=subject,
        status=status,
        code=code,
        contract=contract,
        function=function,
        statement=statement,
        gas_used=gas_used,
        writes=writes,
    )


def read_certificate(body: Any) -> CertificateFacts:
    value = _decoded(body, "certificate")
    _shape(value, "certificate", int, str, tuple, bytes, tuple)
    epoch, kind, fields, bitmap, signatures = value
    _shape(signatures, "certificate", *([bytes] * len(signatures)))
    if kind == "COMMIT":
        _shape(fields, "commit certificate", int, int, bytes)
    elif kind == "CHECKPOINT":
        _shape(fields, "checkpoint certificate", int, int, bytes, bytes)
    else:
        raise Malformed("the certificate is of neither a commit nor a checkpoint")
    if bitmap[:1] == b"\0":
        raise Malformed("the bitmap of the certificate is not in its shortest form")
    bits = int.from_bytes(bitmap, "big")
    return CertificateFacts(
        epoch=epoch,
        kind=kind,
        fields=fields,
        bitmap=bitmap,
        signers=tuple(index for index in range(bits.bit_length()) if bits >> index & 1),
        signatures=signatures,
    )


def is_digest(value: Any) -> bool:
    return type(value) is bytes and len(value) == DIGEST_BYTES


def is_signature(value: Any) -> bool:
    return type(value) is bytes and len(value) == SIGNATURE_BYTES


def _decoded(body: Any, what: str) -> Any:
    if type(body) is not bytes:
        raise Malformed(f"the {what} is not stored as bytes")
    try:
        return decode(body)
    except EncodingError as error:
        raise Malformed(f"the bytes of the {what} are not canonical: {error}") from None


def _shape(value: Any, what: str, *kinds: Any) -> None:
    """Require a tuple whose parts have exactly these types."""
    if type(value) is not tuple or len(value) != len(kinds):
        raise Malformed(f"the body is not that of a {what}")
    for part, kind in zip(value, kinds, strict=True):
        if type(part) not in (kind if type(kind) is tuple else (kind,)):
            raise Malformed(f"the body is not that of a {what}")
