"""What work costs in virtual time: integer nanoseconds, summed, rounded up to microseconds once per input.

Charged is what the protocol demands of each bank, not what the simulation really computes: the driver
verifies a signature once for all banks, but every bank pays for it. What a bank had verified before is free
to it. A bank is one server that handles its inputs first come, first served (`cluster.Host`).

The figures of `MEASURED` come from one Zen 4 core, Python 3.11 and libsodium; a calibration on the host
replaces them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from consortium.node.effects import Work


@dataclass(frozen=True, slots=True)
class CostProfile:
    """Integer nanoseconds per unit of logical work; all zero means that computing takes no time."""

    verify_ns: int = 0
    sign_ns: int = 0
    hash_ns_per_kib: int = 0
    gas_ns: int = 0
    transaction_ns: int = 0
    """Per executed transaction, beside its gas: sessions, receipt, encoding."""
    handler_ns: int = 0
    """Per input whose type `handlers_ns` does not name."""
    handlers_ns: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Per input by type: a message's kind, or submit, timer, durable, business_time, boot, finish."""
    flush_us: int | None = 0
    """One flush of the disk, in microseconds. None: it never ends (a stuck disk)."""

    def is_free(self) -> bool:
        """Whether no input ever takes time (the flush is the disk's, not the processor's)."""
        costs = (
            self.verify_ns,
            self.sign_ns,
            self.hash_ns_per_kib,
            self.gas_ns,
            self.transaction_ns,
            self.handler_ns,
            *self.handlers_ns.values(),
        )
        return not any(costs)

    def input_us(self, kind: str, verifies: int, work: Work) -> int:
        """The time that one input takes, rounded up once."""
        total_ns = (
            self.handlers_ns.get(kind, self.handler_ns)
            + verifies * self.verify_ns
            + work.signs * self.sign_ns
            + -(-work.hashed_bytes * self.hash_ns_per_kib // 1024)
            + work.gas * self.gas_ns
            + work.transactions * self.transaction_ns
        )
        return -(-total_ns // 1_000)


FREE = CostProfile()

MEASURED = CostProfile(
    verify_ns=57_000,
    sign_ns=20_000,
    hash_ns_per_kib=1_300,
    gas_ns=30,
    transaction_ns=40_000,
    handler_ns=5_000,
    flush_us=300,
)

PROFILES: dict[str, CostProfile] = {"free": FREE, "measured": MEASURED}
