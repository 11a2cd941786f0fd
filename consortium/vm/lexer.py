"""The first look at a contract file: bytes, characters and tokens, before any parser of Python sees it.

Parsers of newer Pythons accept more and number columns differently, so what can be decided on tokens is
decided here, by our own rules (E-LANG-001 to 006). Any finding here ends the check: what follows would be
guesses.
"""

import re
from dataclasses import dataclass

from consortium.vm import language
from consortium.vm.findings import Findings
from consortium.vm.unicode14 import INVISIBLE

_BAD_BYTES = {0x00: "a NUL byte", 0x09: "a tab", 0x0C: "a form feed", 0x0D: "a carriage return (CR)"}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_COOKIE = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*[-_.a-zA-Z0-9]+")
# Every character beyond ASCII counts as part of a name: which of them are letters depends on the interpreter.
_NAME = re.compile(r"[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*")
_NUMBER = re.compile(
    r"0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+"
    r"|(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9](?:_?[0-9])*)?[jJ]?"
)
_OPERATOR = re.compile(
    r"\*\*=|//=|>>=|<<=|\.\.\.|[-+*/%@&|^=<>!:]=|->|\*\*|//|<<|>>|:=|[-+*/%@&|^~<>=.,:;()\[\]{}`$?!]"
)
_STRING_PREFIXES = {"r", "u", "b", "f", "t", "br", "rb", "fr", "rf", "tr", "rt"}
_ESCAPES = frozenset("\n\\'\"abfnrtvxuU01234567")
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator token; the column counts characters from 0."""

    line: int
    column: int
    text: str


def decode_source(source: bytes, filename: str) -> tuple[str, Findings]:
    """Return the text of a contract file and the findings about its bytes (rules 001 and 004)."""
    try:
        text = source.decode("utf-8", "strict")
        broken_at = None
    except UnicodeDecodeError as error:
        text = source.decode("utf-8", "replace")
        broken_at = error.start
    findings = Findings(filename, text.split("\n"))
    if broken_at is not None:
        _add_at_byte(findings, source, broken_at, "a byte that is not UTF-8")
    if source.startswith(_BYTE_ORDER_MARK):
        _add_at_byte(findings, source, 0, "a byte order mark")
    for byte, name in _BAD_BYTES.items():
        offset = source.find(bytes((byte,)))
        if offset >= 0:
            _add_at_byte(findings, source, offset, name)
    if len(source) > language.SOURCE_BYTES_MAX:
        findings.add("E-LANG-004", 1, 1, f"the file has more than {language.SOURCE_BYTES_MAX // 1024} KB.")
    for number, line in enumerate(findings.lines, 1):
        if len(line) > language.LINE_LENGTH_MAX:
            found = f"the line has more than {language.LINE_LENGTH_MAX} characters."
            findings.add("E-LANG-004", number, language.LINE_LENGTH_MAX + 1, found)
    return text, findings


@dataclass(frozen=True, slots=True)
class Scan:
    """What later stages need: operators, to place messages, and the lines on which statements begin."""

    operators: list[Operator]
    statement_lines: list[int]


def scan(text: str, findings: Findings) -> Scan:
    """Add the findings of rules 002 to 006 that tokens show."""
    for number, line in enumerate(findings.lines, 1):
        for column, character in enumerate(line, 1):
            if character in INVISIBLE:
                findings.add("E-LANG-002", number, column, f"U+{ord(character):04X}")
    for number in (1, 2):
        if number <= len(findings.lines) and _COOKIE.match(findings.lines[number - 1]):
            findings.add("E-LANG-003", number, 1)
            break
    scanner = _Scanner(text, findings)
    scanner.run()
    return Scan(scanner.operators, scanner.statement_lines)


def _add_at_byte(findings: Findings, source: bytes, offset: int, found: str) -> None:
    before = source[:offset].decode("utf-8", "replace")
    line = before.count("\n") + 1
    findings.add("E-LANG-001", line, len(before) - (before.rfind("\n") + 1) + 1, found)


class _Scanner:
    """One walk over the characters, in the token grammar of Python 3.10."""

    def __init__(self, text: str, findings: Findings) -> None:
        self.text = text
        self.findings = findings
        self.operators: list[Operator] = []
        self.position = 0
        self.line = 1
        self.line_start = 0
        self.open: list[tuple[str, int, int]] = []
        self.statement_lines: list[int] = []
        self.previous: list[str] = []
        self.indents = [0]
        self.tokens_in_statement = 0
        self.branches: dict[int, int] = {}

    def run(self) -> None:
        text = self.text
        at_line_start = True
        while self.position < len(text):
            if at_line_start and not self.open:
                self._indentation()
                at_line_start = False
                continue
            character = text[self.position]
            if character == "\n":
                self._line_end()
                at_line_start = True
            elif character == " ":
                self.position += 1
            elif character == "#":
                self._comment()
            elif character == "\\" and text[self.position + 1 : self.position + 2] == "\n":
                self.position += 1
                self._line_end()
            else:
                self._token(character)
        for bracket, line, column in self.open:
            self.findings.add("E-LANG-006", line, column, f"'{bracket}' is not closed.")

    def _token(self, character: str) -> None:
        self.tokens_in_statement += 1
        if self.tokens_in_statement == language.TOKENS_PER_STATEMENT_MAX + 1:
            self._add("E-LANG-004", "the statement is too long.")
        if character in "'\"":
            self._string("")
            return
        name = _NAME.match(self.text, self.position)
        if name is not None:
            self._name(name[0])
            return
        number = _NUMBER.match(self.text, self.position)
        if number is not None:
            after = self.text[number.end() : number.end() + 1]
            if _NAME.match(after) or after.isdigit():
                self._add("E-LANG-006", "a number runs into a letter.")
            self.position = number.end()
            return
        operator = _OPERATOR.match(self.text, self.position)
        if operator is None:
            self._strange(character)
            return
        self.operators.append(Operator(self.line, self.position - self.line_start, operator[0]))
        self._newer_syntax(operator[0])
        self._bracket(operator[0])
        self.position = operator.end()

    def _name(self, name: str) -> None:
        following = self.text[self.position + len(name) : self.position + len(name) + 1]
        if following and following in "'\"" and name.lower() in _STRING_PREFIXES:
            self._string(name.lower())
            return
        if not name.isascii():
            self._add("E-LANG-005", name)
        if self.tokens_in_statement == 1 and not self.open:
            self._count_branch(name)
        self.previous = [*self.previous[-1:], name]
        self.position += len(name)

    def _newer_syntax(self, operator: str) -> None:
        """Refuse what newer grammars add; older ones would name another place for the error."""
        words = self.previous
        if operator == "*" and words[-1:] == ["except"]:
            self._add("E-LANG-006", "'except*' is newer than the language.")
        elif operator == "[" and words[:1] in (["def"], ["class"]) and len(words) == 2:
            self._add("E-LANG-006", "type parameters are newer than the language.")
        elif operator in {"=", "["} and words[:1] == ["type"] and len(words) == 2:
            self._add("E-LANG-006", "a 'type' statement is newer than the language.")
        self.previous = []

    def _count_branch(self, name: str) -> None:
        """Bound `elif` chains: parsers nest them one in another."""
        indent = self.indents[-1]
        if name == "elif":
            self.branches[indent] = self.branches.get(indent, 0) + 1
            if self.branches[indent] == language.BRANCHES_MAX:
                self._add("E-LANG-004", f"an 'if' has more than {language.BRANCHES_MAX} branches.")
        elif name != "else":
            self.branches[indent] = 0

    def _bracket(self, token: str) -> None:
        if token in _OPENING:
            self.open.append((token, self.line, self.position - self.line_start + 1))
            if len(self.open) + len(self.indents) - 1 == language.NESTING_MAX + 1:
                self._add("E-LANG-004", f"nested deeper than {language.NESTING_MAX} levels.")
        elif token in _CLOSING:
            opening = self.open.pop()[0] if self.open else ""
            if _OPENING.find(opening) != _CLOSING.find(token) or not opening:
                self._add("E-LANG-006", f"'{token}' closes nothing.")

    def _strange(self, character: str) -> None:
        self._add("E-LANG-006", f"'{character}' begins no token.")
        self.position += 1

    def _string(self, prefix: str) -> None:
        """Read a text literal as Python 3.10 ends it: at the first closing quote, braces or not."""
        start, line, column = self.position, self.line, self.position - self.line_start + 1
        if "t" in prefix:
            self._add("E-LANG-006", "template strings are newer than the language.")
        self.position += len(prefix)
        quote = self.text[self.position]
        closing = quote * 3 if self.text.startswith(quote * 3, self.position) else quote
        self.position += len(closing)
        body_start = self.position
        raw = "r" in prefix
        while not self.text.startswith(closing, self.position):
            if self.position >= len(self.text) or (self.text[self.position] == "\n" and len(closing) == 1):
                self.findings.add("E-LANG-006", line, column, "the text literal is not closed.")
                return
            if self.text[self.position] == "\\":
                self._escape(raw, is_bytes="b" in prefix)
            elif self.text[self.position] == "\n":
                self._line_end()
            else:
                self.position += 1
        body = self.text[body_start : self.position]
        self.position += len(closing)
        if "f" in prefix:
            problem = _problem_with_braces(body)
            if problem:
                self.findings.add("E-LANG-006", line, column, problem)
        assert self.position > start

    def _escape(self, raw: bool, *, is_bytes: bool) -> None:
        following = self.text[self.position + 1 : self.position + 2]
        if not raw:
            if following == "N" and not is_bytes:
                self._add("E-LANG-006", "character names differ between Python versions.")
            elif following not in _ESCAPES or (is_bytes and following in "uU"):
                self._add("E-LANG-006", f"'\\{following}' is not an escape.")
        self.position += 1
        if following == "\n":
            self._line_end()
        elif following:
            self.position += 1

    def _line_end(self) -> None:
        self.position += 1
        self.line += 1
        self.line_start = self.position

    def _indentation(self) -> None:
        start = self.position
        while self.text[self.position : self.position + 1] == " ":
            self.position += 1
        following = self.text[self.position : self.position + 1]
        if following in {"", "\n", "#"}:
            return
        self.tokens_in_statement = 0
        self.previous = []
        self.statement_lines.append(self.line)
        width = self.position - start
        while width < self.indents[-1]:
            self.branches.pop(self.indents.pop(), None)
        if width > self.indents[-1]:
            self.indents.append(width)
            if len(self.indents) - 1 == language.NESTING_MAX + 1:
                self._add("E-LANG-004", f"nested deeper than {language.NESTING_MAX} levels.")

    def _comment(self) -> None:
        end = self.text.find("\n", self.position)
        self.position = len(self.text) if end < 0 else end

    def _add(self, rule: str, found: str = "") -> None:
        self.findings.add(rule, self.line, self.position - self.line_start + 1, found)


def _problem_with_braces(body: str) -> str | None:
    """Return what the old grammar refuses inside the braces of an f-string, or None."""
    position, depth, quote = 0, 0, ""
    while position < len(body):
        character = body[position]
        if depth == 0:
            if character in "{}" and body[position + 1 : position + 2] == character:
                position += 1
            elif character == "{":
                depth = 1
        elif quote:
            if character == quote:
                quote = ""
        elif character == "\\":
            return "a backslash inside the braces of an f-string."
        elif character == "#":
            return "a comment inside the braces of an f-string."
        elif character == "\n":
            return "a line end inside the braces of an f-string."
        elif character in "'\"":
            quote = character
        elif character in "{([":
            depth += 1
        elif character in "})]":
            depth -= 1
        position += 1
    if depth or quote:
        return "an f-string uses its own quote inside its braces."
    return None
