"""A fee desk."""

from consortium.contract import Money, action

import datetime
from os import path
import consortium.contract


@action
def late(day: Money):
    import random
    return random.random()
