"""Signature checks for all simulated banks: each is computed once and remembered, whoever asks.

Remembered by (key, digest of the body, signature): a verdict is a fact about these three and belongs to
nobody, so sharing it between banks hides nothing. What a bank pays for a check is another matter
(`cluster.Host`): every bank pays for what it had not verified before.
"""

from collections.abc import Sequence
from typing import TypeAlias

from consortium.crypto import SignatureScheme, hash_bytes
from consortium.node.effects import Check

CheckKey: TypeAlias = tuple[bytes, bytes, bytes]

KEPT = 1 << 16


class Verifier:
    """Verdicts on checks, bounded: the oldest half is forgotten when there are `KEPT`."""

    __slots__ = ("_scheme", "_verdicts")

    def __init__(self, scheme: SignatureScheme) -> None:
        self._scheme = scheme
        self._verdicts: dict[CheckKey, bool] = {}

    def verdicts(self, checks: Sequence[Check]) -> tuple[bool, ...]:
        """Return whether each check holds, in their order."""
        return tuple([self._verdict(check) for check in checks]) if checks else ()

    def _verdict(self, check: Check) -> bool:
        key = key_of(check)
        verdict = self._verdicts.get(key)
        if verdict is None:
            forget_oldest(self._verdicts)
            verdict = self._scheme.verify(check.public_key, check.body, check.signature)
            self._verdicts[key] = verdict
        return verdict


def key_of(check: Check) -> CheckKey:
    return (check.public_key, hash_bytes(check.body), check.signature)


def forget_oldest(memory: dict[CheckKey, bool]) -> None:
    """Make room: dicts keep their order, so the first half is the oldest."""
    if len(memory) >= KEPT:
        for old in list(memory)[: KEPT // 2]:
            del memory[old]
