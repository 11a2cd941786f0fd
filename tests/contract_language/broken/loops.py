"""A fee desk."""

from consortium.contract import action

@action
def run(xs: list[int]):
    for x in xs:
        pass
    else:
        return 0
    for xs[0] in range(3):
        break
    continue
