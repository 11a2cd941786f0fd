"""A fee desk."""

from consortium.contract import action, today

seen = []
LIMITS = {"B1": 5}
TODAY = today()


@action
def remember(n: int):
    seen.append(n)
