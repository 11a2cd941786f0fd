"""Errors of form: from what pydantic finds in a piece of the file to problems with place and advice."""

import re
from collections.abc import Container
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from consortium.scenario.nodes import Mapping, Node, Scalar, described
from consortium.scenario.problems import Problems, hint, listing, shown
from consortium.scenario.schema import TAGS
from consortium.scenario.tree import Path, Tree

_QUOTED = re.compile(r"'([^']*)'")


class FormErrors:
    """Reports what is wrong with the form of one file."""

    def __init__(self, tree: Tree, problems: Problems) -> None:
        self.tree = tree
        self.problems = problems

    def unknown_keys(self, model: type[BaseModel], path: Path, node: Mapping) -> None:
        known = [info.alias or name for name, info in fields_of(model)]
        for key in node.entries:
            if key not in known:
                self._unknown_key((*path, key), known)

    def missing_keys(self, model: type[BaseModel], path: Path, node: Mapping) -> None:
        for name, info in fields_of(model):
            if info.is_required() and (info.alias or name) not in node.entries:
                self._missing_key((*path, info.alias or name))

    def report(self, error: ValidationError, path: Path, model: type[BaseModel]) -> None:
        for each in error.errors(include_url=False):
            location = tuple(part for part in each["loc"] if part not in TAGS)
            self._one(each, (*path, *location), _known_keys(model, location))

    def _one(self, error: Any, path: Path, known: list[str]) -> None:
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
            self.wrong_type(path, _EXPECTED_TYPES[kind], node)
        elif kind in _LIMITS:
            self.problems.add(span.problem("S-107", f"{name} {_LIMITS[kind].format(**context)}"))
        else:
            self.problems.add(span.problem("S-103", f"{name}: {error['msg'].lower()}"))

    def _unknown_key(self, path: Path, known: list[str]) -> None:
        key = str(path[-1])
        where = f" in {_name(path[:-1])}" if len(path) > 1 else ""
        taken = _keys_of(self.tree.node(path[:-1]))
        free = [word for word in known if word not in taken]
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

    def wrong_type(self, path: Path, expected: str, node: Node | None) -> None:
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


def _name(path: Path) -> str:
    """Return how messages call what stands at a path: by its key, or as an item of a list."""
    if not path:
        return "the file"
    if isinstance(path[-1], str):
        return path[-1]
    return f"an item of {_name(path[:-1])}"


def _keys_of(node: Node | None) -> Container[str]:
    return node.entries if isinstance(node, Mapping) else ()


def fields_of(model: type[BaseModel]) -> list[tuple[str, Any]]:
    return list(model.model_fields.items())


def _known_keys(model: type[BaseModel], location: Path) -> list[str]:
    """Return the keys that may stand where the last part of `location` stands."""
    models = [model]
    for part in location[:-1]:
        found = [
            inner
            for each in models
            for name, info in fields_of(each)
            if part == (info.alias or name)
            for inner in _models_in(info.annotation)
        ]
        models = found or models
    return [info.alias or name for each in models for name, info in fields_of(each)]


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
