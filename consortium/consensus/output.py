"""What one step of a replica leads to: one frozen value, with its order written down.

The node turns an `Output` into effects. Most deliveries change nothing that anybody else must know of; for
all of them the very same object NOTHING is returned, so `output is NOTHING` is the test.
"""

from typing import Any, NamedTuple, TypeAlias

from consortium.certificate import Certificate, vote_body
from consortium.consensus.frozen import frozen
from consortium.consensus.messages import PREPARE, Prepare, Signed, decode_signed
from consortium.consensus.quorum import members_of
from consortium.encoding import EncodingError, decode, encode


@frozen
class Prepared:
    """A prepared certificate (Castro & Liskov 4.2): the pre-prepare and q-1 matching PREPAREs.

    A VIEW-CHANGE carries the one of the highest view for each sequence number.
    """

    pre_prepare: Signed
    votes: tuple[Signed, ...]
    """The PREPAREs, in the order of their senders."""

    @property
    def certificate(self) -> Certificate:
        """The PREPAREs in their compact form."""
        return certificate_from(self.votes)


@frozen
class Committed:
    """A slot that is to be executed now. Handed over strictly in sequence, each one once."""

    sequence: int
    digest: bytes
    carrier: Signed
    """The pre-prepare, or the DECIDED from a peer: its attachment is the batch (none for a null batch)."""
    proof: tuple[Signed, ...] | Certificate
    """q COMMITs of our own log, or the certificate that came with the DECIDED."""

    @property
    def certificate(self) -> Certificate:
        """The commit certificate: proves (sequence, digest) to anybody, not the results."""
        return self.proof if isinstance(self.proof, Certificate) else certificate_from(self.proof)


@frozen
class Evidence:
    """Two contents that one replica signed for the same slot: proof of its fault."""

    first: Signed
    second: Signed


@frozen
class Divergence:
    """Our own execution gave other results than a quorum certified: this bank must not go on executing."""

    sequence: int
    own: tuple[Any, ...]
    certified: tuple[Any, ...]


class Wanted(NamedTuple):
    """A batch whose pre-prepare is here without it: to be fetched from any replica."""

    sequence: int
    digest: bytes


@frozen
class ViewStep:
    """A step of the view change, for the node's timers and requests.

    `started`: the view is left; nothing is ordered until the next one is entered. `awaited`: a quorum wants
    the view, so its primary has the basic timeout, doubled `doublings` times, to start it. `entered`: it
    runs, and `reproposed` (sequence, digest) is what it begins with.
    """

    kind: str
    view: int
    cause: str
    doublings: int
    reproposed: tuple[tuple[int, bytes], ...] = ()


STARTED = "started"
AWAITED = "awaited"
ENTERED = "entered"

Record: TypeAlias = Signed | Prepared | Certificate
"""What must be on the disk: an accepted pre-prepare or a message of our own (exact bytes, so that after a
restart the identical signature is sent again), a prepared certificate, a stable checkpoint's certificate."""


@frozen
class Output:
    """What to do now. The order is part of the type:

    1. `records` are appended to the log, in this order.
    2. `broadcast` and `unicast` leave when every record handed out so far, these included, is durable (a
       message that is sent again may have been signed a moment ago).
    3. `committed` are executed in this order, each answered by `Replica.executed`.
    4. `stable` lets the node discard what lies at or below it, once its record is durable.
    5. `view_steps` tell the node when to time the primary, and whom to give requests to.
    The rest is for observers, and `wanted` for whoever fetches batches.
    """

    broadcast: tuple[Signed, ...] = ()
    unicast: tuple[tuple[int, Signed], ...] = ()
    records: tuple[Record, ...] = ()
    committed: tuple[Committed, ...] = ()
    stable: Certificate | None = None
    wanted: tuple[Wanted, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    divergence: Divergence | None = None
    view_steps: tuple[ViewStep, ...] = ()


NOTHING = Output()
"""The one value of a step that changed nothing outside the replica."""


def together(*outputs: Output) -> Output:
    """Return one output for several steps, in their order; at most one of them makes a checkpoint stable."""
    some = [output for output in outputs if output is not NOTHING]
    if len(some) < 2:
        return some[0] if some else NOTHING
    return Output(
        broadcast=tuple(signed for output in some for signed in output.broadcast),
        unicast=tuple(each for output in some for each in output.unicast),
        records=tuple(record for output in some for record in output.records),
        committed=tuple(committed for output in some for committed in output.committed),
        stable=next((output.stable for output in some if output.stable is not None), None),
        wanted=tuple(wanted for output in some for wanted in output.wanted),
        evidence=tuple(found for output in some for found in output.evidence),
        divergence=next((output.divergence for output in some if output.divergence is not None), None),
        view_steps=tuple(step for output in some for step in output.view_steps),
    )


def certificate_from(votes: tuple[Signed, ...]) -> Certificate:
    """Put matching votes, in the order of their senders, together into one certificate."""
    content = votes[0].content
    signers = 0
    for vote in votes:
        signers |= 1 << vote.content.sender
    return Certificate(
        epoch=content.epoch,
        kind=content.KIND,
        fields=content.fields(),
        signers=signers,
        signatures=tuple(vote.signature for vote in votes),
    )


_SIGNED = "signed"
_PREPARED = "prepared"
_STABLE = "stable"


def encode_record(record: Record) -> bytes:
    """Return the bytes that are persisted for a record."""
    if isinstance(record, Signed):
        return encode((_SIGNED, record.wire))
    if isinstance(record, Prepared):
        return encode((_PREPARED, record.pre_prepare.header.wire, record.certificate.as_value()))
    return encode((_STABLE, record.as_value()))


def decode_record(data: bytes, chain: bytes) -> Record:
    """Read a record back. Raises EncodingError or MessageError (both PeerError) if it is not one."""
    match decode(data):
        case ("signed", bytes(wire)):
            return decode_signed(wire, chain)
        case ("prepared", bytes(wire), value):
            return Prepared(decode_signed(wire, chain), _prepares_of(Certificate.from_value(value), chain))
        case ("stable", value):
            return Certificate.from_value(value)
        case _:
            raise EncodingError("not a record of the consensus log")


def _prepares_of(certificate: Certificate, chain: bytes) -> tuple[Signed, ...]:
    """Give every signer of a certificate of PREPAREs his own vote back."""
    match certificate.kind, certificate.fields:
        case ("PREPARE", (int(view), int(sequence), bytes(digest))):
            pass
        case _:
            raise EncodingError("not a certificate of PREPAREs")
    senders = members_of(certificate.signers)
    if len(senders) != len(certificate.signatures):
        raise EncodingError("a certificate needs one signature for each signer")
    votes = []
    for sender, signature in zip(senders, certificate.signatures, strict=True):
        content = Prepare(certificate.epoch, view, sequence, digest, sender)
        body = vote_body(chain, content.epoch, PREPARE, sender, content.fields())
        votes.append(Signed(body, signature, content))
    return tuple(votes)
