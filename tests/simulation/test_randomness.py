from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.simulation.randomness import Choice, MessageHash, Randomness


def test_the_bytes_of_a_seed_never_change():
    """Written down once: another value here means that every published seed gives another run."""
    randomness = Randomness(7)
    assert [randomness.stream("load", "bank01").below(1000) for _ in range(6)] == [
        930,
        189,
        57,
        821,
        393,
        588,
    ]
    lanes = MessageHash(randomness.key("network.jitter"), bits=16, count=4)
    assert lanes.lanes(2, "PREPARE", 5, 0) == (44114, 28037, 22823, 45299)


def test_streams_do_not_shift_each_other():
    alone = Randomness(1)
    expected = [alone.choose("crash", "bank01", 100) for _ in range(10)]
    mixed = Randomness(1)
    seen = []
    for _ in range(10):
        mixed.choose("crash", "bank02", 100)
        mixed.choose("load", "bank01", 7)
        seen.append(mixed.choose("crash", "bank01", 100))
    assert seen == expected


def test_seeds_labels_and_entities_each_give_another_stream():
    names = [(1, "a", "b"), (2, "a", "b"), (1, "b", "b"), (1, "a", "c"), (1, "ab", ""), (1, "a", "")]
    assert len({Randomness(seed).key(label, entity) for seed, label, entity in names}) == len(names)


@given(st.integers(1, 2**64), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_draws_lie_in_their_range(count, seed):
    stream = Randomness(seed).stream("x")
    assert all(0 <= stream.below(count) < count for _ in range(5))


def test_draws_are_even():
    stream = Randomness(3).stream("x")
    counts = [0] * 6
    for _ in range(60_000):
        counts[stream.below(6)] += 1
    assert all(abs(count - 10_000) < 400 for count in counts)


def test_draws_are_even_where_the_words_do_not_divide():
    """Three quarters of all 64-bit words: plain remainders would make the first third twice as likely."""
    stream = Randomness(3).stream("x")
    low = sum(stream.below(3 << 62) < 1 << 62 for _ in range(3_000))
    assert abs(low - 1_000) < 100


def test_between_reaches_both_ends():
    stream = Randomness(3).stream("x")
    assert {stream.between(5, 7) for _ in range(100)} == {5, 6, 7}


def test_recorded_choices_repeat_a_run_under_another_seed():
    first = Randomness(1)
    values = [first.choose("fault", f"bank{i % 3}", 50) for i in range(30)]
    again = Randomness(2, replay=first.choices)
    assert [again.choose("fault", f"bank{i % 3}", 50) for i in range(30)] == values
    assert again.mismatches == []
    assert again.choices == first.choices


def test_a_choice_that_does_not_fit_is_drawn_and_named():
    replayed = Randomness(1, replay=[Choice("fault", "a", 50, 49)])
    assert replayed.choose("fault", "a", 10) < 10
    replayed.choose("fault", "b", 10)
    assert len(replayed.mismatches) == 2
    assert "recorded were 50" in replayed.mismatches[0]


def test_removing_recorded_choices_of_one_entity_leaves_the_others():
    first = Randomness(1)
    for i in range(12):
        first.choose("fault", f"bank{i % 3}", 1000)
    kept = [choice for choice in first.choices if choice.entity != "bank1"]
    again = Randomness(1, replay=kept)
    assert [again.choose("fault", "bank2", 1000) for _ in range(4)] == [
        choice.value for choice in first.choices if choice.entity == "bank2"
    ]


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([16, 32]))
@settings(max_examples=60, deadline=None)
def test_lane_i_is_the_same_however_many_there_are(few, many, bits):
    few, many = min(few, many), max(few, many)
    key = Randomness(9).key("x")
    all_of_them = MessageHash(key, bits, many).lanes(1, "COMMIT", 8, 0)
    assert len(all_of_them) == many
    assert all_of_them[:few] == MessageHash(key, bits, few).lanes(1, "COMMIT", 8, 0)


def test_every_part_of_a_messages_name_matters():
    lanes = MessageHash(Randomness(9).key("x"), bits=32, count=20)
    names = [(1, "A", 1, 0), (2, "A", 1, 0), (1, "B", 1, 0), (1, "A", 2, 0), (1, "A", 1, 1), (1, "A", -1, 0)]
    assert len({lanes.lanes(*name) for name in names}) == len(names)
    assert len(set(lanes.lanes(1, "A", 1, 0))) == 20
