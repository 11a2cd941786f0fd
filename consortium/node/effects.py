"""What enters a node and what leaves it: the whole contract between the pure node and its drivers.

A driver (the simulation, a live process) feeds inputs to `Node.handle` one at a time and carries out the
effects. The order is part of the type: a send whose `after` is not 0 must not leave before that flush token
is durable. Everything else may happen at once. Drivers hold no rules of their own.

Values that arise for each message are named tuples: as immutable as a frozen dataclass, made in a third of
the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from consortium.consensus.messages import Signed
from consortium.ledger.transaction import Transaction

ALL = -1
"""The destination of a broadcast: every other replica."""


# --- inputs -----------------------------------------------------------------------------------------


class Check(NamedTuple):
    """One signature that a node wants verified before it looks at a message."""

    public_key: bytes
    body: bytes
    signature: bytes


class Received(NamedTuple):
    """A message from another replica, with the verdicts of the checks that `Node.wanted` asked for.

    One value serves all receivers of a broadcast; `verdicts` are in the order of the checks.
    """

    signed: Signed
    verdicts: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Submit:
    """A transaction that a client hands to its access bank."""

    transaction: Transaction
    verdicts: tuple[bool, ...]
    together: tuple[Transaction, ...] = ()
    """Further transactions for the same bundle, in their order (their checks follow in `verdicts`)."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer ran out. The node ignores a generation that it has replaced or cancelled."""

    name: str
    generation: int


@dataclass(frozen=True, slots=True)
class Durable:
    """Everything up to and including this flush token is on the disk."""

    token: int


@dataclass(frozen=True, slots=True)
class BusinessTime:
    """The consortium's local business time, microseconds since 1970-01-01 00:00."""

    time_us: int


@dataclass(frozen=True, slots=True)
class Boot:
    """The first input of a node's life; `records` is what its store held (empty for a new one).

    Each is framed as `record_log` says, so that the node sees what the disk lost or spoilt.
    """

    records: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of a run: the node makes a last checkpoint of what it has executed (decision: forced)."""


Input: TypeAlias = Received | Submit | TimerFired | Durable | BusinessTime | Boot | Finish


# --- effects ----------------------------------------------------------------------------------------


class Send(NamedTuple):
    """Send `signed` to replica `to` (or ALL others) once flush token `after` is durable (0: at once)."""

    to: int
    signed: Signed
    after: int = 0


class Timer(NamedTuple):
    """Start timer `name` to fire `delay_us` from now, replacing any earlier one; None cancels it."""

    name: str
    generation: int
    delay_us: int | None


class Reply(NamedTuple):
    """The answer to a local client's transaction.

    `status` is applied, refused, repeated or busy. For the first three, `receipt` is the canonical receipt
    and f+1 banks have signed the header at `height`; a busy bank names when to try again.
    """

    transaction_id: bytes
    status: str
    code: str | None = None
    height: int = 0
    receipt: bytes = b""
    retry_after_us: int = 0


class Work(NamedTuple):
    """Logical work done while handling an input, for the simulation to charge.

    Verifications are not here: the driver performs them (from `wanted`) and charges them itself.
    """

    signs: int = 0
    hashed_bytes: int = 0
    gas: int = 0
    transactions: int = 0


NO_WORK = Work()


# --- trace: what observers (journal, checkers, metrics) are told ---------------------------------------


class Executed(NamedTuple):
    """A slot was executed. A null batch has no block: height and header are those of the last one.

    `transactions` holds (sender, session, number, transaction id, status) for each one that the block took.
    """

    epoch: int
    sequence: int
    batch_digest: bytes
    height: int
    header: bytes
    header_hash: bytes
    state_root: bytes
    transactions: tuple[tuple[str, int, int, bytes, str], ...]
    certificate: Any
    """The commit certificate (certificate.Certificate)."""
    block: Any
    """The ledger's block with its receipts, shared by all nodes that computed the same one."""


@dataclass(frozen=True, slots=True)
class Stable:
    """A checkpoint became stable; `certificate` proves it."""

    sequence: int
    certificate: Any


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message or submission was not accepted: why, and from whom (replica number or organisation)."""

    cause: str
    sender: int | str


@dataclass(frozen=True, slots=True)
class Suspected:
    """A request timer ran out: the primary of this view did not get it ordered."""

    view: int
    what: str


@dataclass(frozen=True, slots=True)
class Diverged:
    """A quorum certified other results than this bank computed at this sequence number."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """A restarted bank has read its log back: this is what it had executed, and its stable checkpoint."""

    sequence: int
    height: int
    header_hash: bytes
    state_root: bytes
    stable: int


@dataclass(frozen=True, slots=True)
class Amnesia:
    """A peer showed a signature of this bank that its disk does not know: it abstains for a while."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Halted:
    """The bank does not go on, and why: what its disk holds cannot be true."""

    reason: str


TraceEvent: TypeAlias = Executed | Stable | Rejected | Suspected | Diverged | Recovered | Amnesia | Halted


class Effects(NamedTuple):
    """Everything that one input led to. The driver carries it out in the order of the fields.

    1. `persist`: append these records; together they are flush token `token` (0: nothing to flush).
    2. `send`: each message leaves once the token that it names is durable.
    3. `timers`, 4. `replies`: at once. `notify` asks for a `Durable(token)` input when flushed.
    """

    persist: tuple[bytes, ...] = ()
    token: int = 0
    notify: bool = False
    send: tuple[Send, ...] = ()
    timers: tuple[Timer, ...] = ()
    replies: tuple[Reply, ...] = ()
    work: Work = NO_WORK
    trace: tuple[TraceEvent, ...] = ()
    evidence: Sequence[Any] = ()


NOTHING_DONE = Effects()
"""The one value that says that an input changed nothing outside the node; drivers test it by identity."""
