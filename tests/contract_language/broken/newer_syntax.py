"""A fee desk."""

from consortium.contract import action

@action
def run(n: int):
    match n:
        case 1:
            return 1
    if (m := n) > 2:
        return m
    return [x async for x in n]
