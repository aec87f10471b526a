"""Statements of a seal use: written in SQLAlchemy's words, compiled once, asked of the driver directly.

SQLAlchemy's own way to ask costs several times the question. That is nothing for a list or a decision, and most of the
time of a seal use, which asks some twenty questions while others wait for the seal or, on SQLite, for the file.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Never

from sqlalchemy import Connection, Dialect, Insert, Select, TextClause, Update
from sqlalchemy.exc import DBAPIError

Row = Any
"""What `mapping` reads: the columns as attributes."""
_Convert = Callable[[Any], Any]
_Construct = Select[*tuple[Any, ...]] | Insert | Update | TextClause
Asked = tuple["Statement", Mapping[str, object]]
"""A statement and its values."""


class Statement:
    """A statement with named values (bindparam), run in a connection's open transaction. Safe for threads.

    Values and columns are converted as their types say; failures are SQLAlchemy's.
    """

    def __init__(self, construct: _Construct) -> None:
        self._construct = construct
        self._compiled: dict[str, _Compiled] = {}

    def all(self, connection: Connection, **asked: object) -> Sequence[Row]:
        """The rows."""
        with self._run(connection, asked) as (compiled, cursor):
            as_row = compiled.as_row(cursor)
            return [as_row(one) for one in cursor.fetchall()]

    def driven(self, connection: Connection, **asked: object) -> Sequence[tuple[Any, ...]]:
        """The rows as the driver gives them, nothing converted: half the cost where there are very many."""
        with self._run(connection, asked) as (_, cursor):
            found: Sequence[tuple[Any, ...]] = cursor.fetchall()
            return found

    def one(self, connection: Connection, **asked: object) -> Row | None:
        """The first row, or None."""
        with self._run(connection, asked) as (compiled, cursor):
            found = cursor.fetchone()
            return None if found is None else compiled.as_row(cursor)(found)

    def run(self, connection: Connection, values: Mapping[str, object]) -> int:
        """Write; how many rows were touched."""
        with self._run(connection, values) as (_, cursor):
            return int(cursor.rowcount)

    def _run(self, connection: Connection, values: Mapping[str, object]) -> _Ran:
        compiled = self._for(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(compiled.sql, compiled.bound(values))
        except connection.dialect.loaded_dbapi.Error as error:
            cursor.close()
            _raise(connection, compiled.sql, error)
        return _Ran(compiled, cursor)

    def _for(self, dialect: Dialect) -> _Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _Compiled(self._construct, dialect)
        return compiled


def together(connection: Connection, *asked: Asked) -> Sequence[Sequence[Row]]:
    """The rows of several statements, which go to a server in one exchange.

    It works on them one after another, each of which sees what was committed before it begins, as if they had been sent
    one by one. When one fails, nothing that follows it is done.
    """
    prepared = [(one._for(connection.dialect), values) for one, values in asked]
    raw: Any = connection.connection.driver_connection
    cursors = [connection.connection.cursor() for _ in prepared]
    try:
        with raw.pipeline() if connection.dialect.name == "postgresql" else nullcontext():
            for (compiled, values), cursor in zip(prepared, cursors, strict=True):
                cursor.execute(compiled.sql, compiled.bound(values))
        return [
            [compiled.as_row(cursor)(one) for one in cursor.fetchall()] if compiled.is_question else []
            for (compiled, _), cursor in zip(prepared, cursors, strict=True)
        ]
    except connection.dialect.loaded_dbapi.Error as error:
        _raise(connection, "; ".join(compiled.sql for compiled, _ in prepared), error)
    finally:
        for cursor in cursors:
            cursor.close()


class _Ran:
    """What was run, and its cursor as long as it is read."""

    __slots__ = ("_compiled", "_cursor")

    def __init__(self, compiled: _Compiled, cursor: Any) -> None:
        self._compiled = compiled
        self._cursor = cursor

    def __enter__(self) -> tuple[_Compiled, Any]:
        return self._compiled, self._cursor

    def __exit__(self, *_: object) -> None:
        self._cursor.close()


class _Compiled:
    """A statement for a kind of database."""

    def __init__(self, construct: _Construct, dialect: Dialect) -> None:
        compiled = construct.compile(dialect=dialect)
        self.sql = str(compiled)
        self._constants = {name: one.value for name, one in compiled.binds.items() if not one.required}
        binds = {name: one.type.dialect_impl(dialect).bind_processor(dialect) for name, one in compiled.binds.items()}
        self._binds = [(name, one) for name, one in binds.items() if one is not None]
        self._positions = compiled.positiontup if compiled.positional else None
        self._dialect = dialect
        self._types = [one.type for one in construct.selected_columns] if isinstance(construct, Select) else []
        self.is_question = not isinstance(construct, Insert | Update)
        self._as_row: Callable[[Sequence[Any]], Row] | None = None

    def bound(self, values: Mapping[str, object]) -> Mapping[str, object] | Sequence[object]:
        """The values as the driver takes them."""
        given = {**self._constants, **values}
        for name, convert in self._binds:
            given[name] = convert(given[name])
        return given if self._positions is None else [given[name] for name in self._positions]

    def as_row(self, cursor: Any) -> Callable[[Sequence[Any]], Row]:
        """How a row of the driver's becomes one of ours."""
        if self._as_row is None:
            description = cursor.description
            names = [one[0] for one in description]
            make_row: Callable[..., Row] = namedtuple("Row", names, rename=True)  # type: ignore[misc]
            found = [
                type_.dialect_impl(self._dialect).result_processor(self._dialect, one[1])
                for type_, one in zip(self._types, description, strict=False)
            ]
            converts = [(place, one) for place, one in enumerate(found) if one is not None]

            def as_row(values: Sequence[Any]) -> Row:
                row = list(values)
                for place, convert in converts:
                    row[place] = convert(row[place])
                return make_row(*row)

            self._as_row = as_row
        return self._as_row


def _raise(connection: Connection, sql: str, error: Any) -> Never:
    """As SQLAlchemy does it: a connection that the database has ended is not used again."""
    dialect = connection.dialect
    ended = dialect.is_disconnect(error, connection.connection, None)
    told = DBAPIError.instance(
        sql,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=ended,
        dialect=dialect,
    )
    if ended:
        connection.invalidate(error)
    raise told from error
