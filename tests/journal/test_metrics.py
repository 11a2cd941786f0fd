from events import CHAIN, SIGNERS, Chain, effects, transaction
from hypothesis import given
from hypothesis import strategies as st

from consortium.consensus.messages import Commit, PrePrepare, seal
from consortium.journal.metrics import Metrics, distribution, percentile
from consortium.node.effects import Reply


def sent(kind, sender, sequence):
    return seal(kind(0, 0, sequence, bytes(32), sender), CHAIN, SIGNERS[sender])


def a_run():
    metrics, chain = Metrics(4), Chain()
    payments = [transaction(number) for number in (1, 2)]
    event = chain.block(*payments)
    metrics.submitted(1_000, 1, payments[0])
    metrics.submitted(3_000, 2, payments[1])
    metrics.observe(5_000, 0, effects(sends=(sent(PrePrepare, 0, 1),)))
    for bank in range(4):
        metrics.observe(6_000 + bank, bank, effects(sends=(sent(Commit, bank, 1),)))
    for bank in range(4):
        metrics.observe(8_000 + bank, bank, effects(event))
    for bank, payment in ((1, payments[0]), (2, payments[1])):
        metrics.observe(9_000 + bank, bank, effects(replies=(Reply(payment.id, "applied"),)))
    return metrics


def test_every_phase_of_a_transaction_is_timed_at_its_own_bank():
    first, second = a_run().rows()
    assert first.phases_us() == {"order": 4_000, "prepare": 1_001, "commit": 2_000, "answer": 1_000}
    assert first.latency_us == sum(first.phases_us().values()) == 8_001
    assert (second.bank, second.status, second.latency_us) == (2, "applied", 6_002)


def test_the_summary_names_its_clock_and_counts_answers():
    summary = a_run().summary()
    assert summary.clock == "virtual"
    assert (summary.submitted, summary.answered) == (2, 2)
    assert summary.duration_us == 8_002
    assert summary.throughput_per_s == 249
    assert summary.latency_us == {"p50": 6_002, "p95": 8_001, "p99": 8_001, "max": 8_001}
    assert summary.phases_us["prepare"]["max"] == 1_002


def test_a_slot_that_every_bank_has_executed_is_forgotten():
    assert a_run()._slots == {}


def test_what_is_not_answered_is_not_counted_as_fast():
    metrics = Metrics(4)
    metrics.submitted(1_000, 0, transaction(1))
    metrics.observe(2_000, 0, effects(replies=(Reply(transaction(1).id, "busy", retry_after_us=5),)))
    summary = metrics.summary()
    assert (summary.submitted, summary.answered, summary.latency_us) == (1, 0, {})
    assert summary.throughput_per_s == 0


def test_an_empty_run_has_no_figures():
    assert Metrics(4).summary().duration_us == 0


@given(st.lists(st.integers(0, 1000), min_size=1), st.integers(1, 1000))
def test_a_percentile_is_a_value_that_enough_others_do_not_exceed(values, per_mille):
    found = percentile(sorted(values), per_mille)
    assert found in values
    assert sum(value <= found for value in values) * 1_000 >= per_mille * len(values)
    assert sum(value < found for value in values) * 1_000 < per_mille * len(values)
    assert distribution(values)["max"] == max(values)
