"""The reference pages are what the code says now."""

import runpy

from cli_program import REPOSITORY


def test_no_reference_page_is_stale():
    generate = runpy.run_path(str(REPOSITORY / "docs" / "generate.py"))
    assert generate["stale_pages"]() == [], "run make docs"


def test_every_page_is_told_apart_from_hand_written_ones():
    for page in (REPOSITORY / "docs" / "reference").glob("*.md"):
        assert "Written by docs/generate.py" in page.read_text(encoding="utf-8")
