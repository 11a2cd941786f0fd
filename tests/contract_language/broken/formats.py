"""A fee desk."""

from consortium.contract import Text, action

@action
def run(n: int, who: Text):
    return f"{n:>20}{who!r}{n=}"
