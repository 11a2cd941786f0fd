"""A fee desk."""

from consortium.contract import action

@action
def run():
    return "\U00010efd" + "e\u0301" + "\ud800"
