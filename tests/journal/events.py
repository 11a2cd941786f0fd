"""Fabricated events of a small consortium: what the tests of checkers and metrics are told."""

from dataclasses import dataclass

from consortium.certificate import certificate_of, vote_body
from consortium.consensus.messages import Prepare, seal
from consortium.crypto import Ed25519Scheme, digest, hash_bytes
from consortium.encoding import encode
from consortium.ledger.transaction import Party, transaction_body, transaction_of
from consortium.membership import Membership, Organisation, OrganisationKind
from consortium.node.effects import ALL, Effects, Executed, Send, Stable

CHAIN = b"testtest"
SCHEME = Ed25519Scheme()
N, F = 4, 1
SIGNERS = [SCHEME.signer(bytes([i + 1]) * 32) for i in range(N)]
STRANGER = SCHEME.signer(b"s" * 32)
MEMBERSHIP = Membership(
    epoch=0,
    organisations=tuple(
        Organisation(
            id=f"bank{i}", name=f"Bank {i}", kind=OrganisationKind.BANK, public_key=signer.public_key
        )
        for i, signer in enumerate(SIGNERS)
    ),
    validators=tuple(f"bank{i}" for i in range(N)),
    f=F,
)


@dataclass(frozen=True)
class Block:
    """As much of a block as a checker looks at."""

    transactions: tuple = ()


def votes(kind, fields, signers, *, chain=CHAIN, epoch=0):
    return {i: SIGNERS[i].sign(vote_body(chain, epoch, kind, i, fields)) for i in signers}


def certificate(kind, fields, signers=(0, 1, 2)):
    return certificate_of(0, kind, fields, votes(kind, fields, signers), len(signers))


def transaction(number=1, sender="bank0", signer=SIGNERS[0], agreed_by=(), signatures=None):
    body = transaction_body(
        chain=CHAIN,
        sender=Party(organisation=sender, key_number=1),
        session=0,
        number=number,
        contract="settlement@1",
        action="pay",
        arguments=(number,),
        agreed_by=agreed_by,
    )
    return transaction_of(body, signatures or (signer.sign(body),))


class Chain:
    """Makes the executions of a fault-free ledger, one block after the other."""

    def __init__(self):
        self.events = []
        self._previous = bytes(32)

    def block(self, *transactions, statuses=None, state_root=None):
        sequence = len(self.events) + 1
        batch = digest("batch", sequence)
        root = state_root or digest("root", sequence)
        header = encode(
            (1, CHAIN, "HEADER", 0, sequence, sequence, self._previous, 0, batch, bytes(32), bytes(32), root)
        )
        statuses = statuses or ["applied"] * len(transactions)
        event = Executed(
            epoch=0,
            sequence=sequence,
            batch_digest=batch,
            height=sequence,
            header=header,
            header_hash=hash_bytes(header),
            state_root=root,
            transactions=tuple(
                (one.sender.organisation, one.session, one.number, one.id, status)
                for one, status in zip(transactions, statuses, strict=True)
            ),
            certificate=certificate("COMMIT", (0, sequence, batch)),
            block=Block(transactions),
        )
        self._previous = event.header_hash
        self.events.append(event)
        return event


def with_header(event, **changes):
    """The event with another header, consistent in itself."""
    parts = [1, CHAIN, "HEADER", 0, event.sequence, event.height, bytes(32), 0, event.batch_digest]
    parts += [bytes(32), bytes(32), event.state_root]
    for place, value in changes.items():
        parts[{"previous": 6, "state_root": 11}[place]] = value
    header = encode(tuple(parts))
    event = event._replace(header=header, header_hash=hash_bytes(header))
    return event._replace(state_root=changes["state_root"]) if "state_root" in changes else event


def stable(event, signers=(0, 1, 2), **changes):
    fields = (event.sequence, event.height, event.header_hash, event.state_root)
    if "state_root" in changes:
        fields = (*fields[:3], changes["state_root"])
    return Stable(event.sequence, certificate("CHECKPOINT", fields, signers))


def effects(*events, sends=(), replies=()):
    return Effects(trace=events, send=tuple(Send(ALL, signed) for signed in sends), replies=replies)


def vote(sender, signer=None, *, chain=CHAIN, sequence=1):
    content = Prepare(0, 0, sequence, bytes(32), sender)
    return seal(content, chain, signer or SIGNERS[sender])
