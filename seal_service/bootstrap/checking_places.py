"""配置检查: directories, keys, PKCS#11 token and database."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from seal_service.bootstrap.environment import MASTER_KEY
from seal_service.bootstrap.findings import Finding, error, ok, warning
from seal_service.bootstrap.rooms import master_key
from seal_service.config import Settings
from seal_service.domain.errors import SealServiceError
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
            master_key(settings)
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
        module = pkcs11.lib(str(settings.pkcs11_module.absolute()))
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


def _pin(settings: Settings) -> Iterator[Finding]:
    file = settings.pkcs11_pin_file
    if file is None:
        if settings.pkcs11_pin is None:
            yield error("SEAL_PKCS11_PIN_FILE", "no PIN is given", "put the user PIN into a file of mode 0600")
        return
    if settings.pkcs11_pin is not None:
        yield warning("SEAL_PKCS11_PIN", "is set beside SEAL_PKCS11_PIN_FILE", "take one of the two away")
    try:
        found = file.stat()
    except OSError as failure:
        yield error("SEAL_PKCS11_PIN_FILE", f"{file}: {failure.strerror}", "name a file that is there")
        return
    if found.st_mode & 0o077:
        mode = f"mode {stat.S_IMODE(found.st_mode):04o}"
        yield error("SEAL_PKCS11_PIN_FILE", f"{file} can be read by others ({mode})", f"chmod 600 {file}")
    elif not os.access(file, os.R_OK) or found.st_size == 0:
        yield error("SEAL_PKCS11_PIN_FILE", f"{file} is empty or not to be read", "write the user PIN into it")
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
    except ArgumentError:
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
        with database.reader.connect():
            pass
        if schema.is_current(database.reader):
            yield ok(variable, f"{shown}, schema {schema.HEAD}")
        else:
            yield error(variable, f"{shown} has another schema than {schema.HEAD}", "`seal init` or `seal db upgrade`")
    except (SQLAlchemyError, SealServiceError) as failure:
        told = str(getattr(failure, "orig", None) or failure).strip().split("\n", 1)[0]
        if url.password:
            told = told.replace(url.password, "…")
        yield error(variable, f"{shown} does not answer: {told}", "start the database, or mend the address")
    finally:
        database.close()
