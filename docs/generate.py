"""Writes docs/reference, and the marked parts of the README, from the code that runs.

python docs/generate.py            write the pages
python docs/generate.py --check    exit 1 if a page is not what the code says now
"""

import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import EnumType
from pathlib import Path
from typing import Any, get_args

import typer

import consortium.contract as authoring
from consortium.cli import app
from consortium.commands.explain import ENGINE_CODES, TRADE_CODES, title_of
from consortium.commands.failures import EXIT_CODES
from consortium.report.text import run_text
from consortium.resources import bundled_scenario
from consortium.scenario.codes import CODES
from consortium.scenario.load import load
from consortium.scenario.run import run_scenario
from consortium.scenario.schema import json_schema
from consortium.vm import gas, language

REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / "docs" / "reference"
README = REPOSITORY / "README.md"
NOTICE = "<!-- Written by docs/generate.py from the code. Change the code, then run `make docs`. -->"

# Sections of the contract language whose words are plain names.
TYPE_NOTES = {
    "Money": "an exact amount in one currency",
    "Rate": "an exact fraction, such as 2.60 %",
    "Day": "a day of the calendar",
    "Text": "text; `Text[32]` bounds its length",
    "Hash": "32 bytes",
    "Id": "the key of a record; `Id[Drawing]` says of which",
}


def commands_page() -> str:
    sections = []
    for each in app.registered_commands:
        command = each.callback
        assert command is not None
        parameters = [_Parameter.of(*item) for item in inspect.signature(command).parameters.items()]
        described = [parameter for parameter in parameters if parameter is not None]
        usage = " ".join(
            [f"consortium {command.__name__}", *(one.name for one in described if not one.is_option)]
        )
        sections.append(f"## `{usage}`\n\n{inspect.getdoc(command)}")
        rows = [(_code(one.name), one.help, one.default and _code(one.default)) for one in described]
        if rows:
            sections.append(_table(("option", "meaning", "default"), rows))
    codes = [(str(int(code)), meaning) for code, meaning in EXIT_CODES.items()]
    sections.append("## Exit codes\n\n" + _table(("code", "meaning"), codes))
    return _page("Commands", "Every command also answers `--help`.", sections)


def schema_page() -> str:
    schema = json_schema()
    names = {name: _section_title(name) for name in schema["$defs"]}
    sections = [_schema_section("The file", schema, names)]
    sections += [
        _schema_section(names[name], definition, names)
        for name, definition in sorted(schema["$defs"].items())
        if definition.get("properties")
    ]
    lead = (
        "A scenario is one YAML file. Unknown and repeated keys are errors. `consortium schema` prints this "
        "as JSON Schema, for editors."
    )
    return _page("Scenario files", lead, sections)


def codes_page() -> str:
    sections = [
        "## Scenarios\n\n"
        + _table(("code", "title", "meaning"), [(_code(k), v.title, v.text) for k, v in CODES.items()]),
        "## Contract language\n\n"
        + _table(
            ("code", "reason", "instead"),
            [(_code(k), title_of(k), rule.advice.replace("{}", "...").strip()) for k, rule in _rules()],
        ),
        "## Refusals by the engine\n\n"
        + _table(("code", "meaning"), [(_code(k), text) for k, text in ENGINE_CODES.items()]),
        "## Refusals by contracts\n\n"
        + _table(("code", "meaning"), [(_code(k), text) for k, text in TRADE_CODES.items()]),
        "## Exit codes\n\n"
        + _table(("code", "meaning"), [(str(int(k)), text) for k, text in EXIT_CODES.items()]),
    ]
    lead = (
        "`S-nnn` are mistakes in scenarios, `E-LANG-nnn` in contracts; `E-WORD` and `E_WORD` stand in "
        "receipts of refused transactions. `consortium check --explain CODE` prints one of them."
    )
    return _page("Codes", lead, sections)


def language_page() -> str:
    sections = [
        "## Types\n\n"
        + _table(("type", "meaning"), [_type_row(name) for name in sorted(language.TYPE_WORDS)]),
        "## Declarations\n\n" + _table(("word", "meaning"), _words(language.DECLARING_WORDS)),
        "## Functions\n\n" + _table(("call", "meaning"), _words(language.WORDS)),
        "## Functions of Python\n\n"
        + _table(
            ("function", "arguments"), [(_code(k), _bounds(v)) for k, v in sorted(language.BUILTINS.items())]
        ),
        "## Methods\n\n"
        + _table(
            ("method", "arguments", "fields by name"),
            [
                (_code(k), _bounds(v), "yes" if k in language.FIELD_METHODS else "")
                for k, v in sorted(language.METHODS.items())
            ],
        ),
        f"## Operators\n\n{_listed(language.OPERATORS)} and the comparisons, `and`, `or`, `not`, `in`.",
        f"## Constants\n\n{_listed(language.CONSTANT_WORDS)}",
        "## Limits\n\n" + _table(("limit", "value"), _limits(language)),
        "## Gas\n\n" + _table(("what", "gas"), _limits(gas)),
        "## What is refused, and what to write instead\n\n"
        + _table(
            ("rule", "reason", "instead"),
            [(_code(k), title_of(k), rule.advice.replace("{}", "...").strip()) for k, rule in _rules()],
        ),
    ]
    lead = (
        f"Contracts are a checked part of Python (language version {language.LANGUAGE_VERSION}, gas schedule "
        f"{gas.GAS_SCHEDULE_VERSION}). What is not listed here does not exist for a contract. "
        "`consortium check FILE.py` applies it."
    )
    return _page("Contract language", lead, sections)


def readme_page() -> str:
    """The README as it is, with its marked parts written again."""
    text = README.read_text(encoding="utf-8")
    codes = [(str(int(code)), meaning) for code, meaning in EXIT_CODES.items()]
    for name, part in (("run", _demo()), ("exit codes", _table(("exit code", "meaning"), codes))):
        before, begin, rest = text.partition(f"<!-- begin {name} -->\n")
        _, end, after = rest.partition(f"<!-- end {name} -->")
        assert begin, f"the README has a place for {name}"
        assert end, f"the README has an end of {name}"
        text = f"{before}{begin}{part}\n{end}{after}"
    return text


PAGES: dict[Path, Callable[[], str]] = {
    FOLDER / "commands.md": commands_page,
    FOLDER / "scenario-schema.md": schema_page,
    FOLDER / "error-codes.md": codes_page,
    FOLDER / "contract-language.md": language_page,
    README: readme_page,
}


def stale_pages() -> list[str]:
    """Return the pages that are not what the code says now."""
    return [
        path.relative_to(REPOSITORY).as_posix()
        for path, made in PAGES.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != made()
    ]


def main(arguments: Sequence[str]) -> int:
    if list(arguments) == ["--check"]:
        stale = stale_pages()
        for name in stale:
            sys.stderr.write(f"{name} is stale: run make docs\n")
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for path, made in PAGES.items():
        path.write_text(made(), encoding="utf-8")
    return 0


# --- the run in the README ----------------------------------------------------------------------------------


def _demo() -> str:
    file = bundled_scenario()
    run = run_scenario(load(file))
    return f"```\n$ consortium run {file.relative_to(REPOSITORY).as_posix()}\n{run_text(run.view)}\n```"


# --- commands -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Parameter:
    """An option or argument as the command line declares it, independent of the version of typer."""

    name: str
    help: str
    default: str
    is_option: bool

    @classmethod
    def of(cls, name: str, parameter: inspect.Parameter) -> "_Parameter | None":
        if not hasattr(parameter.annotation, "__metadata__"):
            return None
        (declared,) = parameter.annotation.__metadata__
        (kind, *_) = get_args(parameter.annotation)
        is_option = isinstance(declared, typer.models.OptionInfo)
        # In an Annotated type the first name stands where a default would.
        given = (declared.default, *(declared.param_decls or ()))
        names = [each for each in given if isinstance(each, str)] or [f"--{name}" if is_option else name]
        shown = ", ".join(names)
        metavar = declared.metavar or _choices(kind)
        if metavar:
            shown = f"{shown} {metavar}" if is_option else metavar
        return cls(shown, declared.help or "", _default(parameter.default), is_option)


def _choices(kind: Any) -> str:
    """The values of an enumeration, or of one that may be left out."""
    for each in (kind, *get_args(kind)):
        if isinstance(each, EnumType):
            members: dict[str, Any] = dict(each.__members__)
            return "|".join(str(member.value) for member in members.values())
    return ""


def _default(value: Any) -> str:
    return "" if value in (None, False) or value is inspect.Parameter.empty else str(value)


# --- schema -------------------------------------------------------------------------------------------------


def _section_title(name: str) -> str:
    return name.removesuffix("Section").removesuffix("Fault") or name


def _schema_section(title: str, schema: dict[str, Any], names: dict[str, str]) -> str:
    required = schema.get("required", [])
    rows = [
        (
            _code(key),
            _kind(value, names),
            "yes" if key in required else "",
            _code(_written(value["default"])) if value.get("default") not in (None, {}, [], "") else "",
            value.get("description", "") or _inner(value).get("description", ""),
        )
        for key, value in schema["properties"].items()
    ]
    table = _table(("key", "value", "needed", "default", "meaning"), rows)
    return f"## {title}\n\n{schema.get('description', '')}\n\n{table}"


def _inner(schema: dict[str, Any]) -> dict[str, Any]:
    """What stands under a key, without the possibility to leave it out."""
    kinds = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    return kinds[0] if len(kinds) == 1 else schema


def _kind(schema: dict[str, Any], names: dict[str, str]) -> str:
    schema = _inner(schema)
    if "$ref" in schema:
        title = names[schema["$ref"].rpartition("/")[2]]
        return f"[{title}](#{title.lower()})"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            kinds = (_kind(each, names) for each in schema[several] if each.get("type") != "null")
            return " or ".join(dict.fromkeys(kinds))
    if "const" in schema:
        return _code(_written(schema["const"]))
    if "enum" in schema:
        return " ".join(_code(str(each)) for each in schema["enum"])
    if schema.get("examples"):
        return f"such as {_code(str(schema['examples'][0]))}"
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}), names)}"
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return f"map to {_kind(inner, names)}" if isinstance(inner, dict) and inner else "map"
    return {"integer": "whole number", "boolean": "true or false", "string": "text"}.get(
        schema.get("type", ""), "any value"
    )


def _written(value: Any) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


# --- language -----------------------------------------------------------------------------------------------


def _rules() -> Iterable[tuple[str, language.Rule]]:
    return language.RULES.items()


def _type_row(name: str) -> tuple[str, str]:
    kinds = language.PARTY_KINDS.get(name)
    if kinds is None:
        return _code(name), TYPE_NOTES.get(name, "")
    return _code(name), f"an organisation: {kinds[0].replace('_', ' ')}" if kinds else "any organisation"


def _words(names: Iterable[str]) -> list[tuple[str, str]]:
    rows = []
    for name in sorted(names):
        word = getattr(authoring, name, None)
        lines = (inspect.getdoc(word) or "").split("\n\n")[0].split("\n") if callable(word) else [""]
        rows.append((_code(name), " ".join(line.strip() for line in lines)))
    return rows


def _bounds(bounds: tuple[int, int]) -> str:
    least, most = bounds
    return str(least) if least == most else f"{least} to {most}"


def _limits(module: Any) -> list[tuple[str, str]]:
    return [
        (_code(name), f"{value:,}")
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, int) and not name.endswith("VERSION")
    ]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(_code(name) for name in sorted(names))


# --- pages --------------------------------------------------------------------------------------------------


def _page(title: str, lead: str, sections: Sequence[str]) -> str:
    return "\n\n".join([f"# {title}", NOTICE, lead, *sections]) + "\n"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
        for line in lines
    )


def _code(text: str) -> str:
    return f"`{text}`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
