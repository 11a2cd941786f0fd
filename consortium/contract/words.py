# ruff: noqa: ARG001  only the engine gives the arguments a meaning
"""The functions that contract code calls. Only the engine gives them a meaning.

Outside it they raise OutsideEngineError; their signatures and docstrings are what an editor shows.
"""

from typing import Any, NoReturn

from consortium.contract.values import Bank, Id, OutsideEngineError, Party
from consortium.money import Day, Money


def require(condition: bool, code: str, text: str = "") -> None:
    """Refuse the whole transaction with `code` unless `condition` holds. `text` tells people why."""
    raise OutsideEngineError("require()")


def fail(code: str, text: str = "") -> NoReturn:
    """Refuse the whole transaction with `code`."""
    raise OutsideEngineError("fail()")


def emit(name: str, **fields: Any) -> None:
    """Put an event into the receipt."""
    raise OutsideEngineError("emit()")


def today() -> Day:
    """Return the business day of the block; in due work, the day that was waited for."""
    raise OutsideEngineError("today()")


def value_day() -> Day:
    """Return the day on which what happens now has value: after the cut-off the next banking day."""
    raise OutsideEngineError("value_day()")


def before_cut_off() -> bool:
    """Tell whether the block's business time lies before the day's cut-off."""
    raise OutsideEngineError("before_cut_off()")


def banking_day(day: Day, rule: str = "following") -> Day:
    """Return `day`, or the nearest banking day by `rule`: following, preceding, modified."""
    raise OutsideEngineError("banking_day()")


def add_banking_days(day: Day, count: int) -> Day:
    """Return the `count`-th banking day strictly after `day`."""
    raise OutsideEngineError("add_banking_days()")


def is_banking_day(day: Day) -> bool:
    """Tell whether banks work on `day`."""
    raise OutsideEngineError("is_banking_day()")


def sender() -> Party:
    """Return who sent the transaction. Due work and openings have no sender: E-ROLE."""
    raise OutsideEngineError("sender()")


def signers() -> list[Party]:
    """Return the sender and everybody who agreed by signature; nobody in due work."""
    raise OutsideEngineError("signers()")


def caller() -> str | None:
    """Return the name of the contract that called this one, or None."""
    raise OutsideEngineError("caller()")


def own_id(number: str) -> Id[Any]:
    """Return the id `sender/number`, for records whose key is an `Id`."""
    raise OutsideEngineError("own_id()")


def access_bank(party: Party) -> Bank:
    """Return the bank through which a party submits and where it keeps its account; a bank's is itself."""
    raise OutsideEngineError("access_bank()")


def is_bank(party: Party) -> bool:
    """Tell whether a party is a bank of the consortium."""
    raise OutsideEngineError("is_bank()")


def is_company(party: Party) -> bool:
    """Tell whether a party is a company of the consortium."""
    raise OutsideEngineError("is_company()")


def total(items: Any, field: str) -> Any:
    """Return the sum of one field over records or values; of none it is 0."""
    raise OutsideEngineError("total()")


def distribute(amount: Money, weights: list[int]) -> list[Money]:
    """Split an amount by weights: floors, then the rest to the largest remainders, ties to the first."""
    raise OutsideEngineError("distribute()")
