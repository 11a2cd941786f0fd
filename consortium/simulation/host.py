"""One simulated bank around its node: processor, disk, timers, and what it has verified before.

Only bookkeeping of one bank. What happens when is decided in `cluster.py`.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from consortium.consensus.messages import Signed
from consortium.crypto import Signer
from consortium.ledger.transaction import Transaction
from consortium.node.effects import Check, Effects, Input, Send
from consortium.simulation.network import FOREVER_US
from consortium.simulation.store import MemoryStore, Tail
from consortium.simulation.verification import CheckKey, forget_oldest, key_of


class Hosted(Protocol):
    """What the simulation can host: a node, or anything that behaves like one."""

    def handle(self, entry: Input, now_us: int, /) -> Effects: ...

    def wanted(self, what: Signed | Transaction, /) -> tuple[Check, ...]: ...

    def status(self) -> Any: ...


class Host:
    """A node and its machine. The processor takes one input at a time, first come, first served."""

    __slots__ = (
        "_earlier",
        "_known",
        "_token",
        "_token_durable_us",
        "backlog",
        "free_us",
        "handle",
        "held",
        "index",
        "is_down",
        "node",
        "signer",
        "stop_reason",
        "store",
        "timers",
        "wanted",
    )

    def __init__(self, index: int, node: Hosted, store: MemoryStore) -> None:
        self.index = index
        self.store = store
        self.backlog: deque[Any] = deque()
        """Inputs that arrived while the processor was busy."""
        self.timers: dict[str, int] = {}
        """Name -> generation of the timers that run; an event with another generation is stale."""
        self.held: list[Send] = []
        """Sends that wait for a flush that never ends (a stuck disk)."""
        self.signer: Signer | None = None
        """If set, everything the bank sends is signed with this key (fault `SwappedKey`)."""
        self._known: dict[CheckKey, bool] = {}
        self.start(node, 0)

    def start(self, node: Hosted, now_us: int) -> None:
        """Begin a life: an idle processor, no timers, nothing in memory; the store is what it was."""
        self.node = node
        self.handle: Callable[[Input, int], Effects] = node.handle
        self.wanted: Callable[[Signed | Transaction], tuple[Check, ...]] = node.wanted
        self.is_down = False
        self.stop_reason = ""
        """Why it is down, in words; empty while it runs."""
        self.free_us = now_us
        """When the processor takes its next input; never, while the bank is down."""
        self._token = 0
        self._token_durable_us: int | None = 0
        self._earlier: dict[int, int | None] = {}  # earlier tokens that were not durable yet

    def stop(self, now_us: int, reason: str = "crashed", tail: Tail = Tail.LOST) -> None:
        """End this life: memory is gone, and so is what the disk had not flushed (but for `tail`)."""
        self.is_down = True
        self.stop_reason = reason
        self.free_us = FOREVER_US
        self.backlog.clear()
        self.timers.clear()
        self.held.clear()
        self._known.clear()
        self.store.crash(now_us, tail)

    # --- persist before send --------------------------------------------------------------------------

    def persist(self, records: Sequence[Any], token: int, now_us: int) -> int | None:
        """Append and flush; return when `token` is durable (None: never)."""
        assert token > self._token, "flush tokens ascend"
        before_us = self._token_durable_us
        if before_us is None or before_us > now_us:
            self._earlier[self._token] = before_us
        elif self._earlier:
            self._earlier.clear()  # flushes end in their order, so all earlier ones have ended too
        self.store.append(records)
        self._token = token
        self._token_durable_us = durable_us = self.store.flush(now_us)
        return durable_us

    def may_leave_us(self, after: int, ready_us: int) -> int | None:
        """When a send may leave that is ready at `ready_us` and waits for flush `after` (None: never)."""
        if after == self._token:
            durable_us = self._token_durable_us
        else:
            assert after < self._token, "a send waits for a flush that nobody asked for"
            durable_us = self._earlier.get(after, 0)
        return ready_us if durable_us is not None and durable_us < ready_us else durable_us

    # --- verification -----------------------------------------------------------------------------------

    def charged(self, checks: Sequence[Check]) -> int:
        """How many of these checks the bank pays for: what it had verified before is free.

        A single check is a vote's own signature, which does not come again; transactions do.
        """
        if len(checks) < 2:
            return len(checks)
        known = self._known
        fresh = 0
        for check in checks:
            key = key_of(check)
            if key not in known:
                fresh += 1
                forget_oldest(known)
                known[key] = True
        return fresh
