"""How many replicas make a quorum, replica sets as bitmasks, and the settings of one replica in one epoch.

The quorum rule itself stands with the membership (floor((n+f)/2)+1, never 2f+1). Votes are counted as
distinct members, by bit, never as messages.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from consortium.certificate import Certificate
from consortium.consensus.messages import REPLICAS_MAX
from consortium.crypto import CHAIN_BYTES, digest
from consortium.errors import InputError
from consortium.membership import max_faulty, quorum_size

WINDOW_MAX = 4096


class ConfigError(InputError):
    """The consensus parameters contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsensusConfig:
    """One replica's view of one epoch. The members' keys are the node's business, not the replica's."""

    n: int
    """Replicas in this epoch."""
    f: int
    """Faulty replicas tolerated, at most (n-1)//3; below the maximum the quorum is smaller."""
    index: int
    """This replica, 0..n-1: its place among the validators."""
    chain: bytes
    """The chain id, 8 bytes of the genesis digest."""
    epoch: int = 0
    """Counts memberships; every message carries it."""
    window: int = 64
    """W: slots that may be open above the stable checkpoint. Larger hides slow replicas, and costs memory."""
    checkpoint_interval: int = 16
    """K: sequence numbers from one regular checkpoint to the next. Each costs n(n-1) messages."""
    pipeline: int = 8
    """Slots that the primary keeps in flight. 1 is lock-step; above the window it has no further effect."""
    answer_limit: int = 16
    """Decided batches that one STATUS is answered with at most: bounds what a peer can make us send."""

    @property
    def quorum(self) -> int:
        """Any two quorums share a correct replica; the correct replicas alone make one."""
        return quorum_size(self.n, self.f)

    @property
    def weak_quorum(self) -> int:
        """At least one of f+1 replicas is correct."""
        return self.f + 1

    @property
    def null_digest(self) -> bytes:
        """The digest of the batch that does nothing; it needs no body."""
        return digest("null", self.chain, self.epoch)

    def primary(self, view: int) -> int:
        """Castro & Liskov 4.1: the primary of a view is replica v mod n."""
        return view % self.n

    def problems(self) -> tuple[str, ...]:
        """Return everything that is wrong with these settings, in plain words."""
        checks = (
            (1 <= self.n <= REPLICAS_MAX, f"n = {self.n}: there must be 1 to {REPLICAS_MAX} replicas"),
            (
                0 <= self.f <= max_faulty(self.n),
                f"f = {self.f}: with n = {self.n} at most (n-1)//3 = {max_faulty(self.n)} can be tolerated",
            ),
            (
                0 <= self.index < self.n,
                f"index = {self.index}: replicas are numbered 0 to n-1 = {self.n - 1}",
            ),
            (
                len(self.chain) == CHAIN_BYTES,
                f"chain: the chain id has {CHAIN_BYTES} bytes, not {len(self.chain)}",
            ),
            (self.epoch >= 0, f"epoch = {self.epoch}: epochs count from 0"),
            (
                self.checkpoint_interval >= 1,
                f"checkpoint_interval = {self.checkpoint_interval}: K is at least 1",
            ),
            (
                2 * self.checkpoint_interval <= self.window <= WINDOW_MAX,
                f"window = {self.window}: W must be 2K = {2 * self.checkpoint_interval} to {WINDOW_MAX}",
            ),
            (self.pipeline >= 1, f"pipeline = {self.pipeline}: at least one slot must be in flight"),
            (self.answer_limit >= 1, f"answer_limit = {self.answer_limit}: a STATUS must get some answer"),
        )
        return tuple(problem for holds, problem in checks if not holds)

    def validate(self) -> "ConsensusConfig":
        """Return the settings themselves. Raises ConfigError naming all that is wrong with them."""
        problems = self.problems()
        if problems:
            raise ConfigError("; ".join(problems))
        return self


def mask_of(indices: Iterable[int]) -> int:
    """Return the bitmask with these replicas' bits."""
    mask = 0
    for index in indices:
        mask |= 1 << index
    return mask


def members_of(mask: int) -> tuple[int, ...]:
    """Return the replicas in a bitmask, ascending."""
    return tuple(index for index in range(mask.bit_length()) if mask >> index & 1)


def all_of(n: int) -> int:
    """Return the bitmask of all n replicas."""
    return (1 << n) - 1


def is_quorum(certificate: Certificate, kind: str, config: ConsensusConfig) -> bool:
    """Tell whether a certificate names enough members of this epoch for this kind of vote.

    Its signatures were verified before it came here.
    """
    return (
        certificate.kind == kind
        and certificate.epoch == config.epoch
        and certificate.signers.bit_length() <= config.n
        and certificate.signers.bit_count() >= config.quorum
        and len(certificate.signatures) == certificate.signers.bit_count()
    )
