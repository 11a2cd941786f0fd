"""Loading a scenario: file -> tree -> pieces -> `Scenario`, or every problem at once.

    read_source -> parse -> extends -> overrides -> validate (form) -> build (meaning)

Nothing is half-loaded: a `Scenario` has no errors, and `ScenarioInvalid` carries all that were found.
"""

import os
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from consortium.membership import max_faulty
from consortium.money import parse_money
from consortium.scenario.build import build, faulty_validators_problem
from consortium.scenario.catalog import SourceCatalog
from consortium.scenario.extends import with_bases
from consortium.scenario.model import Bank, Scenario, SourceText
from consortium.scenario.nodes import Refused, SourceFile
from consortium.scenario.overrides import with_overrides
from consortium.scenario.problems import Problem, Problems, ScenarioInvalid, TooManyProblems, ordered
from consortium.scenario.schema import OWN_FUNDS_DEFAULT
from consortium.scenario.signatures import Catalog
from consortium.scenario.source import parse, read_source, source_of
from consortium.scenario.validation import validate

NO_OVERRIDES: MappingOf[str, str] = MappingProxyType({})
NODES_MAX = 1000


def load(
    path: str | os.PathLike[str],
    *,
    overrides: MappingOf[str, str] = NO_OVERRIDES,
    catalog: Catalog | None = None,
) -> Scenario:
    """Load a scenario file. Raises ScenarioInvalid with everything that is wrong.

    `overrides` are the `--set` options, `catalog` where contracts are found (default: beside the file, then
    those of the package).
    """
    given = Path(path)
    try:
        source = read_source(given, display_name(given))
    except Refused as refused:
        raise ScenarioInvalid(refused.problems) from None
    return _load(source, overrides, catalog)


def load_text(
    text: str | bytes,
    *,
    name: str = "scenario.yaml",
    directory: str | os.PathLike[str] | None = None,
    overrides: MappingOf[str, str] = NO_OVERRIDES,
    catalog: Catalog | None = None,
) -> Scenario:
    """Load a scenario from memory, as if it stood in `directory`. Raises ScenarioInvalid."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    try:
        source = source_of(data, name, None if directory is None else Path(directory) / name)
    except Refused as refused:
        raise ScenarioInvalid(refused.problems) from None
    return _load(source, overrides, catalog)


def with_seed(scenario: Scenario, seed: int) -> Scenario:
    """Return the same scenario with another seed; its digest does not depend on the seed."""
    return replace(scenario, seed=seed)


def with_validators(scenario: Scenario, count: int) -> Scenario:
    """Return the scenario with `count` validators (`--nodes`). Raises ScenarioInvalid where that cannot be.

    Below the file's number its first ones run and the rest submit through them; above it, first the file's
    other banks join, then added ones named bank05, bank06, ... by their place. An f that the file does not
    name follows the number.
    """
    option = f"--nodes {count}"
    if not 1 <= count <= NODES_MAX:
        raise _refused("S-212", f"{count} validators are not possible", option, f"1 to {NODES_MAX}")
    chosen = [*scenario.validators, *(bank.id for bank in scenario.banks if not bank.validator)][:count]
    banks = [replace(bank, validator=bank.id in chosen) for bank in scenario.banks]
    taken = set(scenario.parties)
    number = len(banks)
    for _ in range(count - len(chosen)):
        number += 1
        while f"bank{number:02d}" in taken:
            number += 1
        banks.append(_added_bank(f"bank{number:02d}"))
    disturbed = [fault.target for fault in scenario.faults if fault.target not in chosen]
    if disturbed:
        raise _refused(
            "S-211", f"a fault of this file disturbs {disturbed[0]}, which does not run", option, None
        )
    consensus = scenario.consensus
    if consensus.f_given and consensus.f > max_faulty(count):
        message, advice = faulty_validators_problem(consensus.f, count)
        raise _refused("S-207", message, option, f"{advice}; or --set consensus.f={max_faulty(count)}")
    if not consensus.f_given:
        consensus = replace(consensus, f=max_faulty(count))
    return replace(scenario, banks=tuple(banks), consensus=consensus)


def source_text(scenario: Scenario) -> bytes:
    """Return the scenario file byte for byte as it was read (without its bases and overrides)."""
    return scenario.sources[0].data


def display_name(path: Path) -> str:
    """Return how messages call a file: as given, and inside the working directory relative to it."""
    if not path.is_absolute():
        return str(path)
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def _load(source: SourceFile, overrides: MappingOf[str, str], catalog: Catalog | None) -> Scenario:
    problems = Problems()
    scenario = None
    try:
        root = parse(source, problems)
        root, bases, complete = with_bases(source, root, problems)
        root = with_overrides(root, overrides, problems)
        pieces = validate(root, problems, complete=complete)
        scenario = build(
            pieces,
            catalog if catalog is not None else SourceCatalog(source.path),
            problems,
            sources=tuple(SourceText(name=each.name, data=each.data) for each in (source, *bases)),
            overrides=tuple(overrides.items()),
        )
    except Refused as refused:
        problems.found.extend(refused.problems)
    except TooManyProblems:
        pass
    if scenario is None:
        raise ScenarioInvalid(ordered(problems.found))
    return replace(scenario, warnings=tuple(ordered(scenario.warnings)))


def _added_bank(name: str) -> Bank:
    """Return a bank that only votes, as if the file said `{id: bank05}`."""
    own = parse_money(OWN_FUNDS_DEFAULT)
    return Bank(id=name, name=name, roles=(), validator=True, own=own, key_seed=None)


def _refused(code: str, message: str, option: str, help_text: str | None) -> ScenarioInvalid:
    problem = Problem(
        code=code, severity="error", message=message, file=option, line=0, column=0, length=0, help=help_text
    )
    return ScenarioInvalid([problem])
