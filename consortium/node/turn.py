"""The effects of one input while they are being collected."""

from typing import Any

from consortium.consensus.messages import Signed
from consortium.node.effects import (
    NO_WORK,
    NOTHING_DONE,
    Effects,
    Rejected,
    Reply,
    Send,
    Timer,
    TraceEvent,
    Work,
)


class Turn:
    """Collects what one input leads to; `finish` freezes it into `Effects`.

    Sends are of two kinds: `safe` ones say nothing that a restarted bank could contradict and leave at once;
    the others wait until everything persisted up to and in this turn is durable (a message that is sent
    again may have been signed a moment ago).
    """

    __slots__ = (
        "_evidence",
        "_persist",
        "_replies",
        "_safe",
        "_timers",
        "_trace",
        "_waiting",
        "gas",
        "hashed_bytes",
        "notify",
        "now_us",
        "token",
        "transactions",
    )

    def __init__(self, now_us: int, last_token: int) -> None:
        self.now_us = now_us
        self.token = last_token + 1
        """The flush token of this turn, if anything is persisted in it."""
        self.notify = False
        self.gas = 0
        self.hashed_bytes = 0
        self.transactions = 0
        self._persist: list[Any] = []
        self._waiting: list[tuple[int, Signed]] = []
        self._safe: list[tuple[int, Signed]] = []
        self._timers: list[Timer] = []
        self._replies: list[Reply] = []
        self._trace: list[TraceEvent] = []
        self._evidence: list[Any] = []

    @property
    def persists(self) -> bool:
        return bool(self._persist)

    def persist(self, record: Any) -> None:
        self._persist.append(record)

    def send(self, to: int, signed: Signed) -> None:
        """Send once this turn's records are durable."""
        self._waiting.append((to, signed))

    def send_at_once(self, to: int, signed: Signed) -> None:
        self._safe.append((to, signed))

    def timer(self, name: str, generation: int, delay_us: int | None) -> None:
        self._timers.append(Timer(name, generation, delay_us))

    def reply(self, reply: Reply) -> None:
        self._replies.append(reply)

    def trace(self, event: TraceEvent) -> None:
        self._trace.append(event)

    def evidence(self, found: Any) -> None:
        self._evidence.append(found)

    def reject(self, cause: str, sender: int | str) -> None:
        self._trace.append(Rejected(cause, sender))

    def finish(self, signs: int) -> Effects:
        """Return the effects; NOTHING_DONE itself if there are none."""
        after = self.token if self._persist else self.token - 1
        send = tuple(
            [Send(to, signed, 0) for to, signed in self._safe]
            + [Send(to, signed, after) for to, signed in self._waiting]
        )
        if signs or self.transactions or self.hashed_bytes:
            work = Work(signs, self.hashed_bytes, self.gas, self.transactions)
        else:
            work = NO_WORK
        if not (
            send
            or self._persist
            or self._timers
            or self._replies
            or self._trace
            or self._evidence
            or work is not NO_WORK
        ):
            return NOTHING_DONE
        return Effects(
            tuple(self._persist),
            self.token if self._persist else 0,
            self.notify,
            send,
            tuple(self._timers),
            tuple(self._replies),
            work,
            tuple(self._trace),
            tuple(self._evidence),
        )
