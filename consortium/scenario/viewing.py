"""From a played story to its view models: the one place that knows both."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import consortium
from consortium.calendar import time_text
from consortium.errors import ExitCode
from consortium.ledger.block import Block
from consortium.ledger.receipt import APPLIED, decode_receipt
from consortium.money import Money
from consortium.node.node import Node
from consortium.scenario.comparison import Reference
from consortium.scenario.genesis import Consortium
from consortium.scenario.model import ArgumentValue, ChoiceValue, Scenario, Step, StructValue
from consortium.scenario.reading import ACCOUNTS, LedgerReader
from consortium.scenario.story import DueWork, Outcome, Played, Story
from consortium.simulation.cluster import Cluster
from consortium.timeline.views import (
    OPERATOR,
    AccountView,
    BlockView,
    CheckerView,
    EventView,
    ExpectationView,
    FieldView,
    MessageView,
    NodeView,
    PartyView,
    RejectionView,
    RunView,
    StepView,
)
from consortium.vm.values import from_plain

WAITING = "waiting"
SKIPPED = "skipped"
"""Of a step that could not be submitted, because a step that it builds on was not applied."""
HASH_SHOWN = 8


class Viewer:
    """Makes the views of one run."""

    def __init__(self, scenario: Scenario, founded: Consortium, reader: LedgerReader) -> None:
        self._scenario = scenario
        self._founded = founded
        self._reader = reader
        self._steps: list[StepView] = []
        self._opening = {
            party: reader.accounts(party) for party in scenario.parties if reader.has_accounts(party)
        }

    def step_view(self, news: Played | DueWork, witness: Node) -> StepView:
        """Return the view of one answered step or piece of due work; remembers it for the run's view."""
        view = self._due_view(news) if isinstance(news, DueWork) else self._action_view(news, witness)
        self._steps.append(view)
        return view

    def run_view(
        self,
        *,
        signatures: str,
        story: Story,
        cluster: Cluster,
        nodes: Sequence[Node],
        honest: Sequence[int],
        witness: Node,
        checkers: Sequence[CheckerView],
        expectations: tuple[ExpectationView, ...],
        run_digest: bytes,
        rejections: Counter[tuple[int, str, str]],
        committed_us: dict[int, int],
    ) -> RunView:
        scenario = self._scenario
        membership = self._founded.rules.membership
        steps = tuple(self._steps)
        verdict, exit_code = _verdict(story.outcome, steps, checkers, expectations)
        batches = witness.executed
        return RunView(
            name=scenario.name,
            title=scenario.title,
            file=scenario.sources[0].name,
            seed=scenario.seed,
            viewpoint=OPERATOR,
            clock="simulated",
            scenario_digest=scenario.digest.hex(),
            run_digest=run_digest.hex(),
            version=consortium.__version__,
            signatures=signatures,
            f=membership.f,
            quorum=membership.quorum,
            verdict=verdict,
            exit_code=int(exit_code),
            outcome=str(story.outcome),
            outcome_reason=story.reasons,
            duration_us=cluster.now_us,
            batches=batches,
            deliveries=cluster.deliveries,
            steps=steps,
            parties=self._parties(),
            blocks=tuple(self._block(block, witness, committed_us) for block in witness.blocks),
            nodes=tuple(
                self._node(node, index in honest, not cluster.hosts[index].is_down)
                for index, node in enumerate(nodes)
            ),
            messages=_messages(cluster, membership.n, batches),
            expectations=expectations,
            checkers=tuple(checkers),
            rejections=tuple(
                RejectionView(node=membership.validators[node], sender=sender, cause=cause, count=count)
                for (node, sender, cause), count in sorted(rejections.items())
            ),
            warnings=tuple(problem.message for problem in scenario.warnings),
        )

    # --- steps ------------------------------------------------------------------------------------------

    def _action_view(self, played: Played, witness: Node) -> StepView:
        step, reply = played.step, played.reply
        receipt = decode_receipt(reply.receipt) if reply is not None and reply.receipt else None
        block = witness.blocks[reply.height] if reply is not None and reply.height else None
        status = SKIPPED if played.skipped else WAITING if reply is None else reply.status
        code = None if reply is None else reply.code
        latency_us = None if played.answered_us is None else played.answered_us - played.submitted_us
        return StepView(
            position=len(self._steps),
            step=step.id,
            business_time_us=step.at_us,
            business_time=time_text(step.at_us),
            actor=step.actor,
            contract=step.contract,
            action=step.action,
            arguments=tuple(FieldView(name=name, value=self._shown(v)) for name, v in step.arguments),
            status=status,
            code=code,
            refusal=_refusal_text(block, played) if code else played.skipped,
            is_expected=status == step.outcome.status and (step.outcome.code in (None, code)),
            expected=_expected_text(step),
            height=None if block is None else block.header.height,
            sequence=None if block is None else block.header.sequence,
            latency_us=latency_us,
            gas_used=0 if receipt is None else receipt.gas_used,
            events=() if receipt is None else _events(receipt.events),
            result="" if receipt is None or receipt.result is None else _text(from_plain(receipt.result)),
            place=str(step.place),
        )

    def _due_view(self, due: DueWork) -> StepView:
        receipt, header = due.receipt, due.block.header
        _, moment_us, contract, _, key = receipt.subject
        return StepView(
            position=len(self._steps),
            step=f"due:{contract}.{receipt.function}",
            business_time_us=moment_us,
            business_time=time_text(moment_us),
            actor="",
            contract=contract,
            action=receipt.function,
            arguments=(FieldView(name="id", value=self._reader.id_of_key(contract, receipt.function, key)),),
            status=receipt.status,
            code=receipt.code,
            refusal=due.text,
            is_expected=receipt.status == APPLIED,
            expected=APPLIED,
            height=header.height,
            sequence=header.sequence,
            latency_us=None,
            gas_used=receipt.gas_used,
            events=_events(receipt.events),
            result="",
            place="",
        )

    def _shown(self, value: ArgumentValue) -> str:
        match value:
            case ChoiceValue():
                return value.option
            case Reference():
                return self._saved_text(value)
            case StructValue():
                return "{" + ", ".join(f"{name}: {self._shown(v)}" for name, v in value.fields) + "}"
            case tuple():
                return "[" + ", ".join(self._shown(each) for each in value) + "]"
            case _:
                return _text(value)

    def _saved_text(self, reference: Reference) -> str:
        """Return what a reference stood for; the reference itself where its step was not applied."""
        try:
            return _text(self._reader.saved(reference))
        except LookupError:
            return str(reference)

    # --- the rest ---------------------------------------------------------------------------------------

    def _parties(self) -> tuple[PartyView, ...]:
        views = []
        for organisation in self._founded.rules.membership.organisations:
            if organisation.id not in self._opening:
                continue
            before, after = self._opening[organisation.id], self._reader.accounts(organisation.id)
            views.append(
                PartyView(
                    party=organisation.id,
                    name=organisation.name,
                    kind=organisation.kind.value,
                    accounts=tuple(
                        _account(name, after[name], before[name]) for name in ACCOUNTS if name in after
                    ),
                )
            )
        return tuple(views)

    def _block(self, block: Block, witness: Node, committed_us: dict[int, int]) -> BlockView:
        header = block.header
        certificate = witness.certificate_of(header.sequence)
        signers = 0 if certificate is None else certificate.signers
        names = self._founded.rules.membership.validators
        return BlockView(
            height=header.height,
            sequence=header.sequence,
            business_time=time_text(header.time_us),
            hash=block.hash.hex(),
            previous=header.previous.hex(),
            state_root=header.state_root.hex(),
            transactions=len(block.transactions),
            due_entries=block.due_count,
            gas_used=block.gas_used,
            signers=tuple(name for index, name in enumerate(names) if signers >> index & 1),
            committed_us=committed_us.get(header.height, 0),
        )

    def _node(self, node: Node, is_honest: bool, is_running: bool) -> NodeView:
        status = node.status()
        organisation = self._founded.rules.membership.organisation(node.identity)
        assert organisation is not None
        return NodeView(
            id=node.identity,
            name=organisation.name,
            index=node.index,
            is_honest=is_honest,
            is_running=is_running,
            view=status.view,
            height=status.height,
            header_hash=status.header_hash.hex(),
            state_root=status.state_root.hex(),
            executed=status.executed,
            stable=status.stable,
            waits_for=status.waits_for if is_running else (),
        )


def _verdict(
    outcome: Outcome,
    steps: Sequence[StepView],
    checkers: Sequence[CheckerView],
    expectations: Sequence[ExpectationView],
) -> tuple[str, ExitCode]:
    """Return the run's verdict and exit code, the gravest first."""
    if outcome is Outcome.INTERRUPTED:
        return "unknown", ExitCode.INTERRUPTED
    unsafe = [each for each in checkers if each.verdict == "false" and each.name != "liveness"]
    if unsafe:
        return "false", ExitCode.SAFETY_VIOLATED
    if outcome is Outcome.STALLED:
        return "false", ExitCode.STALLED
    if any(each.verdict != "true" for each in checkers):
        return "unknown", ExitCode.STALLED
    if not (all(each.is_met for each in expectations) and all(each.is_expected for each in steps)):
        return "false", ExitCode.EXPECTATION_FAILED
    return "true", ExitCode.OK


def _messages(cluster: Cluster, n: int, batches: int) -> tuple[MessageView, ...]:
    formulas = {"PRE-PREPARE": n - 1, "PREPARE": (n - 1) ** 2, "COMMIT": n * (n - 1)}
    return tuple(
        MessageView(
            type=kind.lower(),
            sent=counts["sent"],
            delivered=counts["delivered"],
            lost=counts["lost"],
            duplicated=counts["duplicated"],
            formula=f"{batches} x {formulas[kind]} = {batches * formulas[kind]}" if kind in formulas else "",
        )
        for kind, counts in cluster.message_counts().items()
    )


def _account(name: str, after: Money, before: Money) -> AccountView:
    change = after - before
    sign = "+" if change > 0 else ""
    return AccountView(
        account=name,
        currency=after.currency,
        amount=after.plain(),
        amount_grouped=after.grouped(),
        change_grouped="" if change == 0 else f"{sign}{change.grouped()}",
    )


def _events(events: tuple[Any, ...]) -> tuple[EventView, ...]:
    return tuple(
        EventView(
            contract=contract,
            name=name,
            fields=tuple(FieldView(name=field, value=_text(from_plain(value))) for field, value in fields),
        )
        for contract, name, fields in events
    )


def _refusal_text(block: Block | None, played: Played) -> str:
    if block is None:
        return "refused by its bank before it was ordered"
    for position, transaction in enumerate(block.transactions):
        if played.transaction is not None and transaction.id == played.transaction.id:
            return block.texts[block.due_count + position]
    return ""


def _expected_text(step: Step) -> str:
    outcome = step.outcome
    return f"{outcome.status}: {outcome.code}" if outcome.code else outcome.status


def _text(value: Any) -> str:
    """Return a value as people read it."""
    match value:
        case Money():
            return f"{value.grouped()} {value.currency}"
        case bytes():
            text = value.hex()
            return f"{text[:HASH_SHOWN]}…" if len(text) > HASH_SHOWN else text
        case list() | tuple():
            return "[" + ", ".join(_text(each) for each in value) + "]"
        case dict():
            return "{" + ", ".join(f"{name}: {_text(each)}" for name, each in value.items()) + "}"
        case bool():
            return "true" if value else "false"
        case None:
            return "none"
        case _:
            return str(value)
