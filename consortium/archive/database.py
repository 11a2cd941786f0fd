"""Where an archive is: a file or a database URL, and what its errors mean to the user."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from consortium.errors import EnvironmentFailedError, InputError

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

_SQLITE_MAGIC = b"SQLite format 3\x00"


def is_url(place: str | Path) -> bool:
    return "://" in str(place)


def open_to_write(place: str | Path) -> "Engine":
    from sqlalchemy import create_engine  # noqa: PLC0415  half a second, only when it is needed

    return create_engine(str(place) if is_url(place) else f"sqlite:///{Path(place).absolute()}")


def open_to_read(place: str | Path) -> "Engine":
    """Open an existing archive, an SQLite file for reading only. Raises InputError where there is none."""
    from sqlalchemy import create_engine, event  # noqa: PLC0415

    if is_url(place):
        return create_engine(str(place))
    path = Path(place)
    try:
        with path.open("rb") as file:
            beginning = file.read(len(_SQLITE_MAGIC))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such ledger") from None
    except IsADirectoryError:
        raise InputError(f"{path}: this is a directory, not a ledger database") from None
    except OSError as error:
        raise EnvironmentFailedError(f"{path}: {error.strerror}") from None
    if beginning != _SQLITE_MAGIC:
        raise InputError(f"{path}: this file is not an SQLite database")
    engine = create_engine(f"sqlite:///file:{_quoted(path)}?mode=ro&uri=true")

    @event.listens_for(engine, "connect")
    def _read_any_text(connection, _record) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        # Damaged text must come out as a value that differs, not as an error that hides where it is.
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")

    return engine


@contextmanager
def told_to_the_user(place: str | Path) -> Iterator[None]:
    """Turn what goes wrong with the database or the disk into one message."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise EnvironmentFailedError(f"{_without_password(place)}: {_first_line(cause)}") from None
    except OSError as error:
        raise EnvironmentFailedError(f"{_without_password(place)}: {error.strerror or error}") from None


def _quoted(path: Path) -> str:
    """An absolute path as SQLite's file: URI wants it."""
    from urllib.parse import quote  # noqa: PLC0415

    return quote(str(path.absolute()))


def _without_password(place: str | Path) -> str:
    if not is_url(place):
        return str(place)
    scheme, _, rest = str(place).partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _first_line(error: object) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
