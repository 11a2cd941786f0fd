"""A fee desk."""

from consortium.contract import Money, Text, record, status, to, value

class Plain:
    pass


@status
class Life:
    BORN = to("OLD", "GONE")
    OLD = 3


@value
class Part(Plain):
    face: Money

    def double(self):
        return self.face * 2


@record(visible_to="owner")
class Thing:
    owner: Text
    parts: dict[Text, int]
