"""A fee desk."""

from consortium.contract import action

@action
def run(n: int):
    # ‮right to left‬
    name = "zero​width"
    pаyee = n
    return name
