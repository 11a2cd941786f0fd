"""The form of a scenario file: which keys there are, what stands under them, and the JSON Schema of it all.

One model per map of the file; keys that Python reserves (`as`, `with`, `for`, `not`) are aliases. Models know
only what a value looks like. What values say about each other (parties, references, times, contracts) is
checked when the scenario is built from them.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from consortium.scenario.fields import (
    AccountName,
    ActionName,
    Amount,
    BusinessMoment,
    ClockTime,
    Count,
    DayOrRange,
    Duration,
    KeySeed,
    MarketName,
    OrganisationId,
    PartyReference,
    Percent,
    PerSecond,
    Probability,
    Prose,
    RecordPattern,
    ReferenceText,
    RefusalCode,
    ScenarioName,
    Speed,
    Word,
    ZoneName,
)

SCHEMA_ADDRESS = "https://json-schema.org/draft/2020-12/schema"
OWN_FUNDS_DEFAULT = "1_000_000_000.00 CNY"
SEED_MAX = 2**63 - 1
# What pydantic adds to the place of an error inside an alternative: names of models, not keys of the file.
TAGS = frozenset({"<amount>", "<between>", "<crash>", "<disk_full>", "<step>", "<together>", "<wrong_key>"})
EXPECTATION_KINDS = (
    "balances",
    "account",
    "instrument",
    "all_nodes_agree",
    "visible",
    "liveness",
    "that",
)


def written(text: str, description: str | None = None) -> Any:
    """Return a default in the notation of the file, read like any other value."""
    return Field(text, description=description)


class Section(BaseModel):
    """Base of all maps: unknown keys are errors, nothing is converted, nothing changes afterwards."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_by_name=False, validate_default=True
    )


class CalendarSection(Section):
    """Banking days and the first business moment."""

    market: MarketName = "CN"
    start: BusinessMoment = Field(description="the first business moment, such as 2026-03-16T09:00")
    roll: Literal["none", "following"] = Field("none", description="where a step on a non-banking day runs")
    cut_off: ClockTime = written("17:00", "from here on value is the next banking day")
    zone: ZoneName = "Asia/Shanghai"
    holidays: list[DayOrRange] | None = Field(
        None, description="days without banking; replaces the market's list"
    )
    make_up: list[DayOrRange] | None = Field(None, description="weekend days on which banks work")
    fallback: Literal["weekends"] | None = Field(
        None, description="treat years without data as having weekends only"
    )


BankRole = Literal[
    "issuer",
    "advising",
    "presenting",
    "nominated",
    "negotiating",
    "confirming",
    "transferring",
    "forfaiter",
    "investor",
    "financier",
    "clearing",
    "export_factor",
    "import_factor",
    "bidder",
]


class BankSection(Section):
    """A bank."""

    id: OrganisationId
    name: Prose | None = Field(None, description="the name people read; the id if left out")
    roles: list[BankRole] = Field(
        default_factory=list, description="what the bank does in the story (for readers and pages)"
    )
    validator: bool = Field(True, description="runs a replica and votes")
    own: Amount = written(OWN_FUNDS_DEFAULT, "own funds at the start")
    key: KeySeed | None = Field(None, description="derived from scenario name and id if left out")


class CorporateSection(Section):
    """A company; it acts through its bank."""

    id: OrganisationId
    name: Prose | None = None
    bank: PartyReference = Field(description="the bank that holds its account and countersigns for it")
    cash: Amount = written("0.00 CNY", "its deposit at the start")
    key: KeySeed | None = None


class RegulatorSection(Section):
    """An observer without a vote."""

    id: OrganisationId
    name: Prose | None = None
    sees: list[RecordPattern] = Field(default_factory=list, description="what it may read")
    bank: PartyReference | None = Field(
        None, description="through which bank it submits; the first one if left out"
    )
    key: KeySeed | None = None


class CentralBankSection(Section):
    """Who mints and burns."""

    id: OrganisationId
    name: Prose | None = None
    bank: PartyReference | None = Field(
        None, description="through which bank it submits; the first one if left out"
    )
    key: KeySeed | None = None


class LimitSection(Section):
    """What a bank grants to a party."""

    bank: PartyReference
    party: PartyReference
    amount: Amount
    kind: Literal["credit", "debtor", "anchor", "guarantor"] = Field(
        "credit", description="which kind of limit"
    )


class LatencySection(Section):
    """How long a message takes: lognormal by median and p99, uniform by min and max, constant by median."""

    kind: Literal["constant", "uniform", "lognormal"] = "lognormal"
    median: Duration | None = None
    p99: Duration | None = Field(None, description="99 of a hundred messages are faster")
    min: Duration | None = None
    max: Duration | None = None


LATENCY_KEYS = {"constant": ("median",), "uniform": ("min", "max"), "lognormal": ("median", "p99")}


class NetworkSection(Section):
    """The network between banks; keys given here change the preset."""

    preset: Literal["metro", "national", "wan", "custom"] = Field(
        "metro", description="between banks of one city, one country, the world, or none of these"
    )
    latency: LatencySection | None = None
    loss: Probability | None = None
    duplication: Probability | None = None
    reordering: Probability | None = None
    bandwidth: Speed | None = Field(None, description="of each bank, or `unlimited`")


class BatchSection(Section):
    """When the primary closes a batch."""

    max: Count = Field(100, description="at most so many requests")
    wait: Duration = written("10 ms", "at the latest after this time")


class ConsensusSection(Section):
    """The agreement protocol."""

    protocol: Literal["pbft"] = Field("pbft", description="the protocol")
    f: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        None, description="how many faulty validators are survived; the largest possible if left out"
    )
    batch: BatchSection = Field(default_factory=lambda: BatchSection.model_validate({}))
    checkpoint: Count = Field(128, description="a checkpoint every so many sequence numbers (K)")
    window: Count | None = Field(
        None, description="how far ahead of the stable checkpoint (W); 2 K if left out"
    )
    pipeline: Count = Field(8, description="how many batches may be in agreement at once")
    view_timeout: Duration = written("400 ms", "how long a request may wait before the primary is suspected")


class ContractSection(Section):
    """One contract to deploy."""

    file: Prose | None = Field(
        None, description="path from this scenario file; found by its name if left out"
    )
    version: Count | None = Field(
        None, description="its version; the one its users ask for, else 1, if left out"
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="parameters that differ from the defaults"
    )


class CrashFault(Section):
    """A bank stops, and comes back from its store when the fault ends."""

    at: BusinessMoment
    crash: PartyReference
    duration: Duration | None = Field(None, alias="for", description="network time; to the end if left out")


class DiskFullFault(Section):
    """A bank can write nothing more and stops; when the fault ends there is room again and it comes back."""

    at: BusinessMoment
    disk_full: PartyReference
    duration: Duration | None = Field(None, alias="for", description="network time; to the end if left out")


class WrongKeyFault(Section):
    """A bank signs with a key that is not its own."""

    at: BusinessMoment | None = None
    wrong_key: PartyReference
    duration: Duration | None = Field(None, alias="for", description="network time; to the end if left out")


def _fault_kind(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((f"<{kind}>" for kind in FAULT_MODELS if kind in value), None)
    return next((f"<{kind}>" for kind, model in FAULT_MODELS.items() if isinstance(value, model)), None)


FaultSection = Annotated[
    Annotated[CrashFault, Tag("<crash>")]
    | Annotated[DiskFullFault, Tag("<disk_full>")]
    | Annotated[WrongKeyFault, Tag("<wrong_key>")],
    Discriminator(_fault_kind),
]
# Which model reads a fault, by the key that names its kind. One more kind: one more model, one more line.
FAULT_MODELS: dict[str, type[CrashFault] | type[DiskFullFault] | type[WrongKeyFault]] = {
    "crash": CrashFault,
    "disk_full": DiskFullFault,
    "wrong_key": WrongKeyFault,
}


class StepExpectSection(Section):
    """What must become of one action."""

    applied: Literal[True] | None = None
    refused: RefusalCode | None = Field(None, description="the code with which it must be refused")


class ActionSection(Section):
    """One action of one party (inside `together:` without a time of its own)."""

    id: Word | None = Field(None, description="names the step in reports")
    actor: PartyReference = Field(alias="as", description="who signs it")
    do: ActionName
    arguments: dict[str, Any] = Field(default_factory=dict, alias="with", description="arguments by name")
    agreed_by: list[PartyReference] | None = Field(
        None, description="who else signs; those the action asks for if left out"
    )
    save: Word | None = Field(None, description="keeps the result under this name, used as $name")
    expect: StepExpectSection | None = Field(None, description="{refused: CODE}; must be applied if left out")


class StepSection(ActionSection):
    """One action at its time."""

    at: BusinessMoment
    during: Literal["fault"] | None = Field(None, description="does not wait for the faults before it to end")


class TogetherSection(Section):
    """Actions of customers of one bank, in one bundle and in this order."""

    at: BusinessMoment
    during: Literal["fault"] | None = None
    together: Annotated[list[ActionSection], Field(min_length=1, max_length=100)]


def _step_kind(value: Any) -> str:
    together = "together" in value if isinstance(value, dict) else isinstance(value, TogetherSection)
    return "<together>" if together else "<step>"


TimelineSection = Annotated[
    Annotated[TogetherSection, Tag("<together>")] | Annotated[StepSection, Tag("<step>")],
    Discriminator(_step_kind),
]


class BetweenSection(Section):
    """Bounds, both included."""

    between: Annotated[list[Amount], Field(min_length=2, max_length=2)]


def _balance_kind(value: Any) -> str:
    return "<between>" if isinstance(value, (dict, BetweenSection)) else "<amount>"


Balance = Annotated[
    Annotated[Amount, Tag("<amount>")] | Annotated[BetweenSection, Tag("<between>")],
    Discriminator(_balance_kind),
]


class AccountsSection(Section):
    """Accounts of one party; income is a counter, line_used what it uses of its limits."""

    own: Balance | None = None
    deposit: Balance | None = None
    margin: Balance | None = None
    line_used: Balance | None = None
    income: Balance | None = None


class VisibleSection(Section):
    """What a party can, or cannot, see."""

    to: PartyReference
    what: RecordPattern | None = None
    hidden: RecordPattern | None = Field(None, alias="not")


class LivenessSection(Section):
    """How long the group may make no progress."""

    max_gap: Duration


ACCOUNTS = tuple(AccountsSection.model_fields)


class ExpectSection(Section):
    """One expectation of the run: exactly one of its kinds, and when it must hold."""

    at: BusinessMoment | None = Field(None, description="the end of the run if left out")
    during: BusinessMoment | None = Field(
        None, description="for liveness: the day, or the moment from which on"
    )
    balances: dict[str, AccountsSection] | None = Field(None, description="party, account, amount")
    account: AccountName | None = Field(
        None, description="deposit of a company or own of a bank, if only the party is named"
    )
    balance: Balance | None = None
    instrument: ReferenceText | None = None
    state: Prose | None = Field(None, description="the status the instrument must have")
    all_nodes_agree: Literal[True] | None = None
    visible: VisibleSection | None = None
    liveness: LivenessSection | None = None
    that: Prose | None = Field(
        None, description="a comparison, such as sum($parts.amount) == $voucher.amount"
    )


class ArrivalSection(Section):
    """How load arrives."""

    kind: Literal["poisson", "constant", "closed"] = Field("poisson", description="the arrival process")
    rate: Annotated[list[PerSecond], Field(min_length=1, max_length=100)]
    ramp: Duration = written("0 s")
    hold: Duration


class LoadSection(Section):
    """The load that benchmarks put on this scenario; a plain run does not use it."""

    mix: dict[str, Percent]
    arrival: ArrivalSection


class ScenarioFile(Section):
    """A trade-finance story: who takes part, over which network, what they do when, what must come out."""

    consortium: Literal[1] = Field(description="the version of this format")
    name: ScenarioName
    title: Prose = ""
    seed: Annotated[int, Field(ge=0, le=SEED_MAX)] = 1
    extends: Prose | None = Field(None, description="a file whose parts hold where this one says nothing")
    calendar: CalendarSection
    banks: Annotated[list[BankSection], Field(min_length=1, max_length=1000)]
    corporates: list[CorporateSection] = Field(default_factory=list)
    regulator: RegulatorSection | None = None
    central_bank: CentralBankSection | None = None
    limits: list[LimitSection] = Field(default_factory=list)
    network: NetworkSection = Field(default_factory=lambda: NetworkSection.model_validate({}))
    consensus: ConsensusSection = Field(default_factory=lambda: ConsensusSection.model_validate({}))
    contracts: dict[str, ContractSection | None] = Field(default_factory=dict)
    faults: list[FaultSection] = Field(default_factory=list)
    timeline: list[TimelineSection] = Field(default_factory=list)
    expect: list[ExpectSection] = Field(default_factory=list)
    load: LoadSection | None = None


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file, for editors."""
    schema = ScenarioFile.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": SCHEMA_ADDRESS, **schema, "title": "consortium scenario"}
