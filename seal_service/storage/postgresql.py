"""PostgreSQL: one server for many machines, with a role that owns the tables and one that works with them."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import psycopg
from psycopg.errors import Diagnostic
from sqlalchemy import URL, Engine, NullPool, QueuePool, RootTransaction, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, DisconnectionError

from seal_service.domain.errors import InstanceNotReady, InvalidInput, OutcomeUnknown, Unavailable
from seal_service.storage.deadlines import Deadlines
from seal_service.storage.engine import Database, Durability
from seal_service.storage.locking import ONLY_READS
from seal_service.storage.refusals import database_failures, sqlstate

OLDEST_VERSION = 14
COMMIT_SECONDS = 30.0
"""How long a commit may wait for a second machine before the wait is broken off and its outcome unknown."""
_WAIT_SECONDS = 10
_FRESH_SECONDS = 1.0
"""For how long after its last use a connection is not asked whether it is still there."""

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
    """A connection that remembers what the server warned of, and when it was used."""

    used_at = 0.0

    def remember_warnings(self) -> None:
        """Begin to listen."""
        self.warnings: list[str] = []
        self.add_notice_handler(self._note)

    def is_alive(self) -> bool:
        """Whether the server still has it; one that was in use a moment ago is only looked at, not asked."""
        if time.monotonic() - self.used_at < _FRESH_SECONDS:
            return not self.closed and not _readable(self)  # nothing was asked: an end, or the word of one
        try:
            self.autocommit = True
            self.execute("")
            self.autocommit = False
        except psycopg.Error:
            return False
        return True

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
    committing = partial(_commit, Deadlines())
    return Database(
        writer=_engine(address, _SESSION | writing, connections),
        reader=reader,
        migrator=None if owner is None else _engine(owner, _OWNERS_SESSION | writing, 1),
        application_role=address.username,
        commit=committing,
        confirm=lambda: _confirm(fresh, committing),
        ask_durability=lambda: _durability(reader),
    )


def _readable(connection: ServerConnection) -> bool:
    asked = select.poll()
    asked.register(connection.fileno(), select.POLLIN)
    return bool(asked.poll(0))


def _address(url: str, field: str) -> URL:
    address = make_url(url)
    if address.drivername not in ("postgresql", "postgresql+psycopg") or not address.username or not address.database:
        raise InvalidInput("The database is postgresql+psycopg://role@host/name", field=field)
    if "options" in address.query:
        raise InvalidInput("The database's address sets no options of the session", field=field)
    return address.set(drivername="postgresql+psycopg")


def _engine(address: URL, session: dict[str, str], connections: int) -> Engine:
    engine = create_engine(
        "postgresql+psycopg://",  # without the password, so that nothing that shows an engine shows it
        creator=_connecting(address, session),
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_WAIT_SECONDS,
        hide_parameters=True,
    )

    @event.listens_for(engine, "checkout")
    def _(raw: ServerConnection, *_: object) -> None:
        if not raw.is_alive():
            raise DisconnectionError  # the pool opens another one

    @event.listens_for(engine, "checkin")
    def _(raw: ServerConnection | None, *_: object) -> None:
        if raw is not None:
            raw.used_at = time.monotonic()

    return engine


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
            connection.used_at = time.monotonic()
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


def _commit(deadlines: Deadlines, transaction: RootTransaction) -> None:
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
    raw.warnings.clear()
    # Breaks off a commit's wait for a standby that does not answer; the server knows no limit for it.
    deadline = deadlines.set(COMMIT_SECONDS, partial(_break_off, raw))
    try:
        transaction.commit()
    except DBAPIError as error:
        if sqlstate(error).startswith(_ROLLED_BACK):
            raise
        raise OutcomeUnknown from error
    finally:
        if not deadlines.met(deadline):  # what breaks it off may arrive late: not at the next transaction
            connection.invalidate()
    if raw.warnings:
        raise OutcomeUnknown


def _break_off(raw: ServerConnection) -> None:
    try:
        raw.cancel_safe(timeout=_WAIT_SECONDS)
    except psycopg.Error:
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(raw.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)


def _confirm(fresh: Engine, commit: Callable[[RootTransaction], None]) -> None:
    """Commit something of our own after everything else: it is durable only when that is."""
    with database_failures(), fresh.connect() as connection:
        transaction = connection.begin()
        connection.execute(text("SELECT pg_logical_emit_message(true, 'seal', 'confirm')"))
        commit(transaction)


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
