"""The form of a bank's log on any disk: one frame for each record, so that damage shows (pbft.md A.8).

    frame = length of the record (4 bytes) | its number, from 1 (8) | check (8) | record

A crash may leave the last frame half written: such a torn tail is cut, because nothing that depended on it
has left the bank. A frame that is damaged or missing anywhere else means that the disk lost what it had
called durable; that is no crash but a fault, and the log is refused.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from consortium.errors import EnvironmentFailedError

LENGTH_BYTES = 4
NUMBER_BYTES = 8
CHECK_BYTES = 8
HEAD_BYTES = LENGTH_BYTES + NUMBER_BYTES + CHECK_BYTES


class RecoveryError(EnvironmentFailedError):
    """What the store holds cannot be what this bank had written: it must not go on from it."""


class LogContents(NamedTuple):
    """The records of a log, and whether a torn last frame was cut."""

    records: tuple[bytes, ...]
    is_torn: bool


def frame(number: int, record: bytes) -> bytes:
    """Return the bytes that stand on the disk for the record with this number."""
    name = number.to_bytes(NUMBER_BYTES, "big")
    return len(record).to_bytes(LENGTH_BYTES, "big") + name + _check(name, record) + record


def read_log(frames: Sequence[bytes]) -> LogContents:
    """Read frames back. Raises RecoveryError for damage anywhere but in the last one."""
    records: list[bytes] = []
    for number, data in enumerate(frames, start=1):
        record = _record_in(data, number)
        if record is None:
            if number == len(frames):
                return LogContents(tuple(records), is_torn=True)
            raise RecoveryError(
                f"record {number} of {len(frames)} is damaged or missing: a fault of the disk"
            )
        records.append(record)
    return LogContents(tuple(records), is_torn=False)


def _record_in(data: bytes, number: int) -> bytes | None:
    name = data[LENGTH_BYTES : LENGTH_BYTES + NUMBER_BYTES]
    check = data[LENGTH_BYTES + NUMBER_BYTES : HEAD_BYTES]
    record = data[HEAD_BYTES:]
    is_whole = (
        len(data) >= HEAD_BYTES
        and int.from_bytes(data[:LENGTH_BYTES], "big") == len(record)
        and _check(name, record) == check
    )
    if not is_whole:
        return None
    if int.from_bytes(name, "big") != number:
        found = int.from_bytes(name, "big")
        raise RecoveryError(f"record {number} is missing, record {found} stands there: a fault of the disk")
    return record


def _check(name: bytes, record: bytes) -> bytes:
    return blake2b(name + record, digest_size=CHECK_BYTES).digest()
