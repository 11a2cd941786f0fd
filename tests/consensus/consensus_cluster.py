"""Replicas in one process, with a list of messages in flight in place of a network: for tests of consensus.

The cluster does what a node does with an `Output`, and no more: it checks that records come before messages,
executes (a hash chain over digests), keeps what was executed for peers that lack it, and queues what is sent.
The test decides what is delivered, when, how often, or not at all.
"""

from dataclasses import dataclass, field

from consortium.certificate import Certificate
from consortium.consensus.messages import Signed, seal
from consortium.consensus.output import NOTHING, Divergence, Evidence, Output, Prepared, Wanted
from consortium.consensus.quorum import ConsensusConfig
from consortium.consensus.replica import Replica
from consortium.crypto import MacScheme, digest, hash_bytes
from consortium.membership import max_faulty

CHAIN = b"paperpbf"
UNRECORDED = ("STATUS", "DECIDED", "STABLE")


@dataclass(slots=True)
class Delivery:
    """One copy of a message on its way."""

    sender: int
    receiver: int
    signed: Signed


@dataclass(slots=True)
class Member:
    """A replica with what its node would hold."""

    replica: Replica
    executed: list[bytes] = field(default_factory=list)
    decided: dict[int, tuple[bytes, bytes | None, Certificate]] = field(default_factory=dict)
    durable: list = field(default_factory=list)
    signed: dict = field(default_factory=dict)
    stable: list[Certificate] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    divergence: list[Divergence] = field(default_factory=list)
    header_hash: bytes = bytes(32)
    lies_about_state: bool = False


def batch(name: str) -> tuple[bytes, bytes]:
    """A batch by name: (digest, attachment)."""
    attachment = name.encode()
    return digest("batch", attachment), attachment


class Cluster:
    def __init__(self, n: int = 4, f: int | None = None, *, scheme=None, **settings) -> None:
        self.n = n
        self.f = max_faulty(n) if f is None else f
        self.scheme = scheme or MacScheme()
        self.signers = [self.scheme.signer(hash_bytes(bytes([index]))) for index in range(n)]
        self.in_flight: list[Delivery] = []
        self.sent: dict[str, int] = {}
        self.members = [self._member(index, settings) for index in range(n)]

    def _member(self, index: int, settings: dict) -> Member:
        config = ConsensusConfig(n=self.n, f=self.f, index=index, chain=CHAIN, **settings)

        def sign(content, attachment):
            member = self.members[index]
            if content.slot is None:
                return self.seal(content, attachment)
            known = member.signed.setdefault(content.slot, self.seal(content, attachment))
            assert known.content == content, "an honest replica signed two things for one slot"
            return known

        return Member(Replica(config, sign, self._decided(index)))

    def _decided(self, index: int):
        def decided(sequence: int):
            return self.members[index].decided.get(sequence)

        return decided

    def seal(self, content, attachment=None) -> Signed:
        return seal(content, CHAIN, self.signers[content.sender], attachment)

    def replica(self, index: int) -> Replica:
        return self.members[index].replica

    # --- driving ------------------------------------------------------------------------------------------

    def propose(self, name: str, *, primary: int = 0) -> Output:
        return self.carry_out(primary, self.replica(primary).propose(*batch(name)))

    def give(self, receiver: int, signed: Signed) -> Output:
        """Deliver a message that did not come from the cluster."""
        return self.carry_out(receiver, self.replica(receiver).step(signed))

    def deliver(self, position: int = 0) -> Output:
        delivery = self.in_flight.pop(position)
        return self.give(delivery.receiver, delivery.signed)

    def deliver_all(self) -> None:
        while self.in_flight:
            self.deliver()

    def drop(self, *, kind: str | None = None, sender: int | None = None, receiver: int | None = None) -> int:
        """Lose what matches; return how many."""
        kept = [d for d in self.in_flight if not matches(d, kind, sender, receiver)]
        lost = len(self.in_flight) - len(kept)
        self.in_flight = kept
        return lost

    def end_period(self) -> None:
        """Every replica broadcasts its STATUS."""
        for index in range(self.n):
            self.send(index, self.replica(index).status_message())

    def settle(self, rounds: int = 12) -> None:
        """Deliver everything, and exchange STATUS until nothing is missing anywhere (or `rounds` times)."""
        self.deliver_all()
        for _ in range(rounds):
            self.end_period()
            self.deliver_all()

    # --- what a node does ---------------------------------------------------------------------------------

    def carry_out(self, index: int, output: Output) -> Output:
        if output is NOTHING:
            return output
        member = self.members[index]
        member.durable.extend(output.records)
        for signed in output.broadcast:
            assert is_durable(signed, member), f"{signed.content.KIND} is sent before it is recorded"
            self.send(index, signed)
        for to, signed in output.unicast:
            if signed.content.sender == index:
                assert is_durable(signed, member), f"{signed.content.KIND} is sent before it is recorded"
            self.queue(index, to, signed)
        for committed in output.committed:
            self.execute(index, committed)
        if output.stable is not None:
            assert output.stable in output.records, "a stable checkpoint is recorded"
            member.stable.append(output.stable)
        member.evidence.extend(output.evidence)
        member.wanted.extend(output.wanted)
        if output.divergence is not None:
            member.divergence.append(output.divergence)
        return output

    def execute(self, index: int, committed) -> None:
        member = self.members[index]
        assert committed.sequence == len(member.executed) + 1, "execution is strictly in sequence"
        member.executed.append(committed.digest)
        member.decided[committed.sequence] = (
            committed.digest,
            committed.carrier.attachment,
            committed.certificate,
        )
        what = b"wrong" if member.lies_about_state else committed.digest
        member.header_hash = digest("header", member.header_hash, what)
        self.carry_out(
            index,
            member.replica.executed(
                committed.sequence,
                committed.sequence,
                member.header_hash,
                digest("state", member.header_hash),
            ),
        )

    def send(self, sender: int, signed: Signed) -> None:
        for receiver in range(self.n):
            if receiver != sender:
                self.queue(sender, receiver, signed)

    def queue(self, sender: int, receiver: int, signed: Signed) -> None:
        self.sent[signed.content.KIND] = self.sent.get(signed.content.KIND, 0) + 1
        self.in_flight.append(Delivery(sender, receiver, signed))

    # --- judging ------------------------------------------------------------------------------------------

    def check_agreement(self) -> None:
        longest = max((member.executed for member in self.members), key=len)
        for member in self.members:
            assert member.executed == longest[: len(member.executed)], "two replicas executed differently"
            assert not member.divergence


def matches(delivery: Delivery, kind: str | None, sender: int | None, receiver: int | None) -> bool:
    return (
        kind in (None, delivery.signed.content.KIND)
        and sender in (None, delivery.sender)
        and receiver in (None, delivery.receiver)
    )


def is_durable(signed: Signed, member: Member) -> bool:
    """A vote of our own, and for a COMMIT the prepared certificate too, is on the disk before it is sent."""
    content = signed.content
    if content.KIND in UNRECORDED:
        return True
    if content.KIND == "COMMIT" and not any(
        isinstance(record, Prepared) and record.pre_prepare.content.slot[:3] == content.slot[:3]
        for record in member.durable
    ):
        return False
    return signed in member.durable
