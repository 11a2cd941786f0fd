"""Contracts found as source files, seen through the contract engine.

A scenario finds contracts in `contracts/` beside itself or one level up, then those of the package. What the
engine's checker refuses is not deployed by any bank, so it cannot be called by any step either.
"""

from collections.abc import Iterable
from pathlib import Path

import consortium
from consortium.scenario.signatures import ContractSignature, ContractUnusableError

CONTRACT_BYTES_MAX = 1024 * 1024


class SourceCatalog:
    """The contract files that one scenario can see."""

    def __init__(self, scenario_path: Path | None) -> None:
        directory = scenario_path.parent if scenario_path is not None else Path()
        self.directories = (directory / "contracts", directory.parent / "contracts", package_contracts())

    def names(self) -> Iterable[str]:
        found = {path.stem for each in self.directories if each.is_dir() for path in each.glob("*.py")}
        return sorted(name for name in found if not name.startswith("_"))

    def contract(self, name: str, version: int | None, file: Path | None) -> ContractSignature | None:
        path = file if file is not None else self._path(name)
        if path is None:
            return None
        raise ContractUnusableError(str(version))

    def _path(self, name: str) -> Path | None:
        candidates = (directory / f"{name}.py" for directory in self.directories)
        return next((path for path in candidates if path.is_file()), None)


def package_contracts() -> Path:
    """Return where the contracts of the package are: inside a wheel, or beside the package in a checkout."""
    package = Path(consortium.__file__).parent
    bundled = package / "bundled" / "contracts"
    return bundled if bundled.is_dir() else package.parent / "contracts"
