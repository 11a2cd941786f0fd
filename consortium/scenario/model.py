"""The frozen scenario that everything above works from.

All times are microseconds, all amounts exact, all names resolved: nothing here needs to be checked again.
How it is written in a file stands in `schema`, how one becomes the other in `build`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from consortium.calendar import Calendar
from consortium.money import Day, Money, Rate
from consortium.scenario.comparison import Comparison, Reference
from consortium.scenario.problems import Problem


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the scenario file."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class ChoiceValue:
    """One option of an enumeration that a contract declares."""

    type_name: str
    option: str


@dataclass(frozen=True, slots=True)
class StructValue:
    """A value class of a contract: its fields in declared order."""

    type_name: str
    fields: tuple[tuple[str, "ArgumentValue"], ...]


ArgumentValue = (
    None
    | bool
    | int
    | str
    | bytes
    | Money
    | Rate
    | Day
    | ChoiceValue
    | StructValue
    | Reference
    | tuple["ArgumentValue", ...]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """A bank; `key_seed` is None where the key derives from the scenario's name and the id."""

    id: str
    name: str
    roles: tuple[str, ...]
    validator: bool
    own: Money
    key_seed: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Corporate:
    """A company, the bank it acts through, and its deposit there at the start."""

    id: str
    name: str
    bank: str
    cash: Money
    key_seed: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The regulator or the central bank; `bank` carries what it submits, `sees` is for a regulator."""

    id: str
    name: str
    bank: str
    sees: tuple[str, ...]
    key_seed: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a bank grants to a party at the start."""

    bank: str
    party: str
    amount: Money
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The delay of a message: constant `low_us`; uniform from `low_us` to `high_us`; or lognormal.

    Lognormal has the median `low_us` and the 99th percentile `high_us`, with 0 < low <= high.
    """

    kind: Literal["constant", "uniform", "lognormal"]
    low_us: int
    high_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The network between banks: a preset, and what the file sets itself (None: as the preset has it).

    Shares are parts per million; a bandwidth of 0 is unlimited.
    """

    preset: Literal["metro", "national", "wan", "custom"]
    latency: Latency | None
    loss_ppm: int | None
    duplication_ppm: int | None
    reordering_ppm: int | None
    bandwidth_bits_per_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """The agreement protocol's parameters; `f_given` tells whether the file names f or it was computed."""

    protocol: str
    f: int
    f_given: bool
    batch_max: int
    batch_wait_us: int
    checkpoint_interval: int
    window: int
    pipeline: int
    view_timeout_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractUse:
    """A contract to deploy: its source as read, and the parameters that differ from its defaults."""

    name: str
    version: int
    file: Path
    source: bytes
    parameters: tuple[tuple[str, ArgumentValue], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong from a business moment on, for so much network time (None: to the end)."""

    kind: str
    at_us: int
    duration_us: int | None
    target: str
    place: Place


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What must become of an action."""

    status: Literal["applied", "refused"]
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One action of one party.

    `arguments` are all parameters of the action in order, with defaults where the file gives none. Steps with
    the same `bundle` go into one bundle in this order; a step by itself has a number of its own.
    """

    id: str
    at_us: int
    actor: str
    contract: str
    version: int
    action: str
    arguments: tuple[tuple[str, ArgumentValue], ...]
    agreed_by: tuple[str, ...]
    save: str | None
    outcome: StepOutcome
    bundle: int
    during_fault: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Instant:
    """All that is submitted at one business time: bundles, concurrent with each other, each in its order."""

    at_us: int
    during_fault: bool
    bundles: tuple[tuple[Step, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceExpectation:
    """A party's account lies between two amounts, both included (equal for an exact one)."""

    at_us: int | None
    party: str
    account: str
    least: Money
    most: Money
    text: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class StateExpectation:
    """A saved instrument has this status."""

    at_us: int | None
    instrument: Reference
    state: str
    text: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementExpectation:
    """All honest banks hold the same ledger."""

    at_us: int | None
    text: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibilityExpectation:
    """A party sees, or does not see, what a pattern names."""

    at_us: int | None
    party: str
    pattern: str
    visible: bool
    text: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class LivenessExpectation:
    """Between two business times no gap without progress is longer (network time)."""

    from_us: int
    to_us: int | None
    max_gap_us: int
    text: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonExpectation:
    """A comparison over what steps saved holds."""

    at_us: int | None
    comparison: Comparison
    text: str
    place: Place


Expectation = (
    BalanceExpectation
    | StateExpectation
    | AgreementExpectation
    | VisibilityExpectation
    | LivenessExpectation
    | ComparisonExpectation
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The load of benchmarks: a mix of actions and how they arrive."""

    mix: tuple[tuple[str, Rate], ...]
    arrival: str
    rates_per_1000_s: tuple[int, ...]
    ramp_us: int
    hold_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceText:
    """One file that the scenario was read from, byte for byte; `name` is its path from the main file."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A validated scenario.

    `digest` is over what the file says (with `extends` and `--set` applied, without the seed): comments, key
    order and file names do not change it. `flat_text` says the same as one YAML text that needs no other file
    but the contracts, in `contracts/` beside it. `warnings` are problems that do not stop a run.
    """

    name: str
    title: str
    seed: int
    digest: bytes
    calendar: Calendar
    zone: str
    roll: Literal["none", "following"]
    start_us: int
    banks: tuple[Bank, ...]
    corporates: tuple[Corporate, ...]
    regulator: Authority | None
    central_bank: Authority | None
    limits: tuple[Limit, ...]
    network: Network
    consensus: Consensus
    contracts: tuple[ContractUse, ...]
    faults: tuple[Fault, ...]
    steps: tuple[Step, ...]
    expectations: tuple[Expectation, ...]
    load: Load | None
    sources: tuple[SourceText, ...]
    flat_text: str
    overrides: tuple[tuple[str, str], ...]
    warnings: tuple[Problem, ...]

    @property
    def validators(self) -> tuple[str, ...]:
        """Return the ids of the validator banks, in replica order."""
        return tuple(bank.id for bank in self.banks if bank.validator)

    @property
    def parties(self) -> tuple[str, ...]:
        """Return all ids, in the order of the file's sections."""
        authorities = [each.id for each in (self.regulator, self.central_bank) if each is not None]
        return (*(bank.id for bank in self.banks), *(each.id for each in self.corporates), *authorities)

    def instants(self) -> tuple[Instant, ...]:
        """Return the timeline grouped by business time."""
        grouped: dict[int, dict[int, list[Step]]] = {}
        for step in self.steps:
            grouped.setdefault(step.at_us, {}).setdefault(step.bundle, []).append(step)
        return tuple(
            Instant(
                at_us,
                any(step.during_fault for bundle in bundles.values() for step in bundle),
                tuple(tuple(bundle) for bundle in bundles.values()),
            )
            for at_us, bundles in grouped.items()
        )


def resolve(value: ArgumentValue, saved: Callable[[Reference], Any]) -> Any:
    """Return an argument with every reference replaced by what `saved` gives for it."""
    match value:
        case Reference():
            return saved(value)
        case tuple():
            return tuple(resolve(item, saved) for item in value)
        case StructValue():
            fields = tuple((name, resolve(item, saved)) for name, item in value.fields)
            return StructValue(value.type_name, fields)
        case _:
            return value
