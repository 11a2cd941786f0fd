"""What a bank can tell about a transaction before it is ordered: does the action exist, do the arguments fit?

A filter only. Whoever gets past it is judged again at execution, by the same rules and the same code.
"""

from consortium.ledger.transaction import Transaction
from consortium.ledger.transition import Rules, StateView
from consortium.vm.exceptions import ARGS, Refused
from consortium.vm.execute import BlockExecution


class Admission:
    """Judges the form of calls, with one engine kept for all of them."""

    def __init__(self, rules: Rules) -> None:
        self._contracts = rules.contracts
        self._gas_limit = rules.genesis.limits.gas_per_transaction
        self._machine = BlockExecution(
            StateView(None),
            rules.contracts,
            rules.calendar,
            rules.genesis.start_us,
            rules.membership,
            self._gas_limit,
        )

    def refusal_of(self, transaction: Transaction) -> str | None:
        """Return the code with which execution would refuse the call's form, or None."""
        contract = self._contracts.named(transaction.contract)
        entry = None if contract is None else contract.entries.get(transaction.action)
        if entry is None or entry.kind != "action":
            return ARGS
        self._machine.gas = self._gas_limit
        try:
            self._machine.decoded_arguments(entry, transaction.arguments)
        except Refused as refused:
            return refused.code
        return None
