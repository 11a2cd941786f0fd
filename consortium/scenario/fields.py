"""The words a scenario file is made of, as types: amounts, times, names, references.

Each type reads its notation exactly (`notation`), says its own error, and describes itself to editors
(JSON Schema).
"""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from consortium.money import Money, Rate
from consortium.scenario import notation
from consortium.scenario.notation import DayRange, Moment, NotationError
from consortium.scenario.problems import shown

_ORGANISATION_ID = r"[A-Za-z][A-Za-z0-9_-]{0,31}"
_SCENARIO_NAME = r"[a-z0-9][a-z0-9_-]{0,63}"
_WORD = r"[A-Za-z][A-Za-z0-9_-]{0,63}"
_ACTION = r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*"
_CONTRACT = r"[a-z][a-z0-9_]{0,63}"
_CODE = r"E[_-][A-Z0-9][A-Z0-9_-]*"
_PATTERN = r"[a-z][a-z0-9_]*\.(?:\*|[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)"
_KEY = r"[0-9a-f]{64}"
_MARKET = r"[A-Z]{2,8}"
_ZONE = r"UTC|[+-](?:0[0-9]|1[0-4]):[0-5][0-9]|[A-Z][A-Za-z_]+(?:/[A-Za-z_+-]+){1,2}"
_ACCOUNT = rf"{_ORGANISATION_ID}(?:\.[a-z_]+)?"
_REFERENCE = r"\$[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_]+)*"


def _read_by(read: Callable[[Any], Any]) -> PlainValidator:
    def validate(value: Any) -> Any:
        try:
            return read(value)
        except NotationError as error:
            raise PydanticCustomError(
                "scenario", "{message}", {"code": error.code, "message": error.message, "help": error.help}
            ) from None

    return PlainValidator(validate)


def _text(pattern: str, code: str, what: str, rule: str) -> PlainValidator:
    def read(value: Any) -> str:
        if not isinstance(value, str):
            found = "nothing" if value is None else f"'{shown(str(value).lower())}', which is not text here"
            raise NotationError(
                code, f"expected {what}, found {found}", rule + "; put it into quotes if need be"
            )
        if re.fullmatch(pattern, value) is None:
            raise NotationError(code, f"'{shown(value)}' is not {what}", rule)
        return value

    return _read_by(read)


def _written(pattern: str, example: str, description: str) -> WithJsonSchema:
    return WithJsonSchema(
        {"type": "string", "pattern": f"^(?:{pattern})$", "examples": [example], "description": description}
    )


Amount = Annotated[
    Money,
    _read_by(notation.read_amount),
    _written(
        r"-?[0-9][0-9_,]*(?:\.[0-9]{1,2})? ?[A-Z]{3}",
        "10_000_000.00 CNY",
        "an exact amount with its currency",
    ),
]
Probability = Annotated[
    int,
    _read_by(notation.read_probability_ppm),
    _written(r"[0-9]{1,3}(?:\.[0-9]{1,4})? ?%", "0.1 %", "a share from 0 % to 100 %"),
]
Percent = Annotated[
    Rate, _read_by(notation.read_rate), _written(r"[0-9]+(?:\.[0-9]{1,9})? ?%", "30 %", "an exact percentage")
]
Duration = Annotated[
    int,
    _read_by(notation.read_duration_us),
    _written(r"[0-9][0-9_]*(?:\.[0-9]+)? ?(?:us|ms|s|min|h)", "90 s", "network time with its unit"),
]
DayOrRange = Annotated[
    DayRange,
    _read_by(notation.read_day_range),
    _written(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:\.\.[0-9]{4}-[0-9]{2}-[0-9]{2})?",
        "2026-05-01..2026-05-05",
        "a day, or all days from one to another",
    ),
]
BusinessMoment = Annotated[
    Moment,
    _read_by(notation.read_moment),
    _written(
        r"\+[0-9]+(?:bd|d)(?: +[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?"
        r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:(?: +|T)[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?|end",
        "+8bd 14:00",
        "business time: banking days (bd) or calendar days (d) from the start, or a date, with a time of day",
    ),
]
ClockTime = Annotated[
    int,
    _read_by(notation.read_clock_us),
    _written(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?", "17:00", "a time of day"),
]
Speed = Annotated[
    int,
    _read_by(notation.read_speed),
    _written(r"[0-9][0-9_]*(?:\.[0-9]+)? ?[kMG]?bit/s|unlimited", "100 Mbit/s", "bits per second"),
]
PerSecond = Annotated[
    Fraction,
    _read_by(notation.read_per_second),
    _written(r"[0-9]+(?:\.[0-9]+)? ?/ ?s", "200/s", "a number per second"),
]
OrganisationId = Annotated[
    str,
    _text(_ORGANISATION_ID, "S-108", "a party id", "a letter, then at most 31 letters, digits, _ or -"),
    _written(_ORGANISATION_ID, "ib1", "the id of a party"),
]
PartyReference = Annotated[
    str,
    _text(_ORGANISATION_ID, "S-108", "a party id", "name one of the parties of this file"),
    _written(_ORGANISATION_ID, "ib1", "a party of this file"),
]
ScenarioName = Annotated[
    str,
    _text(_SCENARIO_NAME, "S-108", "a scenario name", "small letters, digits, - and _, at most 64"),
    _written(_SCENARIO_NAME, "steel-lc", "names the run folder"),
]
Word = Annotated[
    str,
    _text(_WORD, "S-108", "a name", "a letter, then letters, digits, _ or -"),
    _written(_WORD, "lc", "a name of your own"),
]
ContractName = Annotated[
    str,
    _text(_CONTRACT, "S-108", "a contract name", "the file name of a contract, without .py"),
    _written(_CONTRACT, "letter_of_credit", "a contract"),
]
ActionName = Annotated[
    str,
    _text(_ACTION, "S-108", "an action", "write contract.action, such as letter_of_credit.issue"),
    _written(_ACTION, "letter_of_credit.issue", "contract file and action"),
]
RefusalCode = Annotated[
    str,
    _text(_CODE, "S-108", "a refusal code", "codes look like E_DATE (contracts) or E-KEY (engine)"),
    _written(_CODE, "E_DATE", "the code of the refusal"),
]
RecordPattern = Annotated[
    str,
    _text(
        _PATTERN,
        "S-108",
        "a pattern of records",
        "write contract.*, contract.collection or contract.collection.field",
    ),
    _written(_PATTERN, "letter_of_credit.*", "which records"),
]
KeySeed = Annotated[
    str,
    _text(
        _KEY, "S-116", "a key", "a key is 64 hexadecimal digits (32 bytes), in small letters and in quotes"
    ),
    _written(_KEY, "00" * 32, "the seed of a simulated bank's signing key"),
]
MarketName = Annotated[
    str,
    _text(_MARKET, "S-108", "a market", "two to eight capital letters, such as CN"),
    _written(_MARKET, "CN", "whose holidays hold where none are given"),
]
ZoneName = Annotated[
    str,
    _text(_ZONE, "S-108", "a time zone", "such as Asia/Shanghai, UTC or +08:00"),
    _written(_ZONE, "Asia/Shanghai", "whose local time business time is"),
]
ReferenceText = Annotated[
    str,
    _text(_REFERENCE, "S-108", "a reference", "such as $lc, the name of an earlier `save:`"),
    _written(_REFERENCE, "$lc", "what an earlier step saved"),
]
Prose = Annotated[str, Field(max_length=500)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


AccountName = Annotated[
    str,
    _text(_ACCOUNT, "S-128", "an account", "write party or party.account, such as app1.margin"),
    _written(_ACCOUNT, "app1.deposit", "a party, or one of its accounts"),
]
