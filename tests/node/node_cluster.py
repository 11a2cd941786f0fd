"""A simulated consortium that runs the no-op contract: the smallest world in which whole nodes live."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from consortium.calendar import DAY_US, Calendar
from consortium.consensus.quorum import ConsensusConfig
from consortium.crypto import digest, scheme_named
from consortium.journal.checkers import Checkers
from consortium.ledger.genesis import Deployment, Genesis
from consortium.ledger.transaction import Party, transaction_body, transaction_of
from consortium.ledger.transition import Rules, genesis_block
from consortium.membership import Membership, Organisation, OrganisationKind, max_faulty
from consortium.money import Day
from consortium.node.messages import decode_message
from consortium.node.node import Node, NodeConfig
from consortium.node.shared import SharedWork
from consortium.simulation.cluster import Cluster, ClusterSettings
from consortium.simulation.costs import FREE
from consortium.simulation.network import PRESETS
from consortium.vm.execute import ContractSet, load_contract

SOURCE = (Path(__file__).parents[2] / "contracts" / "noop.py").read_bytes()
START_US = Day.of("2026-03-02").ordinal * DAY_US


@dataclass
class World:
    """Nodes on a cluster, everybody's signer, and the answers that clients got."""

    rules: Rules
    signers: dict
    nodes: list
    cluster: Cluster
    scheme: object
    answers: list = field(default_factory=list)
    checkers: Checkers | None = None
    on_restart: object = None
    make: object = None

    def transaction(
        self,
        sender="bank1",
        number=1,
        session=0,
        *,
        signer=None,
        chain=None,
        contract="noop@1",
        action="run",
        arguments=(),
        floor=None,
        key_number=1,
    ):
        body = transaction_body(
            chain=chain or self.rules.chain, sender=Party(organisation=sender, key_number=key_number), session=session, number=number,
            contract=contract, action=action, arguments=arguments, floor=floor,
        )  # fmt: skip
        return transaction_of(body, (self.signers[signer or sender].sign(body),))

    def submit(self, bank, *transactions):
        self.cluster.submit(bank, transactions[0], transactions[1:])

    def run_until_answered(self, count, until_us=60_000_000):
        return self.cluster.run(
            until_us=self.cluster.now_us + until_us, predicate=lambda: len(self.answers) >= count
        )

    @property
    def statuses(self):
        return [(reply.status, reply.code) for _, _, reply in self.answers]

    @property
    def heights(self):
        return [node.tip.header.height for node in self.nodes]


def world(
    n=4,
    *,
    seed=1,
    scheme="mac",
    network=PRESETS["metro"],
    share=True,
    companies=(),
    watched=False,
    honest=None,
    costs=FREE,
    consensus=None,
    **config,
):
    signing = scheme_named(scheme)
    consensus = consensus or {}
    names = [f"bank{index}" for index in range(n)]
    signers = {name: signing.signer(digest("key", name)) for name in (*names, *(c for c, _ in companies))}
    banks = [
        Organisation(id=name, name=name, kind=OrganisationKind.BANK, public_key=signers[name].public_key)
        for name in names
    ]
    firms = [
        Organisation(id=name, name=name, kind=OrganisationKind.COMPANY, public_key=signers[name].public_key, access_bank=bank)
        for name, bank in companies
    ]  # fmt: skip
    membership = Membership(epoch=0, organisations=(*banks, *firms), validators=tuple(names), f=max_faulty(n))
    noop = load_contract("noop", 1, SOURCE, "contracts/noop.py")
    calendar = Calendar(years=(2026,), holidays=(), make_up_days=())
    genesis = Genesis(
        name="nodes", start_us=START_US, membership=membership, consensus=(), calendar=calendar,
        contracts=(Deployment(name="noop", version=1, source_hash=noop.source_hash),), openings=(),
    )  # fmt: skip
    rules = Rules(
        genesis=genesis,
        chain=genesis.chain,
        membership=membership,
        contracts=ContractSet([noop]),
        calendar=calendar,
    )
    block = genesis_block(rules)
    shared = SharedWork() if share else None

    def make(index):
        return Node(
            identity=names[index], rules=rules, genesis=block, signer=signers[names[index]], shared=shared, config=NodeConfig(**config),
            consensus=ConsensusConfig(n=n, f=membership.f, index=index, chain=genesis.chain, **consensus),
        )  # fmt: skip

    def make_again(index):
        made.nodes[index] = made.make(index)
        if made.on_restart is not None:
            made.cluster.at(made.cluster.now_us + 1, lambda: made.on_restart(index))
        return made.nodes[index]

    nodes = [make(index) for index in range(n)]
    made = World(rules=rules, signers=signers, nodes=nodes, cluster=None, scheme=signing, make=make)
    made.checkers = Checkers(
        membership, genesis.chain, signing, honest=range(n) if honest is None else honest
    )
    decode = None if share else partial(decode_message, chain=genesis.chain)
    made.cluster = Cluster(
        nodes,
        ClusterSettings(seed=seed, network=network, decode=decode, costs=costs),
        signing,
        observers=(made.checkers,) if watched else (),
        make_node=make_again,
        on_reply=lambda now_us, bank, reply: made.answers.append((now_us, bank, reply)),
    )
    made.cluster.start()
    return made
