"""HTML that is escaped by construction: text becomes part of a page only through `tag`, which escapes it."""

from collections.abc import Iterable
from html import escape

from consortium.report.words import shown

_EMPTY = frozenset({"link", "meta"})


class Html(str):
    """Markup made by `tag` or `raw`; any other text is escaped where it is used."""

    __slots__ = ()


Content = str | Html | Iterable["Content"] | None


def tag(name: str, /, *children: Content, **attributes: str | bool | None) -> Html:
    """Return an element. `class_` stands for class, `data_label` for data-label; None is dropped."""
    written = "".join(
        f" {_attribute(key)}" if value is True else f' {_attribute(key)}="{escape(shown(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _EMPTY:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{joined(children)}</{name}>")


def joined(content: Content) -> Html:
    """Return content as markup, everything that is not markup yet escaped."""
    if content is None:
        return Html("")
    if isinstance(content, Html):
        return content
    if isinstance(content, str):
        return Html(escape(shown(content)))
    return Html("".join(joined(each) for each in content))


def raw(text: str) -> Html:
    """Take our own text as markup: the doctype and the style sheet, never anything that came from outside."""
    return Html(text)


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
