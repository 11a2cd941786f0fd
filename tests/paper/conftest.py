"""The paper's claims are tested on the small cluster of tests/consensus."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "consensus"))
