"""Reads and plays the stories in tests/transcripts/consensus: `command`, `----`, what it led to.

A story is a list of blocks with an empty line between them. Lines that start with # are prose. The commands
are the methods of `Story`; a filter is any of a kind of message, `from I`, `to I`, `seq N`.
"""

from consensus_cluster import Cluster, Delivery, batch

from consortium.consensus.messages import Checkpoint, Commit, Prepare, PrePrepare, Signed
from consortium.consensus.output import NOTHING, Output, Prepared
from consortium.consensus.status import explain
from consortium.crypto import digest

RULE = "----"
VOTES = {"PRE-PREPARE": PrePrepare, "PREPARE": Prepare, "COMMIT": Commit}
KINDS = (*VOTES, "CHECKPOINT", "STATUS", "DECIDED", "STABLE", "VIEW-CHANGE", "NEW-VIEW")


def play(text: str) -> str:
    """Return the story as it really goes, in the form of the file."""
    story = Story()
    blocks = []
    for block in text.strip("\n").split("\n\n"):
        prose, command = _parts(block)
        if command is None:
            blocks.append("\n".join(prose))
        else:
            lines = story.do(command)
            blocks.append("\n".join([*prose, command, RULE, *lines]))
    return "\n\n".join(blocks) + "\n"


def _parts(block: str) -> tuple[list[str], str | None]:
    lines = block.split("\n")
    prose = [line for line in lines if line.startswith("#")]
    rest = [line for line in lines if not line.startswith("#")]
    return prose, rest[0] if rest else None


class ToldCluster(Cluster):
    """A cluster that writes down what its replicas do."""

    def __init__(self, lines: list[str], names: dict[bytes, str], **settings) -> None:
        self.lines = lines
        self.names = names
        super().__init__(**settings)

    def carry_out(self, index: int, output: Output) -> Output:
        if output is not NOTHING:
            self.lines.extend(f"{index}: {line}" for line in self._told(output))
        return super().carry_out(index, output)

    def _told(self, output: Output):
        for record in output.records:
            if isinstance(record, Signed):
                yield f"record {self.name(record)}"
            elif isinstance(record, Prepared):
                senders = [vote.content.sender for vote in record.votes]
                yield f"record prepared {self.name(record.pre_prepare)}, PREPAREs of {_list(senders)}"
            else:
                yield f"record stable {record.fields[0]}"
        for signed in output.broadcast:
            yield f"send {self.name(signed)} to all"
        for to, signed in output.unicast:
            yield f"send {self.name(signed)} to {to}"
        for committed in output.committed:
            signers = [i for i in range(self.n) if committed.certificate.signers >> i & 1]
            yield f"commit {committed.sequence} {self.names[committed.digest]}, certified by {_list(signers)}"
        if output.stable is not None:
            yield f"stable {output.stable.fields[0]}"
        for wanted in output.wanted:
            yield f"want the batch of {wanted.sequence} {self.names[wanted.digest]}"
        for found in output.evidence:
            yield f"evidence: {self.name(found.first)} against {self.name(found.second)}"
        if output.divergence is not None:
            yield f"diverged at {output.divergence.sequence}"

    def name(self, signed: Signed) -> str:
        content = signed.content
        match content.KIND:
            case "PRE-PREPARE" | "PREPARE" | "COMMIT" | "DECIDED":
                text = f"{content.KIND} {content.sequence} {self.names[content.digest]}"
            case "CHECKPOINT":
                text = f"CHECKPOINT {content.sequence}"
            case "STABLE":
                text = f"STABLE {content.certificate.fields[0]}"
            case "VIEW-CHANGE":
                prepared = [proof.sequence for proof in content.prepared]
                text = f"VIEW-CHANGE {content.view} stable {content.stable} prepared {_list(prepared)}"
            case "NEW-VIEW":
                proposed = [self.name(each) for each in content.pre_prepares]
                text = f"NEW-VIEW {content.view} with {', '.join(proposed) or 'nothing'}"
            case _:
                text = f"STATUS executed {content.executed} stable {content.stable}{_open(content.open)}"
        return f"{text} of {content.sender}"


class Story:
    """One running story."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[bytes, str] = {}
        self.cluster: ToldCluster | None = None

    def do(self, command: str) -> list[str]:
        self.lines.clear()
        verb, *words = command.split()
        getattr(self, f"do_{verb.replace('-', '_')}")(*words)
        return self.lines or ["nothing"]

    def do_cluster(self, *settings: str) -> None:
        """cluster n=4 window=8 ..."""
        values = dict(setting.split("=") for setting in settings)
        self.cluster = ToldCluster(
            self.lines, self.names, **{name: int(value) for name, value in values.items()}
        )
        config = self.cluster.replica(0).config
        self.names[config.null_digest] = "null"
        self.lines.append(f"{config.n} replicas, f = {config.f}, quorum {config.quorum}")

    def do_propose(self, *names: str) -> None:
        """propose A B: the primary assigns the next sequence numbers."""
        for name in names:
            self.names[batch(name)[0]] = name
            self.cluster.propose(name)

    def do_suspect(self, *who: str) -> None:
        """suspect I ...: these replicas' timers run out."""
        for index in who:
            cluster = self.cluster
            cluster.carry_out(int(index), cluster.replica(int(index)).start_view_change("timer"))

    def do_deliver(self, *words: str) -> None:
        """deliver [FILTER]: what matches now, in order of sending; without a filter everything, to the end."""
        if not words:
            self.cluster.deliver_all()
        for delivery in self._take(words):
            self.cluster.give(delivery.receiver, delivery.signed)

    def do_deliver_late(self, *words: str) -> None:
        """deliver-late [FILTER]: the same, in the opposite order."""
        for delivery in reversed(self._take(words)):
            self.cluster.give(delivery.receiver, delivery.signed)

    def do_deliver_header(self, *words: str) -> None:
        """deliver-header [FILTER]: pre-prepares without their batches."""
        for delivery in self._take(words):
            self.cluster.give(delivery.receiver, delivery.signed.header)

    def do_drop(self, *words: str) -> None:
        self.lines.append(f"{len(self._take(words))} lost")

    def do_duplicate(self, *words: str) -> None:
        copies = [delivery for delivery in self.cluster.in_flight if _matches(delivery, words)]
        self.cluster.in_flight.extend(copies)
        self.lines.append(f"{len(copies)} copied")

    def do_forge(self, kind: str, *settings: str) -> None:
        """forge KIND seq=1 batch=B from=0 to=3 [view=0]: a message that its sender signed, and no one sent."""
        values = dict(setting.split("=") for setting in settings)
        sequence, sender = int(values["seq"]), int(values["from"])
        attachment = None
        if kind == "CHECKPOINT":
            root = digest("forged", values.get("batch", ""))
            content = Checkpoint(0, sequence, sequence, root, root, sender)
        else:
            name = values["batch"]
            batch_digest, attachment = batch(name)
            self.names[batch_digest] = name
            content = VOTES[kind](0, int(values.get("view", 0)), sequence, batch_digest, sender)
        signed = self.cluster.seal(content, attachment if kind == "PRE-PREPARE" else None)
        for receiver in values["to"].split(","):
            self.cluster.give(int(receiver), signed)

    def do_status(self, *who: str) -> None:
        """status [I ...]: these replicas (or all) end a period and broadcast their STATUS."""
        for index in [int(word) for word in who] or range(self.cluster.n):
            signed = self.cluster.replica(index).status_message()
            self.cluster.send(index, signed)
            self.lines.append(f"{index}: send {self.cluster.name(signed)} to all")

    def do_checkpoint(self, *who: str) -> None:
        """checkpoint [I ...]: the trigger of an idle group and of the end of a run."""
        for index in [int(word) for word in who] or range(self.cluster.n):
            self.cluster.carry_out(index, self.cluster.replica(index).checkpoint_now())

    def do_lie(self, index: str) -> None:
        """lie I: this replica's execution goes wrong from now on."""
        self.cluster.members[int(index)].lies_about_state = True
        self.lines.append(f"{index} computes wrong results from now on")

    def do_explain(self, index: str, sequence: str) -> None:
        self.lines.append(explain(self.cluster.replica(int(index)).status(), int(sequence)))

    def do_show(self, *who: str) -> None:
        """show [I ...]: marks, votes, refusals."""
        for index in [int(word) for word in who] or range(self.cluster.n):
            status = self.cluster.replica(index).status()
            refused = "".join(f"; refused {count} {cause}" for cause, count in status.refused)
            behind = f"; others are beyond {status.behind}" if status.behind else ""
            self.lines.append(
                f"{index}: executed {status.executed}, window ({status.stable}, {status.high}]{behind}{refused}"
            )

    def do_in_flight(self) -> None:
        counts: dict[str, int] = {}
        for delivery in self.cluster.in_flight:
            kind = delivery.signed.content.KIND
            counts[kind] = counts.get(kind, 0) + 1
        self.lines.extend(f"{kind} {count}" for kind, count in counts.items())

    def do_sent(self) -> None:
        """sent: how many messages of each kind, since the beginning."""
        self.lines.extend(f"{kind} {count}" for kind, count in self.cluster.sent.items())

    def _take(self, words: tuple[str, ...]) -> list[Delivery]:
        taken = [delivery for delivery in self.cluster.in_flight if _matches(delivery, words)]
        self.cluster.in_flight = [each for each in self.cluster.in_flight if not _matches(each, words)]
        return taken


def _matches(delivery: Delivery, words: tuple[str, ...]) -> bool:
    rest = list(words)
    while rest:
        word = rest.pop(0)
        content = delivery.signed.content
        if word in KINDS:
            holds = word == content.KIND
        else:
            values = [int(value) for value in rest.pop(0).split(",")]
            have = {
                "from": delivery.sender,
                "to": delivery.receiver,
                "seq": getattr(content, "sequence", None),
            }
            holds = have[word] in values
        if not holds:
            return False
    return True


def _open(slots) -> str:
    return "".join(
        f", open {slot.sequence} ({'with' if slot.has_pre_prepare else 'without'} pre-prepare,"
        f" PREPAREs {_list(_members(slot.prepare_mask))}, COMMITs {_list(_members(slot.commit_mask))})"
        for slot in slots
    )


def _members(mask: int) -> list[int]:
    return [index for index in range(mask.bit_length()) if mask >> index & 1]


def _list(values) -> str:
    return " ".join(str(value) for value in values) or "none"
