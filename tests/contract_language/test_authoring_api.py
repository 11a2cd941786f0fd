"""`consortium.contract` is ordinary Python: contracts import, type-check, and say the same as the engine's lists."""

import runpy
from pathlib import Path

import pytest

import consortium.contract as api
from consortium.vm.language import IMPORTABLE, STATEMENT_WORDS, WORDS

CONTRACTS = sorted((Path(__file__).parents[2] / "contracts").glob("*.py"))
# Types that stand behind declared names; a contract has no use for their own names.
BEHIND = {"Collection", "OtherContract", "OutsideEngineError", "Selection"}

SAMPLE = '''
"""A letter desk."""
from consortium.contract import Bank, Company, Day, Hash, Id, Money, Record, Text, action, collection, emit, money
from consortium.contract import record, require, status, to, today


@status
class Life:
    DRAFT = to("SENT")
    SENT = to()


@record(key="number", visible_to=("writer",))
class Letter(Record):
    number: Text
    writer: Bank | Company
    fee: Money = money("0.00 CNY")
    sent_on: Day | None = None
    seal: Hash | None = None
    status: Life = Life.DRAFT


letters = collection(Letter, index=("writer", ("status", "sent_on")))


@action(by="writer")
def write(number: Text, writer: Bank) -> Id[Letter]:
    return letters.add(Letter(number=number, writer=writer)).id


@action(by="writer")
def send(id: Id[Letter], fee: Money) -> None:
    letter = letters[id].move_to(Life.SENT, sent_on=today())
    require(fee > 0, "E_AMOUNT", f"{fee} is too little")
    letter.update(fee=letter.fee + fee)
    emit("Sent", letter=id, on=letter.sent_on)
'''


def test_the_engine_and_the_package_offer_the_same_names():
    assert set(api.__all__) - BEHIND == set(IMPORTABLE)
    assert all(hasattr(api, name) for name in api.__all__)


@pytest.mark.parametrize("path", CONTRACTS, ids=[path.stem for path in CONTRACTS])
def test_a_contract_is_importable_python(path):
    names = runpy.run_path(str(path))
    assert any(callable(value) for value in names.values())


@pytest.mark.parametrize("word", sorted(set(WORDS) - {"money", "rate", "day"}))
def test_words_have_no_meaning_outside_the_engine(word):
    counts = {
        "require": (False, "E_X"),
        "fail": ("E_X",),
        "emit": ("X",),
        "total": ([], "x"),
        "distribute": (None, []),
    }
    arguments = counts.get(word, (None,) * WORDS[word][0])
    with pytest.raises(api.OutsideEngineError, match="only while the engine runs a contract"):
        getattr(api, word)(*arguments)
    assert set(WORDS) >= STATEMENT_WORDS


def test_records_and_collections_have_none_either():
    class Letter(api.Record):
        pass

    letters = api.collection(Letter)
    for use in (
        lambda: letters["x"],
        lambda: "x" in letters,
        lambda: letters.find("x"),
        lambda: letters.add(Letter()),
        lambda: letters.remove(Letter()),
        lambda: letters.total("n"),
        lambda: list(letters),
        lambda: len(letters),
        lambda: letters.where(n=1),
        lambda: letters.since(n=1),
        lambda: letters.upto(n=1),
        lambda: letters.limit(1),
        lambda: letters.sorted_by("n"),
        letters.first,
        lambda: Letter().update(n=1),
        lambda: Letter().move_to(None),
        lambda: Letter().child(),
        lambda: api.uses("c", version=1).call("x"),
    ):
        with pytest.raises(api.OutsideEngineError):
            use()


@pytest.mark.long
def test_a_sample_contract_type_checks(tmp_path):
    from mypy import api as mypy

    path = tmp_path / "letter_desk.py"
    path.write_text(SAMPLE, encoding="utf-8")
    report, errors, status = mypy.run(["--strict", "--cache-dir", str(tmp_path), str(path)])
    assert (status, errors) == (0, ""), report
    path.write_text(SAMPLE.replace("letter.fee + fee", "letter.fee + letter.copies"), encoding="utf-8")
    report, _, status = mypy.run(["--strict", "--cache-dir", str(tmp_path), str(path)])
    assert status == 1
    assert '"Letter" has no attribute "copies"' in report
