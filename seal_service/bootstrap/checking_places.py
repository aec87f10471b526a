"""配置检查: directories, keys, PKCS#11 token and database."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from seal_service.bootstrap.environment import MASTER_KEY
from seal_service.bootstrap.findings import Finding, error, ok, warning
from seal_service.bootstrap.machine import SystemEntropy
from seal_service.bootstrap.rooms import master_keys, prepared_tokens
from seal_service.config import Settings
from seal_service.domain.errors import SealServiceError
from seal_service.pki.key_hierarchy import KeyHierarchy, has_keys
from seal_service.pki.pkcs11_token import load_pin
from seal_service.storage import schema
from seal_service.storage.engine import open_database


def check_directories(settings: Settings) -> Iterator[Finding]:
    """Home and key directory: there, ours, and no one else's to write."""
    yield _directory("SEAL_HOME", settings.home.absolute(), private=False)
    yield _directory("SEAL_KEYS", settings.key_directory.absolute(), private=True)


def _directory(variable: str, path: Path, *, private: bool) -> Finding:
    if not path.exists():
        above = next(one for one in path.parents if one.exists())
        if not os.access(above, os.W_OK | os.X_OK):
            return error(variable, f"{path} cannot be made in {above}", f"mkdir {path}, for the service's user")
        return warning(variable, f"{path} is not there yet", "`seal init` makes it")
    if not path.is_dir():
        return error(variable, f"{path} is no directory", "name a directory")
    mode = stat.S_IMODE(path.stat().st_mode)
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return error(variable, f"this user may not write in {path}", f"chown it to the service's user ({os.geteuid()})")
    if mode & 0o022:
        return error(variable, f"others may write in {path} (mode {mode:04o})", f"chmod go-w {path}")
    if private and mode & 0o055:
        return warning(variable, f"others may list {path} (mode {mode:04o})", f"chmod 700 {path}")
    return ok(variable, str(path))


def check_keys(settings: Settings) -> Iterator[Finding]:
    """Master key, and where there is an HSM, its module, token and PIN."""
    file = settings.key_directory / MASTER_KEY
    if settings.master_key is None and not file.exists():
        yield warning("SEAL_MASTER_KEY", f"there is no master key, nor the file {file}", "`seal init` makes the file")
    else:
        try:
            source = master_keys(settings)
            source.load()
            if has_keys(settings.key_directory):
                KeyHierarchy(settings.key_directory, source, SystemEntropy())  # it has to open what is there
        except SealServiceError as failure:
            yield error("SEAL_MASTER_KEY", failure.message, "bring the right one back from its backup")
        else:
            yield ok("SEAL_MASTER_KEY", "from the environment" if settings.master_key else str(file))
        if settings.master_key is not None and file.exists():
            told = f"is set, so the file {file} is not read"
            yield warning("SEAL_MASTER_KEY", told, "take one of the two away")
    if settings.key_store == "pkcs11" or settings.pkcs11_module is not None:
        yield from _token(settings)


def _token(settings: Settings) -> Iterator[Finding]:
    yield from _pin(settings)
    if settings.pkcs11_module is None or settings.pkcs11_token is None:
        yield error(
            "SEAL_PKCS11_MODULE", "module or token is not named", "set SEAL_PKCS11_MODULE and SEAL_PKCS11_TOKEN"
        )
        return
    import pkcs11

    try:
        module = pkcs11.lib(str(settings.pkcs11_module.resolve()))
        found = sorted(slot.get_token().label for slot in module.get_slots(token_present=True))
    except (pkcs11.PKCS11Error, RuntimeError, OSError) as failure:
        told = f"{settings.pkcs11_module} cannot be used: {failure or type(failure).__name__}"
        yield error("SEAL_PKCS11_MODULE", told, "install the HSM's PKCS#11 module, or name the right file")
        return
    yield ok("SEAL_PKCS11_MODULE", f"{settings.pkcs11_module}, tokens: {', '.join(found) or 'none'}")
    if settings.pkcs11_token in found:
        yield ok("SEAL_PKCS11_TOKEN", settings.pkcs11_token)
    else:
        yield error("SEAL_PKCS11_TOKEN", f"there is no token {settings.pkcs11_token}", "see that the HSM is connected")
    if settings.pkcs11_seal_tokens is not None:
        yield from _seal_tokens(settings)


def _seal_tokens(settings: Settings) -> Iterator[Finding]:
    try:
        tokens = prepared_tokens(settings)
        if tokens is None:
            return
        seen = tokens.seen()
        tokens.transport_pin()
    except SealServiceError as failure:
        yield error("SEAL_PKCS11_SEAL_TOKENS", failure.message, "see docs/how-to/hsm.md, tokens for seals")
        return
    free = sum(one.empty for one in seen)
    told = f"{len(seen)} tokens {tokens.beginning}…, {free} of them free for a seal's key"
    if free:
        yield ok("SEAL_PKCS11_SEAL_TOKENS", told)
    else:
        yield warning("SEAL_PKCS11_SEAL_TOKENS", told, "prepare further ones, empty and with the transport PIN")


def _pin(settings: Settings) -> Iterator[Finding]:
    file = settings.pkcs11_pin_file
    if file is None:
        if settings.pkcs11_pin is None:
            yield error("SEAL_PKCS11_PIN_FILE", "no PIN is given", "put the user PIN into a file of mode 0600")
        return
    if settings.pkcs11_pin is not None:
        yield warning("SEAL_PKCS11_PIN", "is set beside SEAL_PKCS11_PIN_FILE", "take one of the two away")
    try:
        load_pin(file)
    except SealServiceError as failure:
        yield error("SEAL_PKCS11_PIN_FILE", failure.message, f"write the user PIN into {file}, mode 0600")
    else:
        yield ok("SEAL_PKCS11_PIN_FILE", str(file))


def check_database(settings: Settings) -> Iterator[Finding]:
    """Both addresses answer, and the tables are this program's."""
    owner = settings.database_owner_url
    yield from _database("SEAL_DATABASE_URL", settings.database_address)
    if owner is not None:
        yield from _database("SEAL_DATABASE_OWNER_URL", owner.get_secret_value())


def _database(variable: str, address: str) -> Iterator[Finding]:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        yield error(variable, "is no URL", "write postgresql+psycopg://role@host/name")
        return
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        yield warning(variable, f"{url.database} is not there yet", "`seal init` makes it")
        return
    shown = url.render_as_string(hide_password=True)
    try:
        database = open_database(address)
    except SealServiceError as failure:
        yield error(variable, failure.message, "write postgresql+psycopg://role@host/name")
        return
    try:
        found = schema.state_of(database.reader)
    except SealServiceError as failure:
        yield error(variable, f"{shown}: {failure.message}", "start the database, or mend the address")
    else:
        if found.state is schema.SchemaState.CURRENT:
            yield ok(variable, f"{shown}, schema {schema.HEAD}")
        elif found.state is schema.SchemaState.ABSENT:
            yield warning(variable, f"{shown} has no tables yet", "`seal init` makes them")
        else:
            yield error(variable, f"{shown}: {found.sentence}", "do as it says")
    finally:
        database.close()
