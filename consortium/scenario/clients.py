"""The clients of a scenario: every organisation signs its own transactions and keeps its own count.

A client uses session 0, numbers its transactions from 1, and lets the floor follow at half the window's
distance, so that a client that never stops never runs out of numbers.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from consortium.crypto import Signer
from consortium.ledger.sessions import WINDOW
from consortium.ledger.transaction import Party, Transaction, transaction_body, transaction_of
from consortium.membership import Membership


class Clients:
    """Makes signed transactions for the organisations whose keys it holds."""

    def __init__(self, chain: bytes, membership: Membership, signers: Mapping[str, Signer]) -> None:
        self._chain = chain
        self._membership = membership
        self._signers = signers
        self._numbers: Counter[str] = Counter()

    def transaction(
        self, sender: str, contract: str, action: str, arguments: tuple[Any, ...], agreed_by: tuple[str, ...]
    ) -> Transaction:
        """Return the sender's next transaction, signed by it and by everybody in `agreed_by`."""
        self._numbers[sender] += 1
        number = self._numbers[sender]
        body = transaction_body(
            chain=self._chain,
            sender=self._party(sender),
            session=0,
            number=number,
            contract=contract,
            action=action,
            arguments=arguments,
            agreed_by=tuple(self._party(each) for each in agreed_by),
            floor=number - WINDOW // 2 if number > WINDOW // 2 else None,
        )
        signers = (sender, *agreed_by)
        return transaction_of(body, tuple(self._signers[each].sign(body) for each in signers))

    def _party(self, organisation_id: str) -> Party:
        organisation = self._membership.organisation(organisation_id)
        assert organisation is not None, "the loader has checked every party"
        return Party(organisation=organisation_id, key_number=organisation.key_number)
