"""Golden files of this folder. SNAPSHOT_UPDATE=1 rewrites them; commit a difference only if you can explain it."""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "snapshots"


def same_as_snapshot(name: str, text: str) -> None:
    path = FOLDER / name
    if os.environ.get("SNAPSHOT_UPDATE"):
        path.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == path.read_text(encoding="utf-8")
