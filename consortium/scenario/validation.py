"""Holds the tree of a file against the models of `schema`, piece by piece, and places every error.

Each bank, step or expectation is validated for itself, so that one mistake does not hide the next: what is
wrong is reported and, where the rest still makes sense without it, left out; the good pieces go on to the
checks of meaning.
"""

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar, cast, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from consortium.scenario.model import Place
from consortium.scenario.problems import Problems, did_you_mean, hint, listing, shown
from consortium.scenario.schema import (
    FAULT_MODELS,
    TAGS,
    BankSection,
    CalendarSection,
    CentralBankSection,
    ConsensusSection,
    ContractSection,
    CorporateSection,
    CrashFault,
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
from consortium.scenario.source import Mapping, Node, Scalar, Sequence, Span, described, plain

SectionT = TypeVar("SectionT", bound=BaseModel)
Path = tuple[str | int, ...]

# A wrong part is left out and the rest tried again at most so often.
SALVAGE_ROUNDS = 4
_QUOTED = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class Placed(Generic[SectionT]):
    """A valid section and the path at which it stands."""

    path: Path
    section: SectionT


@dataclass(slots=True)
class Pieces:
    """The parts of a file that have their form; None or absent where they have not."""

    tree: "Tree"
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
    faults: list[Placed[CrashFault] | Placed[WrongKeyFault]] = field(default_factory=list)
    timeline: list[Placed[StepSection] | Placed[TogetherSection]] = field(default_factory=list)
    expect: list[Placed[ExpectSection]] = field(default_factory=list)
    load: LoadSection | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    """The node tree, addressed by paths of keys and indexes."""

    root: Mapping

    def node(self, path: Path) -> Node | None:
        """Return the node at `path`, or None."""
        node: Node | None = self.root
        for part in path:
            node = _child(node, part)
        return node

    def span(self, path: Path, *, key: bool = False) -> Span:
        """Return the place of the value at `path` (or of its key), or of the nearest thing around it."""
        node: Node = self.root
        span = self.root.span
        for index, part in enumerate(path):
            child = _child(node, part)
            if child is None:
                return span
            last = index == len(path) - 1
            span = node.entries[str(part)].key if key and last and isinstance(node, Mapping) else child.span
            node = child
        return span


def validate(root: Mapping, problems: Problems, *, complete: bool) -> Pieces:
    """Return the well-formed parts of a file; everything else goes to `problems`.

    Without its base a file is not `complete`: keys that may stand there are not missed.
    """
    pieces = Pieces(Tree(root))
    reader = _Reader(pieces.tree, problems)
    reader.unknown_keys(ScenarioFile, (), root)
    if complete:
        reader.missing_keys(ScenarioFile, (), root)
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
            pieces.faults.append(cast("Placed[CrashFault]", Placed(path, fault)))
    for path, node in reader.listed("timeline"):
        together = isinstance(node, Mapping) and "together" in node.entries
        step = reader.one(path, node, TogetherSection if together else StepSection)
        if step is not None:
            pieces.timeline.append(cast("Placed[StepSection]", Placed(path, step)))
    return pieces


def place_of(span: Span) -> Place:
    """Return a span as the place that reports show."""
    return Place(span.source.name, span.line, span.column)


class _Reader:
    """Reads parts of the tree by their models and turns pydantic's errors into problems."""

    def __init__(self, tree: Tree, problems: Problems) -> None:
        self.tree = tree
        self.problems = problems

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
            self._report(error, (name,), ScenarioFile)
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
                self._wrong_type((name,), "a list", entry.value)
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
            self._wrong_type((name,), "a map", entry.value)
            return []
        return [(key, each.value) for key, each in entry.value.entries.items()]

    def one(self, path: Path, node: Node, model: type[SectionT]) -> SectionT | None:
        """Return a section, without its wrong optional parts; None if a required part is wrong."""
        if not isinstance(node, Mapping):
            self._wrong_type(path, "a map", node)
            return None
        data = plain(node)
        required = {info.alias or name for name, info in model.model_fields.items() if info.is_required()}
        for round_number in range(SALVAGE_ROUNDS):
            try:
                return model.model_validate(data)
            except ValidationError as error:
                if round_number == 0:
                    self._report(error, path, model)
                wrong = {str(each["loc"][0]) for each in error.errors(include_url=False) if each["loc"]}
                if not wrong or wrong & required:
                    return None
                data = {key: value for key, value in data.items() if key not in wrong}
        return None

    def fault_kind(self, path: Path, node: Node) -> str | None:
        """Return which kind of fault this is; reports one that is not known."""
        if not isinstance(node, Mapping):
            self._wrong_type(path, "a map", node)
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
        common = {info.alias or name for model in FAULT_MODELS.values() for name, info in _fields(model)}
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

    def unknown_keys(self, model: type[BaseModel], path: Path, node: Mapping) -> None:
        known = [info.alias or name for name, info in _fields(model)]
        for key in node.entries:
            if key not in known:
                self._unknown_key((*path, key), known)

    def missing_keys(self, model: type[BaseModel], path: Path, node: Mapping) -> None:
        for name, info in _fields(model):
            if info.is_required() and (info.alias or name) not in node.entries:
                self._missing_key((*path, info.alias or name))

    def _report(self, error: ValidationError, path: Path, model: type[BaseModel]) -> None:
        for each in error.errors(include_url=False):
            location = tuple(part for part in each["loc"] if part not in TAGS)
            self._report_one(each, (*path, *location), _known_keys(model, location))

    def _report_one(self, error: Any, path: Path, known: list[str]) -> None:
        kind, context = error["type"], error.get("ctx") or {}
        node = self.tree.node(path)
        span = self.tree.span(path)
        name = _name(path)
        if kind == "scenario":
            self.problems.add(span.problem(context["code"], context["message"], help_text=context["help"]))
        elif kind == "extra_forbidden":
            self._unknown_key(path, known)
        elif kind == "missing":
            self._missing_key(path)
        elif kind == "literal_error":
            self._wrong_word(path, context["expected"], node)
        elif kind in _EXPECTED_TYPES:
            self._wrong_type(path, _EXPECTED_TYPES[kind], node)
        elif kind in _LIMITS:
            self.problems.add(span.problem("S-107", f"{name} {_LIMITS[kind].format(**context)}"))
        else:
            self.problems.add(span.problem("S-103", f"{name}: {error['msg'].lower()}"))

    def _unknown_key(self, path: Path, known: list[str]) -> None:
        key = str(path[-1])
        where = f" in {_name(path[:-1])}" if len(path) > 1 else ""
        free = [word for word in known if word not in _keys_of(self.tree.node(path[:-1]))]
        self.problems.add(
            self.tree.span(path, key=True).problem(
                "S-101",
                f"unknown key '{shown(key)}'{where}",
                advice=hint(key, free, _KEY_HELP.get(key, f"known keys: {listing(known, most=20)}")),
            )
        )

    def _missing_key(self, path: Path) -> None:
        where = f" in {_name(path[:-1])}" if len(path) > 1 else ""
        self.problems.add(
            self.tree.span(path[:-1], key=len(path) == 2).problem(
                "S-102", f"the key '{path[-1]}' is missing{where}", help_text=_MISSING_HELP.get(str(path[-1]))
            )
        )

    def _wrong_word(self, path: Path, expected: str, node: Node | None) -> None:
        if path == ("consortium",):
            self.problems.add(
                self.tree.span(path).problem(
                    "S-109", "this version of the format is not known", help_text="write consortium: 1"
                )
            )
            return
        words = _QUOTED.findall(expected)
        found = str(node.raw) if isinstance(node, Scalar) else ""
        name = _name(path)
        what = f"'{shown(found)}'" if found else described(node) if node is not None else "nothing"
        self.problems.add(
            self.tree.span(path).problem(
                "S-106",
                f"{what} is not a word for {name}",
                advice=hint(
                    found, words, f"one of: {listing(words)}" if words else f"write {expected.lower()}"
                ),
            )
        )

    def _wrong_type(self, path: Path, expected: str, node: Node | None) -> None:
        name = _name(path)
        found = described(node) if node is not None else "nothing"
        raw = node.raw if isinstance(node, Scalar) else ""
        advice = None
        if str(path[-1]) in _TYPE_HELP and expected == "a map":
            advice = _TYPE_HELP[str(path[-1])]
        elif expected == "text" and raw:
            advice = f'put it into quotes: "{shown(raw)}"'
        elif expected == "a whole number" and re.fullmatch(r"0[0-9]+", raw):
            advice = f"write {raw.lstrip('0') or '0'}; with a leading zero it is text"
        elif expected == "true or false" and raw.lower() in _TRUTH_WORDS:
            advice = f"write {_TRUTH_WORDS[raw.lower()]}; '{raw}' is text here"
        self.problems.add(
            self.tree.span(path).problem(
                "S-103", f"{name} must be {expected}, found {found}", help_text=advice
            )
        )


def _child(node: Node | None, part: str | int) -> Node | None:
    if isinstance(node, Mapping) and str(part) in node.entries:
        return node.entries[str(part)].value
    if isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
        return node.items[part]
    return None


def _name(path: Path) -> str:
    """Return how messages call what stands at a path: by its key, or as an item of a list."""
    if not path:
        return "the file"
    if isinstance(path[-1], str):
        return path[-1]
    return f"an item of {_name(path[:-1])}"


def _keys_of(node: Node | None) -> list[str]:
    return list(node.entries) if isinstance(node, Mapping) else []


def _fields(model: type[BaseModel]) -> list[tuple[str, Any]]:
    return list(model.model_fields.items())


def _with_metadata(info: Any) -> Any:
    """Return a field's type with the constraints that pydantic moved out of its annotation."""
    return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation


def _bounds(name: str) -> tuple[int, int]:
    least, most = 0, 100_000
    for each in ScenarioFile.model_fields[name].metadata:
        least = getattr(each, "min_length", None) or least
        most = getattr(each, "max_length", None) or most
    return least, most


def _known_keys(model: type[BaseModel], location: Path) -> list[str]:
    """Return the keys that may stand where the last part of `location` stands."""
    models = [model]
    for part in location[:-1]:
        found = [
            inner
            for each in models
            for name, info in _fields(each)
            if part == (info.alias or name)
            for inner in _models_in(info.annotation)
        ]
        models = found or models
    return [info.alias or name for each in models for name, info in _fields(each)]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for inner in get_args(annotation) for model in _models_in(inner)]


_EXPECTED_TYPES = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
}
_LIMITS = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_short": "needs {min_length} or more, this has {actual_length}",
    "too_long": "takes at most {max_length}, this has {actual_length}",
    "string_too_long": "is longer than {max_length} characters",
}
_TRUTH_WORDS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_TYPE_HELP = {
    "expect": "write expect: {refused: E_DATE}, or leave it out",
    "latency": "write latency: {median: 4 ms, p99: 18 ms}",
    "batch": "write batch: {max: 100, wait: 10 ms}",
    "regulator": "write regulator: {id: pboc}",
    "central_bank": "write central_bank: {id: cb}",
}
_KEY_HELP = {
    "<<": "merge keys are not used here; shared parts go into a file named by `extends:`",
}
_MISSING_HELP = {
    "consortium": "the first line of a scenario is `consortium: 1`",
    "start": "the first business moment, such as start: 2026-03-16T09:00",
    "at": "when it happens, such as at: +0bd 10:00",
    "as": "who does it, such as as: ib1",
    "do": "what is done, such as do: letter_of_credit.issue",
    "banks": "at least one bank, such as banks: [{id: ib1}]",
}
