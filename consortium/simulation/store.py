"""The simulated disk of one bank: what is appended is durable only once a flush has ended.

Same port as the SQL store: records, blocks by height, state nodes by digest. Flushes are served by one disk,
one after the other, and a flush that starts serves everything that waits (group commit). When a flush will
end is known when it is asked for, so no event is needed: a crash at time t keeps what was durable at t and
loses the rest.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeAlias

from consortium.errors import EnvironmentFailedError
from consortium.node.record_log import frame
from consortium.node.recovery import NodeRecord, record_bytes


class Tail(StrEnum):
    """What a crash leaves of the records that were not durable yet."""

    LOST = "lost"  # nothing: the power failed
    KEPT = "kept"  # all of them: only the process died
    TORN = "torn"  # the first half of them, and then half a record


class StoreFullError(EnvironmentFailedError):
    """No more records fit on the disk."""


_Flush: TypeAlias = tuple[int | None, list[Sequence[NodeRecord]], list[tuple[int | bytes, bytes]]]
"""When it is durable (None: never), what was appended, what was put."""


class MemoryStore:
    """Records, blocks and state nodes, with the flush rules of a disk. Times must not go backwards."""

    __slots__ = (
        "_appended",
        "_disk_end_us",
        "_disk_start_us",
        "_flush_us",
        "_flushes",
        "_put",
        "_torn",
        "is_full",
    )

    def __init__(self, flush_us: int | None = 0) -> None:
        """`flush_us`: how long one flush takes; None is a disk whose flushes never end."""
        self._flush_us = flush_us
        self._disk_start_us = 0
        self._disk_end_us = 0
        self.is_full = False
        """Nothing can be appended (fault `FullDisk`)."""
        self._torn = b""
        self._appended: list[Sequence[NodeRecord]] = []
        self._put: list[tuple[int | bytes, bytes]] = []
        self._flushes: list[_Flush] = []

    # --- writing ------------------------------------------------------------------------------------

    def append(self, records: Sequence[NodeRecord]) -> None:
        """Hand records to the disk's cache, where they wait for the next flush. Raises StoreFullError."""
        if self.is_full:
            raise StoreFullError("the disk is full")
        self._appended.append(records)

    def put_block(self, height: int, block: bytes) -> None:
        self._put.append((height, block))

    def put_node(self, digest: bytes, node: bytes) -> None:
        self._put.append((digest, node))

    def flush(self, now_us: int) -> int | None:
        """Ask for everything handed over so far to be durable; return when it will be (None: never).

        A flush that is running does not serve us, the next one does; one that is planned does.
        """
        durable_us: int | None = self._disk_end_us
        if self._flush_us is None:
            durable_us = None
        elif now_us >= self._disk_end_us:
            self._disk_start_us = now_us
            self._disk_end_us = durable_us = now_us + self._flush_us
        elif now_us > self._disk_start_us:
            self._disk_start_us = self._disk_end_us
            self._disk_end_us = durable_us = self._disk_start_us + self._flush_us
        self._flushes.append((durable_us, self._appended, self._put))
        self._appended = []
        self._put = []
        return durable_us

    # --- reading: what is durable at a time -----------------------------------------------------------

    def records(self, now_us: int) -> tuple[bytes, ...]:
        """Return all durable records in the order in which they were appended."""
        return tuple(
            record_bytes(record)
            for _, appended, _ in self._durable(now_us)
            for records in appended
            for record in records
        )

    def boot(self, now_us: int) -> tuple[bytes, ...]:
        """Return the log as it stands on the disk, framed; a torn last frame is cut by whoever reads it."""
        frames = [frame(number, record) for number, record in enumerate(self.records(now_us), start=1)]
        torn, self._torn = self._torn, b""
        return (*frames, torn) if torn else tuple(frames)

    def block(self, height: int, now_us: int) -> bytes | None:
        return self._find(height, now_us)

    def node(self, digest: bytes, now_us: int) -> bytes | None:
        return self._find(digest, now_us)

    def _find(self, key: int | bytes, now_us: int) -> bytes | None:
        """Return what was put last under a height or a digest."""
        for _, _, put in reversed(self._durable(now_us)):
            for earlier, value in reversed(put):
                if earlier == key:
                    return value
        return None

    def _durable(self, now_us: int) -> list[_Flush]:
        return [flush for flush in self._flushes if flush[0] is not None and flush[0] <= now_us]

    # --- faults -------------------------------------------------------------------------------------

    def crash(self, now_us: int, tail: Tail = Tail.LOST) -> None:
        """Lose what is not durable at this moment, or keep of it what `tail` says; the disk is idle again."""
        durable = self._durable(now_us)
        kept: list[NodeRecord] = []
        if tail is not Tail.LOST:
            waiting = [appended for _, appended, _ in self._flushes[len(durable) :]]
            kept = [record for appended in (*waiting, self._appended) for part in appended for record in part]
        if tail is Tail.TORN and kept:
            middle = len(kept) // 2
            torn = frame(1, record_bytes(kept[middle]))
            self._torn = torn[: len(torn) // 2]
            kept = kept[:middle]
        self._flushes = [*durable, (now_us, [kept], [])] if kept else durable
        self._appended, self._put = [], []
        self._disk_start_us = self._disk_end_us = now_us

    def roll_back(self, flushes: int) -> None:
        """Lose the last so many flushes although they were durable: a disk, or a backup, that lies."""
        del self._flushes[max(0, len(self._flushes) - flushes) :]
