"""The contracts of a scenario: which are deployed, with which parameters, and what a step may call.

Deployed are those named under `contracts:`, those that steps, expectations and load speak of, what these use
in turn, and `settlement`, which keeps everybody's money.
"""

from dataclasses import dataclass, field
from pathlib import Path

from consortium.scenario.arguments import ArgumentReader
from consortium.scenario.model import ContractUse
from consortium.scenario.nodes import Mapping, Span
from consortium.scenario.problems import Problems, hint, listing, nearest, shown
from consortium.scenario.signatures import ActionSignature, Catalog, ContractSignature, ContractUnusableError
from consortium.scenario.validation import Pieces

SETTLEMENT = "settlement"
_FILE_HELP = "another one needs contracts: {NAME: {file: PATH}}"
# What the engine itself refuses with, beside the codes that contracts declare.
ENGINE_CODES = (
    "E-ARGS",
    "E-CALL-DEPTH",
    "E-DATE",
    "E-DUPLICATE-KEY",
    "E-INDEX",
    "E-INITIAL",
    "E-KEY",
    "E-LOOP-CHANGE",
    "E-NETWORK",
    "E-NONCE",
    "E-NOT-SIGNED",
    "E-OUT-OF-GAS",
    "E-READ-ONLY",
    "E-REENTRANT",
    "E-SIGNATURE",
    "E-TYPE",
    "E-VALUE-DEPTH",
    "E-VALUE-SIZE",
    "E-ZERO-DIV",
    "E_CONSENT",
    "E_NOT_OWNER",
    "E_ROLE",
    "E_STATE",
)


@dataclass(slots=True)
class Contracts:
    """Finds contracts in the catalog, each once, and remembers which are in use."""

    pieces: Pieces
    catalog: Catalog
    problems: Problems
    known: dict[str, ContractSignature] = field(default_factory=dict)
    absent: dict[str, ContractUnusableError | None] = field(default_factory=dict)
    """Names without a usable contract: None where there is none, the reason (until it is reported) else."""

    def deploy_named(self) -> None:
        """Look at everything under `contracts:`."""
        for name in self.pieces.contracts:
            if self._contract(name) is None:
                self._report_absent(name, self.pieces.tree.span(("contracts", name), key=True))

    def deploy_used(self) -> None:
        """Add what the contracts in use call, and settlement."""
        whole = self.pieces.tree.root.span
        if SETTLEMENT in self.catalog.names() and self._contract(SETTLEMENT) is None:
            self._report_absent(SETTLEMENT, whole)
        waiting = list(self.known.values())
        while waiting:
            user = waiting.pop()
            for name, version in user.uses:
                new = name not in self.known
                used = self._contract(name)
                if used is None:
                    self._report_absent(name, whole, user.name)
                elif used.version != version:
                    self.problems.add(
                        self.pieces.tree.span(("contracts", name), key=True).problem(
                            "S-105",
                            f"{user.name} uses {name} version {version}, here is version {used.version}",
                        )
                    )
                elif new:
                    waiting.append(used)

    def find(self, do: str, span: Span) -> tuple[ContractSignature | None, ActionSignature | None]:
        """Return contract and action of `contract.action`; reports what does not exist."""
        name, _, action_name = do.partition(".")
        contract = self._contract(name)
        if contract is None:
            self._report_absent(name, span)
            return None, None
        action = contract.actions.get(action_name)
        if action is None:
            internal = action_name in contract.internal
            near = None if internal else nearest(action_name, contract.actions)
            advice = f"actions of {name}: {listing(contract.actions, most=30)}"
            self.problems.add(
                span.problem(
                    "S-104",
                    f"{do} is not for parties to call" if internal else f"unknown action '{do}'",
                    label=None if near is None else f"did you mean '{name}.{near}'?",
                    help_text=advice if near is None else None,
                )
            )
        return contract, action

    def look_up(self, do: str) -> tuple[ContractSignature | None, ActionSignature | None]:
        """Return contract and action without reporting."""
        name, _, action_name = do.partition(".")
        contract = self._contract(name)
        return contract, contract.actions.get(action_name) if contract is not None else None

    def named(self, name: str, span: Span) -> ContractSignature | None:
        """Return a contract; reports one that does not exist."""
        contract = self._contract(name)
        if contract is None:
            self._report_absent(name, span)
        return contract

    def _contract(self, name: str) -> ContractSignature | None:
        if name in self.known or name in self.absent:
            return self.known.get(name)
        section = self.pieces.contracts.get(name)
        file = None
        if section is not None and section.file is not None:
            source = self.pieces.tree.span(("contracts", name, "file")).source
            file = (source.path.parent if source.path is not None else Path()) / section.file
        try:
            found = self.catalog.contract(name, section.version if section is not None else None, file)
        except ContractUnusableError as error:
            self.absent[name] = error
            return None
        if found is None:
            self.absent[name] = None
        else:
            self.known[name] = found
        return found

    def _report_absent(self, name: str, span: Span, user: str | None = None) -> None:
        reason = self.absent[name]
        if reason is not None:
            if reason.args:
                self.problems.add(span.problem("S-120", reason.message, help_text=reason.help))
                reason.args = ()
            return
        names = sorted(self.catalog.names())
        section = self.pieces.contracts.get(name)
        if section is not None and section.file is not None:
            self.problems.add(
                self.pieces.tree.span(("contracts", name, "file")).problem(
                    "S-105",
                    f"there is no contract file '{shown(section.file)}'",
                    help_text="paths start at the scenario file",
                )
            )
            return
        self.problems.add(
            span.problem(
                "S-105",
                f"unknown contract '{shown(name)}'" + (f", which {user} uses" if user else ""),
                advice=hint(name, names, f"contracts: {listing(names, most=30)}; {_FILE_HELP}"),
            )
        )

    def codes(self) -> tuple[str, ...]:
        """Return every code with which a step of this scenario can be refused."""
        found = dict.fromkeys(ENGINE_CODES)
        for contract in self.known.values():
            found |= dict.fromkeys(contract.codes)
        return tuple(sorted(found))

    def uses(self, reader: ArgumentReader) -> tuple[ContractUse, ...]:
        """Return what is deployed, in order of name, with the parameters that the file overrides."""
        uses = []
        for name in sorted(self.known):
            contract = self.known[name]
            node = self.pieces.tree.node(("contracts", name, "parameters"))
            entries = node.entries if isinstance(node, Mapping) else {}
            values = reader.arguments(
                contract.parameters,
                {key: entry.value for key, entry in entries.items()},
                {key: entry.key for key, entry in entries.items()},
                self.pieces.tree.span(("contracts", name)),
                f"contract {name}",
                ("S-124", ""),
            )
            uses.append(
                ContractUse(
                    name=name,
                    version=contract.version,
                    file=contract.file,
                    source=contract.source,
                    parameters=values or (),
                )
            )
        return tuple(uses)
