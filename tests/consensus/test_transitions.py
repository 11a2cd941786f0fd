"""The table of a slot's life, and the pure conditions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.consensus.messages import Prepare, PrePrepare
from consortium.consensus.transitions import (
    ACCEPT,
    COMMIT_QUORUM,
    PREPARE_QUORUM,
    TABLE,
    Cause,
    Phase,
    Refusal,
    due,
    on_certificate,
    pre_prepare_refusal,
    vote_refusal,
)


def test_there_is_one_step_for_a_phase_and_a_cause():
    keys = [(entry.phase, entry.cause) for entry in TABLE]
    assert len(keys) == len(set(keys))


def test_every_phase_is_reached_and_only_a_new_view_leaves_committed():
    assert {entry.next_phase for entry in TABLE} | {Phase.WAITING} == set(Phase)
    assert {entry.cause for entry in TABLE} == set(Cause)
    leaving = {entry.cause for entry in TABLE if entry.phase is Phase.COMMITTED}
    assert leaving == {Cause.NEW_VIEW}


@given(st.sampled_from(Phase), st.integers(0, 13), st.integers(0, 13), st.integers(1, 9))
def test_what_is_due_is_an_entry_of_the_table(phase, prepares, commits, quorum):
    step = due(phase, prepares, commits, quorum)
    assert step is None or (step in TABLE and step.phase is phase)


@pytest.mark.parametrize(
    ("phase", "prepares", "commits", "step"),
    [
        (Phase.WAITING, 3, 4, None),
        (Phase.PRE_PREPARED, 1, 4, None),
        (Phase.PRE_PREPARED, 2, 0, PREPARE_QUORUM),
        (Phase.PREPARED, 3, 2, None),
        (Phase.PREPARED, 2, 3, COMMIT_QUORUM),
        (Phase.COMMITTED, 3, 4, None),
    ],
)
def test_prepared_needs_q_less_one_prepares_and_committed_needs_prepared(phase, prepares, commits, step):
    assert due(phase, prepares, commits, quorum=3) is step


def test_a_certificate_commits_from_every_phase_but_the_last():
    for phase in Phase:
        step = on_certificate(phase)
        assert (step is None) == (phase is Phase.COMMITTED)
        assert step is None or step.next_phase is Phase.COMMITTED
    assert ACCEPT.phase is Phase.WAITING


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, None),
        ({"epoch": 1}, Refusal.ANOTHER_EPOCH),
        ({"view": 4}, Refusal.ANOTHER_VIEW),
        ({"view": 2}, Refusal.EARLIER_VIEW),
        ({"sender": 1}, Refusal.NOT_FROM_PRIMARY),
        ({"sequence": 10}, Refusal.LATE),
        ({"sequence": 11}, None),
        ({"sequence": 20}, None),
        ({"sequence": 21}, Refusal.BEYOND_WINDOW),
    ],
)
def test_a_pre_prepare_is_accepted_in_view_from_the_primary_inside_the_window(changes, refusal):
    content = PrePrepare(
        **{"epoch": 0, "view": 3, "sequence": 15, "digest": bytes(32), "sender": 0, **changes}
    )
    assert pre_prepare_refusal(content, epoch=0, view=3, primary=0, low=10, high=20) is refusal


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, None),
        ({"epoch": 1}, Refusal.ANOTHER_EPOCH),
        ({"view": 4}, Refusal.ANOTHER_VIEW),
        ({"view": 2}, Refusal.EARLIER_VIEW),
        ({"sender": 4}, Refusal.STRANGER),
        ({"sender": -1}, Refusal.STRANGER),
        ({"sequence": 10}, Refusal.LATE),
        ({"sequence": 21}, Refusal.BEYOND_WINDOW),
    ],
)
def test_a_vote_is_logged_in_view_from_a_member_inside_the_window(changes, refusal):
    content = Prepare(**{"epoch": 0, "view": 3, "sequence": 15, "digest": bytes(32), "sender": 1, **changes})
    assert vote_refusal(content, epoch=0, view=3, n=4, low=10, high=20) is refusal
