"""What a bank writes to its disk, and how it comes back from it (pbft.md A.7, A.8).

The log holds, in the order in which they arose, what the replica must not forget (accepted pre-prepares, own
votes, prepared certificates, checkpoint certificates) and every executed slot with its commit certificate.
`recover` reads it back and executes every block again: the same header must come out, else the disk lied.
What is missing since then comes from the peers; `Rejoining` says when the bank has caught up.

A disk that was rolled back, or emptied, shows nothing of it: its bank would sign again what it had signed
before (amnesia). It finds out when a peer shows it a signature of its own, above its stable checkpoint, that
it does not remember. Such a bank counts among the f faulty ones until then, and from then on abstains from
every slot that it could have voted for: up to the highest sequence number that q others have executed, plus
the window. It goes on executing what the others decide, and votes again above that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from consortium.certificate import Certificate
from consortium.consensus.messages import CHECKPOINT, COMMIT, PrePrepare, Signed, SlotKey, Status
from consortium.consensus.output import Prepared, Record, decode_record, encode_record
from consortium.consensus.quorum import ConsensusConfig
from consortium.encoding import EncodingError, decode, encode
from consortium.errors import PeerError
from consortium.ledger.block import Block, decode_header
from consortium.ledger.transaction import Batch
from consortium.ledger.transition import Rules
from consortium.node.record_log import RecoveryError, read_log
from consortium.node.shared import SharedWork

EVERYTHING = 1 << 62
"""How far a bank abstains that does not know yet how far it must."""


# --- what is written -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BlockRecord:
    """What a bank flushes for each block before it replies: header, batch, certificate and receipts."""

    block: Block
    attachment: bytes
    certificate: Certificate

    def encoded(self) -> bytes:
        return encode(
            (
                "block",
                self.block.header_bytes,
                self.attachment,
                self.certificate.as_value(),
                self.block.receipt_bytes,
            )
        )


@dataclass(frozen=True, slots=True)
class NullRecord:
    """An executed slot that made no block."""

    sequence: int
    certificate: Certificate

    def encoded(self) -> bytes:
        return encode(("null", self.sequence, self.certificate.as_value()))


class Encodable(Protocol):
    """A record whose bytes are made when a disk wants them: a simulation seldom does."""

    def encoded(self) -> bytes: ...


NodeRecord: TypeAlias = bytes | Record | Encodable


def record_bytes(record: NodeRecord) -> bytes:
    """Return what stands on the disk for a record."""
    if isinstance(record, bytes):
        return record
    if isinstance(record, Signed | Prepared | Certificate):
        return encode_record(record)
    return record.encoded()


# --- reading it back ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExecutedSlot:
    """A slot that was executed before the restart; a null slot has no batch, and `block` is the last one."""

    sequence: int
    digest: bytes
    certificate: Certificate
    attachment: bytes | None
    batch: Batch | None
    block: Block


@dataclass(slots=True)
class Recovered:
    """What a log held: the executed slots in their order, and the replica's records in theirs."""

    executed: list[ExecutedSlot] = field(default_factory=list)
    consensus: list[Record] = field(default_factory=list)

    @property
    def stable(self) -> Certificate | None:
        """The certificate of the highest stable checkpoint."""
        certificates = [record for record in self.consensus if isinstance(record, Certificate)]
        return max(certificates, key=lambda certificate: int(certificate.fields[0]), default=None)

    def proposals(self, above: int) -> Iterator[tuple[int, bytes]]:
        """Yield the batches of accepted pre-prepares above a sequence number: (sequence, attachment)."""
        for record in self.consensus:
            signed = record.pre_prepare if isinstance(record, Prepared) else record
            if not isinstance(signed, Signed) or not isinstance(signed.content, PrePrepare):
                continue
            if signed.content.sequence > above and signed.attachment is not None:
                yield signed.content.sequence, signed.attachment


def recover(
    frames: Sequence[bytes], *, rules: Rules, genesis: Block, epoch: int, shared: SharedWork
) -> Recovered:
    """Read a log back and execute its blocks again. Raises RecoveryError if it cannot be this bank's own."""
    recovered = Recovered()
    tip = genesis
    for number, data in enumerate(read_log(frames).records, start=1):
        try:
            match decode(data):
                case ("block", bytes(header), bytes(attachment), certificate, tuple(receipts)):
                    slot = _execute_again(
                        (header, attachment, receipts, certificate), rules, tip, epoch, shared
                    )
                    tip = slot.block
                    recovered.executed.append(slot)
                case ("null", int(sequence), value):
                    proof = Certificate.from_value(value)
                    recovered.executed.append(ExecutedSlot(sequence, proof.fields[2], proof, None, None, tip))
                case _:
                    recovered.consensus.append(decode_record(data, rules.chain))
        except (EncodingError, PeerError) as error:
            raise RecoveryError(f"record {number} of the log cannot be read: {error}") from None
    for place, slot in enumerate(recovered.executed, start=1):
        if slot.sequence != place:
            raise RecoveryError(f"the log goes from slot {place - 1} to slot {slot.sequence}")
    return recovered


def _execute_again(
    parts: tuple[bytes, bytes, tuple[object, ...], object],
    rules: Rules,
    tip: Block,
    epoch: int,
    shared: SharedWork,
) -> ExecutedSlot:
    header_bytes, attachment, receipts, value = parts
    header = decode_header(header_bytes)
    batch = shared.batch(attachment, rules.chain, epoch)
    if batch is None or batch.digest != header.batch_digest:
        raise RecoveryError(f"the batch on the disk is not that of block {header.height}")
    block = shared.block(rules, tip, batch, epoch, header.sequence)
    if block.header_bytes != header_bytes or block.receipt_bytes != receipts:
        raise RecoveryError(
            f"block {header.height} on the disk has header {header.encoded().hex()[-16:]}, "
            f"executing it again gives {block.header_bytes.hex()[-16:]}"
        )
    return ExecutedSlot(
        header.sequence, batch.digest, Certificate.from_value(value), attachment, batch, block
    )


# --- coming back among the others -----------------------------------------------------------------------


class Rejoining:
    """Where the others are, as far as a restarted bank has heard; and how far it abstains if it forgot."""

    def __init__(self, config: ConsensusConfig) -> None:
        self._config = config
        self._reports: dict[int, int] = {}
        self._claims: dict[SlotKey, int] = {}
        self._forgot_at = 0
        self.is_over = True
        self.abstains_up_to = 0
        """No vote for a slot up to here (0: no restriction)."""

    def begin(self) -> None:
        """The bank has come back with a past: it is recovering until it is where the others are."""
        self.is_over = False
        self._reports.clear()

    def forgot(self, sequence: int) -> None:
        """The bank has seen a signature of its own that it does not remember, for this sequence number."""
        self._forgot_at = max(self._forgot_at, sequence)
        if not self.abstains_up_to:
            self.abstains_up_to = EVERYTHING
            self.begin()

    def heard(self, status: Status) -> None:
        """Note how far a peer is; once enough have said it, the bound of abstention is known."""
        if self.is_over or status.sender == self._config.index:
            return
        self._reports[status.sender] = status.executed
        if self.abstains_up_to == EVERYTHING and len(self._reports) >= self._needed(self._config.quorum):
            highest = max(self._forgot_at, *self._reports.values())
            self.abstains_up_to = highest + self._config.window

    def claimed(self, slot: SlotKey, peer: int) -> bool:
        """A peer says that it holds our vote for a slot; true once f+1 say so, one of them correct."""
        mask = self._claims[slot] = self._claims.get(slot, 0) | 1 << peer
        return mask.bit_count() >= self._config.weak_quorum

    def progress(self, executed: int, stable: int) -> None:
        """See whether this bank is where the others are, by what f+1 of q-1 peers have said."""
        if self.is_over or len(self._reports) < self._needed(self._config.quorum - 1):
            return
        reports = sorted(self._reports.values(), reverse=True)
        target = reports[min(self._config.f, len(reports) - 1)]
        if executed >= max(target, stable) and stable >= self.abstains_up_to:
            self.is_over = True
            self.abstains_up_to = 0
            self._claims.clear()

    def waits_for(self, executed: int) -> str:
        """Say in words what the bank is doing; empty once it has caught up."""
        if self.is_over:
            return ""
        if self.abstains_up_to == EVERYTHING:
            return "its disk forgot what it had signed: it abstains, and asks how far the others are"
        if self.abstains_up_to:
            return f"its disk forgot what it had signed: it abstains up to sequence {self.abstains_up_to}"
        highest = max(self._reports.values(), default=executed)
        return f"recovering: executed {executed}, the others {highest}"

    def _needed(self, count: int) -> int:
        return min(count, self._config.n - 1)


def own_signature_in(certificate: Certificate, index: int) -> SlotKey | None:
    """Return the slot for which a certificate shows that replica `index` signed, if it does."""
    if not certificate.signers >> index & 1:
        return None
    match certificate.kind, certificate.fields:
        case (kind, (int(view), int(sequence), bytes())) if kind == COMMIT:
            return (certificate.epoch, view, sequence, COMMIT)
        case (kind, (int(sequence), int(), bytes(), bytes())) if kind == CHECKPOINT:
            return (certificate.epoch, 0, sequence, CHECKPOINT)
    return None
