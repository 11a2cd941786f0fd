"""The node tree of a whole file, addressed by paths of keys and indexes."""

from dataclasses import dataclass

from consortium.scenario.model import Place
from consortium.scenario.nodes import Mapping, Node, Sequence, Span

Path = tuple[str | int, ...]


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


def place_of(span: Span) -> Place:
    """Return a span as the place that reports show."""
    return Place(span.source.name, span.line, span.column)


def _child(node: Node | None, part: str | int) -> Node | None:
    if isinstance(node, Mapping) and str(part) in node.entries:
        return node.entries[str(part)].value
    if isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
        return node.items[part]
    return None
