"""A run as the one JSON document of `--json` and `summary.json`: plain values, in a fixed order of keys.

The keys up to `messages` are a promise to users; a change of their meaning raises `SCHEMA`.
Amounts are texts, for JSON numbers lose fen; `code` is null where a transaction was applied.
"""

import json
from typing import Any

from consortium.report.words import (
    messages_in_order,
    place_shown,
    reproducing_command,
    sender_name,
    step_name,
)
from consortium.timeline.views import BlockView, EventView, FieldView, NodeView, RunView, StepView

SCHEMA = 1


def document(view: RunView) -> dict[str, Any]:
    """Return everything that a run says, as plain values."""
    return {
        "schema": SCHEMA,
        "scenario": view.name,
        "seed": view.seed,
        "verdict": view.verdict,
        "run_digest": view.run_digest,
        "nodes": [_node(node) for node in view.nodes],
        "transactions": [_transaction(step) for step in view.steps],
        "balances": _balances(view),
        "expectations": {
            "met": sum(1 for each in view.expectations if each.is_met),
            "failed": [
                f"{each.text}; instead: {each.found}" if each.found else each.text
                for each in view.expectations
                if not each.is_met
            ],
        },
        "checkers": [
            {"name": each.name, "verdict": each.verdict, "reason": each.reason} for each in view.checkers
        ],
        "messages": {each.type: each.sent for each in messages_in_order(view.messages)},
        "exit_code": view.exit_code,
        "outcome": view.outcome,
        "outcome_reason": list(view.outcome_reason),
        "title": view.title,
        "file": place_shown(view.file),
        "command": reproducing_command(view),
        "version": view.version,
        "viewpoint": view.viewpoint,
        "clock": view.clock,
        "duration_us": view.duration_us,
        "signatures": view.signatures,
        "f": view.f,
        "quorum": view.quorum,
        "batches": view.batches,
        "deliveries": view.deliveries,
        "scenario_digest": view.scenario_digest,
        "blocks": [_block(block) for block in view.blocks],
        "network": {
            each.type: {
                "sent": each.sent,
                "delivered": each.delivered,
                "lost": each.lost,
                "duplicated": each.duplicated,
                "without_faults": each.formula or None,
            }
            for each in messages_in_order(view.messages)
        },
        "rejected": [
            {
                "node": each.node,
                "sender": sender_name(view, each.sender),
                "cause": each.cause,
                "count": each.count,
            }
            for each in view.rejections
        ],
        "warnings": list(view.warnings),
    }


def document_text(view: RunView) -> str:
    """Return the document as it is written: indented, in ASCII, for any terminal and pipe, with a newline."""
    return json.dumps(document(view), indent=2) + "\n"


def _node(node: NodeView) -> dict[str, Any]:
    return {
        "id": node.id,
        "height": node.height,
        "state_root": node.state_root,
        "header_hash": node.header_hash,
        "index": node.index,
        "view": node.view,
        "executed": node.executed,
        "stable": node.stable,
        "honest": node.is_honest,
        "running": node.is_running,
        "waits_for": list(node.waits_for),
    }


def _transaction(step: StepView) -> dict[str, Any]:
    return {
        "step": step_name(step),
        "actor": step.actor or None,
        "contract": step.contract,
        "action": step.action,
        "status": step.status,
        "code": step.code,
        "height": step.height,
        "sequence": step.sequence,
        "business_time": step.business_time,
        "business_time_us": step.business_time_us,
        "arguments": _fields(step.arguments),
        "result": step.result or None,
        "refusal": step.refusal or None,
        "expected": step.expected,
        "as_expected": step.is_expected,
        "latency_us": step.latency_us,
        "gas": step.gas_used,
        "events": [_event(event) for event in step.events],
        "place": place_shown(step.place) or None,
    }


def _event(event: EventView) -> dict[str, Any]:
    return {"contract": event.contract, "name": event.name, "fields": _fields(event.fields)}


def _fields(fields: tuple[FieldView, ...]) -> dict[str, str]:
    return {field.name: field.value for field in fields}


def _balances(view: RunView) -> dict[str, dict[str, dict[str, str]]]:
    balances: dict[str, dict[str, dict[str, str]]] = {}
    for party in view.parties:
        accounts = balances.setdefault(party.party, {})
        for account in party.accounts:
            accounts.setdefault(account.account, {})[account.currency] = account.amount
    return balances


def _block(block: BlockView) -> dict[str, Any]:
    return {
        "height": block.height,
        "sequence": block.sequence,
        "business_time": block.business_time,
        "hash": block.hash,
        "previous": block.previous,
        "state_root": block.state_root,
        "transactions": block.transactions,
        "due_entries": block.due_entries,
        "gas": block.gas_used,
        "signers": list(block.signers),
        "committed_us": block.committed_us,
    }
