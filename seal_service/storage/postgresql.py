"""PostgreSQL: one server for many machines, with a role that owns the tables and one that works with them."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from threading import Timer
from typing import Any

import psycopg
from psycopg.errors import Diagnostic
from sqlalchemy import URL, Engine, NullPool, QueuePool, RootTransaction, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from seal_service.domain.errors import InstanceNotReady, InvalidInput, OutcomeUnknown, Unavailable
from seal_service.storage.engine import Database, Durability
from seal_service.storage.locking import ONLY_READS
from seal_service.storage.refusals import database_failures, sqlstate

OLDEST_VERSION = 14
COMMIT_SECONDS = 30.0
"""How long a commit may wait for a second machine before the wait is broken off and its outcome unknown."""
_WAIT_SECONDS = 10

_NETWORK = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "client_encoding": "UTF8",
    # Of several hosts the one that takes writes; what a standby would answer may be out of date.
    "target_session_attrs": "primary",
}
_SESSION = {
    "application_name": "seal-service",
    "search_path": "public, pg_temp",  # a temporary table must not stand in front of ours
    "client_min_messages": "warning",  # that a wait for the standby was broken off is told only so
    "extra_float_digits": "1",
    "lock_timeout": f"{_WAIT_SECONDS}s",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
}
_OWNERS_SESSION = _SESSION | {
    "application_name": "seal-service-owner",
    "lock_timeout": "60s",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
_ASKED = """SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding'),
    set_config('synchronous_commit', CASE current_setting('synchronous_commit')
                                     WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)"""
_ROLLED_BACK = ("23", "40001", "40002", "40P01")
"""SQLSTATEs (or their classes) by which a server says of a COMMIT that it was not done."""


class ServerConnection(psycopg.Connection[Any]):
    """A connection that remembers what the server warned of."""

    def remember_warnings(self) -> None:
        """Begin to listen."""
        self.warnings: list[str] = []
        self.add_notice_handler(self._note)

    def _note(self, told: Diagnostic) -> None:
        if told.severity_nonlocalized == "WARNING":
            self.warnings.append(told.sqlstate or "")


def open_postgresql(url: str, owner_url: str | None, connections: int) -> Database:
    """The database of a server; InvalidInput for addresses that name no role or one role twice."""
    address = _address(url, "database_url")
    owner = None if owner_url is None else _address(owner_url, "database_owner_url")
    if owner is not None and owner.username == address.username:
        raise InvalidInput(
            "The application and the owner of its tables are two roles: one that may change the tables may change the "
            "log",
            field="database_owner_url",
        )
    reading = {"default_transaction_isolation": "repeatable read", "default_transaction_read_only": "on"}
    writing = {"default_transaction_isolation": "read committed", "default_transaction_read_only": "off"}
    reader = _engine(address, _SESSION | reading, connections).execution_options(**{ONLY_READS: True})
    fresh = create_engine("postgresql+psycopg://", creator=_connecting(address, _SESSION | writing), poolclass=NullPool)
    return Database(
        writer=_engine(address, _SESSION | writing, connections),
        reader=reader,
        migrator=None if owner is None else _engine(owner, _OWNERS_SESSION | writing, 1),
        application_role=address.username,
        commit=_commit,
        confirm=lambda: _confirm(fresh),
        ask_durability=lambda: _durability(reader),
    )


def _address(url: str, field: str) -> URL:
    address = make_url(url)
    if address.drivername not in ("postgresql", "postgresql+psycopg") or not address.username or not address.database:
        raise InvalidInput("The database is postgresql+psycopg://role@host/name", field=field)
    if "options" in address.query:
        raise InvalidInput("The database's address sets no options of the session", field=field)
    return address.set(drivername="postgresql+psycopg")


def _engine(address: URL, session: dict[str, str], connections: int) -> Engine:
    return create_engine(
        "postgresql+psycopg://",  # without the password, so that nothing that shows an engine shows it
        creator=_connecting(address, session),
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_WAIT_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
    )


def _connecting(address: URL, session: dict[str, str]) -> Callable[[], ServerConnection]:
    _, named = address.get_dialect()().create_connect_args(address)
    given = {**_NETWORK, **named}
    settings = ", ".join("set_config(%s, %s, false)" for _ in session)
    values = [one for pair in session.items() for one in pair]

    def connect() -> ServerConnection:
        connection = ServerConnection.connect(**given, autocommit=True)
        try:
            connection.remember_warnings()
            for version, encoding, *_ in connection.execute(f"{_ASKED}, {settings}", values):
                _require_version(version, encoding)
            connection.autocommit = False
        except BaseException:
            connection.close()
            raise
        return connection

    return connect


def _require_version(version: int, encoding: str) -> None:
    if version < OLDEST_VERSION:
        raise InstanceNotReady(f"The server is PostgreSQL {version}: this program needs {OLDEST_VERSION} or newer")
    if encoding != "UTF8":
        raise InstanceNotReady(f"The database's encoding is {encoding}: make one WITH ENCODING 'UTF8'")


def _commit(transaction: RootTransaction) -> None:
    """Commit, and believe it only when the server says so without a warning.

    With synchronous replication a wait for the standby that is broken off makes COMMIT return normally, with nothing
    but a warning; the commit is there, and may be lost with this machine.
    """
    raw = transaction.connection.connection.driver_connection
    if not isinstance(raw, ServerConnection):
        raise TypeError("A connection of another engine")
    state = raw.info.transaction_status
    if state is psycopg.pq.TransactionStatus.INERROR:  # the server would answer COMMIT with ROLLBACK and no error
        raise RuntimeError("A transaction in which a statement failed can only be left")
    if raw.closed or state is psycopg.pq.TransactionStatus.UNKNOWN:
        raise Unavailable("The connection to the database was lost: nothing was written")
    connection = transaction.connection
    with _BoundedCommit(raw) as bounded:
        try:
            transaction.commit()
        except DBAPIError as error:
            if sqlstate(error).startswith(_ROLLED_BACK):
                raise
            raise OutcomeUnknown from error
        finally:
            if bounded.broken_off:  # what breaks it off may arrive late: not at the next transaction
                connection.invalidate()
    if raw.warnings:
        raise OutcomeUnknown


class _BoundedCommit:
    """Breaks off a commit's wait for a standby that does not answer; the server knows no limit for it."""

    def __init__(self, raw: ServerConnection) -> None:
        raw.warnings.clear()
        self._raw = raw
        self._timer = Timer(COMMIT_SECONDS, self._break_off)
        self._timer.daemon = True
        self.broken_off = False

    def _break_off(self) -> None:
        self.broken_off = True
        try:
            self._raw.cancel_safe(timeout=_WAIT_SECONDS)
        except psycopg.Error:
            with socket.socket(fileno=os.dup(self._raw.fileno())) as same:
                same.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> _BoundedCommit:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def _confirm(fresh: Engine) -> None:
    """Commit something of our own after everything else: it is durable only when that is."""
    with database_failures(), fresh.connect() as connection:
        transaction = connection.begin()
        connection.execute(text("SELECT pg_logical_emit_message(true, 'seal', 'confirm')"))
        _commit(transaction)


def _durability(reader: Engine) -> Durability:
    names = ("server_version", "fsync", "full_page_writes", "synchronous_commit", "synchronous_standby_names")
    asked = ", ".join(f"current_setting('{name}')" for name in names)
    with database_failures(), reader.connect() as connection:
        version, *values = connection.execute(text(f"SELECT {asked}")).one()
    found = dict(zip(names[1:], values, strict=True))
    told = ", ".join(f"{name}={value or 'none'}" for name, value in found.items())
    sound = found["fsync"] == "on"
    reason = "" if sound else " (without fsync a loss of power loses commits: set fsync=on)"
    return Durability(words=f"PostgreSQL {version}: {told}{reason}", sound=sound)
