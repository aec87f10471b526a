"""配置检查: addresses, trust files, and what only others can answer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from asn1crypto import x509

from seal_service.bootstrap.findings import Finding, error, ok, warning
from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.bootstrap.verifying import LARGEST_ANSWER, trust_store
from seal_service.config import Settings
from seal_service.domain.errors import InvalidInput, SealServiceError
from seal_service.formats.cms import read_timestamp_token
from seal_service.pki.allowed_addresses import parse_address
from seal_service.pki.bounded_http import BoundedHttp
from seal_service.pki.timestamp_client import HttpTimestampAuthority, TrustedTimestampAuthority
from seal_service.pki.trust import certificates_of_file

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_NOTHING = hashlib.sha256(b"").digest()
"""What is time-stamped to see whether an authority answers."""


def check_addresses(settings: Settings) -> Iterator[Finding]:
    """Every address is a plain http or https URL."""
    yield _address("SEAL_PUBLIC_URL", settings.public_url)
    for url in settings.timestamp_urls:
        yield _address("SEAL_TIMESTAMP_URLS", url)
    for issuer, prefixes in settings.revocation_addresses.items():
        if not _SHA256.fullmatch(issuer):
            told = f"{issuer!r} is no SHA-256 of a certificate in hexadecimal"
            yield error("SEAL_REVOCATION_ADDRESSES", told, "openssl x509 -in issuer.pem -outform DER | sha256sum")
        for prefix in prefixes:
            yield _address("SEAL_REVOCATION_ADDRESSES", prefix)
    yield from _est(settings)


def _address(variable: str, text: str) -> Finding:
    try:
        parse_address(text)
    except InvalidInput as failure:
        return error(variable, f"{text}: {failure.message}", "write http://host/path or https://host/path")
    return ok(variable, text)


def _est(settings: Settings) -> Iterator[Finding]:
    given = [name for name in ("est_url", "est_trust", "est_user", "est_password") if getattr(settings, name)]
    if settings.certificate_source != "est":
        if given:
            told = f"SEAL_CERTIFICATE_SOURCE is {settings.certificate_source}, so EST is not used"
            yield warning("SEAL_EST_URL", told, "set SEAL_CERTIFICATE_SOURCE=est, or take the EST settings away")
        return
    if settings.est_url is None:
        yield error("SEAL_EST_URL", "certificates come by EST, but no server is named", "set SEAL_EST_URL")
    elif not settings.est_url.startswith("https://"):
        yield error("SEAL_EST_URL", "EST is spoken over TLS alone (RFC 7030, 3.3)", "write https://…")
    else:
        yield _address("SEAL_EST_URL", settings.est_url)
    if settings.est_trust is None:
        yield error("SEAL_EST_TRUST", "nobody vouches for the EST server's certificate", "name a PEM file of its roots")
    if (settings.est_user is None) is not (settings.est_password is None):
        yield error("SEAL_EST_USER", "user and password are given together", "set both, or neither")


def check_trust(settings: Settings) -> Iterator[Finding]:
    """Files of certificates can be read, and what is in them has not ended."""
    now = SystemClock().now()
    files: tuple[tuple[str, Sequence[Path]], ...] = (
        ("SEAL_TRUST_ANCHORS", settings.trust_anchors),
        ("SEAL_TIMESTAMP_ANCHORS", settings.timestamp_anchors),
        ("SEAL_EST_TRUST", (settings.est_trust,) if settings.est_trust else ()),
    )
    for variable, paths in files:
        for path in paths:
            yield _certificates(variable, path, now)


def _certificates(variable: str, path: Path, now: datetime) -> Finding:
    try:
        found = certificates_of_file(path)
    except InvalidInput as failure:
        return error(variable, failure.message, "name a PEM or DER file of certificates")
    ended = [one for one in map(x509.Certificate.load, found) if one.not_valid_after < now]
    if ended:
        return warning(variable, f"{path}: {len(ended)} of {len(found)} certificates have ended", "take them away")
    return ok(variable, f"{path}: {len(found)} certificates")


def check_online(settings: Settings) -> Iterator[Finding]:
    """Each time-stamping authority gives a time-stamp that is trusted."""
    clock, http = SystemClock(), BoundedHttp(settings.network_timeout_seconds, LARGEST_ANSWER)
    try:
        trust = trust_store(settings, None)
        for url in settings.timestamp_urls:
            try:
                authority = TrustedTimestampAuthority(HttpTimestampAuthority(url, http, SystemEntropy()), trust, clock)
                at = read_timestamp_token(authority.timestamp(_NOTHING)).generated_at
            except SealServiceError as failure:
                mend = "see that it answers, and that its root is in SEAL_TIMESTAMP_ANCHORS or `seal trust list`"
                yield error("SEAL_TIMESTAMP_URLS", f"{url}: {failure.message}", mend)
            else:
                ahead = (at - clock.now()).total_seconds()
                yield ok("SEAL_TIMESTAMP_URLS", f"{url} answers, {ahead:+.1f} s from this machine's clock")
    except InvalidInput as failure:
        yield error("SEAL_TIMESTAMP_ANCHORS", failure.message, "see above")
    finally:
        http.close()
