"""A fee desk."""

from consortium.contract import action

@action
def run(n: int):
    return ((((((((((((((((((((((((((((((((((((((((n))))))))))))))))))))))))))))))))))))))))
