"""Errors and exit codes that every layer shares.

An exception's class says who is to blame: the caller's input (`InputError`), the machine around us
(`EnvironmentFailedError`), or a peer's bytes (`PeerError`). Our own bugs are assertions, never one of these.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to its caller (documented in the README)."""

    OK = 0
    EXPECTATION_FAILED = 1
    BAD_INPUT = 2
    SAFETY_VIOLATED = 3
    STALLED = 4
    ENVIRONMENT = 5
    INTERNAL = 70
    INTERRUPTED = 130


class ConsortiumError(Exception):
    """Base of every error that a user may see; `str(error)` is the whole message."""

    exit_code = ExitCode.BAD_INPUT


class InputError(ConsortiumError):
    """The user's file, option or argument is wrong."""


class PeerError(ConsortiumError):
    """Bytes from another party do not have the form they must have; the peer is to blame."""


class EnvironmentFailedError(ConsortiumError):
    """Disk, permission, port, broker or database: the machine around us is to blame."""

    exit_code = ExitCode.ENVIRONMENT
