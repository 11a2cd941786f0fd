"""Founding a consortium: from a scenario to its genesis, rules, keys and block 0.

Members' keys derive from the scenario's name and the organisation, never from the seed, so that the chain
and its state roots are the same over seeds and drivers (design decision 10).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consortium.crypto import SignatureScheme, Signer, digest, hash_bytes
from consortium.ledger.block import Block
from consortium.ledger.genesis import Deployment, Genesis, Opening
from consortium.ledger.transition import Rules, genesis_block
from consortium.membership import Membership, Organisation, OrganisationKind
from consortium.money import Day, Money, Rate
from consortium.scenario.model import (
    ArgumentValue,
    Authority,
    Bank,
    ChoiceValue,
    Corporate,
    Scenario,
    StructValue,
)
from consortium.vm.execute import ContractSet, load_contract

SETTLEMENT = "settlement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consortium:
    """A founded consortium: what every bank knows, and (for the simulation) everybody's signer."""

    genesis: Genesis
    rules: Rules
    block: Block
    signers: Mapping[str, Signer]
    contracts: ContractSet


def found(scenario: Scenario, scheme: SignatureScheme) -> Consortium:
    """Found the consortium of a scenario. Raises InputError where its parts contradict each other."""
    signers = {
        party.id: scheme.signer(party.key_seed or digest("member-key", scenario.name, party.id))
        for party in _parties(scenario)
    }
    membership = _membership(scenario, signers)
    contracts = ContractSet(
        [load_contract(use.name, use.version, use.source, use.file.name) for use in scenario.contracts],
        {use.name: {name: plain(value) for name, value in use.parameters} for use in scenario.contracts},
    )
    consensus = scenario.consensus
    genesis = Genesis(
        name=scenario.name,
        start_us=scenario.start_us,
        membership=membership,
        consensus=(
            ("checkpoint_interval", consensus.checkpoint_interval),
            ("window", consensus.window),
        ),
        calendar=scenario.calendar,
        contracts=tuple(
            Deployment(
                name=use.name,
                version=use.version,
                source_hash=hash_bytes(use.source),
                parameters=tuple(sorted((name, plain(value)) for name, value in use.parameters)),
            )
            for use in scenario.contracts
        ),
        openings=_openings(scenario),
    )
    rules = Rules(
        genesis=genesis,
        chain=genesis.chain,
        membership=membership,
        contracts=contracts,
        calendar=scenario.calendar,
    )
    return Consortium(
        genesis=genesis, rules=rules, block=genesis_block(rules), signers=signers, contracts=contracts
    )


def plain(value: ArgumentValue) -> Any:
    """Return an argument in the canonical form of transactions and state."""
    match value:
        case Money():
            return (value.minor, value.currency)
        case Rate():
            return (value.numerator, value.denominator)
        case Day():
            return value.ordinal
        case ChoiceValue():
            return value.option
        case StructValue():
            return tuple(plain(each) for _, each in value.fields)
        case tuple():
            return tuple(plain(each) for each in value)
        case _:
            return value


def _parties(scenario: Scenario) -> tuple[Bank | Corporate | Authority, ...]:
    authorities = [each for each in (scenario.regulator, scenario.central_bank) if each is not None]
    return (*scenario.banks, *scenario.corporates, *authorities)


def _membership(scenario: Scenario, signers: Mapping[str, Signer]) -> Membership:
    validators = scenario.validators
    organisations = []
    for place, bank in enumerate(scenario.banks):
        # A bank without a replica submits through one that has one.
        carrier = None if bank.validator else validators[place % len(validators)]
        organisations.append(_organisation(bank, OrganisationKind.BANK, signers, carrier))
    organisations += [
        _organisation(company, OrganisationKind.COMPANY, signers, company.bank)
        for company in scenario.corporates
    ]
    for authority, kind in (
        (scenario.regulator, OrganisationKind.REGULATOR),
        (scenario.central_bank, OrganisationKind.CENTRAL_BANK),
    ):
        if authority is not None:
            organisations.append(_organisation(authority, kind, signers, authority.bank))
    return Membership(
        epoch=0, organisations=tuple(organisations), validators=validators, f=scenario.consensus.f
    )


def _organisation(
    party: Bank | Corporate | Authority,
    kind: OrganisationKind,
    signers: Mapping[str, Signer],
    access_bank: str | None,
) -> Organisation:
    return Organisation(
        id=party.id,
        name=party.name,
        kind=kind,
        public_key=signers[party.id].public_key,
        access_bank=access_bank,
    )


def _openings(scenario: Scenario) -> tuple[Opening, ...]:
    """The opening balances and limits, as calls of settlement's opening functions."""
    if not any(use.name == SETTLEMENT for use in scenario.contracts):
        return ()

    def call(function: str, *arguments: ArgumentValue) -> Opening:
        return Opening(contract=SETTLEMENT, function=function, arguments=plain(arguments))

    return (
        *(call("open_bank", bank.id, bank.own) for bank in scenario.banks),
        *(call("open_customer", company.id, company.cash) for company in scenario.corporates),
        *(
            call("open_limit", limit.bank, limit.party, limit.kind.upper(), limit.amount)
            for limit in scenario.limits
        ),
    )
