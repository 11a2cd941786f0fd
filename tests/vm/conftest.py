"""The tests of the engine share the little ledger of the language tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "contract_language"))
