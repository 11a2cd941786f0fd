"""Where the bundled contracts and scenarios are: in an installed wheel, or beside it in a checkout."""

from pathlib import Path

import consortium
from consortium.errors import EnvironmentFailedError

DEMO_SCENARIO = "domestic_letter_of_credit"


def contracts_folder() -> Path:
    """Return the folder of the contracts that travel with the package."""
    return _folder("contracts")


def scenarios_folder() -> Path:
    """Return the folder of the scenarios that travel with the package."""
    return _folder("scenarios")


def bundled_scenario(name: str = DEMO_SCENARIO) -> Path:
    """Return a scenario that travels with the package. Raises EnvironmentFailedError if it is not there."""
    path = scenarios_folder() / f"{name}.yaml"
    if not path.is_file():
        raise EnvironmentFailedError(f"the bundled scenario '{name}' is missing; install consortium again")
    return path


def _folder(name: str) -> Path:
    package = Path(consortium.__file__).parent
    bundled = package / "bundled" / name
    return bundled if bundled.is_dir() else package.parent / name
