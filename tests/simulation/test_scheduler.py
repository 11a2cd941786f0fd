import heapq
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.simulation.scheduler import Scheduler


class HeapScheduler:
    """The specification: one heap of events, ordered by their content."""

    def __init__(self):
        self.now_us = 0
        self._heap = []

    def events(self):
        while self._heap:
            entry = heapq.heappop(self._heap)
            self.now_us = entry[0]
            yield entry

    def schedule(self, time_us, rank, receiver, payload):
        heapq.heappush(self._heap, (time_us, rank, receiver, payload))

    def schedule_broadcast(self, start_us, rank, receivers, delays_us, payload):
        for receiver, delay_us in zip(receivers, delays_us, strict=True):
            self.schedule(start_us + delay_us, rank, receiver, payload)


def log_of(scheduler, plan):
    """Take everything; the n-th event taken schedules what `plan` says at place n."""
    for start_us, receiver in plan[0]:
        scheduler.schedule(1 + start_us, (0, "start", receiver), receiver, 0)
    log = []
    for place, (now_us, rank, receiver, payload) in zip(count(1), scheduler.events(), strict=False):
        assert scheduler.now_us == now_us
        log.append((now_us, rank, receiver, payload))
        if place < len(plan):
            delays = [1 + delay for delay, _ in plan[place]]
            receivers = [receiver for _, receiver in plan[place]]
            scheduler.schedule_broadcast(now_us, (place % 3, "vote", receiver), receivers, delays, place % 2)
    return log


BATCH = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 4)), max_size=6)


@given(st.lists(BATCH, min_size=1, max_size=60))
@settings(max_examples=150, deadline=None)
def test_gives_the_same_log_as_one_heap(plan):
    assert log_of(Scheduler(), plan) == log_of(HeapScheduler(), plan)


@given(st.lists(BATCH, min_size=1, max_size=30), st.integers(0, 20))
@settings(max_examples=80, deadline=None)
def test_a_loop_that_was_left_goes_on_where_it_stopped(plan, steps):
    whole = log_of(Scheduler(), plan)
    scheduler = Scheduler()
    for start_us, receiver in plan[0]:
        scheduler.schedule(1 + start_us, (0, "start", receiver), receiver, 0)
    log = []
    exhausted = False
    while not exhausted:
        exhausted = True
        for taken, entry in enumerate(scheduler.events()):
            log.append(entry)
            place = len(log)
            if place < len(plan):
                delays = [1 + delay for delay, _ in plan[place]]
                receivers = [receiver for _, receiver in plan[place]]
                rank = (place % 3, "vote", entry[2])
                scheduler.schedule_broadcast(entry[0], rank, receivers, delays, place % 2)
            if taken == steps:
                exhausted = False
                break
    assert log == whole


def test_order_at_one_moment_is_by_content_and_not_by_insertion():
    entries = [
        (10, (s, kind, sender), r, 0) for s in (1, 2) for kind in "AB" for sender in (0, 1) for r in (0, 1)
    ]
    forward, backward = Scheduler(), Scheduler()
    for entry in entries:
        forward.schedule(*entry)
    for entry in reversed(entries):
        backward.schedule(*entry)
    assert list(forward.events()) == list(backward.events()) == sorted(entries)


def test_what_is_scheduled_after_the_last_event_is_taken_by_the_next_loop():
    scheduler = Scheduler()
    scheduler.schedule(5, (0, "a", 0), 0, 0)
    assert len(list(scheduler.events())) == 1
    scheduler.schedule(6, (0, "b", 0), 0, 0)
    assert [entry[1][1] for entry in scheduler.events()] == ["b"]


@given(st.sets(st.integers(1, 6000), min_size=1, max_size=80), st.integers(0, 79), st.integers(2, 5))
@settings(max_examples=80, deadline=None)
def test_removal_takes_out_what_is_pending_and_nothing_else(times, taken, modulus):
    scheduler = Scheduler()
    for time_us in times:
        scheduler.schedule(time_us, (0, "a", 0), 0, 0)
    gone, left = sorted(times)[:taken], sorted(times)[taken:]
    seen = []
    for entry in scheduler.events():
        if len(seen) == len(gone):
            scheduler.schedule(entry[0] + 1, (0, "again", 0), 0, 0)
            break
        seen.append(entry[0])
    else:
        assert not left
        return
    removed = scheduler.remove(lambda entry: entry[1][1] == "a" and entry[0] % modulus == 0)
    assert [entry[0] for entry in removed] == [t for t in left[1:] if t % modulus == 0]
    rest = [t for t in left[1:] if t % modulus] + [left[0] + 1]
    assert [entry[0] for entry in scheduler.events()] == sorted(rest)


def test_nothing_can_be_scheduled_for_now():
    with pytest.raises(AssertionError):
        Scheduler().schedule(0, (0, "a", 0), 0, 0)
