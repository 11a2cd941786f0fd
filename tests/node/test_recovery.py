"""A bank that stops anywhere comes back from its store and never contradicts itself (pbft.md A.8, C24-C28)."""

import pytest
from node_cluster import START_US, world

from consortium.consensus.messages import Prepare, seal
from consortium.journal.promises import NoEquivocation
from consortium.journal.verdict import VerdictValue
from consortium.ledger.receipt import decode_receipt
from consortium.node import recovery
from consortium.node.effects import Boot, Halted
from consortium.node.record_log import RecoveryError, frame, read_log
from consortium.node.recovery import record_bytes
from consortium.node.signguard import EquivocationRefusedError, SignGuard
from consortium.simulation.costs import CostProfile
from consortium.simulation.faults import Crash, FullDisk, RollBack
from consortium.simulation.store import Tail

FLUSH_US = 300
OUTAGE_US = 120_000
SLOW_DISK = CostProfile(flush_us=FLUSH_US)
QUICK = {"status_us": 40_000, "idle_us": 20_000, "batch_wait_us": 1_000, "bundle_wait_us": 1_000}
CHECKPOINTS = {"checkpoint_interval": 2, "window": 4}


def banks_with_clients(**options):
    """A world whose clients ask again when their bank is back."""
    banks = world(watched=True, costs=SLOW_DISK, **{**QUICK, "consensus": CHECKPOINTS, **options})
    banks.asked = {}

    def ask_again(bank):
        answered = {reply.transaction_id for _, _, reply in banks.answers}
        for transaction in banks.asked.get(bank, ()):
            if transaction.id not in answered:
                banks.submit(bank, transaction)

    banks.on_restart = ask_again
    return banks


def ask(banks, bank, number):
    transaction = banks.transaction(f"bank{bank}", number)
    banks.asked.setdefault(bank, []).append(transaction)
    banks.submit(bank, transaction)


def play(banks, *, count=5, asking=(1, 2)):
    """Ask for one transaction after the other at two banks, and wait for every answer."""
    for number in range(1, count + 1):
        for bank in asking:
            ask(banks, bank, number)
        wanted = number * len(asking)
        banks.cluster.run(
            until_us=banks.cluster.now_us + 4_000_000,
            predicate=lambda wanted=wanted: len(answered(banks)) >= wanted,
        )
    is_level = lambda: len({node.tip.hash for node in banks.nodes}) == 1  # noqa: E731
    banks.cluster.run(until_us=banks.cluster.now_us + 4_000_000, predicate=is_level)


def answered(banks):
    return {reply.transaction_id for _, _, reply in banks.answers}


def assert_sound(banks, count):
    """Everything asked for is applied once, everywhere; no checker found anything."""
    assert len(answered(banks)) == count
    assert {decode_receipt(reply.receipt).status for _, _, reply in banks.answers} == {"applied"}
    assert len({node.tip.hash for node in banks.nodes}) == 1
    assert sum(len(block.transactions) for block in banks.nodes[0].blocks) == count
    false = [each for each in banks.checkers.verdicts(finished=True) if each.verdict is VerdictValue.FALSE]
    assert false == []


def crash_at_input(banks, bank, number, *, after_us, tail=Tail.LOST):
    """Crash a bank `after_us` after it has handled its input of that number; it returns later."""
    host = banks.cluster.hosts[bank]
    handle, handled = host.handle, 0

    def counted(entry, now_us):
        nonlocal handled
        handled += 1
        if handled == number:
            fault = Crash(bank=bank, at_us=now_us + after_us, for_us=OUTAGE_US, tail=tail)
            banks.cluster.at(now_us + after_us, lambda: banks.cluster.inject(fault))
        return handle(entry, now_us)

    host.handle = counted


def inputs_of(bank):
    """How many inputs a bank gets in a run without faults."""
    banks = banks_with_clients()
    host, handled = banks.cluster.hosts[bank], []
    handle = host.handle
    host.handle = lambda entry, now_us: (handled.append(now_us), handle(entry, now_us))[1]
    play(banks)
    assert_sound(banks, 10)
    return len(handled)


# --- every boundary (C24, C25) -------------------------------------------------------------------------------

BOUNDARIES = {
    "handled": (1, Tail.LOST),  # nothing of it is durable, nothing has left
    "half written": (FLUSH_US // 2, Tail.TORN),  # a prefix, and half a record
    "written, process died": (1, Tail.KEPT),  # durable, and nothing has left
    "sent": (FLUSH_US, Tail.LOST),  # durable, and on its way
}


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("bank", [0, 1])
def test_c24_c25_a_crash_at_every_persist_and_send_boundary(bank, boundary):
    """The primary and a backup: after each of their inputs, before and after the flush, tail lost or torn."""
    after_us, tail = BOUNDARIES[boundary]
    for number in range(1, inputs_of(bank) + 1, 3 if boundary != "handled" else 2):
        banks = banks_with_clients()
        crash_at_input(banks, bank, number, after_us=after_us, tail=tail)
        play(banks)
        assert_sound(banks, 10)


def test_c27_all_banks_lose_power_at_once_and_return():
    banks = banks_with_clients()
    for number in range(1, 4):
        for bank in range(4):
            outage_us = 50_000 + 37_000 * bank  # they come back one after the other
            banks.cluster.inject(Crash(bank=bank, at_us=number * 9_700, for_us=outage_us))
    play(banks)
    assert_sound(banks, 10)
    assert all(node.status().is_recovering is False for node in banks.nodes) or settle(banks)


def settle(banks):
    """Let the banks hear of each other: they are done recovering soon after."""
    banks.cluster.run(until_us=banks.cluster.now_us + 1_000_000)
    return not any(node.status().is_recovering for node in banks.nodes)


def test_c28_more_than_f_down_halt_the_group_and_their_return_lets_it_go_on():
    banks = banks_with_clients()
    play(banks, count=1)
    height = banks.heights[0]
    now_us = banks.cluster.now_us
    for bank in (2, 3):
        banks.cluster.inject(Crash(bank=bank, at_us=now_us, for_us=3_000_000))
    ask(banks, 1, 2)
    banks.cluster.run(until_us=now_us + 2_900_000)
    assert banks.heights[0] == height
    banks.cluster.run(until_us=now_us + 9_000_000, predicate=lambda: len(answered(banks)) == 3)
    assert len(answered(banks)) == 3


@pytest.mark.parametrize("moment_us", range(2_000, 1_300_000, 130_000))
def test_c26_a_restart_before_during_and_after_a_view_change(moment_us):
    """The primary is dead for a while; each backup crashes around the change to the next view and returns."""
    for bank in (1, 2, 3):
        banks = banks_with_clients()
        banks.cluster.inject(Crash(bank=0, at_us=1_000, for_us=1_900_000))
        banks.cluster.inject(Crash(bank=bank, at_us=moment_us, for_us=60_000))
        play(banks, count=3)
        assert_sound(banks, 6)
        assert max(node.status().view for node in banks.nodes) >= 1


def test_a_restarted_bank_is_in_the_view_that_it_had_entered():
    banks = banks_with_clients()
    banks.cluster.inject(Crash(bank=0, at_us=1_000))
    ask(banks, 1, 1)
    banks.run_until_answered(1)
    view = banks.nodes[2].status().view
    assert view >= 1
    again = banks.make(2)
    again.handle(Boot(banks.cluster.hosts[2].store.boot(banks.cluster.now_us + FLUSH_US)), 0)
    assert again.status().view == view
    assert again.executed == banks.nodes[2].executed


# --- what comes back ------------------------------------------------------------------------------------------


def test_a_bank_that_was_away_catches_up_although_nobody_asks_for_anything():
    banks = banks_with_clients()
    play(banks, count=1)
    banks.cluster.inject(Crash(bank=3, at_us=banks.cluster.now_us, for_us=2_000_000))
    for number in range(2, 12):
        ask(banks, 1, number)
        banks.cluster.run(
            until_us=banks.cluster.now_us + 1_000_000,
            predicate=lambda n=number: len(answered(banks)) == n + 1,
        )
    banks.cluster.run(
        until_us=banks.cluster.now_us + 2_500_000, predicate=lambda: not banks.cluster.hosts[3].is_down
    )
    banks.cluster.run(until_us=banks.cluster.now_us + 1)
    assert banks.nodes[3].status().is_recovering
    assert "recovering" in banks.nodes[3].status().waits_for[0]
    assert settle(banks)
    assert_sound(banks, 12)


def test_a_repeated_request_after_a_restart_gets_the_first_receipt():
    banks = banks_with_clients()
    ask(banks, 1, 1)
    banks.run_until_answered(1)
    first = banks.answers[0][2]
    banks.cluster.inject(Crash(bank=1, at_us=banks.cluster.now_us, for_us=10_000))
    banks.cluster.run(until_us=banks.cluster.now_us + 500_000)
    banks.submit(1, banks.asked[1][0])
    banks.run_until_answered(2)
    again = banks.answers[1][2]
    assert (again.status, again.receipt, again.height) == ("repeated", first.receipt, first.height)


def test_the_bank_has_its_blocks_certificates_and_business_time_again():
    banks = banks_with_clients()
    play(banks)
    before = banks.nodes[2]
    records = banks.cluster.hosts[2].store.boot(banks.cluster.now_us)
    after = banks.make(2)
    after.handle(Boot(records), 0)
    assert [block.hash for block in after.blocks] == [block.hash for block in before.blocks]
    assert after.certificates() == before.certificates()
    assert (after.executed, after.stable) == (before.executed, before.stable)
    assert after.status().business_time_us >= before.tip.header.time_us


# --- signatures -------------------------------------------------------------------------------------------------


def guard_and_vote(banks, *, digest=b"\1" * 32, view=0):
    guard = SignGuard(banks.signers["bank1"], banks.rules.chain)
    return guard, Prepare(0, view, 3, digest, 1)


def test_a_restarted_bank_signs_the_same_again_and_nothing_else():
    banks = world()
    guard, vote = guard_and_vote(banks)
    first = guard.sign(vote, None)
    again, _ = guard_and_vote(banks)
    again.restore([first], 1)
    assert again.sign(vote, None).signature == first.signature
    assert again.signs == 0
    with pytest.raises(EquivocationRefusedError):
        again.sign(Prepare(0, 0, 3, b"\2" * 32, 1), None)


def test_a_restarted_bank_signs_nothing_below_its_highest_view():
    banks = world()
    guard, vote = guard_and_vote(banks, view=2)
    first = guard.sign(vote, None)
    again, _ = guard_and_vote(banks)
    again.restore([first], 1)
    with pytest.raises(EquivocationRefusedError):
        again.sign(Prepare(0, 1, 4, b"\2" * 32, 1), None)


# --- disks --------------------------------------------------------------------------------------------------------


def frames(*records):
    return [frame(number, record) for number, record in enumerate(records, start=1)]


@pytest.mark.parametrize("length", range(len(frame(3, b"third"))))
def test_c25_only_a_torn_tail_is_cut(length):
    log = frames(b"first", b"second", b"third")
    log[2] = log[2][:length]
    assert read_log(log) == ((b"first", b"second"), True)


def test_damage_in_the_middle_is_a_fault_of_the_disk():
    log = frames(b"first", b"second", b"third")
    for broken in ([log[0], log[1][:-1], log[2]], [log[0], log[2]], [log[0], log[1][:-1] + b"X", log[2]]):
        with pytest.raises(RecoveryError):
            read_log(broken)


def test_a_bank_does_not_start_on_a_disk_that_lies():
    banks = banks_with_clients()
    play(banks, count=2)
    store = banks.cluster.hosts[2].store
    records = [record_bytes(record) for record in store.records(banks.cluster.now_us)]
    blocks = [place for place, record in enumerate(records) if record[:7].endswith(b"block")]
    del records[blocks[0]]  # the frames are whole, but a block is not there
    node = banks.make(2)
    effects = node.handle(Boot(tuple(frames(*records))), 0)
    halted = [event for event in effects.trace if isinstance(event, Halted)]
    assert len(halted) == 1
    assert node.status().waits_for == (halted[0].reason,)
    assert not effects.send


def test_a_bank_with_a_full_disk_stops_and_the_others_go_on():
    banks = banks_with_clients()
    play(banks, count=1)
    banks.cluster.inject(FullDisk(bank=3, at_us=banks.cluster.now_us, for_us=200_000))
    ask(banks, 1, 2)
    banks.run_until_answered(3)
    assert banks.cluster.hosts[3].stop_reason == "the disk is full"
    banks.cluster.run(until_us=banks.cluster.now_us + 3_000_000)
    assert_sound(banks, 3)


def test_a_rolled_back_bank_finds_out_and_abstains_until_a_checkpoint_is_above():
    banks = banks_with_clients(honest=(0, 1, 2))
    play(banks, count=3)
    before = banks.nodes[3].executed
    now_us = banks.cluster.now_us
    banks.cluster.inject(RollBack(bank=3, at_us=now_us, flushes=6, for_us=20_000))
    banks.cluster.run(until_us=now_us + 1_500_000)
    node = banks.nodes[3]
    assert node.executed == before  # it executes what the others decided
    assert "abstains" in node.status().waits_for[0]
    for number in range(4, 14):
        ask(banks, 1, number)
        banks.cluster.run(
            until_us=banks.cluster.now_us + 1_000_000,
            predicate=lambda n=number: len(answered(banks)) == n + 3,
        )
    assert settle(banks)
    assert_sound(banks, 16)


# --- the checker ------------------------------------------------------------------------------------------------------


def test_the_checker_of_equivocation_fires_and_knows_what_never_left():
    banks = world()

    def vote(digest, sequence=3):
        return seal(Prepare(0, 0, sequence, digest * 32, 1), banks.rules.chain, banks.signers["bank1"])

    checker = NoEquivocation()
    checker.sending(100, 1, vote(b"\1"))
    checker.sending(900, 1, vote(b"\1", 4))
    checker.stopped(500, 1)  # the second one had not left
    checker.sending(1_000, 1, vote(b"\1"))
    checker.sending(1_000, 1, vote(b"\2", 4))
    checker.finish()
    assert checker.verdict().verdict is VerdictValue.TRUE
    checker.sending(1_100, 1, vote(b"\2"))
    checker.finish()
    assert checker.verdict().verdict is VerdictValue.FALSE
    assert "bank 1 signed two different PREPARE" in checker.verdict().reason


def test_a_bank_that_forgets_what_it_signed_is_caught(monkeypatch):
    """The checker must fire: a primary without the records of its signatures proposes something else."""

    def restarted_primary():
        banks = banks_with_clients()
        banks.cluster.inject(Crash(bank=3, at_us=1))
        proposal = first_send(banks, 0, "PRE-PREPARE")
        ask(banks, 1, 1)
        banks.cluster.run(until_us=400_000, predicate=lambda: proposal)
        banks.cluster.run(until_us=banks.cluster.now_us + FLUSH_US + 1)
        banks.cluster.inject(Crash(bank=0, at_us=banks.cluster.now_us, for_us=5_000))
        banks.cluster.at(
            banks.cluster.now_us + 6_000, lambda: banks.cluster.business_time(START_US + 1_000_000)
        )
        banks.cluster.at(banks.cluster.now_us + 6_100, lambda: ask(banks, 1, 2))
        banks.cluster.run(until_us=3_000_000, predicate=lambda: len(answered(banks)) == 2)
        return next(
            each for each in banks.checkers.verdicts(finished=False) if each.name == "no_equivocation"
        )

    assert restarted_primary().verdict is VerdictValue.TRUE
    monkeypatch.setattr(recovery, "decode_record", lambda data, chain: None)
    verdict = restarted_primary()
    assert verdict.verdict is VerdictValue.FALSE
    assert "bank 0 signed two different PRE-PREPARE" in verdict.reason


def first_send(banks, bank, kind):
    """A list that fills as soon as a bank sends a message of that kind."""
    host, found = banks.cluster.hosts[bank], []
    handle = host.handle

    def seen(entry, now_us):
        effects = handle(entry, now_us)
        found.extend(send for send in effects.send if kind == send.signed.content.KIND)
        return effects

    host.handle = seen
    return found
