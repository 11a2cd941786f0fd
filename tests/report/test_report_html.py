"""The page: complete, well-formed, escaped, and able to load nothing."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from report_samples import BLOCKS, CANARY, FINISHED, HOSTILE, STALLED

from consortium.report.html import page
from consortium.report.markup import tag

VOID = {"meta", "link"}


class Reader(HTMLParser):
    """Checks that elements close in order; keeps the text and all attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("view", [FINISHED, STALLED, HOSTILE], ids=["finished", "stalled", "hostile"])
def test_a_page_is_well_formed_and_loads_nothing(view):
    text = page(view)
    reader = read(text)
    assert not reader.tags & {"script", "img", "iframe", "object", "embed", "base", "form", "svg"}
    for element, name, value in reader.attributes:
        assert not name.startswith("on"), (element, name)
        assert name != "src"
        if name == "href":
            assert value == "data:," or (value or "").startswith("#")
    assert not re.search(r"url\(|@import|https?:|//[a-z]", text)
    assert "default-src &#x27;none&#x27;" in text


def test_everything_that_the_issue_asks_for_is_on_the_page():
    words = " ".join(read(page(FINISHED)).words)
    for expected in (
        "domestic_letter_of_credit",
        "20260302",
        FINISHED.run_digest,
        "operator (sees all)",
        "simulated",
        "Verdict: true",
        "consortium run scenarios/domestic_letter_of_credit.yaml --seed 20260302",
        "a drawing of 10,500,000.01 CNY is above the cap of 10,500,000.00 CNY",
        "refused: E_TOLERANCE (expected)",
        "MarginLocked",
        "1,658,600.00 CNY",
        "-10,341,400.00",
        "10 x 9 = 90",
        "value conservation",
        "$credit is CLOSED",
        "Presenting Bank",
    ):
        assert expected in words, expected
    for section in ("timeline", "balances", "blocks", "messages", "checkers", "expectations", "banks"):
        assert f'id="{section}"' in page(FINISHED)


def test_text_from_outside_stays_text():
    text = page(HOSTILE)
    assert CANARY not in text
    assert "&lt;script&gt;alert(&#x27;canary&#x27;)&lt;/script&gt;" in text
    assert "\x1b" not in text
    assert "secret" not in text


def test_a_stalled_run_says_so_above_everything_else():
    words = " ".join(read(page(STALLED)).words)
    assert "The run is stalled: what is shown is partial." in words
    assert "IB1: sequence 3 has 2 of 3 prepares, missing VB1, VB2" in words
    assert "waits for prepares of VB1, VB2 for sequence 3" in words
    assert "bad-signature" in words


def test_a_party_s_page_says_whose_it_is():
    words = " ".join(read(page(replace(FINISHED, viewpoint="C1"))).words)
    assert "sees all" not in words
    assert "made for C1" in words


def test_long_lists_are_folded_but_complete():
    blocks = tuple(replace(BLOCKS[0], height=height) for height in range(1, 201))
    text = page(replace(FINISHED, blocks=blocks))
    assert "140 more blocks" in text
    assert text.count('data-label="holds"') == 200


def test_markup_escapes_children_and_attributes():
    assert (
        tag("p", "<b>", tag("b", "&"), class_='"x"') == '<p class="&quot;x&quot;">&lt;b&gt;<b>&amp;</b></p>'
    )


def test_a_page_is_the_same_each_time():
    assert page(FINISHED) == page(FINISHED)


def test_only_a_failed_expectation_says_what_there_was_instead():
    assert "instead:" not in page(FINISHED)
    assert page(STALLED).count("instead: 12,000,000.00 CNY") == 1
