"""Work that honest banks of one process may share: decoded batches, lists of checks, executed blocks.

Executing is a pure function of (state root, batch digest, previous business time) and of the place in the
chain, so banks that agree on all of these get the same block, and a bank whose state differs has another key
and executes by itself: sharing cannot hide a fault (design decision 18). A live bank has its own.
"""

from collections.abc import Callable

from consortium.encoding import EncodingError
from consortium.ledger.block import Block
from consortium.ledger.state import root_digest
from consortium.ledger.transaction import Batch, Bundle, decode_batch
from consortium.ledger.transition import Rules, next_block
from consortium.node.effects import Check

KEPT = 256


class SharedWork:
    """Three bounded memories. `enabled=False` forgets everything, so that each bank does all its own work."""

    def __init__(self, *, enabled: bool = True) -> None:
        self._enabled = enabled
        self._batches: dict[bytes, Batch | None] = {}
        self._blocks: dict[tuple[bytes, ...], Block] = {}
        self._checks: dict[bytes, tuple[Bundle, tuple[Check, ...]]] = {}

    def remember_batch(self, attachment: bytes, batch: Batch) -> None:
        """Keep the batch that `attachment` encodes, made by a bank of this process."""
        if self._enabled:
            _keep(self._batches, attachment, batch)

    def batch(self, attachment: bytes, chain: bytes, epoch: int) -> Batch | None:
        """Return the decoded batch, or None if the bytes are none."""
        if attachment in self._batches:
            return self._batches[attachment]
        try:
            batch = decode_batch(attachment, chain, epoch)
        except EncodingError:
            batch = None
        if self._enabled:
            _keep(self._batches, attachment, batch)
        return batch

    def checks(self, bundle: Bundle, make: Callable[[Bundle], tuple[Check, ...]]) -> tuple[Check, ...]:
        """Return the signature checks of this very copy of a bundle, listed once for all banks."""
        known = self._checks.get(bundle.digest)
        if known is not None and known[0] is bundle:
            return known[1]
        checks = make(bundle)
        if self._enabled:
            _keep(self._checks, bundle.digest, (bundle, checks))
        return checks

    def block(self, rules: Rules, parent: Block, batch: Batch, epoch: int, sequence: int) -> Block:
        """Return the block that `batch` makes on `parent`, executed here or by an equal bank before."""
        if not self._enabled:
            return next_block(rules, parent, batch, epoch, sequence)
        key = (root_digest(parent.state), parent.hash, batch.digest, b"%d/%d" % (epoch, sequence))
        block = self._blocks.get(key)
        if block is None:
            block = next_block(rules, parent, batch, epoch, sequence)
            _keep(self._blocks, key, block)
        return block


def _keep(memory: dict, key: object, value: object) -> None:  # type: ignore[type-arg]
    if len(memory) >= KEPT:
        del memory[next(iter(memory))]
    memory[key] = value
