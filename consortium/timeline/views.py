"""View models of a run: frozen, serialisable, complete. Renderers show them and compute nothing.

Every time and amount is given both exactly (integers) and as people read it (text), so that no renderer has
to know the calendar or the currency.
"""

from dataclasses import dataclass

OPERATOR = "operator"
"""The viewpoint that sees all; pages say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldView:
    """A named value as text: an argument, a field of an event, a parameter."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """Something that a contract emitted."""

    contract: str
    name: str
    fields: tuple[FieldView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One action of the scenario, or one piece of due work (`actor` is empty then).

    `status` is applied, refused, repeated, waiting (no answer yet) or skipped (could not be submitted: what
    it builds on was not applied); `is_expected` says whether that is what the file expects.
    `latency_us` runs from submission to the last answer, on the run's clock. `refusal` are the words of a
    refusal; `place` is where the step stands in the scenario file.
    """

    position: int
    step: str
    business_time_us: int
    business_time: str
    actor: str
    contract: str
    action: str
    arguments: tuple[FieldView, ...]
    status: str
    code: str | None
    refusal: str
    is_expected: bool
    expected: str
    height: int | None
    sequence: int | None
    latency_us: int | None
    gas_used: int
    events: tuple[EventView, ...]
    result: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """One account of a party: own, deposit, margin, line_used or income."""

    account: str
    currency: str
    amount: str
    """As a plain number, `1658600.00`."""
    amount_grouped: str
    """As people read it, `1,658,600.00`."""
    change_grouped: str
    """Against the opening balance, with its sign; empty if there was no change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyView:
    party: str
    name: str
    kind: str
    accounts: tuple[AccountView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockView:
    height: int
    sequence: int
    business_time: str
    hash: str
    previous: str
    state_root: str
    transactions: int
    due_entries: int
    gas_used: int
    signers: tuple[str, ...]
    """The banks whose signatures stand in its commit certificate."""
    committed_us: int
    """When the first bank executed it, on the run's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """Messages of one type. `formula` is what a fault-free run needs, empty where there is none."""

    type: str
    sent: int
    delivered: int
    lost: int
    duplicated: int
    formula: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectationView:
    text: str
    is_met: bool
    found: str
    """What was found instead, if it was not met."""
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckerView:
    name: str
    verdict: str
    """true, unknown or false"""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    id: str
    name: str
    index: int
    is_honest: bool
    is_running: bool
    view: int
    height: int
    header_hash: str
    state_root: str
    executed: int
    stable: int
    waits_for: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionView:
    """Messages or requests that one bank did not accept, counted by cause and sender."""

    node: str
    sender: str
    cause: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A whole run, finished or not, from one viewpoint.

    `verdict` is true, unknown or false: all expectations met and all checkers true, something undecided, or
    something wrong. `outcome` is one of finished, stalled, interrupted; `outcome_reason` says why it is not
    finished. `clock` is simulated or wall; all `_us` are on that clock.
    """

    name: str
    title: str
    file: str
    seed: int
    viewpoint: str
    clock: str
    scenario_digest: str
    run_digest: str
    version: str
    signatures: str
    f: int
    quorum: int
    verdict: str
    exit_code: int
    outcome: str
    outcome_reason: tuple[str, ...]
    duration_us: int
    batches: int
    deliveries: int
    steps: tuple[StepView, ...]
    parties: tuple[PartyView, ...]
    blocks: tuple[BlockView, ...]
    nodes: tuple[NodeView, ...]
    messages: tuple[MessageView, ...]
    expectations: tuple[ExpectationView, ...]
    checkers: tuple[CheckerView, ...]
    rejections: tuple[RejectionView, ...]
    warnings: tuple[str, ...]
