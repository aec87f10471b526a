"""What the database refuses, as the errors that the ports name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from seal_service.domain.errors import Conflict, InstanceNotReady, InvalidInput, NotFound, Unavailable

_TAKEN, _MISSING = "taken", "missing"
_BY_SQLSTATE = {"23505": _TAKEN, "23503": _MISSING}
_BY_SQLITES_WORDS = {
    "UNIQUE constraint failed": _TAKEN,
    "is append-only": _TAKEN,  # the guard against REPLACE speaks before the key does
    "FOREIGN KEY constraint failed": _MISSING,
}
_WITHOUT_SCHEMA = ("42P01", "42703", "3F000")
_WITHOUT_RIGHT = ("42501",)
_PASSING = ("25006", "25P03")
"""A server that became a standby; a transaction that was idle for too long."""


@contextmanager
def unique(refusal: type[Conflict]) -> Iterator[None]:
    """Raise the refusal when what is inserted is there already; NotFound when what it refers to is not."""
    try:
        yield
    except IntegrityError as error:
        kind = _kind_of(error)
        if kind == _MISSING:
            raise NotFound("What this refers to is not registered") from error
        if kind == _TAKEN:
            raise refusal from error
        raise


@contextmanager
def database_failures() -> Iterator[None]:
    """Raise Unavailable when the database does not answer in time, InvalidInput for values it cannot hold.

    After Unavailable the whole transaction may be tried again: nothing of it was written.
    """
    try:
        yield
    except (OperationalError, PoolTimeoutError) as error:
        raise Unavailable("The database does not answer, or others held what this needs for too long") from error
    except DataError as error:
        raise InvalidInput("A text or a number cannot be kept: it holds the character NUL or is too large") from error
    except DBAPIError as error:
        state = sqlstate(error)
        if error.connection_invalidated or state in _PASSING:
            raise Unavailable("The connection to the database was lost") from error
        if state in _WITHOUT_SCHEMA:
            raise InstanceNotReady("The database has another schema than this program: run `seal db check`") from error
        if state in _WITHOUT_RIGHT:
            raise InstanceNotReady("The database's role lacks a right: `seal db upgrade` gives it") from error
        raise
    except UnicodeEncodeError as error:
        raise InvalidInput("A text contains half a surrogate pair, which is no character") from error
    except OverflowError as error:
        raise InvalidInput("A number is too large") from error


def sqlstate(error: DBAPIError) -> str:
    """PostgreSQL's code of what went wrong; empty for what the server did not tell."""
    return getattr(error.orig, "sqlstate", None) or ""


def _kind_of(error: IntegrityError) -> str | None:
    told = str(error.orig)
    by_words = (kind for words, kind in _BY_SQLITES_WORDS.items() if words in told)
    return _BY_SQLSTATE.get(sqlstate(error)) or next(by_words, None)
