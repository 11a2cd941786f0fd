"""Running a scenario: found the consortium, build the cluster, play the story, check it, and sum it up.

    Scenario -> found -> nodes on a Cluster -> Story.play -> checkers + expectations -> Run

The same call serves command line, tests and notebooks. Nothing is written here: `folder` keeps a run.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from consortium.consensus.quorum import ConsensusConfig
from consortium.crypto import Signer, digest, scheme_named
from consortium.errors import ExitCode
from consortium.journal.checkers import Checkers
from consortium.journal.journal import Journal, Level
from consortium.ledger.receipt import APPLIED
from consortium.ledger.transaction import Transaction
from consortium.node.effects import Effects, Executed, Rejected, Reply
from consortium.node.messages import decode_message
from consortium.node.node import Node, NodeConfig
from consortium.node.shared import SharedWork
from consortium.scenario.clients import Clients
from consortium.scenario.expecting import Expecting
from consortium.scenario.genesis import Consortium, found, plain
from consortium.scenario.load import with_seed, with_validators
from consortium.scenario.model import Network, Scenario, Step, resolve
from consortium.scenario.reading import LedgerReader
from consortium.scenario.story import DueWork, Outcome, Played, Story
from consortium.scenario.viewing import Viewer
from consortium.simulation.cluster import Cluster, ClusterSettings
from consortium.simulation.costs import MEASURED
from consortium.simulation.faults import Crash, Fault, FullDisk, SwappedKey
from consortium.simulation.latency import Jitter, Latency
from consortium.simulation.network import PRESETS, NetworkSettings
from consortium.timeline.views import CheckerView, RunView, StepView


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a scenario is run. None of it changes the business result, all of it is kept with the run.

    `seed` and `nodes` replace what the file says. `signatures` names the scheme. `journal` is the level
    (None: full, or off where nobody takes the lines). `share_execution=False` lets every bank decode and
    execute everything by itself.
    """

    seed: int | None = None
    nodes: int | None = None
    signatures: str = "ed25519"
    journal: str | None = None
    share_execution: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run, finished or not: what was run, how, what came out, and the ledger of one honest bank."""

    scenario: Scenario
    options: RunOptions
    consortium: Consortium
    view: RunView
    run_digest: bytes
    nodes: Sequence[Node]
    witness: Node
    """The foremost honest bank: its ledger is the run's."""

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode(self.view.exit_code)


@dataclass(slots=True)
class _Watch:
    """Counts for the report: what was rejected by whom, and when each height was first executed."""

    rejections: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    committed_us: dict[int, int] = field(default_factory=dict)

    def submitted(self, _now_us: int, _bank: int, _transaction: Transaction) -> None:
        """Nothing to count."""

    def observe(self, now_us: int, bank: int, effects: Effects) -> None:
        for event in effects.trace:
            if isinstance(event, Rejected):
                self.rejections[bank, str(event.sender), event.cause] += 1
            elif isinstance(event, Executed):
                self.committed_us.setdefault(event.height, now_us)


OnStep = Callable[[StepView], None]
Sink = Callable[[str], Any]


def run_scenario(
    scenario: Scenario,
    options: RunOptions = RunOptions(),
    *,
    on_step: OnStep | None = None,
    sink: Sink | None = None,
) -> Run:
    """Run a scenario to its end, or to where it stalls or is interrupted.

    `on_step` is told of every step as it is answered; `sink` takes the journal's lines. Raises InputError for
    options that do not fit the scenario. A KeyboardInterrupt ends the run, which then says so.
    """
    if options.nodes is not None:
        scenario = with_validators(scenario, options.nodes)
    if options.seed is not None:
        scenario = with_seed(scenario, options.seed)
    return _Running(scenario, options, on_step, sink).run()


@dataclass(slots=True)
class _Running:
    """The parts of one run while it goes on."""

    scenario: Scenario
    options: RunOptions
    on_step: OnStep | None
    sink: Sink | None
    watch: _Watch = field(default_factory=_Watch)
    consortium: Consortium = field(init=False)
    nodes: list[Node] = field(init=False)
    shared: SharedWork | None = field(init=False)
    cluster: Cluster = field(init=False)
    story: Story = field(init=False)
    reader: LedgerReader = field(init=False)
    expecting: Expecting = field(init=False)
    viewer: Viewer = field(init=False)
    clients: Clients = field(init=False)

    def run(self) -> Run:
        scheme = scheme_named(self.options.signatures)
        scenario = self.scenario
        self.consortium = found(scenario, scheme)
        rules = self.consortium.rules
        membership = rules.membership
        self.shared = SharedWork() if self.options.share_execution else None
        self.nodes = [self._make_node(index) for index in range(membership.n)]
        wrong_keys = [fault for fault in scenario.faults if fault.kind == "wrong_key"]
        faulty = {membership.validator_index(fault.target) for fault in wrong_keys}
        honest = [index for index in range(membership.n) if index not in faulty]
        self.reader = LedgerReader(self.consortium)
        checkers = Checkers(membership, rules.chain, scheme, honest=honest, sums=self.reader.money_supply)
        level = Level(self.options.journal or ("full" if self.sink is not None else "off"))
        journal = Journal(
            self.sink if level is not Level.OFF else None,
            seed=scenario.seed,
            scenario=scenario.digest,
            level=level,
        )
        self.cluster = Cluster(
            self.nodes,
            ClusterSettings(
                seed=scenario.seed,
                network=network_settings(scenario.network),
                costs=MEASURED,
                decode=None if self.options.share_execution else partial(decode_message, chain=rules.chain),
            ),
            scheme,
            observers=(checkers, self.watch),
            journal=journal,
            on_reply=self._replied,
            make_node=self._start_again,
        )
        self.clients = Clients(rules.chain, membership, self.consortium.signers)
        self.expecting = Expecting(scenario, self.reader)
        self.story = Story(
            scenario,
            self.cluster,
            self.nodes,
            honest,
            self._transaction,
            self._moment,
            self._news,
        )
        self.viewer = Viewer(scenario, self.consortium, self.reader)
        self._plan_faults(scheme.signer)
        try:
            self.story.play(self.expecting.moments())
        except KeyboardInterrupt:
            self.story.outcome = Outcome.INTERRUPTED
            self.story.reasons = ("interrupted by the user",)
        run_digest = journal.close(str(self.story.outcome))
        witness = max((self.nodes[i] for i in honest), key=lambda node: node.tip.header.height)
        self.reader.read_at(witness.tip.state)
        view = self.viewer.run_view(
            signatures=self.options.signatures,
            story=self.story,
            cluster=self.cluster,
            nodes=self.nodes,
            honest=honest,
            witness=witness,
            checkers=[
                CheckerView(name=each.name, verdict=str(each.verdict), reason=each.reason)
                for each in checkers.verdicts(finished=self.story.outcome is Outcome.FINISHED)
            ],
            expectations=self.expecting.results(),
            run_digest=run_digest,
            rejections=self.watch.rejections,
            committed_us=self.watch.committed_us,
        )
        return Run(
            scenario=scenario,
            options=self.options,
            consortium=self.consortium,
            view=view,
            run_digest=run_digest,
            nodes=self.nodes,
            witness=witness,
        )

    # --- building ---------------------------------------------------------------------------------------

    def _make_node(self, index: int) -> Node:
        rules = self.consortium.rules
        membership = rules.membership
        identity = membership.validators[index]
        consensus = self.scenario.consensus
        return Node(
            identity=identity,
            rules=rules,
            genesis=self.consortium.block,
            consensus=ConsensusConfig(
                n=membership.n,
                f=membership.f,
                index=index,
                chain=rules.chain,
                window=consensus.window,
                checkpoint_interval=consensus.checkpoint_interval,
                pipeline=consensus.pipeline,
            ),
            config=NodeConfig(
                batch_max=consensus.batch_max,
                batch_wait_us=consensus.batch_wait_us,
                view_timeout_us=consensus.view_timeout_us,
            ),
            signer=self.consortium.signers[identity],
            shared=self.shared,
        )

    def _plan_faults(self, make_signer: Callable[[bytes], Signer]) -> None:
        """Let each fault happen when the story reaches its business moment."""
        membership = self.consortium.rules.membership
        for fault in self.scenario.faults:
            bank = membership.validator_index(fault.target)
            assert bank is not None, "the loader has checked that the target runs"
            effect: Fault
            if fault.kind == "crash":
                effect = Crash(bank=bank, at_us=0, for_us=fault.duration_us)
            elif fault.kind == "disk_full":
                effect = FullDisk(bank=bank, at_us=0, for_us=fault.duration_us)
            else:
                wrong = make_signer(digest("wrong-key", self.scenario.name, fault.target))
                effect = SwappedKey(bank=bank, signer=wrong)
            self.story.at_moment(fault.at_us, partial(self._disturb, effect, fault.duration_us))

    def _disturb(self, fault: Fault, duration_us: int | None) -> None:
        self.cluster.inject(fault)
        if duration_us is not None and not isinstance(fault, SwappedKey):
            self.story.disturbed_for(duration_us)

    def _start_again(self, bank: int) -> Node:
        """Make the node with which a bank comes back, and let its clients ask again."""
        node = self.nodes[bank] = self._make_node(bank)
        self.cluster.at(self.cluster.now_us + 1, partial(self.story.bank_is_back, bank))
        return node

    # --- while it runs ----------------------------------------------------------------------------------

    def _replied(self, now_us: int, bank: int, reply: Reply) -> None:
        self.story.replied(now_us, bank, reply)

    def _transaction(self, step: Step) -> Transaction:
        """Sign a step, with what earlier steps saved filled in."""
        arguments = {name: plain(resolve(value, self.reader.saved)) for name, value in step.arguments}
        return self.clients.transaction(
            step.actor,
            f"{step.contract}@{step.version}",
            step.action,
            self.reader.positional(step.contract, step.action, arguments),
            step.agreed_by,
        )

    def _moment(self, at_us: int | None) -> None:
        foremost = max(self.nodes, key=lambda node: node.tip.header.height)
        self.reader.read_at(foremost.tip.state)
        self.expecting.moment(at_us, self.story)

    def _news(self, news: Played | DueWork) -> None:
        foremost = max(self.nodes, key=lambda node: node.tip.header.height)
        self.reader.read_at(foremost.tip.state)
        view = self.viewer.step_view(news, foremost)
        if isinstance(news, Played) and news.step.save and news.transaction and view.status == APPLIED:
            self.reader.save(news.step, foremost.blocks[view.height or 0], news.transaction)
        if self.on_step is not None:
            self.on_step(view)


def network_settings(network: Network) -> NetworkSettings:
    """Return the simulated network of a scenario: its preset with what the file sets itself."""
    preset = PRESETS[network.preset]
    changes: dict[str, Any] = {}
    if network.latency is not None:
        given = network.latency
        changes["latency"] = Latency(jitter=Jitter(given.kind, given.low_us, given.high_us))
    for name in ("loss_ppm", "duplication_ppm", "reordering_ppm"):
        value = getattr(network, name)
        if value is not None:
            changes[name] = value
    if network.bandwidth_bits_per_s is not None:
        limit = network.bandwidth_bits_per_s or None
        changes |= {"uplink_bits_per_second": limit, "downlink_bits_per_second": limit}
    return replace(preset, **changes)
