"""Shared parts: `extends: base.yaml` takes what the file itself does not say from another one.

Maps are merged key by key, lists and single values are replaced whole. Every node keeps the place it was
written at, so an error in the base is shown in the base.
"""

import os
from pathlib import Path

from consortium.scenario.nodes import Entry, Mapping, Refused, Scalar, SourceFile, Span
from consortium.scenario.problems import Problems, shown
from consortium.scenario.source import parse, read_source

BASES_MAX = 8


def with_bases(
    source: SourceFile, root: Mapping, problems: Problems
) -> tuple[Mapping, tuple[SourceFile, ...], bool]:
    """Return the merged tree, the base files (nearest first) and whether all of them were found.

    What cannot be used is reported.
    """
    bases: list[SourceFile] = []
    seen = [_identity(source)]
    merged = root
    present, present_root = source, root
    while True:
        entry = present_root.entries.get("extends")
        if entry is None or not (isinstance(entry.value, Scalar) and isinstance(entry.value.value, str)):
            return merged, tuple(bases), True
        base = _base(present, entry.value.value, entry.value.span, seen, problems)
        if base is None:
            return merged, tuple(bases), False
        bases.append(base)
        try:
            present, present_root = base, parse(base, problems)
        except Refused as refused:
            for problem in refused.problems:
                problems.add(problem)
            return merged, tuple(bases), False
        merged = _merged(present_root, merged)


def _base(
    source: SourceFile, written: str, span: Span, seen: list[str], problems: Problems
) -> SourceFile | None:
    directory = source.path.parent if source.path is not None else Path()
    path = directory / written
    name = os.path.normpath(Path(source.name).parent / written)
    try:
        identity = str(path.resolve())
    except (OSError, ValueError, RuntimeError):
        identity = str(path)
    if identity in seen:
        problems.add(
            span.problem(
                "S-018", f"'{shown(written)}' extends itself", help_text="a base cannot lead back here"
            )
        )
        return None
    if len(seen) > BASES_MAX:
        problems.add(span.problem("S-018", f"more than {BASES_MAX} files extend each other"))
        return None
    seen.append(identity)
    try:
        return read_source(path, name)
    except Refused as refused:
        for problem in refused.problems:
            if problem.line:
                problems.add(problem)
            else:
                problems.add(
                    span.problem("S-019", problem.message, help_text="paths start at the file that extends")
                )
        return None


def _identity(source: SourceFile) -> str:
    return source.name if source.path is None else str(source.path.resolve())


def _merged(base: Mapping, over: Mapping) -> Mapping:
    entries = dict(over.entries)
    for key, entry in base.entries.items():
        mine = entries.get(key)
        if mine is None:
            entries[key] = entry
        elif isinstance(mine.value, Mapping) and isinstance(entry.value, Mapping):
            entries[key] = Entry(mine.key, _merged(entry.value, mine.value))
    return Mapping(entries, over.span)
