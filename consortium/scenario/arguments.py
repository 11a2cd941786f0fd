"""Arguments of actions and parameters of contracts: from YAML nodes to typed values.

Each value is read as the shape that the contract declares; `$name` stands for what an earlier step saved and
is checked by what that step's action returns.
"""

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, field
from pathlib import Path

from consortium.crypto import hash_bytes
from consortium.membership import OrganisationKind
from consortium.scenario.comparison import parse_reference
from consortium.scenario.model import ArgumentValue, ChoiceValue, StructValue
from consortium.scenario.moments import Clock
from consortium.scenario.nodes import Mapping, Node, Scalar, Sequence, Span, described
from consortium.scenario.notation import NotationError, read_amount, read_day, read_moment, read_rate
from consortium.scenario.parties import Parties
from consortium.scenario.problems import Problems, Related, hint, listing, shown
from consortium.scenario.references import References, Unusable
from consortium.scenario.signatures import (
    ChoiceShape,
    IdShape,
    ListShape,
    OptionalShape,
    Parameter,
    PartyShape,
    PlainShape,
    Shape,
    StructShape,
    TextShape,
    fits,
    shape_text,
)
from consortium.vm.unicode14 import problem_with_text

HASHED_FILE_BYTES_MAX = 64 * 1024 * 1024
ID_LENGTH_MAX = 255
DAY_COUNTS = {"ACT/360": "ACT_360", "ACT/365": "ACT_365"}


class _Invalid:
    """Stands for a value that was reported."""


INVALID = _Invalid()
Read = ArgumentValue | _Invalid


@dataclass(frozen=True, slots=True)
class ArgumentReader:
    """Reads the values of one step (or of a contract's parameters, where nothing is saved yet)."""

    problems: Problems
    parties: Parties
    clock: Clock | None
    references: References | None = None
    order: int | None = None
    instant_us: int | None = None
    file_digests: dict[int, bytes] = field(default_factory=dict)
    """The digests of files, by the identity of the node that names the file."""

    def arguments(
        self,
        parameters: SequenceOf[Parameter],
        entries: dict[str, Node],
        keys: dict[str, Span],
        whole: Span,
        what: str,
        codes: tuple[str, str],
    ) -> tuple[tuple[str, ArgumentValue], ...] | None:
        """Return named values in the order of `parameters`; None if any of them is wrong.

        Those of an action or value class are complete, with the defaults of what is left out; those of a
        contract are only the given ones. `whole` is where a missing one is reported, `what` whose they are,
        `codes` the S-codes of an unknown and of a missing one.
        """
        known = {parameter.name: parameter for parameter in parameters}
        right = True
        for name in entries:
            if name not in known:
                right = False
                free = [each for each in known if each not in entries]
                self.problems.add(
                    keys[name].problem(
                        codes[0],
                        f"{what} has no {'argument' if codes[1] else 'parameter'} '{shown(name)}'",
                        advice=hint(name, free, f"it takes: {listing(known, most=30)}"),
                    )
                )
        missing = [each.name for each in parameters if each.required and each.name not in entries]
        if missing and codes[1]:
            right = False
            names = ", ".join(f"'{name}'" for name in missing)
            shapes = {name: shape_text(known[name].shape) for name in missing}
            advice = "; ".join(f"{name}: {text}" for name, text in list(shapes.items())[:4])
            self.problems.add(whole.problem(codes[1], f"{what} needs {names}", help_text=advice))
        values: list[tuple[str, ArgumentValue]] = []
        for parameter in parameters:
            if parameter.name in entries:
                read = self.value(parameter.shape, entries[parameter.name], parameter.name)
                if isinstance(read, _Invalid):
                    right = False
                else:
                    values.append((parameter.name, read))
            elif codes[1]:
                values.append((parameter.name, parameter.default))
        return tuple(values) if right else None

    def value(self, shape: Shape, node: Node, name: str) -> Read:
        """Return a node as a value of `shape`, or INVALID after reporting."""
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value.startswith("$"):
            return self._reference(shape, node, name)
        match shape:
            case OptionalShape():
                if isinstance(node, Scalar) and node.value is None:
                    return None
                return self.value(shape.item, node, name)
            case PlainShape():
                return self._plain(shape, node, name)
            case TextShape():
                return self._text(shape, node, name)
            case IdShape():
                if isinstance(node, Scalar) and isinstance(node.value, str):
                    return self._text(TextShape(ID_LENGTH_MAX), node, name)
                return self._wrong(shape, node, name)
            case PartyShape():
                return self._party(shape, node, name)
            case ChoiceShape():
                return self._choice(shape, node, name)
            case StructShape():
                return self._struct(shape, node, name)
            case ListShape():
                if not isinstance(node, Sequence):
                    return self._wrong(shape, node, name)
                return self._several([self.value(shape.item, item, name) for item in node.items])
            case _:
                return self._untyped(node, name)

    def _reference(self, shape: Shape, node: Scalar, name: str) -> Read:
        reference = parse_reference(str(node.value))
        if reference is None:
            return self._report(
                node.span,
                f"'{shown(str(node.value))}' is not a reference",
                "write $name or $name.field, as saved by an earlier step",
            )
        if self.references is None:
            return self._report(node.span, f"{name}: no step has saved anything yet", None)
        found = self.references.shape_of(reference, node.span, self.order, self.instant_us)
        if isinstance(found, Unusable):
            return INVALID
        if not fits(found, shape):
            assert found is not None
            saved = self.references.saved[reference.name]
            related: tuple[Related, ...] = (saved.span.related("saved at"),)
            self.problems.add(
                node.span.problem(
                    "S-144",
                    f"{name} takes {shape_text(shape)}, {reference} is {shape_text(found)}",
                    related=related,
                )
            )
            return INVALID
        return reference

    def _plain(self, shape: PlainShape, node: Node, name: str) -> Read:
        value = node.value if isinstance(node, Scalar) else None
        if shape.word == "hash":
            return self._hash(shape, node, name)
        if not isinstance(node, Scalar) or value is None:
            return self._wrong(shape, node, name)
        if shape.word == "bool":
            return value if isinstance(value, bool) else self._wrong(shape, node, name)
        if shape.word == "int":
            whole = isinstance(value, int) and not isinstance(value, bool)
            return value if whole else self._wrong(shape, node, name)
        if shape.word == "day_count":
            option = DAY_COUNTS.get(value.upper()) if isinstance(value, str) else None
            return self._wrong(shape, node, name) if option is None else ChoiceValue("DayCount", option)
        try:
            if shape.word == "money":
                return read_amount(value)
            if shape.word == "rate":
                return read_rate(value)
            if shape.word == "day":
                return self._day(node, name)
        except NotationError as error:
            self.problems.add(node.span.problem(error.code, f"{name}: {error.message}", help_text=error.help))
            return INVALID
        return self._untyped(node, name)

    def _day(self, node: Scalar, name: str) -> Read:
        if not isinstance(node.value, str) or not node.value.startswith("+"):
            return read_day(node.value)
        moment = read_moment(node.value)
        if moment.clock_us is not None:
            return self._report(
                node.span, f"{name} is a day, without a time", f"write {node.value.split()[0]}"
            )
        if self.clock is None:
            return INVALID
        day = self.clock.day(moment, node.span, self.problems)
        return INVALID if day is None else day

    def _text(self, shape: TextShape, node: Node, name: str) -> Read:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return self._wrong(shape, node, name)
        if len(node.value) > shape.length_max:
            return self._report(
                node.span, f"{name} has {len(node.value)} characters, the most are {shape.length_max}", None
            )
        odd = problem_with_text(node.value)
        if odd is not None or "\0" in node.value:
            message = f"{name} holds {odd or 'the character NUL'}"
            return self._report(
                node.span, message, "contracts take assigned characters in composed form (NFC)"
            )
        return node.value

    def _party(self, shape: PartyShape, node: Node, name: str) -> Read:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return self._wrong(shape, node, name)
        kinds = tuple(OrganisationKind(kind) for kind in shape.kinds)
        return node.value if self.parties.check(node.value, node.span, kinds=kinds) else INVALID

    def _choice(self, shape: ChoiceShape, node: Node, name: str) -> Read:
        word = node.raw if isinstance(node, Scalar) else None
        if word is None or (node.__class__ is Scalar and node.value is None):
            return self._wrong(shape, node, name)
        if word not in shape.options:
            self.problems.add(
                node.span.problem(
                    "S-123",
                    f"{name}: '{shown(word)}' is not a {shape.name}",
                    advice=hint(word, shape.options, f"one of: {listing(shape.options, most=30)}"),
                )
            )
            return INVALID
        return ChoiceValue(shape.name, word)

    def _struct(self, shape: StructShape, node: Node, name: str) -> Read:
        if not isinstance(node, Mapping):
            return self._wrong(shape, node, name)
        values = self.arguments(
            shape.fields,
            {key: entry.value for key, entry in node.entries.items()},
            {key: entry.key for key, entry in node.entries.items()},
            node.span,
            f"{name} ({shape.name})",
            ("S-121", "S-122"),
        )
        return INVALID if values is None else StructValue(shape.name, values)

    def _hash(self, shape: PlainShape, node: Node, name: str) -> Read:
        if isinstance(node, Mapping) and len(node.entries) == 1:
            (key, entry) = next(iter(node.entries.items()))
            if isinstance(entry.value, Scalar) and isinstance(entry.value.value, str):
                if key == "text":
                    return hash_bytes(entry.value.value.encode("utf-8", "surrogatepass"))
                if key == "file":
                    found = self._hash_of_file(entry.value, name)
                    if found is None:
                        return INVALID
                    self.file_digests[id(node)] = found
                    return found
        text = node.value if isinstance(node, Scalar) else None
        if isinstance(text, str) and len(text) == 64:
            try:
                return bytes.fromhex(text)
            except ValueError:
                pass
        return self._wrong(shape, node, name, code="S-129")

    def _hash_of_file(self, node: Scalar, name: str) -> bytes | None:
        base = node.span.source.path
        path = (base.parent if base is not None else Path()) / str(node.value)
        try:
            if path.stat().st_size > HASHED_FILE_BYTES_MAX:
                raise OSError(0, "larger than 64 MiB")
            return hash_bytes(path.read_bytes())
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a usable path"
            message = f"{name}: '{shown(str(node.value))}' cannot be read: {reason.lower()}"
            self.problems.add(
                node.span.problem("S-129", message, help_text="paths start at the scenario file")
            )
            return None

    def _untyped(self, node: Node, name: str) -> Read:
        match node:
            case Scalar():
                return node.value
            case Sequence():
                return self._several([self._untyped(item, name) for item in node.items])
            case Mapping():
                fields = [(key, self._untyped(entry.value, name)) for key, entry in node.entries.items()]
                kept = tuple((key, value) for key, value in fields if not isinstance(value, _Invalid))
                return StructValue("", kept)

    def _several(self, values: SequenceOf[Read]) -> Read:
        kept = tuple(value for value in values if not isinstance(value, _Invalid))
        return kept if len(kept) == len(values) else INVALID

    def _wrong(self, shape: Shape, node: Node, name: str, code: str = "S-123") -> _Invalid:
        message = f"{name} takes {shape_text(shape)}, found {described(node)}"
        advice = None
        if isinstance(shape, TextShape | IdShape | PartyShape) and isinstance(node, Scalar) and node.raw:
            advice = f'if it is meant as text, put it into quotes: "{shown(node.raw)}"'
        self.problems.add(node.span.problem(code, message, help_text=advice))
        return INVALID

    def _report(self, span: Span, message: str, help_text: str | None) -> _Invalid:
        self.problems.add(span.problem("S-123", message, help_text=help_text))
        return INVALID
