"""What a running service and the founding of an instance both stand on."""

from __future__ import annotations

from dataclasses import dataclass

from seal_service.bootstrap.environment import MASTER_KEY
from seal_service.config import Settings
from seal_service.domain.errors import InstanceNotReady
from seal_service.domain.key_custody import CustodyRule
from seal_service.domain.operation import KeyPlace
from seal_service.log.signing_log import DatabaseSigningLog
from seal_service.pki.credentials import ClientCredentials
from seal_service.pki.ed25519_files import Ed25519Files
from seal_service.pki.file_keys import FileKeyStore
from seal_service.pki.foundation import InternalAuthorityFoundation
from seal_service.pki.key_hierarchy import KeyHierarchy
from seal_service.pki.key_stores import KeyStores
from seal_service.pki.log_key import LogKey
from seal_service.pki.master_key import GivenMasterKeys, MasterKeyFile, MasterKeySource
from seal_service.pki.pkcs11_ed25519 import Pkcs11Ed25519Keys
from seal_service.pki.pkcs11_keys import Pkcs11KeyStore
from seal_service.pki.pkcs11_token import Pkcs11Token, load_pin
from seal_service.pki.prepared_tokens import PreparedTokens
from seal_service.pki.seal_token_keys import SealTokenKeyStore
from seal_service.pki.vault import KeyRingVault
from seal_service.ports.crypto import KeyStore
from seal_service.ports.system import Clock, Entropy
from seal_service.storage.engine import Database, open_database
from seal_service.storage.unit_of_work import SqlRecords
from seal_service.usecases.log_key_periods import LogKeyPeriods

SPARE_CONNECTIONS = 4
"""Beside the threads that work on requests: schedules, health."""


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """What both a running service and the founding of an instance stand on."""

    clock: Clock
    entropy: Entropy
    hierarchy: KeyHierarchy
    vault: KeyRingVault
    database: Database
    records: SqlRecords
    keys: KeyStores
    files: FileKeyStore
    seal_tokens: SealTokenKeyStore | None
    log: DatabaseSigningLog
    log_key: LogKey
    log_keys: LogKeyPeriods
    credentials: ClientCredentials


def open_rooms(settings: Settings, clock: Clock, entropy: Entropy) -> Rooms:
    """The rooms over an instance's files; the caller closes the database. InstanceNotReady, IntegrityFailed."""
    hierarchy = KeyHierarchy(settings.key_directory, master_keys(settings), entropy)
    files = FileKeyStore(hierarchy, entropy)
    vault = KeyRingVault(hierarchy, entropy)
    seal_tokens = seal_token_keys(settings)
    database = database_of(settings)
    credentials = credentials_of(settings, vault, entropy)
    records = SqlRecords(database)
    log_keys = LogKeyPeriods(records, clock)
    return Rooms(
        clock=clock,
        entropy=entropy,
        hierarchy=hierarchy,
        vault=vault,
        database=database,
        records=records,
        keys=key_stores(settings, files, seal_tokens),
        files=files,
        seal_tokens=seal_tokens,
        log=DatabaseSigningLog(settings.origin, clock, entropy, vault),
        log_key=_log_key(settings, hierarchy, entropy, log_keys),
        log_keys=log_keys,
        credentials=credentials,
    )


def credentials_of(settings: Settings, vault: KeyRingVault, entropy: Entropy) -> ClientCredentials:
    """Client secrets, and tokens under the keys of the ring."""
    return ClientCredentials(
        keys=vault.token_keys,
        issuer=settings.public_url,
        audience=settings.public_url,
        lifetime_seconds=settings.token_seconds,
        entropy=entropy,
    )


def database_of(settings: Settings) -> Database:
    """An instance's database; the caller closes it."""
    connections = settings.worker_threads + SPARE_CONNECTIONS
    return open_database(settings.database_address, settings.database_owner_address, connections=connections)


def master_keys(settings: Settings) -> MasterKeySource:
    """Where the master keys are: in the environment, else in their file; InstanceNotReady when those are malformed."""
    if settings.master_key is not None:
        return GivenMasterKeys(settings.master_key.get_secret_value())
    return MasterKeyFile(settings.key_directory / MASTER_KEY)


def key_stores(settings: Settings, files: FileKeyStore, seal_tokens: SealTokenKeyStore | None) -> KeyStores:
    """The key directory, and the HSM where one is named; it is not asked before its first key is."""
    return KeyStores(
        files=files,
        hsm=_hsm(settings),
        new_keys=KeyPlace(settings.key_store),
        rule=_custody_rule(settings),
        seal_tokens=seal_tokens,
    )


def _custody_rule(settings: Settings) -> CustodyRule:
    return CustodyRule(
        profile=settings.profile,
        software_keys_allowed=settings.allow_software_keys,
        activation_required=settings.activation_required,
    )


def _log_key(settings: Settings, hierarchy: KeyHierarchy, entropy: Entropy, periods: LogKeyPeriods) -> LogKey:
    token = _token(settings)
    return LogKey(
        name=settings.origin,
        files=Ed25519Files(hierarchy, entropy),
        hsm=None if token is None else Pkcs11Ed25519Keys(token),
        new_keys=KeyPlace(settings.key_store),
        rule=_custody_rule(settings),
        periods=periods,
    )


def seal_token_keys(settings: Settings) -> SealTokenKeyStore | None:
    """The tokens that are prepared for seals' keys, where some are named."""
    tokens = prepared_tokens(settings)
    return None if tokens is None else SealTokenKeyStore(tokens)


def prepared_tokens(settings: Settings) -> PreparedTokens | None:
    """As the settings name them; InstanceNotReady when that is half done."""
    module, beginning, pin_file = settings.pkcs11_module, settings.pkcs11_seal_tokens, settings.pkcs11_seal_pin_file
    if beginning is None:
        return None
    if module is None or pin_file is None:
        raise InstanceNotReady(
            "Tokens for seals' keys need SEAL_PKCS11_MODULE (their module, .so) and SEAL_PKCS11_SEAL_PIN_FILE (a file "
            "with the PIN that they are prepared with)"
        )
    return PreparedTokens(module, beginning, settings.pkcs11_token, lambda: load_pin(pin_file))


def _hsm(settings: Settings) -> Pkcs11KeyStore | None:
    token = _token(settings)
    return None if token is None else Pkcs11KeyStore(token)


def _token(settings: Settings) -> Pkcs11Token | None:
    module, label = settings.pkcs11_module, settings.pkcs11_token
    if module is None and settings.key_store == "file":
        return None
    if module is None or label is None:
        raise InstanceNotReady("An HSM needs SEAL_PKCS11_MODULE (its module, .so) and SEAL_PKCS11_TOKEN (its label)")
    pin, pin_file = settings.pkcs11_pin, settings.pkcs11_pin_file
    if pin is not None:
        return Pkcs11Token(module, label, pin.get_secret_value)
    if pin_file is not None:
        return Pkcs11Token(module, label, lambda: load_pin(pin_file))
    raise InstanceNotReady("An HSM needs its user PIN, in the file SEAL_PKCS11_PIN_FILE or in SEAL_PKCS11_PIN")


def authority_foundation(settings: Settings, keys: KeyStore, entropy: Entropy) -> InternalAuthorityFoundation:
    """Who makes the service's own certificates, under the city's name."""
    organization = f"{settings.city_name}政务服务管理办公室"
    return InternalAuthorityFoundation(keys, entropy, settings.public_url, settings.city_name, organization)
