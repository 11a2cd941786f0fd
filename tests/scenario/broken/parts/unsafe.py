"""The checker of the contract language refuses this file."""

from consortium.contract import action


@action
def run():
    return 1 / 2
