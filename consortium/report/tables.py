"""Tables and long lists of the page: they become cards on a phone, and are folded after `ROWS_SHOWN` rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consortium.report.markup import Content, Html, joined, tag

ROWS_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column, which stands before each value where tables become cards, and its kind."""

    head: str
    kind: str | None = None


def table(columns: Sequence[Column], rows: Sequence[Sequence[Content]], plural: str) -> Html:
    head = tag("thead", tag("tr", (tag("th", each.head, class_=each.kind, scope="col") for each in columns)))
    body = [
        tag(
            "tr",
            (
                tag("td", cell, class_=column.kind, data_label=column.head)
                for column, cell in zip(columns, row, strict=True)
            ),
        )
        for row in rows
    ]
    return folded(body, plural, lambda some: tag("table", head, tag("tbody", some)))


def folded(rows: Sequence[Html], plural: str, drawn: Callable[[Sequence[Html]], Html]) -> Html:
    """Draw the first rows, and the rest behind a line to open."""
    if len(rows) <= ROWS_SHOWN:
        return drawn(rows)
    rest = rows[ROWS_SHOWN:]
    hidden = tag("details", tag("summary", f"{len(rest):,} more {plural}"), drawn(rest), class_="more")
    return joined((drawn(rows[:ROWS_SHOWN]), hidden))
