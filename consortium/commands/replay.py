"""`consortium replay`: run a kept run again; its journal must come out byte for byte."""

import json
from typing import Any

from consortium.commands.console import Console
from consortium.errors import ExitCode, InputError
from consortium.scenario import folder as run_folder

SCHEMA = 1


def replay(console: Console, name: str) -> int:
    """Replay a run; exit 3 at the first difference."""
    folder = run_folder.find_run(name)
    recorded = _summary(folder / run_folder.SUMMARY)
    if recorded.get("options", {}).get("journal") == "off":
        raise InputError(f"{folder} was run with --journal off: there is nothing to compare with")
    run, difference = run_folder.replay(folder)
    digest = run.view.run_digest
    if difference is None and recorded.get("run_digest") != digest:
        message = (
            f"the journals are equal, but the summary names another run digest: {recorded['run_digest']}"
        )
    else:
        message = str(difference) if difference is not None else ""
    code = ExitCode.SAFETY_VIOLATED if message else ExitCode.OK
    if console.json:
        console.document(
            {
                "schema": SCHEMA,
                "run": str(folder),
                "equal": not message,
                "run_digest": digest,
                "line": None if difference is None else difference.line,
                "recorded": None if difference is None else difference.recorded,
                "repeated": None if difference is None else difference.repeated,
                "exit_code": int(code),
            }
        )
    elif message:
        console.error(f"the run could not be repeated: {folder}\n{message}")
    else:
        verdict = console.paint.verdict("true", "✓ equal byte for byte")
        console.say(f"{folder}: {verdict}   run digest {digest}")
    return code


def _summary(path: Any) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise InputError(f"{path} is not the summary of a run")
    return value
