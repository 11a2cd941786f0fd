"""Whole nodes on a simulated network: requests, answers, exactly once, loss, time, refusals."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_cluster import START_US, world

from consortium.consensus.messages import MessageError, Prepare, PrePrepare, seal
from consortium.ledger.receipt import decode_receipt
from consortium.ledger.transaction import batch_of, bundle_body, bundle_of
from consortium.node.effects import NOTHING_DONE, BusinessTime, Finish, Received, Rejected
from consortium.node.messages import decode_message, request_of
from consortium.simulation.faults import Crash
from consortium.simulation.network import PRESETS


def test_a_request_is_answered_with_its_receipt():
    banks = world()
    transaction = banks.transaction()
    banks.submit(1, transaction)
    banks.run_until_answered(1)
    _, bank, reply = banks.answers[0]
    assert (bank, reply.status, reply.code, reply.height) == (1, "applied", None, 1)
    assert decode_receipt(reply.receipt).subject == ("tx", transaction.id)


@pytest.mark.parametrize("n", [4, 7, 10, 16])
def test_a_fault_free_batch_costs_exactly_the_messages_of_the_paper(n):
    banks = world(n, status_us=10_000_000)
    for number in range(1, 6):
        banks.submit(1, banks.transaction(number=number))
        banks.run_until_answered(number)
    banks.cluster.run(until_us=banks.cluster.now_us + 5_000_000, predicate=lambda: min(banks.heights) == 5)
    counts = banks.cluster.network.counts.sent
    assert counts["PRE-PREPARE"] == 5 * (n - 1)
    assert counts["PREPARE"] == 5 * (n - 1) ** 2
    assert counts["COMMIT"] == 5 * n * (n - 1)


def test_what_goes_together_is_one_bundle_in_its_order():
    banks = world()
    transactions = [banks.transaction(number=number) for number in (3, 1, 2)]
    banks.submit(2, *[banks.transaction("bank2", number) for number in (3, 1, 2)])
    banks.run_until_answered(3)
    block = banks.nodes[0].blocks[1]
    assert [each.number for each in block.transactions] == [each.number for each in transactions]
    assert len(block.batch.bundles) == 1


# --- exactly once ------------------------------------------------------------------------------------------


def test_a_repeat_gets_the_first_receipt_and_has_no_effect():
    banks = world()
    transaction = banks.transaction()
    for count in (1, 2):
        banks.submit(1, transaction)
        banks.run_until_answered(count)
    assert banks.statuses == [("applied", None), ("repeated", None)]
    first, second = (reply for _, _, reply in banks.answers)
    assert second.receipt == first.receipt
    assert banks.heights == [1, 1, 1, 1]


def test_a_number_that_was_used_for_something_else_shows_the_other_transaction():
    banks = world()
    first = banks.transaction(number=1)
    other = banks.transaction(number=1, floor=0)
    assert first.id != other.id
    banks.submit(1, first)
    banks.run_until_answered(1)
    banks.submit(1, other)
    banks.run_until_answered(2)
    assert banks.answers[1][2].status == "repeated"
    assert banks.answers[1][2].transaction_id == first.id


def test_two_transactions_of_one_number_in_one_block_apply_once():
    banks = world()
    banks.submit(1, banks.transaction(number=1), banks.transaction(number=1, floor=0))
    banks.run_until_answered(2)
    assert sorted(status for status, _ in banks.statuses) == ["applied", "repeated"]


def test_a_number_outside_the_window_is_refused():
    banks = world()
    banks.submit(1, banks.transaction(number=1025))
    banks.submit(1, banks.transaction(number=1024, floor=1000))
    banks.submit(
        1, banks.transaction(number=900, session=1, floor=800), banks.transaction(number=800, session=1)
    )
    banks.run_until_answered(4)
    found = {(reply.status, reply.code) for _, _, reply in banks.answers}
    assert found == {("refused", "E-NONCE"), ("applied", None)}
    assert sum(status == ("refused", "E-NONCE") for status in banks.statuses) == 2


# --- what a bank does not admit ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"signer": "bank2"}, "E-SIGNATURE"),
        ({"chain": b"another-"}, "E-NETWORK"),
        ({"sender": "bank2"}, "E-BUNDLE"),
        ({"contract": "nothing@1"}, "E-ARGS"),
        ({"action": "jump"}, "E-ARGS"),
        ({"arguments": (1,)}, "E-ARGS"),
        ({"key_number": 2}, "E-SIGNATURE"),
    ],
)
def test_a_bank_refuses_before_consensus(change, code):
    banks = world()
    banks.submit(1, banks.transaction(**change))
    banks.run_until_answered(1)
    assert banks.statuses == [("refused", code)]
    assert banks.cluster.network.counts.sent["REQUEST"] == 0


def test_a_full_bank_is_busy_and_says_when_to_come_back():
    banks = world(capacity=2)
    for number in (1, 2, 3):
        banks.submit(1, banks.transaction(number=number))
    banks.run_until_answered(3)
    busy = [reply for _, _, reply in banks.answers if reply.status == "busy"]
    assert len(busy) == 1
    assert busy[0].retry_after_us > 0


def test_a_customer_of_another_bank_does_not_count_and_keeps_its_number():
    """A bank that carries somebody else's customer cannot use up the customer's numbers (decision 5)."""
    banks = world(companies=[("maker", "bank2")])
    transaction = banks.transaction("maker")
    rogue = banks.nodes[1]
    body = bundle_body(banks.rules.chain, 0, 1, (transaction.id,))
    request = request_of(bundle_of(body, banks.signers["bank1"].sign(body), (transaction,)))
    assert rogue.index == 1
    effects = banks.nodes[0].handle(Received(request, (True, True)), 0)
    assert effects is not NOTHING_DONE
    banks.cluster._carry_out(banks.cluster.hosts[0], effects, 1, 1)
    banks.cluster.run(until_us=2_000_000, predicate=lambda: min(banks.heights) == 1)
    assert [r.code for r in banks.nodes[0].blocks[1].receipts] == ["E-BUNDLE"]
    banks.submit(2, transaction)
    banks.run_until_answered(2)
    assert [(bank, reply.code) for _, bank, reply in banks.answers] == [(1, "E-BUNDLE"), (2, None)]


# --- batches ------------------------------------------------------------------------------------------------


def proposal(banks, *, time_us=START_US, transactions=None, sequence=1):
    """A pre-prepare of the primary with this batch, as the others receive it."""
    transactions = transactions or (banks.transaction("bank0"),)
    ids = tuple(each.id for each in transactions)
    body = bundle_body(banks.rules.chain, 0, 0, ids)
    bundle = bundle_of(body, banks.signers["bank0"].sign(body), transactions)
    batch = batch_of(banks.rules.chain, 0, (bundle,), time_us)
    content = PrePrepare(0, 0, sequence, batch.digest, 0)
    return seal(content, banks.rules.chain, banks.signers["bank0"], batch.encoded())


def verdicts(banks, node, signed):
    return tuple(banks.scheme.verify(*check) for check in node.wanted(signed))


def kinds_sent(effects):
    return [send.signed.content.KIND for send in effects.send]


def test_a_backup_prepares_a_whole_batch():
    banks = world()
    node = banks.nodes[1]
    signed = proposal(banks)
    checks = verdicts(banks, node, signed)
    assert checks == (True, True, True)  # pre-prepare, bundle, transaction
    assert kinds_sent(node.handle(Received(signed, checks), 0)) == ["PREPARE"]


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_backup_does_not_vote_for_a_batch_with_a_bad_signature(broken):
    banks = world()
    node = banks.nodes[1]
    signed = proposal(banks)
    checks = tuple(place != broken for place in range(3))
    effects = node.handle(Received(signed, checks), 0)
    assert kinds_sent(effects) == []
    assert any(isinstance(event, Rejected) for event in effects.trace)


def test_a_batch_under_another_digest_is_refused():
    banks = world()
    node = banks.nodes[1]
    signed, other = proposal(banks), proposal(banks, time_us=START_US + 1)
    mixed = signed.header.with_attachment(other.attachment)
    effects = node.handle(Received(mixed, (True, True, True)), 0)
    assert [event.cause for event in effects.trace] == ["batch does not match its digest"]


def test_a_batch_ahead_of_our_time_is_held_until_we_are_there():
    banks = world()
    node = banks.nodes[1]
    ahead_us = START_US + 61_000_000
    signed = proposal(banks, time_us=ahead_us)
    assert kinds_sent(node.handle(Received(signed, (True, True, True)), 0)) == []
    assert kinds_sent(node.handle(BusinessTime(START_US + 2_000_000), 1)) == ["PREPARE"]


def test_a_batch_behind_our_time_is_refused_unless_it_fits_the_reading_before():
    banks = world()
    node = banks.nodes[1]
    node.handle(BusinessTime(START_US + 3_600_000_000), 0)
    assert kinds_sent(node.handle(Received(proposal(banks), (True, True, True)), 0)) == ["PREPARE"]
    node.handle(BusinessTime(START_US + 7_200_000_000), 0)
    late = proposal(banks, sequence=2)
    effects = node.handle(Received(late, (True, True, True)), 0)
    assert [event.cause for event in effects.trace] == ["business time behind"]


def test_a_stranger_is_asked_for_nothing_and_refused():
    banks = world()
    node = banks.nodes[1]
    stranger = seal(Prepare(0, 0, 1, bytes(32), 9), banks.rules.chain, banks.signers["bank0"])
    assert node.wanted(stranger) == ()
    effects = node.handle(Received(stranger, ()), 0)
    assert [event.cause for event in effects.trace] == ["signature"]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=120))
def test_any_bytes_are_a_message_or_refused(data):
    banks = world()
    try:
        signed = decode_message(data, banks.rules.chain)
    except MessageError:
        return
    assert signed.wire == data


def test_messages_survive_their_wire():
    banks = world()
    request = request_of(proposal_bundle(banks))
    for signed in (proposal(banks), request):
        again = decode_message(signed.wire, banks.rules.chain)
        assert again == signed
        assert again.content.KIND == signed.content.KIND


def proposal_bundle(banks):
    transaction = banks.transaction("bank0")
    body = bundle_body(banks.rules.chain, 0, 0, (transaction.id,))
    return bundle_of(body, banks.signers["bank0"].sign(body), (transaction,))


# --- loss, and the same work done apart -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [4, 7])
def test_lost_late_and_doubled_messages_are_survived(n, seed):
    rough = replace(PRESETS["metro"], loss_ppm=150_000, duplication_ppm=100_000, reordering_ppm=100_000)
    banks = world(n, seed=seed, network=rough, share=seed % 2 == 0)
    for number in range(1, 21):
        who = number % n
        banks.cluster.at(
            number * 5_000,
            lambda who=who, number=number: banks.submit(who, banks.transaction(f"bank{who}", number)),
        )
    banks.run_until_answered(20)
    assert [status for status, _ in banks.statuses] == ["applied"] * 20
    banks.cluster.run(
        until_us=banks.cluster.now_us + 20_000_000, predicate=lambda: len(set(banks.heights)) == 1
    )
    for bank in range(n):
        banks.cluster.give(bank, Finish())
    banks.cluster.run(
        until_us=banks.cluster.now_us + 20_000_000,
        predicate=lambda: all(node.stable == node.executed for node in banks.nodes),
    )
    assert len({node.tip.hash for node in banks.nodes}) == 1
    assert all(node.stable == node.executed for node in banks.nodes)


def test_sharing_execution_changes_nothing():
    tips = set()
    for share in (True, False):
        banks = world(share=share)
        for number in range(1, 6):
            banks.submit(1, banks.transaction(number=number))
            banks.run_until_answered(number)
        tips |= {node.tip.hash for node in banks.nodes}
    assert len(tips) == 1


def test_nothing_leaves_before_the_block_it_speaks_of_is_persisted():
    banks = world()
    banks.submit(1, banks.transaction())
    seen = []
    original = banks.nodes[2].handle

    def watched(entry, now_us):
        effects = original(entry, now_us)
        seen.append(effects)
        return effects

    banks.cluster.hosts[2].handle = watched
    banks.run_until_answered(1)
    for effects in seen:
        for send in effects.send:
            if send.signed.content.KIND in {"PREPARE", "COMMIT", "REPLY", "CHECKPOINT"}:
                assert send.after == effects.token > 0


# --- a dead primary ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "dead"), [(4, 1), (7, 1), (7, 2), (10, 3)])
def test_requests_survive_dead_primaries_and_run_once(n, dead):
    """C7 and C15: what the dead primary may have had is ordered by the first living one, each once."""
    banks = world(n)
    last = f"bank{n - 1}"
    banks.submit(n - 1, banks.transaction(last, 1))
    banks.run_until_answered(1)
    start_us = banks.cluster.now_us
    for number in range(2, 6):
        banks.submit(n - 1, banks.transaction(last, number))
    for bank in range(dead):
        banks.cluster.inject(Crash(bank=bank, at_us=start_us + 12_000))
    banks.run_until_answered(5)
    assert banks.statuses == [("applied", None)] * 5
    if dead == 1:
        assert banks.cluster.now_us - start_us < 800_000
    banks.cluster.run(until_us=banks.cluster.now_us + 3_000_000)
    assert {node.status().view for node in banks.nodes[dead:]} == {dead}
    assert len({node.tip.hash for node in banks.nodes[dead:]}) == 1
