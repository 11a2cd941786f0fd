"""From bytes to a tree of nodes that know their places.

YAML is read as events, so that anchors, tags and nesting are refused before anything is built from them, and
only `true`/`false`, `null` and plain whole numbers are typed: `NO`, `010`, `12:30` and `1e5` stay text. What
the keys mean is not known here.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from consortium.scenario.nodes import (
    Entry,
    Mapping,
    Node,
    Refused,
    Scalar,
    Sequence,
    SourceFile,
    Span,
    described,
)
from consortium.scenario.problems import Problem, Problems, nearest, shown

SOURCE_BYTES_MAX = 4 * 1024 * 1024
DEPTH_MAX = 32
# The pure Python parser words our syntax errors, up to this many characters: it reads 200 KB/s.
READ_AGAIN_MAX = 200_000
# 18 digits always fit into 64 bits; longer ones stay text and fail where a whole number is wanted.
_WHOLE_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17}|[1-9][0-9]{0,2}(?:_[0-9]{3}){1,5})")
_LEADING_TAB = re.compile(r"[ ]*\t")
# Control characters, line separators that editors do not count, and characters that reorder or hide text.
REFUSED_CHARACTER = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
    r"\ud800-\udfff\ufffe\uffff]"
)
_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)


def read_source(path: Path, name: str) -> SourceFile:
    """Read a file. Raises Refused if there is nothing readable at `path`."""
    nowhere = Span(SourceFile(name, path, b"", "", ()), 0, 0, 0)
    try:
        if path.is_dir():
            raise Refused(
                nowhere.problem("S-002", f"'{name}' is a directory", help_text="name one scenario file in it")
            )
        if path.exists() and not path.is_file():
            raise Refused(nowhere.problem("S-002", f"'{name}' is not a regular file"))
        with path.open("rb") as file:
            data = file.read(SOURCE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise Refused(_missing(nowhere, path, name)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a usable path"
        raise Refused(nowhere.problem("S-003", f"'{name}' cannot be read: {reason.lower()}")) from None
    return source_of(data, name, path)


def source_of(data: bytes, name: str, path: Path | None = None) -> SourceFile:
    """Decode what was read. Raises Refused for what cannot be text."""
    nowhere = Span(SourceFile(name, path, data, "", ()), 0, 0, 0)
    if len(data) > SOURCE_BYTES_MAX:
        raise Refused(nowhere.problem("S-004", f"'{name}' is larger than {SOURCE_BYTES_MAX // 2**20} MiB"))
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Refused(nowhere.problem("S-007", f"'{name}' is UTF-16", help_text="save it as UTF-8"))
    if b"\x00" in data:
        raise Refused(
            nowhere.problem(
                "S-006", f"'{name}' is not a text file", label=f"NUL byte at offset {data.index(0)}"
            )
        )
    body = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = body[: error.start].decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
        lines = tuple(body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        span = Span(
            SourceFile(name, path, data, "", lines),
            before.count("\n") + 1,
            len(before) - before.rfind("\n"),
            1,
        )
        raise Refused(
            span.problem(
                "S-007",
                f"'{name}' is not UTF-8",
                label=f"byte 0x{body[error.start]:02x}",
                help_text="save it as UTF-8",
            )
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    source = SourceFile(name, path, data, text, tuple(text.split("\n")))
    odd = REFUSED_CHARACTER.search(text)
    if odd is not None:
        line = text.count("\n", 0, odd.start()) + 1
        span = Span(source, line, odd.start() - text.rfind("\n", 0, odd.start()), 1)
        raise Refused(
            span.problem(
                "S-008",
                "a character that cannot be seen or changes the order of text",
                label=f"U+{ord(odd[0]):04X}",
                help_text="remove it; in a text in double quotes write it as an escape",
            )
        )
    return source


def parse(source: SourceFile, problems: Problems) -> Mapping:
    """Return the top-level map of a scenario source.

    What can be gone past (repeated keys, anchors, tags) is added to `problems`. Raises Refused for the rest.
    """
    root = parse_node(source, problems)
    if root is None:
        span = Span(source, 0, 0, 0)
        raise Refused(
            span.problem(
                "S-005",
                f"'{source.name}' is empty",
                help_text="copy one of scenarios/ to start from",
            )
        )
    if not isinstance(root, Mapping):
        raise Refused(
            root.span.problem(
                "S-017",
                "a scenario is a map of keys such as name, banks and timeline",
                label=f"this is {described(root)}",
            )
        )
    return root


def parse_node(source: SourceFile, problems: Problems) -> Node | None:
    """Return the tree of one source, None if it holds nothing. Raises Refused if it is not YAML."""
    events = _events(source)
    builder = _Builder(source, events, problems)
    root: Node | None = None
    try:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                continue
            if isinstance(event, yaml.NodeEvent):
                if root is not None:
                    raise Refused(
                        builder.span(event).problem(
                            "S-014",
                            "a second document begins here",
                            help_text="one scenario per file: remove the line ---",
                        )
                    )
                root = builder.node(event, 1)
    except yaml.YAMLError as error:
        raise Refused(_syntax_problem(source, error)) from None
    if isinstance(root, Scalar) and root.value is None and root.raw == "":
        return None
    return root


class _Builder:
    """Builds nodes from events, by recursion that `DEPTH_MAX` bounds."""

    def __init__(self, source: SourceFile, events: Iterator[Any], problems: Problems) -> None:
        self.source = source
        self.events = events
        self.problems = problems

    def node(self, event: Any, depth: int) -> Node:
        span = self.span(event)
        if depth > DEPTH_MAX:
            place = Span(self.source, span.line, span.column, 1)
            raise Refused(place.problem("S-015", f"lists and maps are nested more than {DEPTH_MAX} deep"))
        if getattr(event, "anchor", None) is not None:
            what = "an alias" if isinstance(event, yaml.AliasEvent) else "an anchor"
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            self.problems.add(
                span.problem(
                    "S-012",
                    f"{what} '{sign}{shown(event.anchor)}'",
                    help_text="anchors are not used here; shared parts go into a file named by `extends:`, "
                    "and a text that begins with * or & needs quotes",
                )
            )
        if isinstance(event, yaml.AliasEvent):
            return Scalar(None, f"*{event.anchor}", span)
        if event.tag is not None:
            self.problems.add(
                span.problem(
                    "S-013",
                    f"a tag '{shown(event.tag)}'",
                    help_text="tags are not used here; a text that begins with ! needs quotes",
                )
            )
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(_typed(event), event.value, span)
        if isinstance(event, yaml.SequenceStartEvent):
            return Sequence(tuple(self._items(depth)), span)
        return Mapping(self._entries(depth), span)

    def span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        line = start.line + 1
        width = len(self.source.lines[start.line]) if start.line < len(self.source.lines) else 0
        stop = end.column if end.line == start.line else width
        if isinstance(event, yaml.CollectionStartEvent):
            stop = width
        return Span(self.source, line, start.column + 1, max(1, stop - start.column))

    def _items(self, depth: int) -> Iterator[Node]:
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            yield self.node(event, depth + 1)

    def _entries(self, depth: int) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self.node(event, depth + 1)
            value = self.node(next(self.events), depth + 1)
            if not isinstance(key, Scalar):
                self.problems.add(key.span.problem("S-016", f"a key is a word, this is {described(key)}"))
                continue
            name = key.raw
            if name in entries:
                self.problems.add(
                    key.span.problem(
                        "S-011",
                        f"the key '{shown(name)}' stands twice in this map",
                        related=(entries[name].key.related("first at"),),
                        help_text="keep one of them",
                    )
                )
                continue
            if isinstance(value, Scalar) and value.raw == "" and value.value is None:
                # Nothing stands after the colon: the key is where people look.
                value = Scalar(None, "", key.span)
            entries[name] = Entry(key.span, value)
        return entries


def _typed(event: Any) -> str | int | bool | None:
    text: str = event.value
    if event.style:
        return text
    if text in ("", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _WHOLE_NUMBER.fullmatch(text):
        return int(text.replace("_", ""))
    return text


def _events(source: SourceFile) -> Iterator[Any]:
    return iter(yaml.parse(source.text, Loader=_LOADER))


def _syntax_problem(source: SourceFile, error: yaml.YAMLError) -> Problem:
    """Return the problem of a text that is not YAML.

    The pure Python parser is asked again, so that the message does not depend on which parser is installed.
    """
    if len(source.text) <= READ_AGAIN_MAX:
        try:
            for _ in yaml.parse(source.text, Loader=yaml.Loader):
                pass
        except yaml.YAMLError as again:
            error = again
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line_index = min(mark.line, len(source.lines) - 1) if mark is not None else 0
    line = source.lines[line_index]
    column = mark.column if mark is not None and mark.line == line_index else len(line)
    if _LEADING_TAB.match(line):
        span = Span(source, line_index + 1, line.index("\t") + 1, 1)
        return span.problem("S-009", "a tab in the indentation", help_text="YAML indents by spaces only")
    what = str(getattr(error, "problem", None) or "this cannot be read")
    span = Span(source, line_index + 1, column + 1, 1)
    opening = getattr(error, "context_mark", None)
    if opening is not None and (what.startswith("expected ',' or") or "end of stream" in what):
        # The opening bracket or quote is the better place: the end is only where it was missed.
        begun = Span(source, opening.line + 1, opening.column + 1, 1)
        mark_text = source.lines[opening.line][opening.column : opening.column + 1]
        if not what.startswith("expected"):
            return begun.problem("S-010", f"this is not YAML: the quote {mark_text} is not closed")
        related = (span.related("it was missed at"),) if line_index > opening.line else ()
        message = f"this is not YAML: the bracket {mark_text} is not closed, or a comma is missing in it"
        return begun.problem("S-010", message, related=related)
    if what.startswith("mapping values are not allowed"):
        if ": " in line[:column]:
            what, advice = "a colon followed by a space inside a text", "put the text into quotes"
        else:
            what, advice = "this key is indented too far, or the line before it has a value already", None
        return span.problem("S-010", f"this is not YAML: {what}", help_text=advice)
    return span.problem("S-010", f"this is not YAML: {_PLAIN_WORDS.get(what, what)}")


_PLAIN_WORDS = {
    "could not find expected ':'": "a key without its colon",
    "expected <block end>, but found '<block mapping start>'": "this line is indented too far",
    "expected <block end>, but found '<scalar>'": "nothing may follow here on the same line",
    "expected <block end>, but found '?'": "this key does not line up with the lines before it",
    "expected <block end>, but found '-'": "a list item where a key was expected",
    "expected <block end>, but found '<block sequence start>'": "this list is indented too far",
}


def _missing(nowhere: Span, path: Path, name: str) -> Problem:
    try:
        beside = sorted(each.name for each in path.parent.iterdir() if each.suffix in (".yaml", ".yml"))
    except OSError:
        beside = []
    near = nearest(path.name, beside)
    return nowhere.problem(
        "S-001",
        f"there is no file '{name}'",
        help_text=f"did you mean '{Path(name).parent / near}'?" if near else None,
    )
