"""The record of a run: what entered each node and what came out, as JSON Lines, and the run digest.

One line is one record. Its first part, the header, says what happened: time, bank, kind, slot, digest,
results. At level full a second part, `"full"`, holds the bytes needed to replay it; signatures stand there
in a field of their own. The run digest is the hash of the headers alone, so it is the same at every level
and for every signature scheme.

    {"journal":1,"seed":7,"scenario":"…","level":"full"}                        first line
    {"us":4021,"bank":2,"in":"PREPARE","from":1,"view":0,"sequence":5,"digest":"…","m":17}     it arrived
    {"us":4021,"bank":2,"out":{"persist":1,"token":9,"send":[…]},"full":{…}}    what the input led to
    {"end":{"records":812,"run_digest":"…","stopped":"done"}}                   last line; absent: partial

Messages are numbered when they are sent (`m`) and stand in full once, at their sender. Memory is bounded:
lines go out in blocks. Reading is in `reading.py`, comparing in `replay.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from hashlib import blake2b
from json import dumps
from typing import Any

from consortium.consensus.messages import Signed
from consortium.crypto import DIGEST_BYTES
from consortium.node.effects import (
    NO_WORK,
    Amnesia,
    Boot,
    BusinessTime,
    Diverged,
    Durable,
    Effects,
    Executed,
    Halted,
    Input,
    Received,
    Recovered,
    Rejected,
    Reply,
    Stable,
    Submit,
    Suspected,
    TimerFired,
    TraceEvent,
)
from consortium.node.messages import Request

VERSION = 1
FULL_DELIVERIES_MAX = 1_000_000
"""A simulated run is recorded in full up to so many deliveries, then by headers (decision 9)."""

FULL_PART = ',"full":'
"""Separates the header from the rest of a line; inside a JSON text the quotes would be escaped."""

_LINES_PER_BLOCK = 512


class Level(StrEnum):
    OFF = "off"
    HEADERS = "headers"
    FULL = "full"


Sink = Callable[[str], Any]
"""Takes whole lines, each ending in a newline (a text file's `write`)."""


class Journal:
    """Written by a driver while it runs. `close` writes the last line; without it the journal is partial."""

    def __init__(
        self,
        sink: Sink | None,
        *,
        seed: int,
        scenario: bytes,
        level: Level = Level.FULL,
        full_deliveries_max: int | None = FULL_DELIVERIES_MAX,
    ) -> None:
        """`scenario` is the digest of what is run. At level off `sink` may be None: only the digest is made.
        After `full_deliveries_max` deliveries level full goes on as headers (None: never).
        """
        assert sink is not None or level is Level.OFF, "a journal with a level needs somewhere to go"
        self.level = level
        self.records = 0
        self.deliveries = 0
        self._sink = sink
        self._full_deliveries_max = full_deliveries_max
        self._messages = 0
        self._hash = blake2b(digest_size=DIGEST_BYTES)
        self._heads: list[str] = []
        self._lines: list[str] = []
        first = {"journal": VERSION, "seed": seed, "scenario": scenario.hex()}
        self._heads.append(dumps(first) + "\n")
        self._line(dumps({**first, "level": level.value}, separators=(",", ":")))

    # --- inputs ---------------------------------------------------------------------------------------------

    def delivered(self, now_us: int, bank: int, text: str) -> None:
        """A message that `effects` named with `text` reached a bank of the same run."""
        self.deliveries += 1
        self._record(f'{{"us":{now_us},"bank":{bank},"in":{text}')
        if self.deliveries == self._full_deliveries_max and self.level is Level.FULL:
            self.level = Level.HEADERS
            self._line('{"level":"headers"}')

    def given(self, now_us: int, bank: int, entry: Input) -> None:
        """Any other input; also a message from another process, which then stands here in full."""
        if isinstance(entry, Received):
            text = _message_text(entry.signed)
            full = {**_message_full(entry.signed), "verdicts": entry.verdicts}
        else:
            text = _input_text(entry)
            full = _input_full(entry)
        self._record(f'{{"us":{now_us},"bank":{bank},"in":{text}', full)

    def fault(self, now_us: int, fault: str, banks: Sequence[int]) -> None:
        """Something that the driver did to the run from outside."""
        self._record(f'{{"us":{now_us},"fault":"{fault}","banks":{list(banks)}')

    # --- effects --------------------------------------------------------------------------------------------

    def effects(self, now_us: int, bank: int, effects: Effects) -> Sequence[str]:
        """What an input led to. Returns for each send the text with which `delivered` names it."""
        texts = []
        sends = []
        for send in effects.send:
            self._messages += 1
            name = _message_text(send.signed)
            texts.append(f'{name},"m":{self._messages}')
            sends.append(f'{{"kind":{name},"m":{self._messages},"to":{send.to},"after":{send.after}}}')
        parts = []
        if effects.token:
            notify = ',"notify":true' if effects.notify else ""
            parts.append(f'"persist":{len(effects.persist)},"token":{effects.token}{notify}')
        if sends:
            parts.append(f'"send":[{",".join(sends)}]')
        if effects.timers:
            timers = [[timer.name, timer.generation, timer.delay_us] for timer in effects.timers]
            parts.append(f'"timers":{_compact(timers)}')
        if effects.replies:
            parts.append(f'"replies":{_compact([_reply_head(reply) for reply in effects.replies])}')
        if effects.trace:
            parts.append(f'"trace":{_compact([_trace_head(event) for event in effects.trace])}')
        if effects.evidence:
            parts.append(f'"evidence":{len(effects.evidence)}')
        full = None
        if self.level is Level.FULL:
            full = _effects_full(effects, self._messages - len(effects.send) + 1)
        self._record(f'{{"us":{now_us},"bank":{bank},"out":{{{",".join(parts)}}}', full)
        return texts

    # --- the end --------------------------------------------------------------------------------------------

    def run_digest(self) -> bytes:
        """The hash of all headers so far."""
        self._flush()
        return self._hash.digest()

    def close(self, stopped: str) -> bytes:
        """Write the last line and return the run digest; `stopped` says why the run ended."""
        digest = self.run_digest()
        end = {"end": {"records": self.records, "run_digest": digest.hex(), "stopped": stopped}}
        self._line(_compact(end))
        self._flush()
        return digest

    # --- lines ----------------------------------------------------------------------------------------------

    def _record(self, head: str, full: Mapping[str, Any] | None = None) -> None:
        """One record from its header, which lacks only its closing brace, and its full part if any."""
        self.records += 1
        self._heads.append(head + "}\n")
        if self.level is Level.OFF:
            if len(self._heads) >= _LINES_PER_BLOCK:
                self._flush()
        elif full and self.level is Level.FULL:
            self._line(f"{head}{FULL_PART}{_compact(full)}}}")
        else:
            self._line(head + "}")

    def _line(self, line: str) -> None:
        if self._sink is not None and (self.level is not Level.OFF or self.records == 0):
            self._lines.append(line + "\n")
        if len(self._lines) >= _LINES_PER_BLOCK:
            self._flush()

    def _flush(self) -> None:
        self._hash.update("".join(self._heads).encode())
        self._heads.clear()
        if self._sink is not None and self._lines:
            self._sink("".join(self._lines))
        self._lines.clear()


# --- how inputs and effects are written ---------------------------------------------------------------------

_PLACES = ("view", "sequence", "height", "stable", "executed")


def _message_text(signed: Signed) -> str:
    """A message's header: its kind first, so that it can follow the key `in` or `kind`."""
    content = signed.content
    parts = [f'"{content.KIND}","from":{content.sender}']
    parts += [f'"{name}":{getattr(content, name)}' for name in _PLACES if hasattr(content, name)]
    digest = getattr(content, "digest", None) or getattr(content, "header_hash", None)
    if isinstance(content, Request):
        digest = content.bundle.digest
    if digest is not None:
        parts.append(f'"digest":"{digest[:8].hex()}"')
    return ",".join(parts)


def _message_full(signed: Signed) -> dict[str, Any]:
    full = {"body": signed.body.hex(), "signature": signed.signature.hex()}
    if signed.attachment is not None:
        full["attachment"] = signed.attachment.hex()
    return full


def _input_text(entry: Input) -> str:
    match entry:
        case Submit():
            ids = [transaction.id.hex() for transaction in (entry.transaction, *entry.together)]
            return f'"submit","transactions":{_compact(ids)}'
        case TimerFired():
            return f'"timer","name":{_compact(entry.name)},"generation":{entry.generation}'
        case Durable():
            return f'"durable","token":{entry.token}'
        case BusinessTime():
            return f'"business_time","time_us":{entry.time_us}'
        case Boot():
            return f'"boot","records":{len(entry.records)}'
        case _:
            return '"finish"'


def _input_full(entry: Input) -> dict[str, Any]:
    match entry:
        case Submit():
            transactions = [
                {"body": one.body.hex(), "signatures": [signature.hex() for signature in one.signatures]}
                for one in (entry.transaction, *entry.together)
            ]
            return {"transactions": transactions, "verdicts": entry.verdicts}
        case Boot() if entry.records:
            return {"records": [record.hex() for record in entry.records]}
        case _:
            return {}


def _effects_full(effects: Effects, first_message: int) -> dict[str, Any]:
    """Messages and receipts. What was persisted is not repeated: a replay of the inputs makes it again."""
    full: dict[str, Any] = {}
    if effects.send:
        full["messages"] = [
            {"m": number, **_message_full(send.signed)}
            for number, send in enumerate(effects.send, start=first_message)
        ]
    receipts = [reply.receipt.hex() for reply in effects.replies if reply.receipt]
    if receipts:
        full["receipts"] = receipts
    if effects.work is not NO_WORK:
        work = effects.work
        full["work"] = [work.signs, work.hashed_bytes, work.gas, work.transactions]
    return full


def _reply_head(reply: Reply) -> dict[str, Any]:
    head: dict[str, Any] = {"transaction": reply.transaction_id.hex(), "status": reply.status}
    if reply.code is not None:
        head["code"] = reply.code
    if reply.height:
        head["height"] = reply.height
    if reply.retry_after_us:
        head["retry_after_us"] = reply.retry_after_us
    return head


def _trace_head(event: TraceEvent) -> dict[str, Any]:
    """What an event says, without certificates: they hold signatures."""
    match event:
        case Executed():
            return {
                "executed": event.sequence,
                "epoch": event.epoch,
                "batch": event.batch_digest.hex(),
                "height": event.height,
                "header_hash": event.header_hash.hex(),
                "state_root": event.state_root.hex(),
                "transactions": [
                    [sender, session, number, transaction_id.hex(), status]
                    for sender, session, number, transaction_id, status in event.transactions
                ],
            }
        case Stable():
            return {"stable": event.sequence}
        case Rejected():
            return {"rejected": event.cause, "sender": event.sender}
        case Suspected():
            return {"suspected": event.view, "what": event.what}
        case Diverged():
            return {"diverged": event.sequence}
        case Recovered():
            return {"recovered": event.sequence, "height": event.height, "stable": event.stable}
        case Amnesia():
            return {"amnesia": event.sequence}
        case Halted():
            return {"halted": event.reason}


def _compact(value: Any) -> str:
    return dumps(value, separators=(",", ":"))
