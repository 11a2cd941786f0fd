"""A contract that does nothing: what a transaction costs before any trade is in it (benchmarks)."""

from consortium.contract import action


@action
def run():
    """Anybody may run it; nothing changes."""
