"""What banks send each other besides the consensus messages: requests (bundles) and header signatures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from consortium.consensus.messages import (
    MESSAGE_KINDS,
    Envelope,
    MessageError,
    Reader,
    Signed,
    decode_signed,
    refuse_attachment,
)
from consortium.crypto import DIGEST_BYTES
from consortium.encoding import decode, encode
from consortium.ledger.transaction import REQUEST, Bundle, bundle_of, transactions_from, transactions_value

REPLY = "REPLY"


@dataclass(frozen=True, slots=True)
class Request:
    """A bundle on its way to the primary; its signature is the access bank's countersignature."""

    bundle: Bundle

    KIND: ClassVar[str] = REQUEST
    slot: ClassVar[None] = None

    @property
    def epoch(self) -> int:
        return self.bundle.epoch

    @property
    def sender(self) -> int:
        return self.bundle.bank

    def fields(self) -> tuple[Any, ...]:
        return (tuple(transaction.id for transaction in self.bundle.transactions),)


@dataclass(frozen=True, slots=True)
class HeaderVote:
    """A bank's signature under a block's header: f+1 equal ones prove the block's results (REPLY)."""

    epoch: int
    height: int
    header_hash: bytes
    sender: int

    KIND: ClassVar[str] = REPLY
    slot: ClassVar[None] = None

    def fields(self) -> tuple[Any, ...]:
        return (self.height, self.header_hash)


def request_of(bundle: Bundle) -> Signed:
    """Return the message that carries `bundle`."""
    attachment = encode(transactions_value(bundle.transactions))
    return Signed(bundle.body, bundle.signature, Request(bundle), attachment)


def decode_message(wire: bytes, chain: bytes) -> Signed:
    """Read any message between banks. Raises MessageError (and nothing else) for any other bytes."""
    return decode_signed(wire, chain, NODE_KINDS)


def _read_request(envelope: Envelope) -> Request:
    if envelope.attachment is None:
        raise MessageError("a request carries its transactions")
    transactions = transactions_from(decode(envelope.attachment))
    return Request(bundle_of(envelope.body, envelope.signature, transactions))


def _read_header_vote(envelope: Envelope) -> HeaderVote:
    refuse_attachment(envelope)
    match envelope.fields:
        case (int(height), bytes(header_hash)) if height >= 0 and len(header_hash) == DIGEST_BYTES:
            return HeaderVote(envelope.epoch, height, header_hash, envelope.sender)
        case _:
            raise MessageError("a header vote is (height, header hash)")


NODE_KINDS: Mapping[str, Reader] = {**MESSAGE_KINDS, REQUEST: _read_request, REPLY: _read_header_vote}
