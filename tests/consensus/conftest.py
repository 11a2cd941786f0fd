"""`pytest tests/consensus --rewrite` writes what really happened into the story files; read the diff."""

import pytest


def pytest_addoption(parser):
    parser.addoption("--rewrite", action="store_true", help="rewrite transcripts with what happened")


@pytest.fixture
def rewrite(request) -> bool:
    return bool(request.config.getoption("--rewrite", default=False))
