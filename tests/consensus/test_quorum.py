"""Quorums for every n, and the settings of a replica."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.certificate import Certificate
from consortium.consensus.quorum import ConfigError, ConsensusConfig, all_of, is_quorum, mask_of, members_of
from consortium.membership import max_faulty


def config(**changes) -> ConsensusConfig:
    return ConsensusConfig(**{"n": 4, "f": 1, "index": 0, "chain": bytes(8), **changes})


# n, f, q of the table in pbft.md A.0; 2f+1 would be 3, 3, 5, 5 at n = 5, 6, 8, 9.
TABLE = [
    (4, 1, 3),
    (5, 1, 4),
    (6, 1, 4),
    (7, 2, 5),
    (8, 2, 6),
    (9, 2, 6),
    (10, 3, 7),
    (13, 4, 9),
    (31, 10, 21),
]


@pytest.mark.parametrize(("n", "f", "quorum"), [*TABLE, (10, 1, 6), (1, 0, 1), (2, 0, 2), (3, 0, 2)])
def test_the_quorum_is_general(n, f, quorum):
    assert config(n=n, f=f).quorum == quorum


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, max_faulty(n)))))
def test_two_quorums_share_a_correct_replica_and_the_correct_ones_make_one(size):
    n, f = size
    settings = config(n=n, f=f)
    assert 2 * settings.quorum - n >= f + 1
    assert settings.quorum <= n - f
    assert settings.weak_quorum == f + 1


def test_the_primary_of_a_view_is_v_mod_n():
    assert [config().primary(view) for view in range(6)] == [0, 1, 2, 3, 0, 1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"n": 0, "f": 0}, "there must be 1 to 1024 replicas"),
        ({"f": 2}, r"f = 2: with n = 4 at most \(n-1\)//3 = 1"),
        ({"f": -1}, "f = -1"),
        ({"index": 4}, "index = 4: replicas are numbered 0 to n-1 = 3"),
        ({"chain": b"short"}, "8 bytes, not 5"),
        ({"epoch": -1}, "epoch = -1"),
        ({"checkpoint_interval": 0}, "K is at least 1"),
        ({"window": 31, "checkpoint_interval": 16}, "window = 31: W must be 2K = 32"),
        ({"window": 5000}, "window = 5000"),
        ({"pipeline": 0}, "pipeline = 0"),
        ({"answer_limit": 0}, "answer_limit = 0"),
    ],
)
def test_settings_that_contradict_each_other_are_named(changes, reason):
    with pytest.raises(ConfigError, match=reason):
        config(**changes).validate()


def test_all_problems_are_named_at_once():
    with pytest.raises(ConfigError, match=r"f = 3.*index = 9.*pipeline = 0"):
        config(f=3, index=9, pipeline=0).validate()
    assert config().validate() == config()


@given(st.sets(st.integers(0, 300)))
def test_masks_hold_exactly_their_members(indices):
    mask = mask_of(indices)
    assert members_of(mask) == tuple(sorted(indices))
    assert mask.bit_count() == len(indices)
    assert all_of(301) & mask == mask


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({}, True),
        ({"kind": "PREPARE"}, False),
        ({"epoch": 1}, False),
        ({"signers": 0b0011, "signatures": (bytes(64),) * 2}, False),
        ({"signers": 0b10011}, False),
        ({"signatures": (bytes(64),) * 2}, False),
    ],
)
def test_a_certificate_needs_a_quorum_of_this_epochs_members(changes, holds):
    fields = {"epoch": 0, "kind": "COMMIT", "fields": (), "signers": 0b0111, "signatures": (bytes(64),) * 3}
    assert is_quorum(Certificate(**{**fields, **changes}), "COMMIT", config()) is holds
