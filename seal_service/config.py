"""Settings of an instance, from the environment (prefix SEAL_)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from seal_service.domain.access import Role
from seal_service.domain.algorithms import Suite
from seal_service.domain.content import ContentKind
from seal_service.domain.operation import DocumentKeeping, Profile
from seal_service.domain.second_factor import FactorPolicy
from seal_service.formats.note import checked_name

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
        description="Master key, 64 hexadecimal characters, instead of the file `master.key` in the key directory; "
        "`new,old` while it is rotated.",
    )
    database_url: SecretStr | None = Field(
        None,
        description="SQLAlchemy URL of the application's role. Default: SQLite file in the home; PostgreSQL: "
        "`postgresql+psycopg://role@host/name`.",
    )
    database_owner_url: SecretStr | None = Field(
        None, description="URL of the role that owns the tables; only `seal init`, `seal db` and backups need it."
    )
    profile: Profile = Field(
        Profile.DEVELOPMENT,
        description="`production` refuses what only a trial may do, such as software keys for the authority and seals.",
    )
    allow_software_keys: bool = Field(
        False, description="Whether the production profile takes software keys all the same; health then says so."
    )

    key_store: Literal["file", "pkcs11"] = Field(
        "file", description="Where new keys are made; keys that are there already are found in both."
    )
    pkcs11_module: Path | None = Field(None, description="PKCS#11 module (.so) of the HSM.")
    pkcs11_token: str | None = Field(None, description="Label of the token in it.")
    pkcs11_pin: SecretStr | None = Field(None, description="The token's user PIN; instead of the file.")
    pkcs11_pin_file: Path | None = Field(None, description="File with the user PIN, readable by its owner alone.")
    pkcs11_seal_tokens: str | None = Field(
        None,
        min_length=1,
        max_length=31,
        description="Beginning of the labels of further tokens of the module, prepared for seals' keys: each new key "
        "gets one of its own, whose PIN becomes its keeper's activation secret. Unset: they go into the service's.",
    )
    pkcs11_seal_pin_file: Path | None = Field(
        None,
        description="File with the user PIN that those tokens have until their keepers take them, readable by its "
        "owner alone.",
    )

    city_name: str = Field("示例市", description="Name that the service's own certificates carry.")
    origin: str = Field(
        "seal.example/log", description="Name (origin) of the signing log and of its key; never changes."
    )
    log_directory: Path | None = Field(
        None,
        description="Directory of the published log (C2SP tlog-tiles): static files that hold every entry, for "
        "auditors. Default: `log` inside the home.",
    )
    log_guard: Path | None = Field(
        None,
        description="Directory of the log's guard, which keeps the last checkpoint: on another volume or host, and "
        "in no backup. Default: `log-guard` inside the home, of which health warns.",
    )
    log_witnesses: tuple[str, ...] = Field(
        (), description="Witnesses of the log (C2SP tlog-witness), each its verifier key, a space and its address."
    )
    log_witnesses_needed: int | None = Field(
        None,
        ge=0,
        description="How many of them have to cosign a checkpoint before it is published; 0: the log goes on without, "
        "and health says so. Default: one in the production profile where any is named, else 0.",
    )
    log_merge_seconds: int = Field(
        10, ge=1, le=86400, description="Within how many seconds a receipt promises its entry under a checkpoint."
    )
    log_wait_seconds: int = Field(
        10, ge=0, le=60, description="How long an answer waits at most that was asked for with `wait=published`."
    )
    public_url: str = Field(
        "http://127.0.0.1:8000", description="Address under which /pki is reached; printed into certificates."
    )

    pages_url: str | None = Field(
        None,
        description="Address under which people open the pages, such as `https://seal.example`: forms are taken from "
        "there alone, and the identity provider sends people back to `/pages/sign-in/provider/return` of it.",
    )

    authority_suite: Suite = Field(Suite.ECDSA_P256, description="Suite of the internal authority's keys.")
    seal_suite: Suite = Field(Suite.ECDSA_P256, description="Suite of a seal's key when the order names none.")
    certificate_source: Literal["internal", "request", "est"] = Field(
        "internal",
        description="Who certifies seals: the internal authority, an outside one by certificate request (CSR out, "
        "certificate in), or an outside one by EST (RFC 7030).",
    )
    est_url: str | None = Field(None, description="EST server, such as `https://ca.example/.well-known/est`.")
    est_trust: Path | None = Field(None, description="PEM file: roots of the EST server's TLS certificate.")
    est_user: str | None = Field(None, description="User name at the EST server.")
    est_password: SecretStr | None = Field(None, description="Password at the EST server.")
    est_client_certificate: Path | None = Field(
        None, description="PEM file of our TLS certificate and its private key for the EST server, if it wants one."
    )
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

    filing_url: str | None = Field(
        None,
        description="省级电子印章系统: beginning of its address, such as `https://registry.example`; unset: they wait.",
    )
    filing_system_id: str | None = Field(
        None,
        max_length=200,
        pattern=r"^[^|\s]+$",
        description="上报系统标识: the name under which the provincial registry knows this system.",
    )
    filing_trust: Path | None = Field(
        None, description="PEM file: roots of the registry's TLS certificate. Default: those of the machine."
    )
    filing_hours: int = Field(24, ge=1, description="Age of the oldest unacknowledged filing that health warns of.")

    document_bytes: int = Field(50 * MEGABYTE, ge=1024, description="Largest document, in bytes.")
    document_pages: int = Field(5000, ge=1, description="Most pages of a document.")
    document_objects: int = Field(500_000, ge=1, description="Most objects of a document.")
    reading_seconds: float = Field(
        4.0, gt=0, description="Processor time that reading one document may take; half of it that repairing one may."
    )
    reading_bytes: int = Field(
        320 * MEGABYTE, ge=64 * MEGABYTE, description="Memory that reading one may take, in bytes."
    )
    reading_processes: int = Field(
        2, ge=1, description="Processes that read documents, of each serving process and for each purpose."
    )
    permitted_content: frozenset[ContentKind] = Field(
        frozenset(),
        description=f"Kinds of content sealed nevertheless: {', '.join(ContentKind)}.",
    )
    documents: DocumentKeeping = Field(
        DocumentKeeping.HELD,
        description="Whether sealed documents are kept, always encrypted: `held` until the caller acknowledges, `kept` "
        "for good, `none` not at all (a repeated request then gets the receipt alone). An instance begins "
        "with it; later two people change it (`seal retention change`).",
    )
    document_hold_hours: int = Field(
        72, ge=1, le=72, description="How long a sealed document is held, encrypted, until the caller acknowledges it."
    )

    notify_webhook_url: str | None = Field(
        None, description="Where the making office's system is told of losses and the like: https, or this machine."
    )
    notify_webhook_secret: SecretStr | None = Field(
        None, description="Shared secret, at least 32 characters, under which those messages are signed (HMAC-SHA-256)."
    )
    notify_trust: Path | None = Field(
        None, description="PEM file: roots of the TLS certificates of webhook and mail server; default: the system's."
    )
    notify_mail_to: tuple[str, ...] = Field((), description="Mail addresses that are told of the same.")
    smtp_host: str | None = Field(None, description="Mail server.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_protection: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the way to it is protected; `none` on this machine alone."
    )
    smtp_user: str | None = Field(None, description="User name at the mail server.")
    smtp_password: SecretStr | None = Field(None, description="Password at the mail server.")
    smtp_from: str | None = Field(None, description="Address from which mail comes.")
    status_list_hours: int = Field(
        24, ge=1, le=744, description="How long a signed status list says what it says; a new one is made every hour."
    )
    report_font: Path | None = Field(
        None,
        description="Font (TrueType or OpenType) that is embedded in reports on the log, for names with rare "
        "characters; default: Noto Sans SC, which is installed with the service.",
    )
    activation: Literal["required", "off"] | None = Field(
        None,
        description="Whether seals with keys in files sign only once their unit's keeper has taken them into custody; "
        "default: `required` in the production profile, `off` elsewhere. One that was taken, or whose key has a token "
        "of its own, is locked in any case.",
    )
    reservation_seconds: int = Field(300, ge=30, description="After how long a use without end counts as abandoned.")
    token_seconds: int = Field(600, ge=60, le=3600, description="Lifetime of an access token.")
    second_factor: FactorPolicy | None = Field(
        None,
        description="What people prove beside the password: `off`, `totp`, `any`, or `certificate` (a client "
        "certificate or a UKey). Default: `off`; the production profile asks for `certificate` whatever is set here.",
    )
    person_anchors: tuple[Path, ...] = Field(
        (), description="PEM files: authorities of the certificates and UKeys by which people sign in."
    )
    session_idle_minutes: int = Field(15, ge=1, le=60, description="After how long unused a person's session ends.")
    session_hours: int = Field(8, ge=1, le=24, description="After how long a person's session ends at all events.")
    oidc_issuer: str | None = Field(
        None, description="Issuer of the identity provider (OpenID Connect) by which people may sign in."
    )
    oidc_audience: str | None = Field(None, description="Our client id at the identity provider.")
    oidc_client_secret: SecretStr | None = Field(
        None, description="Our client secret there, for people who come by browser; instead of the file."
    )
    oidc_client_secret_file: Path | None = Field(
        None, description="File with it, readable by its owner alone. Neither: a public client, by PKCE alone."
    )
    oidc_roles_claim: str = Field("roles", description="Claim that names a person's roles, such as `realm.roles`.")
    oidc_roles: dict[str, Role] = Field({}, description="What the identity provider calls a role → the role here.")
    requests_per_minute: int = Field(
        1200, ge=1, description="Requests a minute from one account; without an account, a tenth from one address."
    )
    trusted_proxies: tuple[IPv4Address | IPv6Address, ...] = Field(
        (), description="Addresses of the proxies in front whose X-Forwarded-For and X-Forwarded-Proto are believed."
    )
    client_certificates: bool = Field(
        False,
        description="Whether those proxies hand on clients' TLS certificates (`Client-Cert`, RFC 9440). They must "
        "then remove that field from every request that comes with it, or anyone could claim any certificate.",
    )
    worker_threads: int = Field(4, ge=1, description="Threads that work on requests in one process.")
    disk_reserve_bytes: int = Field(
        1 << 30, ge=0, description="Free space on the home's volume below which the service is not ready."
    )
    crl_hours: int = Field(
        24, ge=1, description="Age of an outside issuer's revocation data from which the service is not ready."
    )
    trust_days: int = Field(
        366, ge=1, description="Days after which a trust anchor has to be confirmed (`seal trust confirm`)."
    )
    clock_seconds: float = Field(
        5.0, gt=0, description="Most that this machine's clock may differ from the database's and a time-stamp's."
    )
    shutdown_seconds: int = Field(30, ge=1, description="Time that requests under way get when the server stops.")
    metrics_addresses: tuple[IPv4Network | IPv6Network, ...] = Field(
        (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")), description="Networks from which /metrics is answered."
    )
    log_format: Literal["json", "text"] = Field("json", description="Form of the log lines of `seal serve`.")
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
    def published_log(self) -> Path:
        """Where the published log is."""
        return self.home / "log" if self.log_directory is None else self.log_directory

    @property
    def witnesses_needed(self) -> int:
        """How many witnesses have to cosign before a checkpoint is published."""
        if self.log_witnesses_needed is not None:
            return self.log_witnesses_needed
        return int(self.profile is Profile.PRODUCTION and bool(self.log_witnesses))

    @property
    def guard_directory(self) -> Path:
        """Where the log's guard is."""
        return self.home / "log-guard" if self.log_guard is None else self.log_guard

    @field_validator("origin")
    @classmethod
    def _is_key_name(cls, origin: str) -> str:
        return checked_name(origin)

    @property
    def activation_required(self) -> bool:
        """Whether no seal signs that its keeper has not taken into custody."""
        return self.activation == "required" or (self.activation is None and self.profile is Profile.PRODUCTION)

    @property
    def run_directory(self) -> Path:
        """Where running processes meet: nothing in it is worth keeping."""
        return self.home / "run"

    @property
    def database_address(self) -> str:
        """SQLAlchemy URL of the database."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home / 'seal.db'}"

    @property
    def database_owner_address(self) -> str | None:
        """SQLAlchemy URL of the role that owns the tables, where it is known."""
        return None if self.database_owner_url is None else self.database_owner_url.get_secret_value()
