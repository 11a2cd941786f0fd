"""A fee desk."""

from consortium.contract import action

_hidden = 1


@action
def run(n_: int):
    __builtins__
    return _hidden + n_
