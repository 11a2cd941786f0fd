import math
from statistics import NormalDist

import pytest

from consortium.crypto import hash_bytes
from consortium.simulation.latency import TABLE_SIZE, Jitter, Latency, delay_table


@pytest.mark.parametrize(("median", "p99"), [(4_000, 18_000), (500, 3_000), (10_000, 60_000), (1, 1)])
def test_a_lognormal_table_has_the_right_quantiles(median, p99):
    table = Jitter("lognormal", median, p99).table()
    sigma = math.log(p99 / median) / NormalDist().inv_cdf(0.99)
    for i in range(0, TABLE_SIZE, 7):
        exact = median * math.exp(sigma * NormalDist().inv_cdf((i + 0.5) / TABLE_SIZE))
        assert abs(table[i] - exact) <= 0.51
    assert list(table) == sorted(table)


def test_the_bytes_of_a_table_never_change():
    table = Jitter("lognormal", 4_000, 18_000).table()
    assert hash_bytes(repr(table).encode()).hex()[:16] == "6e82df969324d9b7"


def test_a_uniform_table_covers_its_range_evenly():
    table = Jitter("uniform", 100, 199).table()
    assert (table[0], table[-1]) == (100, 199)
    counts = [table.count(value) for value in range(100, 200)]
    assert sum(counts) == TABLE_SIZE
    assert max(counts) - min(counts) <= 1


def test_a_constant_jitter_is_constant():
    assert set(Jitter("constant", 250).table()) == {250}


def test_the_delay_table_has_a_floor():
    table = delay_table(Jitter("uniform", 0, 9), 20, 25)
    assert len(table) == TABLE_SIZE
    assert (table[0], table[-1]) == (25, 29)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Jitter("lognormal", 0, 5),
        lambda: Jitter("lognormal", 10, 5),
        lambda: Jitter("uniform", 10, 5),
        lambda: Jitter("constant", -1),
        lambda: Jitter("pareto", 1, 2),
        lambda: Latency(-1),
        lambda: Latency(matrix_us=((0, 1), (1,))),
        lambda: Latency(matrix_us=((0, -1), (1, 0))),
        lambda: Latency(matrix_us=((0,),)).base_row(0, 2),
    ],
)
def test_impossible_delays_are_refused(make):
    with pytest.raises(ValueError):
        make()
