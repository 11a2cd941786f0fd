"""A fee desk."""

from consortium.contract import Text, action

@action
def run(d: Text):
    return f'{d['k']}'
