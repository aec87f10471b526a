"""DER from outside, read strictly and with typed errors (X.690)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from asn1crypto import x509

from seal_service.domain.errors import InvalidInput

CERTIFICATE_BYTES = 1 << 16
"""Largest certificate read."""

_READ_ERRORS = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)
"""What asn1crypto raises, on access as well as on loading, for bytes that are not what they should be."""


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn whatever asn1crypto raises within into InvalidInput; it parses lazily, so access goes inside as well."""
    try:
        yield
    except _READ_ERRORS as error:
        raise InvalidInput(f"These bytes are no {name}") from error


def load(structure: type[Any], der: bytes, limit: int) -> Any:
    """The value of an asn1crypto structure, fields not parsed yet; InvalidInput when above `limit` bytes or none."""
    if len(der) > limit:
        raise InvalidInput(f"{structure.__name__} has more than {limit} bytes", limit=limit)
    with reading(structure.__name__):
        return structure.load(der, strict=True)


def read(structure: type[Any], der: bytes, limit: int) -> Any:
    """The value of an asn1crypto structure with every field parsed, so no later access fails; else InvalidInput."""
    value = load(structure, der, limit)
    with reading(structure.__name__):
        _ = value.native
    return value


def read_certificate(der: bytes) -> Any:
    """证书: an X.509 certificate (asn1crypto) whose extensions parse; InvalidInput when it is none. Not to be changed.

    What issuers get wrong in names (mail addresses in UTF-8, odd identifiers) is let pass: a name counts by its bytes.
    """
    if len(der) > CERTIFICATE_BYTES:
        raise InvalidInput(f"Certificate has more than {CERTIFICATE_BYTES} bytes", limit=CERTIFICATE_BYTES)
    with reading("X.509 certificate"):
        certificate = known_certificate(der)
        _ = certificate.serial_number, certificate.not_valid_before, certificate.not_valid_after
        _ = certificate.critical_extensions, certificate.subject.dump(), certificate.issuer.dump()
        _ = certificate.public_key.dump(), certificate["signature_value"].native
    return certificate


def known_certificate(der: bytes) -> Any:
    """A certificate (asn1crypto), perhaps one that was read before and is shared; it raises what asn1crypto raises.

    Reading the same few certificates was most of the time of a verification.
    """
    try:
        return _kept_certificate(der)
    except _READ_ERRORS:
        return x509.Certificate.load(der, strict=True)


_LONGEST_KEPT = 8 << 10


@lru_cache(maxsize=512)
def _kept_certificate(der: bytes) -> Any:
    """Every part is parsed first: what asn1crypto parses when it is asked for is not safe for threads."""
    if len(der) > _LONGEST_KEPT:
        raise ValueError("it is not kept")
    certificate = x509.Certificate.load(der, strict=True)
    _ = certificate.native, certificate.critical_extensions, certificate.key_identifier_value
    _ = certificate.subject.hashable, certificate.issuer.hashable, certificate.sha1, certificate.sha256
    _ = certificate.issuer_serial, certificate.public_key.dump()
    return certificate


def made(structure: type[Any], fields: Any) -> Any:
    """A new value of an asn1crypto structure, encoded once.

    asn1crypto encodes values that were made, not loaded, again at every level above them: time doubles or more with
    each level of depth. What is loaded keeps its bytes, so deep structures are made level by level with this.
    """
    return structure.load(structure(fields).dump())


def to_the_second(moment: datetime) -> datetime:
    """The moment in UTC, rounded down to a second: what certificates, CRLs and OCSP answers can state."""
    return moment.astimezone(UTC).replace(microsecond=0)


def x509_time(moment: datetime) -> x509.Time:
    """A moment, to the second, as UTCTime through 2049 and GeneralizedTime from 2050 on (RFC 5280, 4.1.2.5)."""
    second = to_the_second(moment)
    return x509.Time(name="utc_time" if second.year < 2050 else "general_time", value=second)
