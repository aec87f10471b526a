"""配置检查: the settings, where each comes from, and what can be checked of them without changing anything."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from seal_service.bootstrap.checking_addresses import check_addresses, check_online, check_trust
from seal_service.bootstrap.checking_places import check_database, check_directories, check_keys
from seal_service.bootstrap.checking_profile import check_profile
from seal_service.bootstrap.environment import OTHER_VARIABLES, read_settings
from seal_service.bootstrap.findings import Finding, Severity, error, ok, warning
from seal_service.config import Settings

PREFIX = "SEAL_"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingShown:
    """A setting as it is now."""

    variable: str
    value: str
    """Secrets only as `set` or `not set`."""
    source: Literal["environment", "default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """All settings, and what was found."""

    settings: tuple[SettingShown, ...]
    findings: tuple[Finding, ...]

    @property
    def usable(self) -> bool:
        """Whether nothing is an error."""
        return all(one.severity is not Severity.ERROR for one in self.findings)


def check_configuration(*, online: bool = False) -> Configuration:
    """The environment's settings, before and after `seal init`; `online`: also what only others can answer."""
    given = {name.upper(): value for name, value in os.environ.items() if name.upper().startswith(PREFIX)}
    settings, wrong = read_settings()
    findings = [*_unknown(given)]
    findings += [error(variable, told, "see docs/reference/settings.md") for variable, told in wrong.items()]
    if settings is not None:
        findings += [ok("environment", "every setting can be read")] if not findings else []
        for check in (check_directories, check_keys, check_database, check_addresses, check_trust, check_profile):
            findings += check(settings)
        if online:
            findings += check_online(settings)
    return Configuration(settings=tuple(_shown(settings, given)), findings=tuple(findings))


def _unknown(given: Mapping[str, str]) -> Iterator[Finding]:
    """Variables of our prefix that set nothing: they are ignored, which nobody notices."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | OTHER_VARIABLES
    for name in sorted(given):
        if name.partition("__")[0] in known:
            continue
        near = get_close_matches(name, known, n=1, cutoff=0.8)
        if near:
            yield error(name, "there is no such setting, so it is ignored", f"did you mean {near[0]}?")
        else:
            yield warning(name, "there is no such setting, so it is ignored", "take it away, or see settings.md")


def _shown(settings: Settings | None, given: Mapping[str, str]) -> Iterator[SettingShown]:
    for name, field in Settings.model_fields.items():
        variable = f"{PREFIX}{name.upper()}"
        in_environment = any(one.partition("__")[0] == variable for one in given)
        secret = SecretStr in (field.annotation, *getattr(field.annotation, "__args__", ()))
        if secret:
            value = "set" if in_environment else "not set"
        elif settings is not None:
            value = _text(settings.key_directory if name == "keys" else getattr(settings, name))
        else:  # what is given cannot be read: it is shown as it stands
            value = given.get(variable, "") if in_environment else _text(field.default)
        yield SettingShown(variable=variable, value=value, source="environment" if in_environment else "default")


def _text(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_text(one)}" for key, one in value.items()) or "none"
    if isinstance(value, (tuple, frozenset)):
        return ", ".join(_text(one) for one in (sorted(value) if isinstance(value, frozenset) else value)) or "none"
    return str(value)
