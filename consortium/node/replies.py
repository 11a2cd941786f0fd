"""Answers to a bank's own clients: a result counts when f+1 banks signed the same header (pbft.md A.1).

Also remembers, outside the state, which transaction first used a number, so that a repeat gets the first
receipt (design decision 8).
"""

from dataclasses import dataclass

from consortium.ledger.block import Block
from consortium.ledger.receipt import REFUSED, REPEATED
from consortium.node.effects import Reply

HEIGHTS_KEPT = 1024


@dataclass(frozen=True, slots=True)
class _Unanswered:
    """Own clients' transactions in a block, by their positions; they wait for `token` and f+1 votes."""

    block: Block
    token: int
    positions: tuple[int, ...]


class Replies:
    """Collects header votes and answers when a block is durable here and attested by `needed` banks."""

    def __init__(self, needed: int, own_index: int) -> None:
        self._needed = needed
        self._own_index = own_index
        self._votes: dict[int, dict[bytes, int]] = {}
        self._unanswered: dict[int, _Unanswered] = {}
        self._first: dict[tuple[str, int, int], tuple[bytes, int, bytes, str, str | None]] = {}
        self._newest_height = 0
        self._certified_height = 0

    @property
    def are_awaited(self) -> bool:
        return bool(self._unanswered)

    def executed(self, block: Block, own_positions: tuple[int, ...], token: int) -> None:
        """Note an executed block; own clients' transactions in it wait for their answers."""
        height = block.header.height
        self._newest_height = height
        if own_positions:
            self._unanswered[height] = _Unanswered(block, token, own_positions)
            self.vote(height, block.hash, self._own_index)
        else:
            self._votes.pop(height, None)

    def recovered(self, block: Block, own_positions: tuple[int, ...]) -> None:
        """Note a block that was durable before a restart: whoever asks again gets its answers."""
        self._newest_height = block.header.height
        for position in own_positions:
            self._answer(block, position)

    def vote(self, height: int, header_hash: bytes, sender: int) -> None:
        """Count a bank's signature under a header; what is done or far from our own height is not kept."""
        done = height <= self._newest_height and height not in self._unanswered
        if done or height > self._newest_height + HEIGHTS_KEPT:
            return
        votes = self._votes.setdefault(height, {})
        votes[header_hash] = votes.get(header_hash, 0) | 1 << sender

    def certified(self, height: int) -> None:
        """Note a checkpoint certificate for our own chain: it attests every header up to its height."""
        self._certified_height = max(self._certified_height, height)

    def ready(self, durable_token: int) -> list[Reply]:
        """Return the answers that may be given now, in order of height."""
        answers: list[Reply] = []
        for height in tuple(self._unanswered):
            waiting = self._unanswered[height]
            votes = self._votes[height][waiting.block.hash].bit_count()
            attested = votes >= self._needed or height <= self._certified_height
            if waiting.token > durable_token or not attested:
                continue
            del self._unanswered[height]
            del self._votes[height]
            answers += [self._answer(waiting.block, position) for position in waiting.positions]
        return answers

    def first_answer(self, sender: str, session: int, number: int) -> Reply | None:
        """Return the answer that this number got first, now as `repeated`, or None if it is new here."""
        first = self._first.get((sender, session, number))
        if first is None:
            return None
        transaction_id, height, receipt, _, code = first
        return Reply(transaction_id, REPEATED, code=code, height=height, receipt=receipt)

    def _answer(self, block: Block, position: int) -> Reply:
        transaction = block.transactions[position]
        receipt = block.receipt_of(position)
        encoded = block.receipt_bytes[block.due_count + position]
        height = block.header.height
        key = (transaction.sender.organisation, transaction.session, transaction.number)
        if receipt.status != REPEATED:
            if len(self._first) >= HEIGHTS_KEPT * 64:
                del self._first[next(iter(self._first))]
            self._first.setdefault(key, (transaction.id, height, encoded, receipt.status, receipt.code))
        elif key in self._first:
            _, height, encoded, _, code = self._first[key]
            return Reply(transaction.id, REPEATED, code=code, height=height, receipt=encoded)
        code = receipt.code if receipt.status == REFUSED else None
        return Reply(transaction.id, receipt.status, code=code, height=height, receipt=encoded)
