"""What can go wrong in the engine, and the fixed codes under which receipts record it.

`ContractRejected` is for the author of a contract file. `Refused` and `OutOfGasError` end a transaction and
never leave the engine. Every other exception of Python that contract code can provoke is mapped by one table.
"""

from typing import TYPE_CHECKING, Any

from consortium.calendar import CalendarError
from consortium.encoding import EncodingError
from consortium.errors import InputError
from consortium.money import MoneyError

if TYPE_CHECKING:
    from consortium.vm.findings import Finding

ARGS = "E-ARGS"
CALL_DEPTH = "E-CALL-DEPTH"
DATE = "E-DATE"
DUPLICATE_KEY = "E-DUPLICATE-KEY"
INDEX = "E-INDEX"
INITIAL = "E-INITIAL"
INTERNAL = "E-INTERNAL"
INVARIANT = "E-INVARIANT"
KEY = "E-KEY"
LOOP_CHANGE = "E-LOOP-CHANGE"
OUT_OF_GAS = "E-OUT-OF-GAS"
READ_ONLY = "E-READ-ONLY"
REENTRANT = "E-REENTRANT"
TYPE = "E-TYPE"
VALUE_DEPTH = "E-VALUE-DEPTH"
VALUE_SIZE = "E-VALUE-SIZE"
ZERO_DIVISION = "E-ZERO-DIV"

# Codes of the trade that the engine itself decides.
ROLE = "E_ROLE"
NOT_OWNER = "E_NOT_OWNER"
CONSENT = "E_CONSENT"
STATE = "E_STATE"


class ContractRejected(InputError):  # noqa: N818  a verdict on a file, as `Refused` is on a transaction
    """A contract file breaks the language; `findings` lists everything that does."""

    def __init__(self, findings: "tuple[Finding, ...]") -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


class Refused(Exception):  # noqa: N818  not an error of anybody: the outcome of a transaction
    """Ends the transaction: everything it wrote is undone, the receipt carries `code`."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


class OutOfGasError(Exception):
    """The meter is below zero. Nothing in a contract can catch it."""


class QueryFailedError(InputError):
    """A query ended with a code instead of an answer."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code


# First match wins; texts of Python differ between versions and are never part of a receipt.
_CODES: tuple[tuple[type[BaseException], str], ...] = (
    (OutOfGasError, OUT_OF_GAS),
    (MoneyError, TYPE),
    (CalendarError, DATE),
    (EncodingError, VALUE_SIZE),
    (IndexError, INDEX),
    (KeyError, KEY),
    (ZeroDivisionError, ZERO_DIVISION),
    (OverflowError, VALUE_SIZE),
    (RecursionError, CALL_DEPTH),
    (TypeError, TYPE),
    (AttributeError, TYPE),
    (NameError, TYPE),
    (ValueError, TYPE),
)


def code_of(error: Exception) -> tuple[str, str]:
    """Return the receipt code and a text for people of anything raised while a contract ran."""
    if isinstance(error, Refused):
        return error.code, error.text
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code, _text_of(error)
    return INTERNAL, f"{type(error).__name__}: {error}"


def _text_of(error: Exception) -> str:
    if isinstance(error, OutOfGasError):
        return "the gas limit of the transaction is used up"
    if isinstance(error, KeyError):
        key: Any = error.args[0] if error.args else ""
        return f"there is no {key!r}"
    return str(error)
