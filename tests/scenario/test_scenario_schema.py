"""The JSON Schema that editors use agrees with the loader."""

import json
import re
from pathlib import Path

import pytest
from fake_catalog import GOOD

from consortium.scenario.nodes import plain
from consortium.scenario.problems import Problems
from consortium.scenario.schema import json_schema
from consortium.scenario.source import parse, source_of

ROOT = Path(__file__).parents[2]
GOOD_FILES = [*sorted((ROOT / "scenarios").glob("*.yaml"))]


def faults_of(schema, value, root, path="$"):
    """Validate the part of JSON Schema that our schema uses; yields what does not hold."""
    if "$ref" in schema:
        yield from faults_of(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], value, root, path)
        return
    known = {
        "type", "properties", "required", "additionalProperties", "items", "anyOf", "oneOf", "const", "enum", "pattern",
        "minimum", "maximum", "minItems", "maxItems", "maxLength", "title", "description", "default", "examples",
        "$defs", "$schema",
    }  # fmt: skip
    assert set(schema) <= known, f"the test does not know {set(schema) - known}"
    for word in ("anyOf", "oneOf"):
        if word in schema:
            fitting = [each for each in schema[word] if not list(faults_of(each, value, root, path))]
            if not fitting or (word == "oneOf" and len(fitting) > 1):
                yield f"{path}: {len(fitting)} of {word} fit {value!r}"
    types = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "boolean": bool,
        "null": type(None),
    }
    expected = schema.get("type")
    if expected and type(value) is not types[expected]:
        yield f"{path}: {value!r} is not {expected}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{path}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is not one of {schema['enum']}"
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{path}: {value!r} does not match {schema['pattern']}"
        if len(value) > schema.get("maxLength", len(value)):
            yield f"{path}: too long"
    if type(value) is int and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{path}: {value} is out of range"
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{path}: {len(value)} items"
        for index, item in enumerate(value):
            yield from faults_of(schema.get("items", {}), item, root, f"{path}[{index}]")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        yield from (f"{path}: {key} is missing" for key in schema.get("required", ()) if key not in value)
        for key, item in value.items():
            rest = schema.get("additionalProperties", True)
            if key in properties:
                yield from faults_of(properties[key], item, root, f"{path}.{key}")
            elif rest is False:
                yield f"{path}: unknown {key}"
            elif isinstance(rest, dict):
                yield from faults_of(rest, item, root, f"{path}.{key}")


def data_of(text):
    return plain(parse(source_of(text.encode(), "x.yaml"), Problems()))


@pytest.mark.parametrize("path", GOOD_FILES, ids=lambda path: path.name)
def test_the_schema_accepts_the_shipped_scenarios(path):
    schema = json_schema()
    assert list(faults_of(schema, data_of(path.read_text(encoding="utf-8")), schema)) == []


def test_the_schema_accepts_a_file_with_every_section():
    schema = json_schema()
    data = data_of(GOOD)
    assert set(schema["properties"]) - set(data) <= {"title", "extends"}
    assert list(faults_of(schema, data, schema)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: small", "nmae: small"),
        ("seed: 7", "seed: seven"),
        ("seed: 7", "seed: -1"),
        ("12_000_000.00 CNY", "12_000_000.00"),
        ("roles: [issuer]", "roles: [isuer]"),
        ("preset: metro", "preset: metropolis"),
        ("loss: 0.1 %", "loss: 0.001"),
        ("for: 90 s", "for: 90"),
        ("at: +1bd 10:00, crash", "at: +1 bd, crash"),
        ("crash: vb2", "crsh: vb2"),
        ("expect: {refused: E_DATE}", "expect: refused"),
        ("balance: {between: [1.00 CNY, 2.00 CNY]}", "balance: {between: [1.00 CNY]}"),
        ("margin: 0.00 CNY", "margn: 0.00 CNY"),
        ("consortium: 1", "consortium: 2"),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(old, new):
    assert old in GOOD
    schema = json_schema()
    assert list(faults_of(schema, data_of(GOOD.replace(old, new)), schema))


def test_defaults_are_in_the_notation_of_the_file():
    schema = json_schema()
    assert schema["$defs"]["BankSection"]["properties"]["own"]["default"] == "1_000_000_000.00 CNY"
    assert schema["$defs"]["ConsensusSection"]["properties"]["view_timeout"]["default"] == "400 ms"
    assert schema["$schema"].startswith("https://json-schema.org/")
    json.dumps(schema)


def test_the_schema_beside_the_scenarios_is_up_to_date():
    shipped = ROOT / "scenarios" / "consortium.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == json_schema()
