"""What a running service and the founding of an instance both stand on."""

from __future__ import annotations

from dataclasses import dataclass

from seal_service.bootstrap.environment import MASTER_KEY
from seal_service.config import Settings
from seal_service.log.signing_log import DatabaseSigningLog
from seal_service.pki.credentials import ClientCredentials
from seal_service.pki.file_keys import FileKeyStore
from seal_service.pki.vault import MasterKeyVault, load_master_key, parse_master_key
from seal_service.ports.system import Clock, Entropy
from seal_service.storage.engine import Database, open_database
from seal_service.storage.unit_of_work import SqlRecords

SPARE_CONNECTIONS = 4
"""Beside the threads that work on requests: schedules, health."""


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """What both a running service and the founding of an instance stand on."""

    clock: Clock
    entropy: Entropy
    vault: MasterKeyVault
    database: Database
    records: SqlRecords
    keys: FileKeyStore
    log: DatabaseSigningLog
    credentials: ClientCredentials


def open_rooms(settings: Settings, key: bytes, clock: Clock, entropy: Entropy) -> Rooms:
    """The rooms over an instance's files; the caller closes the database."""
    vault = MasterKeyVault(key, entropy)
    database = database_of(settings)
    credentials = ClientCredentials(
        key=vault.derive("access tokens"),
        issuer=settings.public_url,
        audience=settings.public_url,
        lifetime_seconds=settings.token_seconds,
        entropy=entropy,
    )
    return Rooms(
        clock=clock,
        entropy=entropy,
        vault=vault,
        database=database,
        records=SqlRecords(database),
        keys=FileKeyStore(settings.key_directory, vault, entropy),
        log=DatabaseSigningLog(settings.origin, clock, entropy, vault),
        credentials=credentials,
    )


def database_of(settings: Settings) -> Database:
    """An instance's database; the caller closes it."""
    connections = settings.worker_threads + SPARE_CONNECTIONS
    return open_database(settings.database_address, settings.database_owner_address, connections=connections)


def master_key(settings: Settings) -> bytes:
    """The master key, 32 bytes, from the environment or its file; InstanceNotReady without a good one."""
    if settings.master_key is not None:
        return parse_master_key(settings.master_key.get_secret_value())
    return load_master_key(settings.key_directory / MASTER_KEY)
