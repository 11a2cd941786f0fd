"""A loaded scenario: times resolved, arguments typed, overrides in place, and what each of them refuses."""

import shutil
from pathlib import Path

import pytest
from fake_catalog import CREDITS, GOOD, SETTLEMENT, FakeCatalog

from consortium.calendar import time_text
from consortium.crypto import hash_bytes
from consortium.errors import ExitCode, InputError
from consortium.money import Day, Money, Rate
from consortium.scenario.codes import CODES, explain
from consortium.scenario.comparison import Reference
from consortium.scenario.load import (
    load,
    load_text,
    source_text,
    with_seed,
    with_validators,
)
from consortium.scenario.model import ChoiceValue, StepOutcome, StructValue, resolve
from consortium.scenario.problems import LINE_WIDTH_MAX, Problem, ScenarioInvalid, nearest, render
from consortium.scenario.signatures import ContractSignature

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def good(**overrides):
    return load_text(
        GOOD, catalog=FakeCatalog(), overrides={k.replace("__", "."): v for k, v in overrides.items()}
    )


def problems_of(text, **kwargs):
    with pytest.raises(ScenarioInvalid) as caught:
        load_text(text, catalog=FakeCatalog(), **kwargs)
    return caught.value.problems


def with_times(*times, calendar="{market: CN, start: 2026-03-02T09:00}"):
    steps = [f"  - {{at: {at}, as: ib1, do: credit.issue, with: {{id: app1/X}}}}" for at in times]
    banks = "banks: [{id: ib1}]\n"
    return f"consortium: 1\nname: times\ncalendar: {calendar}\n{banks}timeline:\n" + "\n".join(steps) + "\n"


# ---------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("written", "resolved"),
    [
        ("+0bd 10:00", "2026-03-02 10:00"),
        ("+1bd 10:00:30", "2026-03-03 10:00:30"),
        ("+5bd 10:00", "2026-03-09 10:00"),
        ("+25bd 10:00", "2026-04-07 10:00"),
        ("+45bd 10:00", "2026-05-08 10:00"),
        ("+46bd 10:00", "2026-05-09 10:00"),
        ("+47bd 10:00", "2026-05-11 10:00"),
        ("+30d 09:00", "2026-04-01 09:00"),
        ("+30d", "2026-04-01 09:00"),
        ("2026-03-02 10:00", "2026-03-02 10:00"),
        ("2026-03-02T10:00", "2026-03-02 10:00"),
        ("2026-10-10 08:00", "2026-10-10 08:00"),
    ],
)
def test_business_times_count_banking_days(written, resolved):
    scenario = load_text(with_times(written), catalog=FakeCatalog())
    assert time_text(scenario.steps[0].at_us) == resolved
    assert scenario.warnings == ()


@pytest.mark.parametrize(
    ("written", "roll", "resolved"),
    [
        ("2026-04-05 09:00", "none", "2026-04-05 09:00"),
        ("2026-04-05 09:00", "following", "2026-04-07 09:00"),
        ("2026-03-07 09:00", "following", "2026-03-09 09:00"),
        ("+30d 09:00", "following", "2026-04-01 09:00"),
        ("+33d 09:00", "following", "2026-04-07 09:00"),
    ],
)
def test_a_day_without_banking_is_pointed_out_and_moved_on_request(written, roll, resolved):
    calendar = f"{{start: 2026-03-02T09:00, roll: {roll}}}"
    scenario = load_text(with_times(written, calendar=calendar), catalog=FakeCatalog())
    assert time_text(scenario.steps[0].at_us) == resolved
    expected = [] if written == "+30d 09:00" else ["S-310"]
    assert [warning.code for warning in scenario.warnings] == expected


def test_a_start_on_a_holiday_counts_banking_days_from_the_next_one():
    calendar = "{start: 2026-04-05T09:00, roll: following}"
    scenario = load_text(with_times("+0bd 10:00", "+1bd 10:00", calendar=calendar), catalog=FakeCatalog())
    assert [time_text(step.at_us) for step in scenario.steps] == ["2026-04-07 10:00", "2026-04-08 10:00"]


def test_own_holidays_replace_those_of_the_market():
    calendar = "{start: 2026-03-02T09:00, holidays: [2026-03-03..2026-03-04], make_up: [2026-03-07]}"
    scenario = load_text(with_times("+1bd 10:00", "+3bd 10:00", calendar=calendar), catalog=FakeCatalog())
    assert [time_text(step.at_us) for step in scenario.steps] == ["2026-03-05 10:00", "2026-03-07 10:00"]
    assert scenario.calendar.years == (2026,)
    assert scenario.calendar.is_banking_day(Day.of("2026-10-01"))


def test_years_without_data_need_the_word_for_it():
    text = with_times("+3bd 10:00", calendar="{start: 2031-03-03T09:00}")
    assert [problem.code for problem in problems_of(text)] == ["S-303"]
    text = with_times("+3bd 10:00", calendar="{start: 2031-03-03T09:00, fallback: weekends}")
    assert time_text(load_text(text, catalog=FakeCatalog()).steps[0].at_us) == "2031-03-06 10:00"


def test_equal_times_are_one_instant_and_later_ones_another():
    scenario = load_text(with_times("+0bd 10:00", "2026-03-02 10:00", "+1bd 10:00"), catalog=FakeCatalog())
    assert [len(instant.bundles) for instant in scenario.instants()] == [2, 1]


# ---------------------------------------------------------------- steps and arguments


def test_arguments_are_typed_complete_and_in_the_order_of_the_action():
    step = good().steps[0]
    assert step.arguments == (
        ("number", "LC-1"),
        ("issuer", "ib1"),
        ("beneficiary", "c1"),
        ("amount", Money(1_000_000_000)),
        ("expiry", Day.of("2026-05-28")),
        ("tenor", ChoiceValue("Tenor", "USANCE")),
        ("rate", Rate(13, 500)),
        ("days", None),
        ("partial", False),
        ("hash", hash_bytes(b"contract")),
    )


def test_steps_carry_their_signers_outcomes_and_bundles():
    steps = {step.id: step for step in good().steps}
    assert list(steps) == ["1", "issue-it", "3.1", "3.2", "4"]
    assert steps["3.1"].bundle == steps["3.2"].bundle != steps["4"].bundle
    assert steps["3.2"].agreed_by == ("vb1",)
    assert steps["4"].outcome == StepOutcome("refused", "E_DATE")
    assert (steps["1"].save, steps["1"].place.line) == ("lc", 26)


def test_references_are_filled_in_at_run_time():
    parts = dict(good().steps[2].arguments)
    assert parts["id"] == Reference("lc")
    value = (StructValue("Part", (("amount", Reference("lc", ("amount",))),)), 5)
    filled = resolve(value, lambda reference: f"<{reference}>")
    assert filled == (StructValue("Part", (("amount", "<$lc.amount>"),)), 5)


def test_named_signers_replace_those_of_the_action():
    text = GOOD.replace("with: {id: $lc, buyer: vb1}", "with: {id: $lc, buyer: vb1}, agreed_by: []")
    assert load_text(text, catalog=FakeCatalog()).steps[3].agreed_by == ()


def test_contracts_are_those_spoken_of_those_they_use_and_settlement():
    scenario = good()
    assert [use.name for use in scenario.contracts] == ["credit", "settlement"]
    assert scenario.contracts[0].parameters == (("fee", Money(6_000)),)
    plain = load_text(
        "consortium: 1\nname: none\ncalendar: {start: 2026-03-02}\nbanks: [{id: b}]\n",
        catalog=FakeCatalog(SETTLEMENT),
    )
    assert [use.name for use in plain.contracts] == ["settlement"]


def test_contracts_bring_what_they_use_and_what_that_uses():
    far = ContractSignature(name="far", uses=(("near", 1),))
    near = ContractSignature(name="near", uses=(("credit", 1),))
    text = "consortium: 1\nname: far\ncalendar: {start: 2026-03-02}\nbanks: [{id: b}]\ncontracts: {far: }\n"
    scenario = load_text(text, catalog=FakeCatalog(far, near, CREDITS, SETTLEMENT))
    assert [use.name for use in scenario.contracts] == ["credit", "far", "near", "settlement"]


def test_the_version_that_is_used_must_be_the_one_deployed():
    far = ContractSignature(name="far", uses=(("credit", 2),))
    text = "consortium: 1\nname: far\ncalendar: {start: 2026-03-02}\nbanks: [{id: b}]\ncontracts: {far: }\n"
    with pytest.raises(ScenarioInvalid, match="far uses credit version 2, here is version 1"):
        load_text(text, catalog=FakeCatalog(far, CREDITS, SETTLEMENT))


def test_a_contract_that_another_one_uses_must_be_there():
    with pytest.raises(ScenarioInvalid) as caught:
        load_text(GOOD, catalog=FakeCatalog(CREDITS))
    assert [problem.message for problem in caught.value.problems] == [
        "unknown contract 'settlement', which credit uses"
    ]


# ---------------------------------------------------------------- options


def test_overrides_take_the_notation_of_the_file():
    scenario = good(
        consensus__f="0",
        network__loss="2 %",
        banks__pb2__own="7.00 CNY",
        seed="9",
        calendar__roll="following",
        corporates__1__cash="5.00 CNY",
        regulator__name="null",
    )
    assert scenario.consensus.f == 0
    assert scenario.network.loss_ppm == 20_000
    assert scenario.banks[1].own == Money(700)
    assert scenario.corporates[1].cash == Money(500)
    assert (scenario.seed, scenario.roll) == (9, "following")
    assert ("consensus.f", "0") in scenario.overrides


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("consensus.f", "two", "S-103"),
        ("consensus.f", "5", "S-207"),
        ("consensus.ff", "1", "S-101"),
        ("banks.ib9.own", "1.00 CNY", "S-020"),
        ("banks.17.own", "1.00 CNY", "S-020"),
        ("name.first", "x", "S-020"),
        ("consensus..f", "1", "S-020"),
        ("", "1", "S-020"),
        ("extends", "x.yaml", "S-020"),
        ("title", "[1", "S-010"),
        ("title", "\x00", "S-006"),
        ("banks.ib1.own", "5", "S-110"),
        ("name", "", "S-108"),
    ],
)
def test_errors_of_an_override_name_the_option(path, value, code):
    problems = problems_of(GOOD, overrides={path: value})
    assert code in [problem.code for problem in problems]
    problem = next(problem for problem in problems if problem.code == code)
    assert problem.file.startswith(f"--set {path}=")
    assert (problem.line, problem.excerpt) == (0, None)
    assert f"  --> --set {path}=" in render(problems)


def test_more_nodes_than_banks_adds_banks():
    scenario = with_validators(good(), 7)
    assert scenario.validators == ("ib1", "pb2", "vb1", "vb2", "bank05", "bank06", "bank07")
    assert scenario.banks[-1].own == Money(100_000_000_000)
    assert scenario.consensus.f == 1, "the file names f"


def test_fewer_nodes_leave_the_rest_as_banks_without_replica():
    text = GOOD.replace("f: 1, ", "").replace("crash: vb2", "crash: ib1")
    scenario = with_validators(load_text(text, catalog=FakeCatalog()), 3)
    assert scenario.validators == ("ib1", "pb2", "vb1")
    assert [bank.id for bank in scenario.banks] == ["ib1", "pb2", "vb1", "vb2"]
    assert scenario.consensus.f == 0


def test_f_follows_the_number_of_nodes_unless_the_file_names_it():
    scenario = load_text(GOOD.replace("f: 1, ", ""), catalog=FakeCatalog())
    assert [with_validators(scenario, n).consensus.f for n in (4, 7, 10, 16)] == [1, 2, 3, 5]


def test_names_of_added_banks_are_free():
    text = GOOD.replace("{id: c1, bank: pb2}", "{id: bank05, bank: pb2}").replace("c1", "bank05")
    scenario = with_validators(load_text(text, catalog=FakeCatalog()), 6)
    assert scenario.validators[4:] == ("bank06", "bank07")


@pytest.mark.parametrize(("count", "code"), [(0, "S-212"), (-1, "S-212"), (1001, "S-212"), (2, "S-211")])
def test_impossible_numbers_of_nodes_are_refused(count, code):
    with pytest.raises(ScenarioInvalid) as caught:
        with_validators(good(), count)
    assert [(problem.code, problem.file) for problem in caught.value.problems] == [(code, f"--nodes {count}")]


def test_too_few_nodes_for_a_named_f_are_refused():
    text = GOOD.replace("crash: vb2", "crash: ib1")
    with pytest.raises(ScenarioInvalid, match="f: 1 needs at least 4 validators"):
        with_validators(load_text(text, catalog=FakeCatalog()), 3)


# ---------------------------------------------------------------- digest and sources


def test_the_digest_is_over_what_the_file_says():
    digest = good().digest
    commented = GOOD.replace("timeline:", "# a comment\ntimeline:   # another")
    reordered = GOOD.replace("name: small\nseed: 7\n", "seed: 7\nname: 'small'\n")
    for same in (commented, reordered, GOOD.replace("seed: 7", "seed: 8")):
        assert load_text(same, catalog=FakeCatalog(), name="other.yaml").digest == digest
    assert load_text(good().flat_text, catalog=FakeCatalog()).digest == digest
    assert with_seed(good(), 99).digest == digest
    assert good(network__loss="3 %").digest != digest
    assert load_text(GOOD.replace("LC-1", "LC-2"), catalog=FakeCatalog()).digest != digest


def test_an_override_has_the_digest_of_a_file_that_says_so():
    assert (
        good(consensus__f="0").digest == load_text(GOOD.replace("f: 1", "f: 0"), catalog=FakeCatalog()).digest
    )


def test_the_source_comes_back_byte_for_byte(tmp_path):
    data = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    (tmp_path / "s.yaml").write_bytes(data)
    scenario = load(tmp_path / "s.yaml", catalog=FakeCatalog())
    assert source_text(scenario) == data
    assert scenario.digest == good().digest


def test_bases_travel_with_the_scenario(tmp_path):
    (tmp_path / "base.yaml").write_text(GOOD)
    (tmp_path / "s.yaml").write_text("extends: base.yaml\nname: other\n")
    scenario = load(tmp_path / "s.yaml", catalog=FakeCatalog())
    assert [len(source.data) > 0 for source in scenario.sources] == [True, True]
    assert (scenario.name, len(scenario.steps)) == ("other", 5)
    again = load_text(scenario.flat_text, catalog=FakeCatalog())
    assert again.digest == scenario.digest


def test_the_flat_text_needs_no_other_file_but_contracts(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "paper.txt").write_text("contract")
    shutil.copy(Path(__file__).parent / "broken/contracts/pledge.py", tmp_path / "far/promise.py")
    text = (
        "consortium: 1\nname: files\ncalendar: {start: 2026-03-02T09:00}\nbanks: [{id: b}]\n"
        "corporates: [{id: x, bank: b}, {id: y, bank: b}]\ncontracts: {promise: {file: far/promise.py}}\n"
        "timeline:\n  - {at: +0bd 10:00, as: x, do: promise.give, with: {number: P, giver: x, taker: y, bank: b,"
        " amount: 90.00 CNY, until: +30d, paper: {file: paper.txt}}}\n"
    )
    (tmp_path / "s.yaml").write_text(text)
    scenario = load(tmp_path / "s.yaml")
    run = tmp_path / "run"
    (run / "contracts").mkdir(parents=True)
    for use in scenario.contracts:
        (run / "contracts" / f"{use.name}.py").write_bytes(use.source)
    (run / "scenario.yaml").write_text(scenario.flat_text)
    again = load(run / "scenario.yaml")
    assert again.digest == scenario.digest
    assert again.steps[0].arguments == scenario.steps[0].arguments
    assert dict(again.steps[0].arguments)["paper"] == hash_bytes(b"contract")
    (tmp_path / "paper.txt").write_text("another contract")
    assert load(tmp_path / "s.yaml").digest != scenario.digest, "what a file says counts, not its name"


# ---------------------------------------------------------------- paths, rendering, codes


@pytest.mark.parametrize(
    ("name", "code", "exit_code"),
    [("missing.yaml", "S-001", 2), (".", "S-002", 2), ("contracts", "S-002", 2), ("a\0b", "S-003", 5)],
)
def test_paths_that_are_no_files(monkeypatch, name, code, exit_code):
    monkeypatch.chdir(Path(__file__).parent / "broken")
    with pytest.raises(ScenarioInvalid) as caught:
        load(name)
    assert [problem.code for problem in caught.value.problems] == [code]
    assert caught.value.exit_code == exit_code
    assert str(caught.value).endswith(f"exit {exit_code}")


def test_an_unreadable_file_blames_the_machine(monkeypatch, tmp_path):
    path = tmp_path / "secret.yaml"
    path.write_text(GOOD)

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ScenarioInvalid, match="cannot be read: permission denied") as caught:
        load(path)
    assert caught.value.exit_code is ExitCode.ENVIRONMENT


def test_a_missing_file_is_guessed(monkeypatch):
    monkeypatch.chdir(SCENARIOS.parent)
    with pytest.raises(ScenarioInvalid, match="did you mean 'scenarios/domestic_letter_of_credit"):
        load("scenarios/domestic_leter_of_credit.yaml")


def test_absolute_paths_are_shown_from_the_working_directory(monkeypatch, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("consortium: 2\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScenarioInvalid) as caught:
        load(path.resolve())
    assert {problem.file for problem in caught.value.problems} == {"wrong.yaml"}


def problem(**fields):
    values = {
        "code": "S-101",
        "severity": "error",
        "message": "m",
        "file": "f.yaml",
        "line": 1,
        "column": 1,
        "length": 1,
    }
    return Problem(**{**values, **fields})


def test_carets_stand_under_wide_characters():
    text = render([problem(excerpt="银行: x", column=5, length=1)])
    line, carets = text.splitlines()[2:4]
    assert line == "   1 | 银行: x"
    assert carets == "     |       ^", "two wide characters fill four columns"


def test_long_lines_are_cut_around_the_place():
    text = render([problem(excerpt="a" * 5000 + "HERE" + "b" * 5000, column=5001, length=4)])
    line, carets = text.splitlines()[2:4]
    assert len(line) <= LINE_WIDTH_MAX + 7
    assert line[carets.index("^") : carets.rindex("^") + 1] == "HERE"


def test_counts_and_exit_codes():
    error, warning = problem(), problem(severity="warning", code="S-310")
    assert render([]) == ""
    assert render([warning]).endswith(
        "1 warning            explain one: consortium check --explain S-310            exit 0"
    )
    assert render([error, error, warning]).splitlines()[-1].startswith("2 errors, 1 warning   ")
    assert render([error] * 500).splitlines()[-2] == "... and 400 more"


def test_a_file_full_of_mistakes_is_not_read_to_the_end():
    problems = problems_of("".join(f"key{i}: 1\n" for i in range(50_000)))
    assert len(problems) == 1000


def test_every_code_has_an_explanation():
    for code in CODES:
        text = explain(code.lower())
        assert text.startswith(f"{code}: ")
        assert max(map(len, text.splitlines())) <= 100
    with pytest.raises(InputError, match="did you mean"):
        explain("S-2077")


def test_nearest_words():
    assert nearest("presnt", ["present", "prevent_it"]) == "present"
    assert nearest("View-Timeout", ["view_timeout", "window"]) == "view_timeout"
    assert nearest("zebra", ["present"]) is None
    assert nearest("x" * 100_000, ["x"]) is None


# ---------------------------------------------------------------- the shipped scenarios


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.name)
def test_the_shipped_scenarios_load_without_a_warning(path):
    scenario = load(path)
    assert scenario.warnings == ()
    assert path.read_text(encoding="utf-8").startswith("#"), "a comment on top says what to watch"
