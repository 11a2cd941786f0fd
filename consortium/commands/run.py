"""`consortium run` and `consortium demo`: a scenario file is run, told as it goes on, summed up and kept."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consortium.commands.console import Console
from consortium.errors import ExitCode, InputError
from consortium.report.document import document
from consortium.report.html import page
from consortium.report.text import StepLines, heading, run_facts, summary
from consortium.report.viewpoint import CENTRAL_BANK, REGULATOR, Viewpoint
from consortium.report.words import place_shown
from consortium.scenario.folder import LAST, LEDGER, REPORT, RUNS, run_into_folder
from consortium.scenario.load import display_name, load, with_seed, with_validators
from consortium.scenario.model import Scenario
from consortium.scenario.problems import nearest, render
from consortium.scenario.run import Run, RunOptions
from consortium.timeline.views import OPERATOR, RunView, StepView

SEED_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What the user asked for; None keeps what the file says."""

    file: Path
    seed: int | None = None
    nodes: int | None = None
    settings: tuple[tuple[str, str], ...] = ()
    out: Path = Path(RUNS)
    viewpoint: str = OPERATOR
    signatures: str = "ed25519"
    journal: str | None = None
    share_execution: bool = True
    is_demo: bool = False


def run_scenario_file(console: Console, request: RunRequest) -> int:
    """Run a scenario, print its steps as they finish and then the summary; the exit code is the run's."""
    scenario = _scenario(request)
    viewpoint = _viewpoint(scenario, request.viewpoint)
    if scenario.warnings:
        console.note(render(scenario.warnings))
    command = reproducing_command(request, scenario.seed)
    lines = _announce(console, scenario, request)

    def tell(step: StepView) -> None:
        if viewpoint.sees_step(step):
            console.say(lines.line(step))

    def as_document(run: Run) -> dict[str, Any]:
        return {**document(viewpoint.of(run.view)), "command": command}

    run, folder = run_into_folder(
        scenario,
        RunOptions(
            seed=request.seed,
            nodes=request.nodes,
            signatures=request.signatures,
            journal=request.journal,
            share_execution=request.share_execution,
        ),
        document=as_document,
        page=lambda run: page(viewpoint.of(run.view), command),
        parent=request.out,
        on_step=tell,
    )
    if console.json:
        console.document({**as_document(run), "folder": str(folder)})
        return run.exit_code
    _conclude(console, viewpoint.of(run.view), folder, request)
    return run.exit_code


def reproducing_command(request: RunRequest, seed: int) -> str:
    """Return the command that makes the same run again, with every option that shapes it."""
    parts = ["consortium", "run", place_shown(display_name(request.file)), "--seed", str(seed)]
    if request.nodes is not None:
        parts += ["--nodes", str(request.nodes)]
    for key, value in request.settings:
        parts += ["--set", f"{key}={value}"]
    if request.signatures != "ed25519":
        parts += ["--signatures", request.signatures]
    if not request.share_execution:
        parts.append("--no-share")
    if request.viewpoint != OPERATOR:
        parts += ["--as", request.viewpoint]
    return shlex.join(parts)


def _scenario(request: RunRequest) -> Scenario:
    """Load the file with everything that the options change. Raises ScenarioInvalid, InputError."""
    overrides = dict(request.settings)
    if len(overrides) < len(request.settings):
        raise InputError("--set: each key can be set once")
    scenario = load(request.file, overrides=overrides)
    if request.nodes is not None:
        scenario = with_validators(scenario, request.nodes)
    if request.seed is not None:
        if not 0 <= request.seed <= SEED_MAX:
            raise InputError(f"--seed is a whole number from 0 to {SEED_MAX}")
        scenario = with_seed(scenario, request.seed)
    return scenario


def _viewpoint(scenario: Scenario, party: str) -> Viewpoint:
    """Return whose eyes the report is for. Raises InputError for a party that is not in the scenario."""
    if party == OPERATOR:
        return Viewpoint()
    if party not in scenario.parties:
        near = nearest(party, (OPERATOR, *scenario.parties))
        hint = f"did you mean '{near}'?" if near else f"there are {OPERATOR}, {', '.join(scenario.parties)}"
        raise InputError(f"--as: there is no party '{party}'; {hint}")
    if scenario.regulator is not None and party == scenario.regulator.id:
        return Viewpoint(party=party, kind=REGULATOR, sees=scenario.regulator.sees)
    if scenario.central_bank is not None and party == scenario.central_bank.id:
        return Viewpoint(party=party, kind=CENTRAL_BANK)
    return Viewpoint(party=party, is_validator=party in scenario.validators)


def _announce(console: Console, scenario: Scenario, request: RunRequest) -> StepLines:
    """Say what runs, and fix the columns in which its steps will appear."""
    facts = run_facts(
        scenario.seed, len(scenario.validators), scenario.consensus.f, request.signatures, "simulated"
    )
    console.say(heading(scenario.name, scenario.title, facts, console.paint))
    return StepLines.fitting(
        (step.actor for step in scenario.steps),
        (f"{step.contract}.{step.action}" for step in scenario.steps),
        console.paint,
    )


def _conclude(console: Console, view: RunView, folder: Path, request: RunRequest) -> None:
    if console.quiet:
        if view.exit_code:
            console.error(f"{view.name}: {view.outcome}, verdict {view.verdict}; see {folder / REPORT}")
        return
    is_last = request.out == Path(RUNS) and view.exit_code != ExitCode.INTERRUPTED
    name = LAST if is_last else shlex.quote(str(folder))
    story = "demo" if request.is_demo else f"run {shlex.quote(display_name(request.file))}"
    commands = [
        (f"{console.program} audit {name}", "verify the ledger from outside: chain, certificates, state"),
        (f"{console.program} replay {name}", "run it again and compare the journals byte for byte"),
    ]
    if view.verdict == "true":
        again = f"{console.program} {story} --seed {view.seed + 1}"
        commands.append((again, "other messages, the same balances"))
    console.say("\n" + summary(view, commands, console.paint))
    console.say(f"\nkept in {folder}: open {REPORT} in a browser, query {LEDGER} with SQL")
