"""Sender sessions: F < s <= F + 1,024 and an unset bit, and nothing else decides."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from consortium.encoding import EncodingError, encode
from consortium.ledger.sessions import FRESH, WINDOW, Session, decode_session, session_key


class SessionModel(RuleBasedStateMachine):
    """Against the plainest model there is: a floor and a set."""

    def __init__(self):
        super().__init__()
        self.session = FRESH
        self.floor = 0
        self.done = set()

    @rule(offset=st.integers(-3, WINDOW + 3), lift=st.none() | st.integers(0, WINDOW))
    def execute(self, offset, lift):
        number = self.floor + offset
        may = self.floor < number <= self.floor + WINDOW and number not in self.done
        assert (self.session.in_window(number) and not self.session.is_executed(number)) == may
        if not may:
            return
        floor = None if lift is None else min(number - 1, self.floor + lift)
        self.session = self.session.with_executed(number, floor)
        self.done.add(number)
        if floor is not None:
            self.floor = max(self.floor, floor)
        self.done = {n for n in self.done if n > self.floor}

    @rule()
    def store_and_read(self):
        self.session = decode_session(self.session.encoded())

    @invariant()
    def the_same_as_the_model(self):
        assert self.session.floor == self.floor
        assert {
            n for n in range(self.floor + 1, self.floor + WINDOW + 1) if self.session.is_executed(n)
        } == self.done


TestSessionModel = SessionModel.TestCase
TestSessionModel.settings = __import__("hypothesis").settings(
    max_examples=25, stateful_step_count=30, deadline=None
)


@pytest.mark.parametrize(
    "data", [encode((0,)), encode((-1, b"")), encode((0, b"\0\1")), encode((0, b"\1" * 129)), b"x"]
)
def test_other_bytes_are_no_session(data):
    with pytest.raises(EncodingError):
        decode_session(data)


def test_keys_are_distinct_and_ordered():
    keys = [session_key(who, number) for who in ("a", "ab", "b") for number in range(16)]
    assert keys == sorted(set(keys))
    assert not any(left != right and right.startswith(left) for left in keys for right in keys)


def test_a_number_below_the_floor_is_outside_not_repeated():
    session = Session().with_executed(5, 4)
    assert session.is_executed(5)
    assert not session.is_executed(4)
    assert not session.in_window(4)
