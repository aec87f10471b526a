"""The environment: an instance's settings, and whether there is one."""

from __future__ import annotations

import re

from pydantic import ValidationError
from pydantic_settings import SettingsError

from seal_service.config import Settings
from seal_service.domain.errors import InvalidInput

MASTER_KEY = "master.key"
"""The master key's file in the key directory."""


OTHER_VARIABLES = frozenset({"SEAL_CLIENT_ID", "SEAL_CLIENT_SECRET", "SEAL_TEST_CORPORA", "SEAL_TEST_TOOLS"}) | {
    "SEAL_PASSWORD",
    "SEAL_NEW_PASSWORD",
    "SEAL_CODE",
    "SEAL_HANDLE",
    "SEAL_UKEY_PIN",
}
"""Variables of our prefix that are no settings: who is at the command line, and what the tests are given."""


def settings_from_environment() -> Settings:
    """The instance's settings; InvalidInput with the name of each wrong variable."""
    settings, wrong = read_settings()
    if settings is None:
        told = "; ".join(f"{variable}: {message}" for variable, message in wrong.items())
        raise InvalidInput(f"Settings in the environment are wrong: {told}")
    return settings


def read_settings() -> tuple[Settings | None, dict[str, str]]:
    """The settings, or None and what is wrong with which variable."""
    try:
        return Settings(), {}
    except ValidationError as error:
        return None, {f"SEAL_{str(one['loc'][0]).upper()}": one["msg"] for one in error.errors() if one["loc"]}
    except SettingsError as error:  # a list or a mapping that is no JSON; only the message tells which
        field = re.search(r'field "(\w+)"', str(error))
        return None, {f"SEAL_{field[1].upper()}" if field else "a list or a mapping": "it is written as JSON"}


def is_initialised(settings: Settings) -> bool:
    """Whether there is an instance: a master key, and a database with its tables.

    A file is only looked at; a server is asked, and Unavailable raised when it does not answer.
    """
    if settings.master_key is None and not (settings.key_directory / MASTER_KEY).exists():
        return False
    if settings.database_url is None:
        return (settings.home / "seal.db").exists()
    from seal_service.bootstrap.instance import has_tables

    return has_tables(settings)
