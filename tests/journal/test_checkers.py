from dataclasses import replace

import pytest
from events import (
    CHAIN,
    MEMBERSHIP,
    SCHEME,
    SIGNERS,
    STRANGER,
    Chain,
    N,
    certificate,
    effects,
    stable,
    transaction,
    vote,
    votes,
    with_header,
)

from consortium.certificate import Certificate, certificate_of, vote_body
from consortium.crypto import digest
from consortium.journal.checkers import LIVENESS_BOUND_US, Checkers
from consortium.journal.outside import CertificateValidity
from consortium.ledger.transaction import Party
from consortium.membership import Membership, Organisation, OrganisationKind
from consortium.node.effects import Diverged, Reply

NAMES = {
    "agreement",
    "total_order",
    "state_root_equality",
    "exactly_once",
    "no_equivocation",
    "acknowledged_is_kept",
    "signature_validity",
    "certificate_validity",
    "value_conservation",
    "liveness",
}


def even_sums(_event):
    return {"CNY": (500, 500)}


class Watched:
    """Checkers that were told a story; `told` verdicts by name."""

    def __init__(self, honest=range(N), sums=even_sums):
        self.checkers = Checkers(MEMBERSHIP, CHAIN, SCHEME, honest=tuple(honest), sums=sums)
        self.now_us = 0

    def tell(self, bank, *events, **more):
        self.now_us += 10
        self.checkers.observe(self.now_us, bank, effects(*events, **more))

    def everywhere(self, *events):
        for event in events:
            for bank in range(N):
                self.tell(bank, event)

    def verdicts(self, finished=True):
        return {verdict.name: verdict for verdict in self.checkers.verdicts(finished=finished)}

    def only_false(self, name):
        """The named checker alone says false; returns its reason."""
        found = self.verdicts()
        assert {each.name for each in found.values() if each.verdict == "false"} == {name}
        return found[name].reason


def a_ledger():
    chain = Chain()
    payment, other = transaction(1), transaction(2)
    return [chain.block(payment), chain.block(), chain.block(other)]


def test_a_fault_free_run_is_true_in_every_respect():
    watched = Watched()
    payment = transaction(1)
    events = a_ledger()
    watched.checkers.submitted(5, 0, payment)
    watched.tell(0, sends=(vote(0), vote(1)))
    watched.checkers.sending(5, 0, vote(0))
    watched.everywhere(*events)
    watched.everywhere(stable(events[-1]))
    watched.tell(0, replies=(Reply(payment.id, "applied", height=1),))
    found = watched.verdicts()
    assert set(found) == NAMES
    assert {each.verdict for each in found.values()} == {"true"}, found


def test_silence_is_unknown_and_not_success():
    found = Watched().verdicts()
    liveness = found.pop("liveness")
    assert {each.verdict for each in found.values()} == {"unknown"}
    assert liveness.verdict == "true"  # nobody asked for anything


def test_what_was_not_wired_is_unknown():
    watched = Watched(sums=None)
    watched.everywhere(*a_ledger())
    assert watched.verdicts()["value_conservation"].verdict == "unknown"


# --- agreement and order ------------------------------------------------------------------------------------


def test_two_banks_with_different_batches_break_agreement():
    watched = Watched()
    first, *_ = a_ledger()
    other = first._replace(batch_digest=digest("batch", "other"))
    other = other._replace(certificate=certificate("COMMIT", (0, 1, other.batch_digest)))
    watched.tell(0, first)
    watched.tell(2, other)
    reason = watched.only_false("agreement")
    assert "sequence 1" in reason
    assert "bank 0" in reason
    assert "bank 2" in reason


def test_agreement_is_checked_however_late_a_bank_comes():
    watched = Watched()
    events = a_ledger()
    for bank in range(3):
        watched.tell(bank, *events)
    wrong = events[0]._replace(
        batch_digest=digest("x"), certificate=certificate("COMMIT", (0, 1, digest("x")))
    )
    watched.tell(3, wrong)
    assert "bank 3" in watched.only_false("agreement")


def test_a_bank_alone_proves_no_agreement():
    watched = Watched()
    watched.tell(0, *a_ledger())
    assert watched.verdicts()["agreement"].verdict == "unknown"


def test_agreement_forgets_what_everybody_has_executed():
    watched = Watched()
    watched.everywhere(*a_ledger())
    agreement = next(each for each in watched.checkers.all if each.name == "agreement")
    assert len(agreement._digests) == 0


@pytest.mark.parametrize("order", [[1], [0, 2], [0, 0], [0, 1, 0]])
def test_gaps_and_repetitions_break_the_order(order):
    watched = Watched()
    events = a_ledger()
    for bank in range(N):
        for place in order:
            watched.tell(bank, events[place])
    assert watched.verdicts()["total_order"].verdict == "false"


def test_a_block_that_does_not_follow_the_one_before_breaks_the_order():
    watched = Watched()
    first, second, _ = a_ledger()
    watched.everywhere(first, with_header(second, previous=digest("another block")))
    assert "does not follow" in watched.only_false("total_order")


def test_heights_do_not_skip():
    watched = Watched()
    first, second, _ = a_ledger()
    watched.everywhere(first, second._replace(height=3))
    assert "block 3 after 1" in watched.only_false("total_order")


def test_a_null_slot_keeps_the_last_block():
    watched = Watched()
    first, second, _ = a_ledger()
    null = second._replace(
        height=1, header=first.header, header_hash=first.header_hash, state_root=first.state_root
    )
    watched.everywhere(first, null)
    assert watched.verdicts()["total_order"].verdict == "true"
    assert watched.verdicts()["state_root_equality"].verdict == "true"


# --- results ------------------------------------------------------------------------------------------------


def test_another_state_root_at_one_bank_is_found():
    watched = Watched()
    first, *_ = a_ledger()
    for bank in range(3):
        watched.tell(bank, first)
    watched.tell(3, with_header(first, state_root=digest("other")))
    reason = watched.only_false("state_root_equality")
    assert "bank 3" in reason


def test_a_header_hash_that_is_not_of_its_header_is_found():
    watched = Watched()
    first, *_ = a_ledger()
    watched.everywhere(first._replace(header=first.header + b"\0"))
    assert "not that of its header" in watched.only_false("state_root_equality")


def test_a_checkpoint_with_other_results_than_the_blocks_is_found():
    watched = Watched()
    events = a_ledger()
    watched.everywhere(*events)
    watched.tell(1, stable(events[-1], state_root=digest("other")))
    assert "state root" in watched.only_false("state_root_equality")


def test_a_bank_that_reports_its_divergence_is_believed():
    watched = Watched()
    watched.tell(1, Diverged(16))
    assert "bank 1" in watched.only_false("state_root_equality")


# --- exactly once ---------------------------------------------------------------------------------------------


def test_a_number_that_takes_effect_twice_is_found():
    watched = Watched()
    chain, payment = Chain(), transaction(1)
    watched.everywhere(chain.block(payment), chain.block(payment))
    assert "applied at height 1" in watched.only_false("exactly_once")


def test_a_number_that_takes_effect_twice_in_one_block_is_found():
    watched = Watched()
    payment = transaction(1)
    watched.everywhere(Chain().block(payment, payment))
    assert "again at height 1" in watched.only_false("exactly_once")


def test_a_number_reused_with_other_contents_is_found():
    watched = Watched()
    chain = Chain()
    body_of = transaction(1).body
    other = transaction(1, signer=SIGNERS[0])
    assert other.body == body_of
    second = chain.block()._replace(transactions=(("bank0", 0, 1, digest("other id"), "applied"),))
    first = chain.block(other)
    watched.tell(0, first)
    watched.tell(0, second)
    assert watched.verdicts()["exactly_once"].verdict == "false"


@pytest.mark.parametrize("status", ["repeated", "refused"])
def test_what_has_no_effect_may_come_again(status):
    watched = Watched()
    chain, payment = Chain(), transaction(1)
    watched.everywhere(chain.block(payment), chain.block(payment, statuses=[status]))
    assert watched.verdicts()["exactly_once"].verdict == "true"


# --- signatures -----------------------------------------------------------------------------------------------


def test_a_message_with_a_bad_signature_is_found():
    watched = Watched()
    watched.tell(1, sends=(vote(1, STRANGER),))
    assert "bank 1 sent a PREPARE" in watched.only_false("signature_validity")


def test_a_message_for_another_chain_is_found():
    watched = Watched()
    watched.tell(1, sends=(vote(1, chain=b"otherone"),))
    assert "wrong domain" in watched.only_false("signature_validity")


def test_passing_on_a_message_of_another_bank_is_fine():
    watched = Watched()
    watched.tell(1, sends=(vote(2),))
    assert watched.verdicts()["signature_validity"].verdict == "true"


def test_a_message_of_a_stranger_is_found():
    watched = Watched()
    watched.tell(1, sends=(vote(7, STRANGER),))
    assert "not a member" in watched.only_false("signature_validity")


def test_a_deviating_bank_is_held_to_nothing():
    watched = Watched(honest=(0, 1, 2))
    watched.tell(3, sends=(vote(3, STRANGER),))
    watched.tell(3, Diverged(1))
    assert "false" not in {each.verdict for each in watched.verdicts().values()}


def test_an_executed_transaction_with_a_bad_signature_is_found():
    watched = Watched()
    watched.everywhere(Chain().block(transaction(1, signer=STRANGER)))
    assert "bad signature of bank0" in watched.only_false("signature_validity")


def test_an_executed_transaction_without_a_named_signers_consent_is_found():
    watched = Watched()
    named = (Party(organisation="bank1", key_number=1),)
    body = transaction(1, agreed_by=named, signatures=(bytes(64), bytes(64))).body
    half = transaction(1, agreed_by=named, signatures=(SIGNERS[0].sign(body), SIGNERS[0].sign(body)))
    watched.everywhere(Chain().block(half))
    assert "bad signature of bank1" in watched.only_false("signature_validity")


def test_a_block_that_does_not_hold_what_was_reported_is_found():
    watched = Watched()
    event = Chain().block(transaction(1))
    watched.everywhere(event._replace(transactions=(("bank0", 0, 1, digest("other id"), "applied"),)))
    assert "is not the one" in watched.only_false("signature_validity")


# --- certificates ---------------------------------------------------------------------------------------------


def broken_certificates():
    fields = (0, 1, digest("batch", 1))
    good = certificate("COMMIT", fields)
    spoiled = (good.signatures[0], bytes(64), good.signatures[2])
    return {
        "too few": certificate("COMMIT", fields, (0, 1)),
        "one signer twice": replace(good, signers=0b11, signatures=good.signatures),
        "more signers than signatures": replace(good, signers=0b1111),
        "other digest": certificate("COMMIT", (0, 1, digest("batch", 2))),
        "other sequence": certificate("COMMIT", (0, 2, digest("batch", 1))),
        "other kind": certificate("PREPARE", fields),
        "other epoch": replace(good, epoch=1),
        "bad signature": replace(good, signatures=spoiled),
        "other chain": certificate_of(
            0, "COMMIT", fields, votes("COMMIT", fields, range(3), chain=b"otherone"), 3
        ),
        "a stranger": replace(good, signers=0b100011),
        "signatures of others": replace(good, signers=0b1110),
        "missing": None,
    }


@pytest.mark.parametrize("name", list(broken_certificates()))
def test_a_broken_commit_certificate_is_found(name):
    watched = Watched()
    event = a_ledger()[0]._replace(certificate=broken_certificates()[name])
    watched.everywhere(event)
    assert "sequence 1: the certificate" in watched.only_false("certificate_validity")


@pytest.mark.parametrize(("signers", "verdict"), [(range(3), "false"), (range(4), "true")])
def test_the_quorum_is_right_where_n_is_not_3f_plus_1(signers, verdict):
    """Five banks, one faulty: three of five would let two quorums share the faulty one alone."""
    keys = [SCHEME.signer(bytes([i + 1]) * 32) for i in range(5)]
    banks = tuple(
        Organisation(id=f"b{i}", name="", kind=OrganisationKind.BANK, public_key=key.public_key)
        for i, key in enumerate(keys)
    )
    membership = Membership(epoch=0, organisations=banks, validators=tuple(b.id for b in banks), f=1)
    event = a_ledger()[0]
    fields = (0, 1, event.batch_digest)
    signed = {i: keys[i].sign(vote_body(CHAIN, 0, "COMMIT", i, fields)) for i in signers}
    checker = CertificateValidity(membership, CHAIN, SCHEME)
    checker.executed(0, event._replace(certificate=certificate_of(0, "COMMIT", fields, signed, len(signed))))
    assert checker.verdict().verdict == verdict


def test_a_checkpoint_certificate_of_a_weak_quorum_is_found():
    watched = Watched()
    events = a_ledger()
    watched.everywhere(*events)
    watched.tell(2, stable(events[-1], signers=(0, 1)))
    assert "where 3 are a quorum" in watched.only_false("certificate_validity")


def test_certificates_with_different_signers_are_all_good():
    watched = Watched()
    event = a_ledger()[0]
    for bank, signers in enumerate([(0, 1, 2), (1, 2, 3), (0, 2, 3), (0, 1, 2, 3)]):
        watched.tell(
            bank, event._replace(certificate=certificate("COMMIT", (0, 1, event.batch_digest), signers))
        )
    assert watched.verdicts()["certificate_validity"].verdict == "true"
    assert isinstance(event.certificate, Certificate)


# --- value ------------------------------------------------------------------------------------------------------


def test_money_that_appears_from_nowhere_is_found():
    watched = Watched(sums=lambda event: {"CNY": (500, 500), "USD": (100, 100 + event.height // 2)})
    watched.everywhere(*a_ledger())
    reason = watched.only_false("value_conservation")
    assert "height 2" in reason
    assert "100 minor units of USD were issued, the accounts hold 101" in reason


def test_each_height_is_read_once():
    heights = []
    watched = Watched(sums=lambda event: heights.append(event.height) or {"CNY": (1, 1)})
    watched.everywhere(*a_ledger())
    assert heights == [1, 2, 3]


# --- liveness -----------------------------------------------------------------------------------------------------


def test_an_unanswered_transaction_at_the_end_is_a_failure():
    watched = Watched()
    watched.checkers.submitted(5, 0, transaction(1))
    found = watched.verdicts(finished=True)["liveness"]
    assert found.verdict == "false"
    assert "1 transactions are not answered" in found.reason


def test_an_answer_that_is_merely_on_its_way_when_the_run_is_cut_off_is_unknown():
    watched = Watched()
    watched.checkers.submitted(5, 0, transaction(1))
    assert watched.verdicts(finished=False)["liveness"].verdict == "unknown"


def test_an_answer_that_took_too_long_is_a_failure_even_if_the_run_was_cut_off():
    watched = Watched()
    watched.checkers.submitted(5, 0, transaction(1))
    watched.now_us = LIVENESS_BOUND_US
    watched.tell(0, sends=(vote(0),))
    assert watched.verdicts(finished=False)["liveness"].verdict == "false"


def test_busy_is_no_answer():
    watched = Watched()
    payment = transaction(1)
    watched.checkers.submitted(5, 0, payment)
    watched.tell(0, replies=(Reply(payment.id, "busy", retry_after_us=1),))
    assert watched.verdicts()["liveness"].verdict == "false"
    watched.tell(0, replies=(Reply(payment.id, "refused", "E_STATE"),))
    assert watched.verdicts()["liveness"].verdict == "true"


def test_later_violations_are_counted_and_the_first_one_stands():
    watched = Watched()
    watched.tell(1, sends=(vote(1, STRANGER, sequence=1), vote(1, STRANGER, sequence=2)))
    watched.tell(2, sends=(vote(2, STRANGER),))
    reason = watched.only_false("signature_validity")
    assert reason.startswith("at 10 us: bank 1")
    assert reason.endswith("(and 2 more)")
