"""An instance: its founding, its database."""

from __future__ import annotations

from seal_service.bootstrap.environment import MASTER_KEY
from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.bootstrap.rooms import authority_foundation, database_of, master_keys, open_rooms
from seal_service.config import Settings
from seal_service.domain.errors import AlreadyRegistered
from seal_service.domain.issuance import AuthorityRole
from seal_service.domain.retention import Retention
from seal_service.pki.key_hierarchy import create_ring, has_keys
from seal_service.pki.master_key import MasterKeyFile
from seal_service.ports.system import Clock, Entropy
from seal_service.storage import schema
from seal_service.storage.unit_of_work import SqlRecords
from seal_service.usecases.initialise import Initialised, InitialiseUseCase


def initialise(settings: Settings, *, clock: Clock | None = None, entropy: Entropy | None = None) -> Initialised:
    """初始化: a new instance in the home, with keys, database, authority and first operator.

    Raises AlreadyRegistered for an instance that is there already; what is there is never overwritten.
    """
    clock, entropy = clock or SystemClock(), entropy or SystemEntropy()
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.key_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not has_keys(settings.key_directory) and _is_founded(settings):
        raise AlreadyRegistered(
            f"This instance is initialised already, but its keys are not in {settings.key_directory}: put them back"
        )
    if settings.master_key is None and not (settings.key_directory / MASTER_KEY).exists():
        MasterKeyFile(settings.key_directory / MASTER_KEY).create(entropy)
    create_ring(settings.key_directory, master_keys(settings), entropy)
    rooms = open_rooms(settings, clock, entropy)
    try:
        schema.upgrade(rooms.database)
        foundation = authority_foundation(settings, rooms.keys, entropy)
        retention = Retention(documents=settings.documents, hold_hours=settings.document_hold_hours)
        found = InitialiseUseCase(
            rooms.records, rooms.log, foundation, rooms.credentials, clock, entropy, rooms.log_key, retention
        )
        return found(settings.authority_suite)
    finally:
        rooms.database.close()


def _is_founded(settings: Settings) -> bool:
    database = database_of(settings)
    try:
        if schema.state_of(database.reader).state is not schema.SchemaState.CURRENT:
            return False
        with SqlRecords(database).read() as transaction:
            return transaction.authorities.newest(AuthorityRole.ROOT) is not None
    finally:
        database.close()


def upgrade_database(settings: Settings) -> None:
    """Bring an instance's database to this program's schema."""
    database = database_of(settings)
    try:
        schema.upgrade(database)
    finally:
        database.close()


def schema_of_database(settings: Settings) -> schema.Schema:
    """How an instance's database stands to this program's schema, and what to do about it; Unavailable."""
    database = database_of(settings)
    try:
        return schema.state_of(database.reader)
    finally:
        database.close()


def fresh_master_key() -> str:
    """A random master key as SEAL_MASTER_KEY takes it: 64 hexadecimal characters."""
    return SystemEntropy().token(32).hex()


def has_tables(settings: Settings) -> bool:
    """Whether there is anything in the database that a service's tables could be."""
    return schema_of_database(settings).state is not schema.SchemaState.ABSENT
