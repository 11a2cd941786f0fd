"""The timeline: from sections to steps with their time, their typed arguments and their signers."""

from collections.abc import Iterator
from dataclasses import dataclass

from consortium.calendar import time_text
from consortium.scenario.arguments import ArgumentReader
from consortium.scenario.comparison import parse_reference
from consortium.scenario.contracts import Contracts
from consortium.scenario.model import ArgumentValue, Step, StepOutcome
from consortium.scenario.moments import Clock
from consortium.scenario.nodes import Mapping, Scalar, Sequence, Span
from consortium.scenario.parties import Parties
from consortium.scenario.problems import Problems, hint, listing, shown
from consortium.scenario.references import References, Saved
from consortium.scenario.schema import ActionSection, StepSection, TogetherSection
from consortium.scenario.signatures import ActionSignature, ContractSignature
from consortium.scenario.tree import Path, place_of
from consortium.scenario.validation import Pieces


@dataclass(frozen=True, slots=True)
class _Written:
    """One action as it stands in the file, with what its surroundings add to it."""

    path: Path
    section: ActionSection
    number: str
    order: int
    bundle: int
    at_us: int | None
    during_fault: bool


@dataclass(slots=True)
class TimelineReader:
    """Reads all steps of one scenario; everything found wrong goes to `problems`."""

    pieces: Pieces
    problems: Problems
    parties: Parties
    clock: Clock | None
    contracts: Contracts
    references: References
    file_digests: dict[int, bytes]

    def steps(self) -> tuple[Step, ...]:
        """Return the steps in order; those that are wrong are left out and reported."""
        written = list(self._written())
        self._collect_saved(written)
        self._check_ids(written)
        self._check_bundles(written)
        steps = [self._step(each) for each in written]
        return tuple(step for step in steps if step is not None)

    def _written(self) -> Iterator[_Written]:
        order = 0
        before: tuple[int, Span] | None = None
        for bundle, placed in enumerate(self.pieces.timeline):
            section: StepSection | TogetherSection = placed.section
            span = self.pieces.tree.span((*placed.path, "at"))
            at_us = None
            if self.clock is not None:
                at_us = self.clock.time(section.at, span, self.problems, what="this action")
            if at_us is not None:
                if before is not None and at_us < before[0]:
                    self.problems.add(
                        span.problem(
                            "S-301",
                            f"{time_text(at_us)} is before the step above it, {time_text(before[0])}",
                            related=(before[1].related("that step is at"),),
                            help_text="steps stand in the order of their times",
                        )
                    )
                else:
                    before = (at_us, span)
            during = section.during == "fault"
            number = str(int(placed.path[-1]) + 1)
            if isinstance(section, StepSection):
                order += 1
                yield _Written(placed.path, section, number, order, bundle, at_us, during)
                continue
            for index, action in enumerate(section.together):
                order += 1
                path = (*placed.path, "together", index)
                yield _Written(path, action, f"{number}.{index + 1}", order, bundle, at_us, during)

    def _collect_saved(self, written: list[_Written]) -> None:
        """Learn all saved names first, so that one used too early is told from one that does not exist."""
        for each in written:
            name = each.section.save
            if name is None:
                continue
            span = self.pieces.tree.span((*each.path, "save"))
            earlier = self.references.saved.get(name)
            if earlier is not None:
                self.problems.add(
                    span.problem(
                        "S-146",
                        f"'{name}' is saved twice",
                        related=(earlier.span.related("first at"),),
                        help_text="choose another name",
                    )
                )
                continue
            contract, action = self.contracts.look_up(each.section.do)
            shape = action.result if action is not None else None
            self.references.saved[name] = Saved(
                span, each.order, each.at_us, contract, shape, each.section.do
            )
            if each.section.expect is not None and each.section.expect.refused is not None:
                self.problems.add(
                    span.problem(
                        "S-147", "a step that must be refused saves nothing", help_text="drop `save:`"
                    )
                )
            elif action is not None and action.result is None:
                self.problems.add(
                    span.problem(
                        "S-147", f"{each.section.do} returns nothing to save", help_text="drop `save:`"
                    )
                )
        self._collect_saved_in_wrong_steps()

    def _collect_saved_in_wrong_steps(self) -> None:
        """A name saved by a step with another mistake is known all the same."""
        timeline = self.pieces.tree.root.entries.get("timeline")
        items = timeline.value.items if timeline is not None and isinstance(timeline.value, Sequence) else ()
        maps = [item for item in items if isinstance(item, Mapping)]
        for item in list(maps):
            together = item.entries.get("together")
            if together is not None and isinstance(together.value, Sequence):
                maps += [each for each in together.value.items if isinstance(each, Mapping)]
        for item in maps:
            save = item.entries.get("save")
            if save is not None and isinstance(save.value, Scalar) and isinstance(save.value.value, str):
                unknown = Saved(save.value.span, 0, None, None, None, "a step")
                self.references.saved.setdefault(save.value.value, unknown)

    def _check_ids(self, written: list[_Written]) -> None:
        first: dict[str, Span] = {}
        for each in written:
            name = each.section.id
            if name is None:
                continue
            span = self.pieces.tree.span((*each.path, "id"))
            if name in first:
                self.problems.add(
                    span.problem(
                        "S-204",
                        f"the step id '{name}' is taken",
                        related=(first[name].related("first at"),),
                        help_text="a second step needs an id of its own; an id is executed once",
                    )
                )
            first.setdefault(name, span)

    def _check_bundles(self, written: list[_Written]) -> None:
        """One bundle carries one bank's signature, so all its steps act through that bank."""
        banks: dict[int, str] = {}
        for each in written:
            bank = self.parties.bank_of(each.section.actor)
            first = banks.setdefault(each.bundle, bank)
            if bank != first and each.section.actor in self.parties.kinds:
                self.problems.add(
                    self.pieces.tree.span((*each.path, "as")).problem(
                        "S-209",
                        f"'{each.section.actor}' acts through {bank}, the first step here through {first}",
                        help_text="`together:` is one bundle of one bank; write separate steps",
                    )
                )

    def _step(self, written: _Written) -> Step | None:
        section, tree = written.section, self.pieces.tree
        actor_known = self.parties.check(section.actor, tree.span((*written.path, "as")))
        contract, action = self.contracts.find(section.do, tree.span((*written.path, "do")))
        outcome = self._outcome(written, contract)
        agreed_by = self._named_signers(written)
        arguments = None
        if contract is not None and action is not None:
            arguments = self._arguments(written, action)
        else:
            self._loose_references(written)
        if arguments is None or action is None or contract is None or not actor_known:
            return None
        if agreed_by is None:
            agreed_by = self._signers(written, action, arguments)
        if written.at_us is None:
            return None
        return Step(
            id=section.id or written.number,
            at_us=written.at_us,
            actor=section.actor,
            contract=contract.name,
            version=contract.version,
            action=action.name,
            arguments=arguments,
            agreed_by=agreed_by,
            save=section.save,
            outcome=outcome,
            bundle=written.bundle,
            during_fault=written.during_fault,
            place=place_of(tree.span((*written.path, "do"))),
        )

    def _arguments(
        self, written: _Written, action: ActionSignature
    ) -> tuple[tuple[str, ArgumentValue], ...] | None:
        node = self.pieces.tree.node((*written.path, "with"))
        entries = node.entries if isinstance(node, Mapping) else {}
        if node is None and self._has_unknown_keys(written):
            # `with:` is probably there under a misspelt name, which is reported.
            return None
        reader = ArgumentReader(
            self.problems,
            self.parties,
            self.clock,
            self.references,
            written.order,
            written.at_us,
            self.file_digests,
        )
        return reader.arguments(
            action.parameters,
            {key: entry.value for key, entry in entries.items()},
            {key: entry.key for key, entry in entries.items()},
            self.pieces.tree.span((*written.path, "do")),
            written.section.do,
            ("S-121", "S-122"),
        )

    def _has_unknown_keys(self, written: _Written) -> bool:
        step = self.pieces.tree.node(written.path)
        known = {info.alias or name for name, info in StepSection.model_fields.items()}
        return isinstance(step, Mapping) and not known.issuperset(step.entries)

    def _loose_references(self, written: _Written) -> None:
        """Check `$name` even where the action is not known."""
        node = self.pieces.tree.node((*written.path, "with"))
        for entry in node.entries.values() if isinstance(node, Mapping) else ():
            value = entry.value.value if isinstance(entry.value, Scalar) else None
            reference = parse_reference(value) if isinstance(value, str) else None
            if reference is not None:
                self.references.shape_of(reference, entry.value.span, written.order, written.at_us)

    def _outcome(self, written: _Written, contract: ContractSignature | None) -> StepOutcome:
        expected = written.section.expect
        if expected is None or expected.refused is None:
            return StepOutcome("applied")
        span = self.pieces.tree.span((*written.path, "expect", "refused"))
        if expected.applied:
            self.problems.add(
                span.problem("S-118", "a step is either applied or refused", help_text="drop one")
            )
        if contract is not None:
            known = self.contracts.codes()
            if expected.refused not in known:
                self.problems.add(
                    span.problem(
                        "S-125",
                        f"no contract here refuses with '{shown(expected.refused)}'",
                        advice=hint(expected.refused, known, f"codes: {listing(known, most=60)}"),
                    )
                )
        return StepOutcome("refused", expected.refused)

    def _named_signers(self, written: _Written) -> tuple[str, ...] | None:
        named = written.section.agreed_by
        if named is None:
            return None
        for index, party in enumerate(named):
            self.parties.check(party, self.pieces.tree.span((*written.path, "agreed_by", index)))
        return tuple(dict.fromkeys(named))

    def _signers(
        self, written: _Written, action: ActionSignature, arguments: tuple[tuple[str, ArgumentValue], ...]
    ) -> tuple[str, ...]:
        """Return who must sign beside the actor, as far as the arguments tell."""
        values = dict(arguments)
        signers = []
        unclear = action.agreed_by_record
        for name in action.agreed_by:
            value = values.get(name)
            if isinstance(value, str) and value in self.parties.kinds:
                signers.append(value)
            elif value is not None:
                unclear = True
        if unclear:
            self.problems.add(
                self.pieces.tree.span((*written.path, "do")).problem(
                    "S-148",
                    f"who agrees to {written.section.do} is known only when it runs",
                    help_text="name the further signers, such as agreed_by: [ib1]",
                )
            )
        return tuple(dict.fromkeys(signer for signer in signers if signer != written.section.actor))
