"""The contract that does nothing really does nothing."""

from harness import CONTRACTS, Bench


def test_anybody_may_run_it_and_nothing_changes():
    bench = Bench(contracts={"noop": (CONTRACTS / "noop.py").read_bytes()})
    before = dict(bench.state)
    for party in ("IB1", "APP1", "REG", "CB"):
        assert bench.applied(party, "noop.run") is None
    assert bench.state == before
