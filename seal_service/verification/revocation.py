"""吊销状态: what lists and answers say of a certificate at the moment that counts (RFC 5280, 6.3; RFC 6960, 3.2).

Each item is verified by itself, as of the moment it was made; the newest that holds decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from asn1crypto import crl, ocsp, x509
from pyhanko_certvalidator.errors import (
    CRLValidationError,
    OCSPValidationError,
    PathBuildingError,
    RevokedError,
    ValidationError,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.revinfo.archival import OCSPContainer
from pyhanko_certvalidator.revinfo.validate_crl import verify_crl
from pyhanko_certvalidator.revinfo.validate_ocsp import verify_ocsp_response

from seal_service.verification.certificate_path import context, without_waiting

_TOLERANCE = timedelta(seconds=1)
_READ_ERRORS = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)
KEY_COMPROMISE = frozenset({"key_compromise", "ca_compromise", "aa_compromise"})


class Status(StrEnum):
    """Of one certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """吊销信息: OCSP responses and CRLs, DER."""

    ocsp_responses: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()

    def items(self) -> frozenset[bytes]:
        """Every item."""
        return frozenset((*self.ocsp_responses, *self.crls))

    def __or__(self, other: Evidence) -> Evidence:
        return Evidence(
            ocsp_responses=tuple(dict.fromkeys((*self.ocsp_responses, *other.ocsp_responses))),
            crls=tuple(dict.fromkeys((*self.crls, *other.crls))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFinding:
    """What is known of one certificate."""

    status: Status
    revoked_at: datetime | None = None
    reason: str = ""
    made: datetime | None = None
    item: bytes | None = None
    """The evidence that decided, and when it was made."""


@dataclass(frozen=True, slots=True)
class _Item:
    made: datetime
    until: datetime | None
    source: bytes
    verifier: Any
    parameters: dict[str, Any]


def status_of(
    certificate: x509.Certificate,
    path: ValidationPath,
    evidence: Evidence,
    others: Sequence[x509.Certificate],
    at: datetime,
    most: int,
) -> StatusFinding:
    """The status of a certificate of a path at a moment.

    An item that says good counts when it was made after the moment or was current then; one that says revoked always
    does, with the time from which it says so.
    """
    items = sorted(_items(certificate, evidence), key=lambda one: one.made, reverse=True)
    last = StatusFinding(status=Status.UNKNOWN, reason="there is no revocation information")
    for item in items[:most]:
        finding = _ask(certificate, path, item, others)
        if finding.status is Status.UNKNOWN:
            last = finding
            continue
        if finding.status is Status.GOOD and (item.until or item.made) + _TOLERANCE < at:
            return StatusFinding(status=Status.UNKNOWN, reason=f"the newest information is of {item.made.isoformat()}")
        return finding
    return last


def _ask(
    certificate: x509.Certificate, path: ValidationPath, item: _Item, others: Sequence[x509.Certificate]
) -> StatusFinding:
    anchors = [one for one in [path.first] if isinstance(one, x509.Certificate)]
    ctx = context(anchors, others, item.made + _TOLERANCE, **item.parameters)
    try:
        without_waiting(item.verifier(certificate, path, ctx))
    except RevokedError as error:
        return StatusFinding(
            status=Status.REVOKED,
            revoked_at=error.revocation_dt,
            reason=str(error.reason.native),
            made=item.made,
            item=item.source,
        )
    except (OCSPValidationError, CRLValidationError, ValidationError, PathBuildingError, *_READ_ERRORS) as error:
        detail = getattr(error, "failures", None)
        return StatusFinding(status=Status.UNKNOWN, reason=f"{error}" if not detail else f"{detail[0][0]}")
    return StatusFinding(status=Status.GOOD, made=item.made, item=item.source)


def _items(certificate: x509.Certificate, evidence: Evidence) -> Iterator[_Item]:
    """The evidence that speaks of this certificate, by serial number or issuer."""
    issuer = certificate.issuer.dump()
    for source in evidence.ocsp_responses:
        yield from _answers(source, certificate.serial_number)
    for source in evidence.crls:
        try:
            listed = crl.CertificateList.load(source)
            if listed.issuer.dump() != issuer:
                continue
            body = listed["tbs_cert_list"]
            made, until = body["this_update"].native, body["next_update"].native
            yield _Item(made, until, source, verify_crl, {"crls": [listed], "ocsps": []})
        except _READ_ERRORS:
            continue


def _answers(source: bytes, serial: int) -> Iterator[_Item]:
    try:
        for one in OCSPContainer.load_multi(ocsp.OCSPResponse.load(source)):
            single = one.extract_single_response()
            if single is None or single["cert_id"]["serial_number"].native != serial:
                continue
            made, until = single["this_update"].native, single["next_update"].native
            manager = {"ocsps": [one.ocsp_response_data], "crls": []}
            yield _Item(made, until, source, verify_ocsp_response, manager)
    except _READ_ERRORS:
        return
