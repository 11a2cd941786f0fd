"""Reading a journal back, line by line, in bounded memory.

A journal without its last line is partial (the run was interrupted); one whose last line is torn is read up
to there. Anything else that is not a journal is an InputError naming the line.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from json import JSONDecodeError, dumps, loads
from typing import Any

from consortium.crypto import DIGEST_BYTES
from consortium.errors import InputError
from consortium.journal.journal import FULL_PART, VERSION


@dataclass(frozen=True, slots=True)
class First:
    """The first line: what was run."""

    seed: int
    scenario: bytes
    level: str


@dataclass(frozen=True, slots=True)
class End:
    """The last line: how the run ended, and the digest that its headers must have."""

    records: int
    run_digest: bytes
    stopped: str


@dataclass(frozen=True, slots=True)
class Line:
    """One record: its number (the first line is 1), its header, and its full part ({} if it has none)."""

    number: int
    head: dict[str, Any]
    full: dict[str, Any]


class JournalReader:
    """Iterate to get the records in order; `first` is there at once, `end` after the last record.

    `end` stays None for a partial journal. `run_digest()` is that of the headers read so far.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        """`lines`: the text lines with their newlines (an open text file)."""
        self._lines = iter(lines)
        self._hash = blake2b(digest_size=DIGEST_BYTES)
        self.records = 0
        self.end: End | None = None
        self.first = self._read_first()

    def run_digest(self) -> bytes:
        return self._hash.digest()

    @property
    def is_sound(self) -> bool:
        """Whether the journal is whole and its headers are those that the last line stands for."""
        end = self.end
        return end is not None and end.records == self.records and end.run_digest == self.run_digest()

    def __iter__(self) -> Iterator[Line]:
        for number, line in enumerate(self._lines, start=2):
            if self.end is not None:
                raise InputError(f"journal line {number}: nothing may follow the end")
            if not line.endswith("\n"):
                return  # torn by an interruption: what stands before it is good
            if line.startswith('{"end":'):
                self.end = _end(_parsed(line, number), number)
            elif not line.startswith('{"level":'):
                yield self._record(line, number)

    def _record(self, line: str, number: int) -> Line:
        entry = _parsed(line, number)
        full = entry.pop("full", {})
        if not isinstance(full, dict):
            raise InputError(f"journal line {number}: the full part is not an object")
        self.records += 1
        self._hash.update(head_of(line).encode())
        return Line(number, entry, full)

    def _read_first(self) -> First:
        entry = _parsed(next(self._lines, ""), 1)
        match entry:
            case {"journal": int(version), "seed": int(seed), "scenario": str(scenario), "level": str(level)}:
                pass
            case _:
                raise InputError("journal line 1: not the beginning of a journal")
        if version != VERSION:
            raise InputError(f"journal line 1: version {version} cannot be read here, only {VERSION}")
        hashed = dumps({"journal": version, "seed": seed, "scenario": scenario}) + "\n"
        self._hash.update(hashed.encode())
        return First(seed, _from_hex(scenario, 1), level)


def head_of(line: str) -> str:
    """Return the part of a record that goes into the run digest."""
    before, found, _ = line.partition(FULL_PART)
    return before + "}\n" if found else line


def _end(entry: dict[str, Any], number: int) -> End:
    match entry:
        case {"end": {"records": int(records), "run_digest": str(digest), "stopped": str(stopped)}}:
            return End(records, _from_hex(digest, number), stopped)
        case _:
            raise InputError(f"journal line {number}: not the end of a journal")


def _parsed(line: str, number: int) -> dict[str, Any]:
    try:
        entry = loads(line)
    except (JSONDecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"journal line {number}: not JSON: {error}") from None
    if not isinstance(entry, dict):
        raise InputError(f"journal line {number}: not an object")
    return entry


def _from_hex(text: str, number: int) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InputError(f"journal line {number}: '{text[:80]}' is not hexadecimal") from None
