"""配置检查: what a production instance should have otherwise than a trial."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

import httpx

from seal_service.bootstrap.checking_people import check_people
from seal_service.bootstrap.findings import Finding, error, ok, warning
from seal_service.config import Settings
from seal_service.domain.operation import Profile


def check_profile(settings: Settings) -> Iterator[Finding]:
    """Rules of the production profile; of a trial only that it is one."""
    if settings.profile is Profile.DEVELOPMENT:
        yield ok("SEAL_PROFILE", "development: for trials; a city's service runs with SEAL_PROFILE=production")
        yield from check_people(settings)
        return
    found = [*_names(settings), *_keys(settings), *_surroundings(settings), *check_people(settings)]
    yield from found or [ok("SEAL_PROFILE", "production: nothing is left as in a trial")]


def _names(settings: Settings) -> Iterator[Finding]:
    if _is_here(settings.public_url):
        told = f"{settings.public_url} is printed into every certificate, and leads nowhere from elsewhere"
        yield error(
            "SEAL_PUBLIC_URL", told, "set the address under which others reach this service, before `seal init`"
        )
    elif not settings.public_url.startswith("https://"):
        told = "access tokens and documents travel unencrypted unless a TLS proxy stands at this address"
        yield warning("SEAL_PUBLIC_URL", told, "put TLS in front, and write https://…")
    default = Settings.model_fields["origin"].default
    if settings.origin == default:
        yield warning("SEAL_ORIGIN", f"{default} is everyone's default; a log's name never changes", "set your own")
    city = Settings.model_fields["city_name"].default
    if settings.city_name == city:
        yield warning("SEAL_CITY_NAME", f"{city} is fictional and stands in the certificates", "set the city's name")


def _keys(settings: Settings) -> Iterator[Finding]:
    if settings.key_store == "file":
        if settings.allow_software_keys:
            told = "keys of the authority and of seals lie in files"
            yield warning("SEAL_ALLOW_SOFTWARE_KEYS", told, "take an HSM: SEAL_KEY_STORE=pkcs11")
        else:
            told = "the production profile takes no keys in files for the authority and seals"
            mend = "take an HSM (SEAL_KEY_STORE=pkcs11), or say SEAL_ALLOW_SOFTWARE_KEYS=true"
            yield error("SEAL_KEY_STORE", told, mend)
    elif settings.pkcs11_seal_tokens is None and settings.activation_required:
        told = "seals' keys in the HSM sign without an activation by their keepers"
        yield warning("SEAL_PKCS11_SEAL_TOKENS", told, "prepare a token for each seal, and name their beginning")
    if settings.master_key is not None:
        told = "whoever may see this process's environment sees the master key"
        yield warning("SEAL_MASTER_KEY", told, "keep it in the file master.key, mode 0600")


def _surroundings(settings: Settings) -> Iterator[Finding]:
    if settings.database_address.startswith("sqlite"):
        told = "SQLite serves one machine and is lost with it"
        yield warning("SEAL_DATABASE_URL", told, "take PostgreSQL with a standby, or back up often: `seal db backup`")
    elif settings.database_owner_url is not None:
        told = "is known to this process, which could then change tables and the log's triggers"
        yield warning("SEAL_DATABASE_OWNER_URL", told, "set it for `seal init`, `seal db` and backups alone")
    if not settings.trusted_proxies:
        told = "no TLS proxy is named: every client behind one would share one address and one rate"
        yield warning("SEAL_TRUSTED_PROXIES", told, 'name the proxy: ["10.0.0.5"]')
    if not settings.timestamp_urls:
        told = "time-stamps come from the embedded unit alone, which convinces only who trusts this service"
        yield warning("SEAL_TIMESTAMP_URLS", told, "name an outside time-stamping authority")


def _is_here(url: str) -> bool:
    """Whether an address leads to the machine that asks."""
    try:
        host = httpx.URL(url).host
    except httpx.InvalidURL:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
