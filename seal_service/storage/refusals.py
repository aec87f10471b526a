"""What the database refuses, as the errors that the ports name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from seal_service.domain.errors import Conflict, InvalidInput, NotFound, Unavailable


@contextmanager
def unique(refusal: type[Conflict]) -> Iterator[None]:
    """Raise the refusal when what is inserted is there already; NotFound when what it refers to is not."""
    try:
        yield
    except IntegrityError as error:
        if "FOREIGN KEY" in str(error.orig).upper():
            raise NotFound("What this refers to is not registered") from error
        raise refusal from error


@contextmanager
def database_failures() -> Iterator[None]:
    """Raise Unavailable when the database does not answer in time, InvalidInput for values it cannot hold."""
    try:
        yield
    except (OperationalError, PoolTimeoutError) as error:
        raise Unavailable("The database does not answer") from error
    except UnicodeEncodeError as error:
        raise InvalidInput("A text contains half a surrogate pair, which is no character") from error
    except OverflowError as error:
        raise InvalidInput("A number is too large") from error
