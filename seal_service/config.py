"""Settings of an instance, from the environment (prefix SEAL_)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from seal_service.domain.algorithms import Suite
from seal_service.domain.content import ContentKind

MEGABYTE = 1 << 20


class Settings(BaseSettings):
    """Everything an operator can set; printed into docs/reference/settings.md."""

    model_config = SettingsConfigDict(env_prefix="SEAL_", frozen=True, extra="forbid", env_nested_delimiter="__")

    home: Path = Field(Path("var"), description="Directory of the instance: database, kept documents.")
    keys: Path | None = Field(
        None, description="Key directory. Default: `keys` beside the default home, else `keys` inside the home."
    )
    master_key: SecretStr | None = Field(
        None,
        description="Master key, 64 hexadecimal characters; instead of the file `master.key` in the key directory.",
    )
    database_url: SecretStr | None = Field(None, description="SQLAlchemy URL. Default: SQLite file in the home.")

    city_name: str = Field("示例市", description="Name that the service's own certificates carry.")
    origin: str = Field("seal.example/log", description="Name (origin) of the signing log; never changes.")
    public_url: str = Field(
        "http://127.0.0.1:8000", description="Address under which /pki is reached; printed into certificates."
    )

    authority_suite: Suite = Field(Suite.ECDSA_P256, description="Suite of the internal authority's keys.")
    seal_suite: Suite = Field(Suite.ECDSA_P256, description="Suite of a seal's key when the order names none.")
    certificate_days: int = Field(1095, ge=1, le=3650, description="Validity of a seal's certificate, in days.")

    timestamp_urls: tuple[str, ...] = Field(
        (), description="Time-stamping authorities (RFC 3161), tried in order before the embedded one."
    )
    timestamp_embedded: bool = Field(True, description="Whether the embedded time-stamping unit is tried last.")
    timestamp_anchors: tuple[Path, ...] = Field((), description="PEM files: trust anchors for time-stamps.")
    trust_anchors: tuple[Path, ...] = Field((), description="PEM files: trust anchors for seals of other systems.")
    revocation_addresses: dict[str, tuple[str, ...]] = Field(
        {},
        description="Where revocation data may be fetched: SHA-256 of an issuer's certificate (hex) → URL prefixes.",
    )
    network_timeout_seconds: float = Field(5.0, gt=0, description="Time limit of every request to the outside.")

    document_bytes: int = Field(50 * MEGABYTE, ge=1024, description="Largest document, in bytes.")
    document_pages: int = Field(5000, ge=1, description="Most pages of a document.")
    document_objects: int = Field(500_000, ge=1, description="Most objects of a document.")
    permitted_content: frozenset[ContentKind] = Field(
        frozenset(),
        description=f"Kinds of content sealed nevertheless: {', '.join(ContentKind)}.",
    )
    document_hold_hours: int = Field(
        72, ge=1, le=72, description="How long a sealed document is held, encrypted, until the caller acknowledges it."
    )

    reservation_seconds: int = Field(300, ge=30, description="After how long a use without end counts as abandoned.")
    token_seconds: int = Field(600, ge=60, le=3600, description="Lifetime of an access token.")
    requests_per_minute: int = Field(
        1200, ge=1, description="Requests a minute from one account; without an account, a tenth from one address."
    )
    trusted_proxies: tuple[IPv4Address | IPv6Address, ...] = Field(
        (), description="Addresses of the proxies in front whose X-Forwarded-For and X-Forwarded-Proto are believed."
    )
    worker_threads: int = Field(4, ge=1, description="Threads that work on requests in one process.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe messages of `seal serve`; DEBUG also shows where a command failed."
    )

    @property
    def key_directory(self) -> Path:
        """Where the keys are."""
        if self.keys is not None:
            return self.keys
        return Path("keys") if self.home == Path("var") else self.home / "keys"

    @property
    def database_address(self) -> str:
        """SQLAlchemy URL of the database."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home / 'seal.db'}"
