"""Protocol stories as transcripts; see consensus_story for the form."""

from pathlib import Path

import pytest
from consensus_story import play

STORIES = sorted((Path(__file__).parent.parent / "transcripts" / "consensus").glob("*.txt"))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_story_goes_as_written(path, rewrite):
    text = path.read_text(encoding="utf-8")
    told = play(text)
    if rewrite:
        path.write_text(told, encoding="utf-8")
    else:
        assert told == text


def test_there_are_stories():
    assert len(STORIES) >= 8
