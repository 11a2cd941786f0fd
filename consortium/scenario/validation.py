"""Holds the tree of a file against the models of `schema`, piece by piece, and places every error.

Each bank, step or expectation is validated for itself, so that one mistake does not hide the next: what is
wrong is reported and, where the rest still makes sense without it, left out; the good pieces go on to the
checks of meaning.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from consortium.scenario.form_errors import FormErrors, fields_of
from consortium.scenario.nodes import Mapping, Node, Scalar, Sequence, plain
from consortium.scenario.problems import Problems, did_you_mean, listing, shown
from consortium.scenario.schema import (
    FAULT_MODELS,
    BankSection,
    CalendarSection,
    CentralBankSection,
    ConsensusSection,
    ContractSection,
    CorporateSection,
    CrashFault,
    DiskFullFault,
    ExpectSection,
    LimitSection,
    LoadSection,
    NetworkSection,
    RegulatorSection,
    ScenarioFile,
    StepSection,
    TogetherSection,
    WrongKeyFault,
)
from consortium.scenario.tree import Path, Tree

SectionT = TypeVar("SectionT", bound=BaseModel)
PlacedT_co = TypeVar("PlacedT_co", bound=BaseModel, covariant=True)

# A wrong part is left out and the rest tried again at most so often.
SALVAGE_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Placed(Generic[PlacedT_co]):
    """A valid section and the path at which it stands."""

    path: Path
    section: PlacedT_co


@dataclass(slots=True)
class Pieces:
    """The parts of a file that have their form; None or absent where they have not."""

    tree: Tree
    name: str = "scenario"
    title: str = ""
    seed: int = 1
    calendar: CalendarSection | None = None
    banks: list[Placed[BankSection]] = field(default_factory=list)
    corporates: list[Placed[CorporateSection]] = field(default_factory=list)
    regulator: RegulatorSection | None = None
    central_bank: CentralBankSection | None = None
    limits: list[Placed[LimitSection]] = field(default_factory=list)
    network: NetworkSection = field(default_factory=lambda: NetworkSection.model_validate({}))
    consensus: ConsensusSection = field(default_factory=lambda: ConsensusSection.model_validate({}))
    contracts: dict[str, ContractSection] = field(default_factory=dict)
    faults: list[Placed[CrashFault | DiskFullFault | WrongKeyFault]] = field(default_factory=list)
    timeline: list[Placed[StepSection | TogetherSection]] = field(default_factory=list)
    expect: list[Placed[ExpectSection]] = field(default_factory=list)
    load: LoadSection | None = None


def validate(root: Mapping, problems: Problems, *, complete: bool) -> Pieces:
    """Return the well-formed parts of a file; everything else goes to `problems`.

    Without its base a file is not `complete`: keys that may stand there are not missed.
    """
    pieces = Pieces(Tree(root))
    reader = _Reader(pieces.tree, problems)
    reader.errors.unknown_keys(ScenarioFile, (), root)
    if complete:
        reader.errors.missing_keys(ScenarioFile, (), root)
    for name in ("consortium", "name", "title", "seed", "extends"):
        value = reader.field(name)
        if value is not None and name in ("name", "title", "seed"):
            setattr(pieces, name, value)
    pieces.calendar = reader.section("calendar", CalendarSection)
    pieces.banks = reader.sections("banks", BankSection)
    pieces.corporates = reader.sections("corporates", CorporateSection)
    pieces.regulator = reader.section("regulator", RegulatorSection)
    pieces.central_bank = reader.section("central_bank", CentralBankSection)
    pieces.limits = reader.sections("limits", LimitSection)
    pieces.network = reader.section("network", NetworkSection) or pieces.network
    pieces.consensus = reader.section("consensus", ConsensusSection) or pieces.consensus
    pieces.load = reader.section("load", LoadSection)
    pieces.expect = reader.sections("expect", ExpectSection)
    for name, node in reader.named("contracts"):
        if isinstance(node, Scalar) and node.value is None:
            pieces.contracts[name] = ContractSection.model_validate({})
        else:
            section = reader.one(("contracts", name), node, ContractSection)
            pieces.contracts[name] = section or ContractSection.model_validate({})
    for path, node in reader.listed("faults"):
        kind = reader.fault_kind(path, node)
        fault = reader.one(path, node, FAULT_MODELS[kind]) if kind else None
        if fault is not None:
            pieces.faults.append(Placed(path, fault))
    for path, node in reader.listed("timeline"):
        together = isinstance(node, Mapping) and "together" in node.entries
        model: type[StepSection | TogetherSection] = TogetherSection if together else StepSection
        step = reader.one(path, node, model)
        if step is not None:
            pieces.timeline.append(Placed(path, step))
    return pieces


class _Reader:
    """Reads parts of the tree by their models."""

    def __init__(self, tree: Tree, problems: Problems) -> None:
        self.tree = tree
        self.problems = problems
        self.errors = FormErrors(tree, problems)

    def field(self, name: str) -> Any:
        """Return the valid value of a plain top-level key, or None."""
        node = self.tree.root.entries.get(name)
        if node is None:
            return None
        info = ScenarioFile.model_fields[name]
        adapter: TypeAdapter[Any] = TypeAdapter(_with_metadata(info), config={"strict": True})
        try:
            return adapter.validate_python(plain(node.value))
        except ValidationError as error:
            self.errors.report(error, (name,), ScenarioFile)
            return None

    def section(self, name: str, model: type[SectionT]) -> SectionT | None:
        """Return the section under a top-level key, or None if it is absent, null or hopeless."""
        node = self.tree.root.entries.get(name)
        if node is None:
            return None
        optional = not ScenarioFile.model_fields[name].is_required()
        if optional and isinstance(node.value, Scalar) and node.value.value is None:
            return None
        return self.one((name,), node.value, model)

    def sections(self, name: str, model: type[SectionT]) -> list[Placed[SectionT]]:
        """Return the well-formed items of the list under a top-level key."""
        placed = []
        for path, node in self.listed(name):
            section = self.one(path, node, model)
            if section is not None:
                placed.append(Placed(path, section))
        return placed

    def listed(self, name: str) -> list[tuple[Path, Node]]:
        """Return the items of the list under a top-level key with their paths."""
        entry = self.tree.root.entries.get(name)
        if entry is None:
            return []
        if not isinstance(entry.value, Sequence):
            if not (isinstance(entry.value, Scalar) and entry.value.value is None and name != "banks"):
                self.errors.wrong_type((name,), "a list", entry.value)
            return []
        least, most = _bounds(name)
        count = len(entry.value.items)
        if count < least:
            self.problems.add(entry.key.problem("S-107", f"{name} needs {least} or more, this has {count}"))
        if count > most:
            self.problems.add(entry.key.problem("S-107", f"{name} takes at most {most}, this has {count}"))
            return []
        return [((name, index), node) for index, node in enumerate(entry.value.items)]

    def named(self, name: str) -> list[tuple[str, Node]]:
        """Return the entries of the map under a top-level key."""
        entry = self.tree.root.entries.get(name)
        if entry is None or (isinstance(entry.value, Scalar) and entry.value.value is None):
            return []
        if not isinstance(entry.value, Mapping):
            self.errors.wrong_type((name,), "a map", entry.value)
            return []
        return [(key, each.value) for key, each in entry.value.entries.items()]

    def one(self, path: Path, node: Node, model: type[SectionT]) -> SectionT | None:
        """Return a section, without its wrong optional parts; None if a required part is wrong."""
        if not isinstance(node, Mapping):
            self.errors.wrong_type(path, "a map", node)
            return None
        data = plain(node)
        required = {info.alias or name for name, info in model.model_fields.items() if info.is_required()}
        for round_number in range(SALVAGE_ROUNDS):
            try:
                return model.model_validate(data)
            except ValidationError as error:
                if round_number == 0:
                    self.errors.report(error, path, model)
                wrong = {str(each["loc"][0]) for each in error.errors(include_url=False) if each["loc"]}
                if not wrong or wrong & required:
                    return None
                data = {key: value for key, value in data.items() if key not in wrong}
        return None

    def fault_kind(self, path: Path, node: Node) -> str | None:
        """Return which kind of fault this is; reports one that is not known."""
        if not isinstance(node, Mapping):
            self.errors.wrong_type(path, "a map", node)
            return None
        kinds = [key for key in node.entries if key in FAULT_MODELS]
        if len(kinds) == 1:
            return kinds[0]
        known = f"known kinds: {listing(FAULT_MODELS)}"
        if kinds:
            self.problems.add(
                node.entries[kinds[1]].key.problem(
                    "S-117",
                    f"one fault cannot be both {kinds[0]} and {kinds[1]}",
                    help_text="write two faults",
                )
            )
            return None
        common = {info.alias or name for model in FAULT_MODELS.values() for name, info in fields_of(model)}
        strange = [key for key in node.entries if key not in common]
        if not strange:
            self.problems.add(node.span.problem("S-117", "this fault has no kind", help_text=known))
            return None
        self.problems.add(
            node.entries[strange[0]].key.problem(
                "S-117",
                f"unknown fault kind '{shown(strange[0])}'",
                label=did_you_mean(strange[0], FAULT_MODELS),
                help_text=known,
            )
        )
        return None


def _with_metadata(info: Any) -> Any:
    """Return a field's type with the constraints that pydantic moved out of its annotation."""
    return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation


def _bounds(name: str) -> tuple[int, int]:
    least, most = 0, 100_000
    for each in ScenarioFile.model_fields[name].metadata:
        least = getattr(each, "min_length", None) or least
        most = getattr(each, "max_length", None) or most
    return least, most
