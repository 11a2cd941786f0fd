"""Requests on their way into a block: bundling, the primary's queue, what is still waited for.

Data only; the node decides what to send and when. Admission filters, execution decides: a request that gets
past this page wrongly does no harm.
"""

from collections import OrderedDict
from dataclasses import dataclass

from consortium.consensus.messages import Signed
from consortium.ledger.transaction import Bundle, Transaction


@dataclass(slots=True)
class Pending:
    """A bundle that is not executed yet: which of its transactions are left, and until when it may take."""

    bundle: Bundle
    request: Signed
    left: set[bytes]
    deadline_us: int
    broadcast: bool = False
    """Whether every bank has it; until then the primary is not to blame."""


class Mempool:
    """The requests of one bank and, at the primary, those of all.

    `capacity` bounds the transactions that wait here; above it the bank answers `busy`.
    """

    def __init__(self, *, bundle_max: int, batch_max: int, batch_bytes_max: int, capacity: int) -> None:
        self.bundle_max = bundle_max
        self.batch_max = batch_max
        self.batch_bytes_max = batch_bytes_max
        self.capacity = capacity
        self.outgoing: list[Transaction] = []
        self.pending: dict[bytes, Pending] = {}
        self.waiting_clients: set[bytes] = set()
        self._queue: OrderedDict[bytes, Bundle] = OrderedDict()
        self.queued_transactions = 0
        self.queued_bytes = 0
        self._bundle_of: dict[bytes, bytes] = {}

    @property
    def is_full(self) -> bool:
        return len(self.waiting_clients) >= self.capacity

    @property
    def has_queue(self) -> bool:
        return bool(self._queue)

    @property
    def has_full_batch(self) -> bool:
        return self.queued_transactions >= self.batch_max or self.queued_bytes >= self.batch_bytes_max

    def take_outgoing(self) -> tuple[Transaction, ...]:
        """Take the transactions that the next bundle carries."""
        taken = tuple(self.outgoing[: self.bundle_max])
        del self.outgoing[: self.bundle_max]
        return taken

    def expect(self, bundle: Bundle, request: Signed, deadline_us: int, *, broadcast: bool) -> None:
        """Start to wait for a bundle; something must be done about it at `deadline_us`."""
        ids = [transaction.id for transaction in bundle.transactions]
        self.pending[bundle.digest] = Pending(bundle, request, set(ids), deadline_us, broadcast)
        for transaction_id in ids:
            self._bundle_of[transaction_id] = bundle.digest

    def enqueue(self, bundle: Bundle) -> bool:
        """Queue a bundle for a batch of our own; tell whether it is new."""
        if bundle.digest in self._queue:
            return False
        self._queue[bundle.digest] = bundle
        self.queued_transactions += len(bundle.transactions)
        self.queued_bytes += bundle.size_bytes
        return True

    def clear_queue(self) -> None:
        """Forget what was queued for batches of our own: another view begins."""
        self._queue.clear()
        self.queued_transactions = self.queued_bytes = 0

    def next_batch(self) -> tuple[Bundle, ...]:
        """Take the bundles of the next batch: as many whole ones as its limits allow, at least one."""
        chosen: list[Bundle] = []
        count = size_bytes = 0
        while self._queue:
            bundle = next(iter(self._queue.values()))
            if chosen and (
                count + len(bundle.transactions) > self.batch_max
                or size_bytes + bundle.size_bytes > self.batch_bytes_max
            ):
                break
            self._drop(bundle.digest)
            chosen.append(bundle)
            count += len(bundle.transactions)
            size_bytes += bundle.size_bytes
        return tuple(chosen)

    def is_known(self, digest: bytes) -> bool:
        return digest in self.pending or digest in self._queue

    def done(self, transaction: Transaction) -> None:
        """Stop waiting for a transaction that a block took."""
        digest = self._bundle_of.pop(transaction.id, None)
        if digest is None:
            return
        pending = self.pending[digest]
        pending.left.discard(transaction.id)
        if not pending.left:
            del self.pending[digest]
            self._drop(digest)

    def overdue(self, now_us: int) -> list[Pending]:
        """Return the requests whose time has run out, oldest first."""
        return [pending for pending in self.pending.values() if pending.deadline_us <= now_us]

    def next_deadline_us(self) -> int | None:
        return min((pending.deadline_us for pending in self.pending.values()), default=None)

    def _drop(self, digest: bytes) -> None:
        bundle = self._queue.pop(digest, None)
        if bundle is not None:
            self.queued_transactions -= len(bundle.transactions)
            self.queued_bytes -= bundle.size_bytes
