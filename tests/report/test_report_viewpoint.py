"""A report for one party holds only what it may see: searched byte by byte."""

from dataclasses import replace

import pytest
from report_samples import FINISHED, account, event, fields

from consortium.report.document import document_text
from consortium.report.html import page
from consortium.report.viewpoint import Viewpoint

CANARY = "7777777.77"


def with_canary():
    """The finished run, with one unique amount wherever something of another party can stand."""
    hidden = replace(
        FINISHED.steps[1],
        arguments=fields(id="IB1/X", amount=f"{CANARY} CNY"),
        events=(event("Secret", amount=CANARY),),
        refusal=CANARY,
        result=CANARY,
    )
    party = replace(FINISHED.parties[0], accounts=(account("own", CANARY, CANARY),))
    return replace(
        FINISHED,
        steps=(FINISHED.steps[0], hidden, *FINISHED.steps[2:]),
        parties=(party, *FINISHED.parties[1:]),
        expectations=(replace(FINISHED.expectations[0], text=CANARY, found=CANARY),),
        checkers=(replace(FINISHED.checkers[0], reason=CANARY),),
        nodes=(replace(FINISHED.nodes[0], waits_for=(CANARY,)), *FINISHED.nodes[1:]),
        outcome_reason=(CANARY,),
        warnings=(CANARY,),
    )


@pytest.mark.parametrize(
    ("party", "kind", "sees"),
    [("C1", "company", ()), ("REG", "regulator", ()), ("REG", "regulator", ("forfaiting.*",))],
)
def test_what_a_party_may_not_see_is_not_in_the_file(party, kind, sees):
    view = Viewpoint(party=party, kind=kind, sees=sees).of(with_canary())
    for text in (page(view), document_text(view)):
        assert CANARY not in text
        assert "7,777,777.77" not in text
        assert party in text


def test_the_operator_and_a_validator_bank_see_all():
    for viewpoint in (Viewpoint(), Viewpoint(party="VB1", kind="bank", is_validator=True)):
        view = viewpoint.of(with_canary())
        assert view.viewpoint == viewpoint.party
        assert replace(view, viewpoint="operator") == with_canary()


def test_a_company_sees_what_it_did_and_what_names_it_and_its_own_money():
    view = Viewpoint(party="C1", kind="company").of(FINISHED)
    assert [step.position for step in view.steps] == [1, 4, 5, 6, 9]
    assert [party.party for party in view.parties] == ["C1"]
    assert view.blocks == FINISHED.blocks


def test_a_regulator_sees_the_contracts_that_are_open_to_it():
    view = Viewpoint(party="REG", kind="regulator", sees=("letter_of_credit.*",)).of(FINISHED)
    assert view.steps == FINISHED.steps
    assert view.parties == ()
    narrow = Viewpoint(party="REG", kind="regulator", sees=("letter_of_credit.drawings",))
    assert narrow.of(FINISHED).steps == ()


def test_a_central_bank_sees_the_money_of_banks():
    view = Viewpoint(party="CB", kind="central_bank").of(FINISHED)
    assert [party.party for party in view.parties] == ["IB1", "PB2"]
    assert view.steps == ()
