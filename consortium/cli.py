"""The command line: the only reader of arguments and environment, one thin function for each command.

Nothing heavy is imported before a command runs, so that help and completion answer at once; what commands do
is in `commands`. `main` returns the exit code of `commands.failures`, whatever happens.
"""

# ruff: noqa: PLC0415  commands import what they need when they run

import codecs
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import consortium
from consortium.commands.console import Console, replaced_marks
from consortium.commands.failures import InterruptedByUserError, guarded
from consortium.errors import EnvironmentFailedError, ExitCode, InputError

RUNS = Path("runs")


class Program(typer.core.TyperGroup):
    """All commands; an interruption leaves them as an error like any other."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise InterruptedByUserError from None


app = typer.Typer(
    name="consortium",
    cls=Program,
    help="Simulated banks agree by PBFT, execute trade-finance contracts and keep a ledger.",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class SignatureName(StrEnum):
    ED25519 = "ed25519"
    MAC = "mac"
    NONE = "none"


class JournalLevel(StrEnum):
    OFF = "off"
    HEADERS = "headers"
    FULL = "full"


class CheckFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


# Help texts stand here, beside the types; tests and docs/reference/commands.md read them from the program.
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Only what went wrong.")]
NoColorOption = Annotated[bool, typer.Option("--no-color", help="No colour; also with NO_COLOR set.")]
SeedOption = Annotated[int | None, typer.Option("--seed", help="Replaces the file's seed.", metavar="N")]
OutOption = Annotated[
    Path, typer.Option("--out", help="Where the folder of the run goes.", metavar="DIR", show_default=True)
]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run folder, its name, or 'last'.")]


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        _console(context).result(f"consortium {consortium.__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        _console(context).result(context.get_help())


@app.command()
def demo(
    context: typer.Context,
    seed: SeedOption = None,
    out: OutOption = RUNS,
    quiet: QuietOption = False,
    no_color: NoColorOption = False,
) -> int:
    """Run the bundled story, a domestic letter of credit, and show how to look at it."""
    from consortium.commands.run import RunRequest, run_scenario_file
    from consortium.resources import bundled_scenario

    console = _console(context, quiet=quiet, no_color=no_color)
    return run_scenario_file(console, RunRequest(file=bundled_scenario(), seed=seed, out=out, is_demo=True))


@app.command()
def run(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The scenario file.")],
    seed: SeedOption = None,
    nodes: Annotated[
        int | None,
        typer.Option("--nodes", help="How many banks validate.", metavar="N"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Changes a value of the file: consensus.f=1.", metavar="KEY=VALUE"),
    ] = None,
    out: OutOption = RUNS,
    viewpoint: Annotated[
        str, typer.Option("--as", help="Whose eyes the report is for.", metavar="PARTY")
    ] = "operator",
    signatures: Annotated[
        SignatureName, typer.Option(help="How messages are signed; the run digest is the same.")
    ] = SignatureName.ED25519,
    journal: Annotated[
        JournalLevel | None, typer.Option(help="How much is recorded; full if left out.", show_default=False)
    ] = None,
    no_share: Annotated[
        bool, typer.Option("--no-share", help="Every bank executes every batch by itself.")
    ] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    no_color: NoColorOption = False,
) -> int:
    """Run a scenario and keep the result in a folder of its own."""
    console = _console(context, json=json, quiet=quiet, no_color=no_color)
    from consortium.commands.run import RunRequest, run_scenario_file

    request = RunRequest(
        file=file,
        seed=seed,
        nodes=nodes,
        settings=tuple(_setting(each) for each in settings or ()),
        out=out,
        viewpoint=viewpoint,
        signatures=signatures.value,
        journal=journal.value if journal else None,
        share_execution=not no_share,
    )
    return run_scenario_file(console, request)


@app.command()
def check(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE...", help="Scenarios, and contracts (*.py).")
    ] = None,
    form: Annotated[
        CheckFormat, typer.Option("--format", help="How problems are written.")
    ] = CheckFormat.TEXT,
    explain: Annotated[
        str | None, typer.Option("--explain", help="Say what a code means.", metavar="CODE")
    ] = None,
    quiet: QuietOption = False,
) -> int:
    """Check scenarios and contracts without running them: all errors of all files at once."""
    console = _console(context, json=form is not CheckFormat.TEXT, quiet=quiet)
    if explain is not None:
        from consortium.commands.explain import explain as explanation

        console.result(explanation(explain))
        return ExitCode.OK
    from consortium.commands.check import check as check_files

    return check_files(console, files or [], form.value)


@app.command()
def audit(
    context: typer.Context,
    ledger: Annotated[
        str, typer.Argument(metavar="RUN|URL", help="A run, an SQLite file, or a database URL.")
    ],
    json: JsonOption = False,
    quiet: QuietOption = False,
    no_color: NoColorOption = False,
) -> int:
    """Verify a finished ledger from outside: chain, certificates, receipts, state."""
    console = _console(context, json=json, quiet=quiet, no_color=no_color)
    from consortium.commands.audit import audit as audit_ledger

    return audit_ledger(console, ledger)


@app.command()
def replay(
    context: typer.Context,
    run: RunArgument,
    json: JsonOption = False,
    quiet: QuietOption = False,
    no_color: NoColorOption = False,
) -> int:
    """Run again what a folder holds and report the first difference from its journal."""
    console = _console(context, json=json, quiet=quiet, no_color=no_color)
    from consortium.commands.replay import replay as replay_run

    return replay_run(console, run)


@app.command()
def schema(context: typer.Context) -> int:
    """Print the JSON Schema of scenario files, for editors."""
    from consortium.scenario.schema import json_schema

    _console(context).document(json_schema())
    return ExitCode.OK


@app.command()
def doctor(
    context: typer.Context,
    out: OutOption = RUNS,
    json: JsonOption = False,
    quiet: QuietOption = False,
    no_color: NoColorOption = False,
) -> int:
    """Say whether this machine is ready, and what to do if it is not."""
    from consortium.commands.doctor import doctor as examine

    return examine(_console(context, json=json, quiet=quiet, no_color=no_color), out)


@app.command()
def version(context: typer.Context, json: JsonOption = False) -> int:
    """Print the version."""
    console = _console(context, json=json)
    if json:
        python = ".".join(str(part) for part in sys.version_info[:3])
        console.document({"version": consortium.__version__, "python": python})
    else:
        console.result(f"consortium {consortium.__version__}")
    return ExitCode.OK


# --- the process ------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        _prepare_process()
    console = Console(
        out=sys.stdout,
        err=sys.stderr,
        program=_program(sys.argv[0]),
        colour="NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb",
    )
    return guarded(lambda: _invoke(given, console), console, given)


def _invoke(arguments: Sequence[str], console: Console) -> int:
    if not __debug__:
        raise EnvironmentFailedError("assertions are off (python -O); they guard the ledger: run without -O")
    # The module and the class of these errors differ between versions of typer; this is the public way there.
    usage_error: Any = typer.BadParameter.__base__
    command: Any = typer.main.get_command(app)
    try:
        result = command.main(
            args=list(arguments), prog_name="consortium", standalone_mode=False, obj=console
        )
    except usage_error as error:
        raise InputError(_usage_message(error)) from None
    except typer.Abort:
        raise InterruptedByUserError from None
    except SystemExit as stop:
        return int(stop.code or 0)
    return int(result or 0)


def _usage_message(error: Any) -> str:
    message = str(error.format_message()).rstrip(".")
    near = sorted(getattr(error, "possibilities", None) or ())
    if near:
        message = f"{error.message.rstrip('.')}; did you mean {' or '.join(near)}?"
    command = error.ctx.command_path if error.ctx is not None else "consortium"
    return f"{message}\n  help: {command} --help"


def _console(
    context: typer.Context, *, json: bool = False, quiet: bool = False, no_color: bool = False
) -> Console:
    """Return the process's console, set as this command was asked."""
    console = context.obj
    assert isinstance(console, Console)
    console.json = json
    console.quiet = quiet
    console.colour = console.colour and not no_color
    return console


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise InputError(f"--set needs KEY=VALUE, such as consensus.f=1, not '{text}'")
    return key.strip(), value


def _program(called: str) -> str:
    """Return how to call this program again, so that printed commands work as printed."""
    found = shutil.which("consortium")
    path = Path(called)
    if path.name not in ("consortium", "consortium.exe"):
        return "consortium"
    if found is not None and Path(found).exists() and path.exists() and Path(found).samefile(path):
        return "consortium"
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _prepare_process() -> None:
    """Make marks readable on any terminal; let SIGTERM end a run as Ctrl-C does, with its part kept."""
    codecs.register_error("marks", replaced_marks)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="marks")
    signal.signal(signal.SIGTERM, signal.default_int_handler)


if __name__ == "__main__":
    sys.exit(main())
