"""The tests audit nearly the same ledger thousands of times: its contract is compiled once."""

from functools import cache

import pytest

from consortium.ledger.audit import audit


@pytest.fixture(autouse=True, scope="session")
def _compiled_once():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "load_contract", cache(audit.load_contract))
        yield
