"""Nodes that follow a script instead of a protocol: what the tests of the driver host."""

from dataclasses import dataclass, field

from consortium.consensus.messages import Prepare, Signed, Status, seal
from consortium.crypto import NullScheme
from consortium.node.effects import ALL, NOTHING_DONE, Boot, Effects, Received, Send

CHAIN = b"testtest"
SCHEME = NullScheme()


def vote(sender, sequence, *, digest=b"\1" * 32, scheme=SCHEME) -> Signed:
    signer = scheme.signer(bytes([sender]) * 32)
    return seal(Prepare(0, 0, sequence, digest, sender), CHAIN, signer)


def status(sender, executed=0) -> Signed:
    return seal(Status(0, 0, 0, executed, (), sender), CHAIN, SCHEME.signer(bytes([sender]) * 32))


@dataclass
class Scripted:
    """Does `on_boot` first, then `answers[n]` on the n-th later input; keeps what it got and when."""

    on_boot: Effects = NOTHING_DONE
    answers: dict[int, Effects] = field(default_factory=dict)
    checks: tuple = ()
    log: list = field(default_factory=list)
    booted_with: tuple | None = None

    def handle(self, entry, now_us):
        if isinstance(entry, Boot):
            self.booted_with = entry.records
            return self.on_boot
        self.log.append((now_us, entry))
        return self.answers.get(len(self.log), NOTHING_DONE)

    def wanted(self, _what):
        return self.checks

    def status(self):
        return len(self.log)

    def received(self):
        """(time, sender, sequence) of every message, in the order of their arrival."""
        return [
            (now_us, entry.signed.content.sender, getattr(entry.signed.content, "sequence", None))
            for now_us, entry in self.log
            if isinstance(entry, Received)
        ]


def broadcasts(sender, count, *, after=0, token=0, first=1):
    """Effects that broadcast `count` votes, all waiting for flush `after`."""
    sends = tuple(Send(ALL, vote(sender, first + i), after) for i in range(count))
    return Effects(send=sends, persist=(b"record",) if token else (), token=token)


class Chatter:
    """Answers every `every`-th message with a broadcast until `budget` is used up: load without a protocol."""

    def __init__(self, index, *, budget=50, every=3, flush=False):
        self.index = index
        self.budget = budget
        self.every = every
        self.flush = flush
        self.count = 0
        self.sent = 0
        self.log = []

    def handle(self, entry, now_us):
        if isinstance(entry, Received):
            self.count += 1
            content = entry.signed.content
            self.log.append((now_us, content.sender, content.sequence))
            if self.count % self.every:
                return NOTHING_DONE
        elif not isinstance(entry, Boot):
            return NOTHING_DONE
        if self.sent >= self.budget:
            return NOTHING_DONE
        self.sent += 1
        if not self.flush:
            return Effects(send=(Send(ALL, vote(self.index, self.sent)),))
        return Effects(
            persist=(b"%d" % self.sent,),
            token=self.sent,
            send=(Send(ALL, vote(self.index, self.sent), self.sent),),
        )

    def wanted(self, _what):
        return ()

    def status(self):
        return self.count
