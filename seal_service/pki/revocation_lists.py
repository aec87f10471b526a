"""证书吊销列表: the lists of our own authorities, built from the records when asked for (RFC 5280, 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import core, crl, x509

from seal_service.domain.authority import ended
from seal_service.domain.errors import CertificateNotFound, SignatureRefused
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole, IssuedCertificate
from seal_service.formats.der import made, read_certificate, to_the_second, x509_time
from seal_service.formats.issuing import IssuerIdentity, identity_of, issuer_named_by
from seal_service.pki.own_authorities import certificate_of, current, generations
from seal_service.pki.signatures import algorithm_of
from seal_service.ports.crypto import KeyStore, SigningKey
from seal_service.ports.records import Records, Transaction
from seal_service.ports.system import Clock

_LIFETIME = timedelta(hours=24)
_RENEWED_AFTER = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Kept:
    issuer: bytes
    entries: tuple[tuple[str, datetime | None, str | None, datetime | None], ...]
    this_update: datetime
    content: bytes


class RevocationLists:
    """The lists of every root and issuing CA, each of what that very generation issued and signed by its key.

    Safe for threads; each list shows every status committed before the call.
    """

    def __init__(self, records: Records, keys: KeyStore, clock: Clock) -> None:
        self._records = records
        self._keys = keys
        self._clock = clock
        self._kept: dict[tuple[AuthorityRole, int], _Kept] = {}
        self._issuers: dict[str, IssuerIdentity] = {}
        """Of what is not good, by serial: a certificate never changes, so it is parsed once."""

    def current(self, role: AuthorityRole, produced_after: datetime | None = None, version: int | None = None) -> bytes:
        """The list of a generation (None: the one that issues now) of ROOT or ISSUING, DER.

        It is not older than an hour, nor (to the second) than `produced_after`. CertificateNotFound for a generation
        that is not there, or whose time is over and whose key is destroyed.
        """
        now = self._clock.now()
        with self._records.read() as transaction:
            issuer = _generation(transaction, role, version, now)
            not_good = self._issued_by(certificate_of(issuer), transaction.certificates.not_good())
        entries = tuple((one.serial, one.status_since, one.reason, one.invalidity_date) for one in not_good)
        kept = self._kept.get((role, issuer.version))
        if (
            kept is not None
            and (kept.issuer, kept.entries) == (issuer.certificate, entries)
            and timedelta(0) <= now - kept.this_update < _RENEWED_AFTER
            and (produced_after is None or kept.this_update >= to_the_second(produced_after))
        ):
            return kept.content
        try:
            key = self._keys.open(issuer.key_reference)
        except SignatureRefused:
            if ended(issuer, now):
                raise CertificateNotFound("The authority's time is over: it signs no lists any more") from None
            raise
        content = revocation_list(certificate_of(issuer), key, not_good, now)
        self._kept[role, issuer.version] = _Kept(issuer.certificate, entries, to_the_second(now), content)
        return content

    def _issued_by(self, issuer: x509.Certificate, not_good: Sequence[IssuedCertificate]) -> list[IssuedCertificate]:
        identity = identity_of(issuer)
        known = self._issuers
        named = {
            one.serial: known.get(one.serial) or issuer_named_by(read_certificate(one.certificate)) for one in not_good
        }
        self._issuers = named
        return [one for one in not_good if named[one.serial] == identity]


def _generation(
    transaction: Transaction, role: AuthorityRole, version: int | None, now: datetime
) -> AuthorityCredential:
    if version is None:
        return current(transaction, role, now)
    for one in generations(transaction, role):
        if one.version == version:
            return one
    raise CertificateNotFound


def revocation_list(
    issuer: x509.Certificate, key: SigningKey, not_good: Sequence[IssuedCertificate], now: datetime
) -> bytes:
    """A complete list, DER, that says so for 24 hours.

    Its number is the moment in µs since 1970: it grows with thisUpdate in every process without a shared counter,
    so that answering a stranger's GET writes nothing (RFC 5280, 5.2.3: unique, increasing, at most 20 octets).
    """
    algorithm = algorithm_of(key.suite)
    to_be_signed: dict[str, Any] = {
        "version": "v2",
        "signature": algorithm,
        "issuer": issuer.subject,
        "this_update": x509_time(now),
        "next_update": x509_time(now + _LIFETIME),
        "crl_extensions": [
            {
                "extn_id": "authority_key_identifier",
                "extn_value": x509.AuthorityKeyIdentifier({"key_identifier": issuer.key_identifier}),
            },
            {"extn_id": "crl_number", "extn_value": core.Integer((now - _EPOCH) // timedelta(microseconds=1))},
        ],
    }
    if not_good:  # the field is absent, not empty (5.1.2.6)
        to_be_signed["revoked_certificates"] = made(crl.RevokedCertificates, [_entry(one, now) for one in not_good])
    body = made(crl.TbsCertList, to_be_signed)
    signed = crl.CertificateList(
        {"tbs_cert_list": body, "signature_algorithm": algorithm, "signature": key.sign(body.dump())}
    )
    return bytes(signed.dump())


def _entry(certificate: IssuedCertificate, now: datetime) -> crl.RevokedCertificate:
    entry: dict[str, Any] = {
        "user_certificate": int(certificate.serial, 16),
        "revocation_date": x509_time(certificate.status_since or now),
    }
    if certificate.reason not in (None, "unspecified"):  # absent rather than "unspecified" (5.3.1)
        entry["crl_entry_extensions"] = [{"extn_id": "crl_reason", "extn_value": crl.CRLReason(certificate.reason)}]
    if certificate.invalidity_date is not None:
        since = core.GeneralizedTime(to_the_second(certificate.invalidity_date))
        entry.setdefault("crl_entry_extensions", []).append({"extn_id": "invalidity_date", "extn_value": since})
    return made(crl.RevokedCertificate, entry)
