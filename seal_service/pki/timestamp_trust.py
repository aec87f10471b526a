"""时间戳信任: whether a time-stamp just received is of now and by a unit that verification will trust."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from asn1crypto import x509

from seal_service.domain.errors import InvalidInput, TimestampUnavailable
from seal_service.formats.cms import read_timestamp_token
from seal_service.formats.der import read_certificate, reading
from seal_service.pki.chains import is_issued_by
from seal_service.ports.crypto import TrustStore
from seal_service.ports.system import Clock

_LONGEST_PATH = 6
"""Certificates from the unit's to the one that an anchor issued."""
_MOST_ENCLOSED = 32


class TimestampTrust:
    """Accepts tokens whose time is within `tolerance` of our clock and whose unit chains to an anchor for time-stamps.

    Revocation is for the level B-LT to find out. Safe for threads.
    """

    def __init__(self, trust: TrustStore, clock: Clock, tolerance: timedelta) -> None:
        self._trust = trust
        self._clock = clock
        self._tolerance = tolerance

    def accept(self, token: bytes) -> None:
        """Raise TimestampUnavailable with the reason for which the token is not accepted."""
        try:
            with reading("TimeStampToken"):
                self._accept(token)
        except InvalidInput as error:
            raise TimestampUnavailable(error.message) from error

    def _accept(self, token: bytes) -> None:
        read = read_timestamp_token(token)
        difference = read.generated_at - self._clock.now()
        if abs(difference) > self._tolerance:
            raise TimestampUnavailable(f"The token's time differs by {difference.total_seconds():.0f} s from our clock")
        if read.signer_certificate is None:
            raise TimestampUnavailable("The token does not hold its signer's certificate")
        unit = read_certificate(read.signer_certificate)
        anchors = [read_certificate(one.certificate) for one in self._trust.anchors() if one.for_timestamps]
        enclosed = read.certificates[:_MOST_ENCLOSED]
        between = [read_certificate(one) for one in dict.fromkeys([*enclosed, *self._trust.intermediates()])]
        if not _is_for_timestamps(unit):
            raise TimestampUnavailable("The signer's certificate is not one for time-stamping only")
        if not _is_valid(unit, read.generated_at):
            raise TimestampUnavailable("The signer's certificate was not valid at the token's time")
        if not _chains(unit, anchors, between, read.generated_at):
            raise TimestampUnavailable("The signer's certificate does not chain to a trust anchor for time-stamps")


def _is_for_timestamps(unit: x509.Certificate) -> bool:
    """The extended use, alone and critical (RFC 3161, 2.3)."""
    purposes = unit.extended_key_usage_value
    return (
        purposes is not None
        and purposes.native == ["time_stamping"]
        and "extended_key_usage" in unit.critical_extensions
    )


def _is_valid(certificate: x509.Certificate, at: datetime) -> bool:
    return bool(certificate.not_valid_before <= at <= certificate.not_valid_after)


def _chains(
    unit: x509.Certificate, anchors: Sequence[x509.Certificate], between: Sequence[x509.Certificate], at: datetime
) -> bool:
    """Whether a path of checked signatures leads from the unit to an anchor; each certificate is tried once."""
    trusted = {anchor.dump() for anchor in anchors}
    reached, tried = [unit], {unit.dump()}
    for _ in range(_LONGEST_PATH):
        if any(one.dump() in trusted or any(is_issued_by(one, anchor) for anchor in anchors) for one in reached):
            return True
        issuers = [
            candidate
            for candidate in between
            if candidate.dump() not in tried
            and candidate.ca
            and _is_valid(candidate, at)
            and any(is_issued_by(one, candidate) for one in reached)
        ]
        tried.update(issuer.dump() for issuer in issuers)
        reached = issuers
    return False
