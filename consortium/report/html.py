"""The page of a run: one file that needs no network, no script and no other file.

Rendered from the view models alone. This module lays out the page and its head; what stands under each
heading is in `sections`. A content security policy in the page itself forbids it to load anything.
"""

from importlib.resources import files

from consortium.report import sections
from consortium.report.markup import Content, Html, joined, raw, tag
from consortium.report.words import duration, place_shown, reproducing_command, short, viewpoint
from consortium.timeline.views import OPERATOR, RunView

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
VERDICT_WORDS = {
    "true": "all as it should be",
    "unknown": "not everything could be decided",
    "false": "something is wrong",
}


def page(view: RunView, command: str | None = None) -> str:
    """Return the whole page. `command` reproduces the run, if more is needed than its file and seed."""
    shown_sections = [section for section in sections.SECTIONS if section.is_shown(view)]
    body = (
        _top(view, command or reproducing_command(view)),
        tag(
            "nav",
            tag(
                "ul",
                (tag("li", _link(section, view)) for section in shown_sections),
            ),
            aria_label="Sections",
        ),
        tag("main", (section.element(view) for section in shown_sections)),
        _footer(view),
    )
    head = (
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="referrer", content="no-referrer"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"{view.name} · seed {view.seed} · consortium"),
        tag("style", raw(_style_sheet())),
    )
    return raw("<!doctype html>\n") + tag("html", tag("head", head), tag("body", body), lang="en") + "\n"


def _style_sheet() -> str:
    return (files("consortium.report") / "page.css").read_text(encoding="utf-8")


def _link(section: sections.Section, view: RunView) -> Html:
    count = section.count(view)
    return tag("a", section.title, tag("b", count) if count else None, href=f"#{section.anchor}")


def _top(view: RunView, command: str) -> Html:
    verdict = tag(
        "div",
        f"Verdict: {view.verdict}",
        tag("small", VERDICT_WORDS.get(view.verdict, "")),
        tag("small", f"{view.outcome}, exit {view.exit_code}"),
        class_=f"verdict {view.verdict}",
    )
    return tag(
        "header",
        tag("p", "consortium run report", class_="overline"),
        tag(
            "div",
            tag("div", tag("h1", view.name), tag("p", view.title, class_="subtitle") if view.title else None),
            verdict,
            class_="title",
        ),
        tag("dl", _facts(view), class_="facts"),
        tag("p", command, class_="command"),
        _troubles(view),
        class_="top",
    )


def _facts(view: RunView) -> Content:
    met = sum(1 for each in view.expectations if each.is_met)
    honest = sum(1 for each in view.checkers if each.verdict == "true")
    group = f"{len(view.nodes)} banks, f = {view.f}, quorum {view.quorum}"
    return (
        _fact("Seed", str(view.seed)),
        _fact("Viewpoint", viewpoint(view)),
        _fact("Clock", f"{view.clock}, {duration(view.duration_us)}"),
        _fact("Consensus", group),
        _fact("Run digest", tag("code", view.run_digest), wide=True),
        _fact("Expectations", f"{met} of {len(view.expectations)} met"),
        _fact("Checkers", f"{honest} of {len(view.checkers)} true"),
        _fact("Scenario", place_shown(view.file), wide=True),
        _fact("Scenario digest", tag("code", short(view.scenario_digest), title=view.scenario_digest)),
        _fact("Signatures", f"{view.signatures}, version {view.version}"),
    )


def _fact(name: str, value: Content, *, wide: bool = False) -> Html:
    return tag("div", tag("dt", name), tag("dd", value), class_="wide" if wide else None)


def _troubles(view: RunView) -> Html:
    """What a reader must not miss: why the run did not end, and warnings about its file."""
    stopped = tag(
        "div",
        tag("b", f"The run is {view.outcome}: what is shown is partial."),
        tag("ul", (tag("li", reason) for reason in view.outcome_reason)) if view.outcome_reason else None,
        class_="note bad",
    )
    warned = tag(
        "div",
        tag("b", "Warnings about the scenario"),
        tag("ul", (tag("li", warning) for warning in view.warnings)),
        class_="note warn",
    )
    return joined(
        (stopped if view.outcome != "finished" else None, warned if view.warnings else None),
    )


def _footer(view: RunView) -> Html:
    seen = (
        "This page is made for the operator, who sees all."
        if view.viewpoint == OPERATOR
        else f"This page is made for {view.viewpoint}: what it may not see is not in the file."
    )
    return tag(
        "footer",
        tag("p", f"{seen} Every validator bank can read what it executes."),
        tag(
            "p",
            f"Made by consortium {view.version} from the run's record. It loads nothing.",
        ),
    )
