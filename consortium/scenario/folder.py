"""Run folders: `runs/<name>-<seed>-<hash8>/`, with everything needed to look at a run and to repeat it.

    summary.json     the JSON document of the run, and how it was run
    journal.jsonl    inputs and effects
    ledger.sqlite    the ledger of one honest bank, for the auditor
    report.html      the offline page, for one viewpoint
    scenario.yaml    the scenario with its bases and options applied; contracts/ beside it

A run is written into `<folder>.<process>.partial` and renamed when it is complete, so a folder without that
ending is whole. An interrupted run keeps the ending. The same scenario, seed and options give the same name.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from consortium.archive.write import FinishedLedger, write_archive
from consortium.crypto import digest
from consortium.errors import EnvironmentFailedError, InputError
from consortium.journal.replay import Comparison, Difference
from consortium.scenario.load import load
from consortium.scenario.model import Scenario
from consortium.scenario.run import OnStep, Run, RunOptions, run_scenario
from consortium.scenario.story import Outcome

RUNS = "runs"
LAST = "last"
PARTIAL = ".partial"
SUMMARY, JOURNAL, LEDGER, REPORT = "summary.json", "journal.jsonl", "ledger.sqlite", "report.html"
SCENARIO, CONTRACTS = "scenario.yaml", "contracts"

Document = Callable[[Run], dict[str, Any]]
Page = Callable[[Run], str]


def run_into_folder(
    scenario: Scenario,
    options: RunOptions,
    *,
    document: Document,
    page: Page,
    parent: Path | None = None,
    on_step: OnStep | None = None,
) -> tuple[Run, Path]:
    """Run a scenario and keep it below `parent` (default: runs). Returns the run and its folder.

    `document` and `page` render summary and report. Raises EnvironmentFailedError where the folder cannot be
    written, before anything is run.
    """
    parent = parent or Path(RUNS)
    final = parent / folder_name(scenario, options)
    partial = final.with_name(f"{final.name}.{os.getpid()}{PARTIAL}")
    with _told(partial):
        shutil.rmtree(partial, ignore_errors=True)
        (partial / CONTRACTS).mkdir(parents=True)
        (partial / SCENARIO).write_text(scenario.flat_text, encoding="utf-8")
        for use in scenario.contracts:
            (partial / CONTRACTS / f"{use.name}.py").write_bytes(use.source)
        with (partial / JOURNAL).open("w", encoding="utf-8", newline="\n") as journal:
            run = run_scenario(scenario, options, on_step=on_step, sink=journal.write)
        write_archive(partial / LEDGER, finished_ledger(run))
        summary = {**document(run), "options": asdict(options)}
        (partial / SUMMARY).write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", "utf-8")
        (partial / REPORT).write_text(page(run), encoding="utf-8")
        if run.view.outcome == Outcome.INTERRUPTED:
            return run, partial
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
        (parent / LAST).write_text(final.name + "\n", encoding="utf-8")
    return run, final


def folder_name(scenario: Scenario, options: RunOptions) -> str:
    """Return `<name>-<seed>-<hash8>`; the hash is over the scenario and the options that shape the run."""
    seed = scenario.seed if options.seed is None else options.seed
    shape = digest(
        "run", scenario.digest, seed, options.nodes or 0, options.signatures, options.share_execution
    )
    return f"{scenario.name}-{seed}-{shape.hex()[:8]}"


def finished_ledger(run: Run) -> FinishedLedger:
    """Return the witness's ledger as the archive keeps it."""
    witness = run.witness
    return FinishedLedger(
        genesis=run.consortium.genesis,
        blocks=witness.blocks,
        commits=witness.certificates(),
        checkpoint=witness.checkpoint,
        sources={(use.name, use.version): use.source for use in run.scenario.contracts},
        scheme=run.options.signatures,
        notes={
            "scenario": run.scenario.name,
            "seed": str(run.scenario.seed),
            "run_digest": run.run_digest.hex(),
            "verdict": run.view.verdict,
        },
    )


def find_run(text: str) -> Path:
    """Return a run's folder from a path, `last`, or a name below runs. Raises InputError if there is none."""
    runs = Path(RUNS)
    if text == LAST:
        pointer = runs / LAST
        if not pointer.is_file():
            raise InputError(f"there is no last run below {runs}/: run a scenario first")
        text = str(runs / pointer.read_text(encoding="utf-8").strip())
    for folder in (Path(text), runs / text):
        if (folder / SUMMARY).is_file():
            return folder
        if folder.is_dir() and folder.name.endswith(PARTIAL):
            raise InputError(f"{folder} is a partial run without a summary: run the scenario again")
    raise InputError(f"'{text}' is no run: give a folder below {runs}/ (or `last`) that has a {SUMMARY}")


def replay(folder: Path) -> tuple[Run, Difference | None]:
    """Run a kept run again and compare its journal byte for byte. Raises InputError for a damaged folder."""
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        options = RunOptions(**{**summary["options"], "seed": summary["seed"]})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / SUMMARY} cannot be read: {error}") from None
    scenario = load(folder / SCENARIO)
    with (folder / JOURNAL).open(encoding="utf-8", errors="replace", newline="\n") as recorded:
        comparison = Comparison(recorded)
        run = run_scenario(scenario, options, sink=comparison.write)
        return run, comparison.close()


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses into an error that says what to do."""
    try:
        yield
    except BrokenPipeError:
        raise  # whoever read our output has gone: that is not the folder's fault
    except OSError as error:
        raise EnvironmentFailedError(
            f"cannot write the run folder {folder}: {error.strerror or error}; "
            "free some space or give another place with --out DIR"
        ) from None
