"""The text of a run: golden files for whole runs, and the rules that single lines keep."""

from dataclasses import replace

from report_samples import CANARY, FINISHED, HOSTILE, STALLED, STEPS, account
from snapshots import same_as_snapshot

from consortium.report.text import Paint, StepLines, run_text, step_line

NEXT = (
    ("consortium audit last", "verify the ledger from outside"),
    ("consortium replay last", "run it again and compare"),
)


def test_a_finished_run_reads_like_this():
    same_as_snapshot("finished.txt", run_text(FINISHED, NEXT))


def test_a_stalled_run_names_what_it_waits_for():
    same_as_snapshot("stalled.txt", run_text(STALLED, NEXT))


def test_without_colour_there_is_no_control_code_whatever_the_run_holds():
    for view in (FINISHED, STALLED, HOSTILE):
        assert all(each.isprintable() for each in run_text(view, NEXT).replace("\n", ""))


def test_colour_adds_nothing_but_colour():
    def bare(text: str) -> str:
        for code in ("0", "1", "2", "31", "32", "33"):
            text = text.replace(f"\x1b[{code}m", "")
        return text

    for view in (FINISHED, STALLED):
        coloured = run_text(view, NEXT, Paint(enabled=True))
        assert coloured != run_text(view, NEXT)
        assert bare(coloured) == run_text(view, NEXT)


def test_each_step_has_its_line_as_it_will_stand_in_the_whole():
    lines = StepLines.fitting(
        (step.actor for step in STEPS), (f"{step.contract}.{step.action}" for step in STEPS)
    )
    text = run_text(FINISHED)
    for step in STEPS:
        assert lines.line(step) in text


def test_an_expected_refusal_is_a_success_and_shows_its_code():
    line = step_line(STEPS[8])
    assert line.startswith("  ✓ 2026-04-28 10:00  C1")
    assert "refused: E_DATE (expected)" in line


def test_an_unexpected_outcome_shows_what_was_expected_and_why_not():
    step = replace(STEPS[8], is_expected=False, expected="applied")
    first, second = step_line(step).split("\n")
    assert first.startswith("  ✗ ")
    assert "refused: E_DATE (expected applied)" in first
    assert second.strip() == (
        "documents had to be presented by 2026-04-27, scenarios/domestic_letter_of_credit.yaml:94:5"
    )


def test_due_work_has_no_actor_and_says_so():
    assert step_line(STEPS[9]).split()[1:7] == [
        "2026-10-08", "17:00", "due", "work", "letter_of_credit.pay_at_maturity", "APP1/LC-2026-001/1",
    ]  # fmt: skip


def test_the_sequence_number_is_shown_only_where_it_is_not_the_height():
    assert "block 2 (seq 5)" in step_line(replace(STEPS[1], sequence=5))
    assert "seq" not in step_line(STEPS[1])


def test_no_folder_of_this_machine_is_shown():
    text = run_text(HOSTILE)
    assert "secret" not in text
    assert "story.yaml:12:3" in text
    assert CANARY in text


def test_of_many_parties_only_those_that_changed_are_listed():
    idle = tuple(
        replace(FINISHED.parties[0], party=f"bank{number}", accounts=(account("own", "1.00"),))
        for number in range(20)
    )
    text = run_text(replace(FINISHED, parties=(*FINISHED.parties, *idle)))
    assert "C1 " in text
    assert "bank7" not in text
    assert "  and 20 more parties" in text


def test_of_many_failed_expectations_the_first_ones_are_listed():
    failed = tuple(
        replace(STALLED.expectations[0], text=f"expectation number {number}") for number in range(30)
    )
    text = run_text(replace(STALLED, expectations=failed))
    assert "expectation number 9;" in text
    assert "expectation number 10;" not in text
    assert "and 20 more" in text


def test_a_sender_is_named_whether_it_came_as_a_number_or_not():
    assert "  IB1        VB1       bad-signature" in run_text(STALLED)
