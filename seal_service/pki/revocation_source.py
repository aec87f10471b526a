"""吊销信息: evidence from our own authorities, from allow-listed addresses, or from the first that has some."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from asn1crypto import x509

from seal_service.domain.errors import InvalidInput, RevocationUnavailable, SealServiceError
from seal_service.domain.issuance import AuthorityRole
from seal_service.formats.der import read_certificate, reading, to_the_second
from seal_service.pki.allowed_addresses import Address, parse_address
from seal_service.pki.bounded_http import BoundedHttp, HttpFailed
from seal_service.pki.ocsp import OcspResponder, request_for
from seal_service.pki.own_authorities import authority_with
from seal_service.pki.revocation_answers import check_ocsp_answer, check_revocation_list
from seal_service.pki.revocation_lists import RevocationLists
from seal_service.ports.crypto import RevocationEvidence, RevocationSource
from seal_service.ports.records import Records
from seal_service.ports.system import Clock, Entropy

_log = logging.getLogger(__name__)
_NONCE_BYTES = 32
_ADDRESSES_TRIED = 4
_CLOCK_DIFFERENCE_SECONDS = 5.0


class OwnRevocation:
    """Our own authorities of every generation, asked in process: OCSP for issuing CAs, lists for roots. Safe for
    threads."""

    def __init__(
        self,
        records: Records,
        responder: OcspResponder,
        lists: RevocationLists,
        clock: Clock,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._records = records
        self._responder = responder
        self._lists = lists
        self._clock = clock
        self._pause = pause

    def evidence(self, certificate: bytes, issuer: bytes, produced_after: datetime | None) -> RevocationEvidence:
        """Evidence made now; RevocationUnavailable when the issuer is not ours or does not know the certificate.

        An outside time-stamp may be a little ahead of our clock: up to five seconds are waited for.
        """
        try:
            subject, authority = read_certificate(certificate), read_certificate(issuer)
        except InvalidInput as error:
            raise RevocationUnavailable(error.message) from error
        with self._records.read() as transaction:
            own = authority_with(transaction, authority)
        if own is None:
            raise RevocationUnavailable("The certificate's issuer is not an authority of this instance")
        self._await(produced_after)
        if own.role is AuthorityRole.ROOT:
            return RevocationEvidence(crls=(self._lists.current(own.role, produced_after, own.version),))
        answer = self._responder.answer(request_for(subject, authority, None))
        responder = check_ocsp_answer(answer, subject, authority, None, produced_after, self._clock.now())
        return RevocationEvidence(ocsp_responses=(answer,), further_certificates=(responder,))

    def _await(self, moment: datetime | None) -> None:
        if moment is None:
            return
        ahead = (to_the_second(moment) - self._clock.now()).total_seconds()
        if ahead > _CLOCK_DIFFERENCE_SECONDS:
            raise RevocationUnavailable(f"Evidence is asked for a moment {ahead:.0f} seconds ahead of our clock")
        if ahead > 0:
            self._pause(ahead)


class AllowListedRevocation:
    """Other authorities, by HTTP, at addresses that are allowed for that very issuer. Safe for threads.

    An address that a certificate names is fetched from only if it lies under one of `addresses` (SHA-256 of the
    issuer's certificate in hex → URL prefixes) or of what `entered` answers for that SHA-256, which is asked each
    time; the answer counts only when that issuer, or a responder to whom it delegated, signed it.
    """

    def __init__(
        self,
        addresses: Mapping[str, Sequence[str]],
        http: BoundedHttp,
        clock: Clock,
        entropy: Entropy,
        entered: Callable[[str], Sequence[str]] | None = None,
    ) -> None:
        self._allowed = {issuer.lower(): [parse_address(one) for one in some] for issuer, some in addresses.items()}
        self._entered = entered
        self._http = http
        self._clock = clock
        self._entropy = entropy

    def evidence(self, certificate: bytes, issuer: bytes, produced_after: datetime | None) -> RevocationEvidence:
        """The first good OCSP answer, else list; RevocationUnavailable. Failures go to the process's log alone."""
        allowed = self._allowed_for(hashlib.sha256(issuer).hexdigest())
        try:
            subject, authority = read_certificate(certificate), read_certificate(issuer)
        except InvalidInput as error:
            raise RevocationUnavailable(error.message) from error
        responders, lists = _addresses_named(subject)
        for address in _under(responders, allowed):
            try:
                return self._ocsp(address, subject, authority, produced_after)
            except (HttpFailed, SealServiceError) as error:
                _log.info("No revocation information from %s: %s", address, error)
        for address in _under(lists, allowed):
            try:
                content = self._http.get(address)
                check_revocation_list(content, authority, produced_after, self._clock.now())
                return RevocationEvidence(crls=(content,))
            except (HttpFailed, SealServiceError) as error:
                _log.info("No revocation information from %s: %s", address, error)
        raise RevocationUnavailable

    def _allowed_for(self, issuer_sha256: str) -> list[Address]:
        entered = () if self._entered is None else self._entered(issuer_sha256)
        return [*self._allowed.get(issuer_sha256, ()), *(parse_address(one) for one in entered)]

    def _ocsp(
        self, address: str, subject: x509.Certificate, authority: x509.Certificate, produced_after: datetime | None
    ) -> RevocationEvidence:
        nonce = self._entropy.token(_NONCE_BYTES)
        request = request_for(subject, authority, nonce)
        answer = self._http.post(
            address, request, content_type="application/ocsp-request", accept="application/ocsp-response"
        )
        responder = check_ocsp_answer(answer, subject, authority, nonce, produced_after, self._clock.now())
        return RevocationEvidence(ocsp_responses=(answer,), further_certificates=(responder,))


class FirstAnsweringRevocation:
    """Several sources, asked in their order. Safe for threads."""

    def __init__(self, sources: Sequence[RevocationSource]) -> None:
        self._sources = tuple(sources)

    def evidence(self, certificate: bytes, issuer: bytes, produced_after: datetime | None) -> RevocationEvidence:
        """The first evidence that one has; RevocationUnavailable. Failures go to the process's log alone."""
        for source in self._sources:
            try:
                return source.evidence(certificate, issuer, produced_after)
            except SealServiceError as error:
                _log.info("No revocation information: %s", error.message)
        raise RevocationUnavailable


def _addresses_named(certificate: x509.Certificate) -> tuple[list[str], list[str]]:
    """Where a certificate says that OCSP answers and lists are found, as it says it."""
    responders, lists = [], []
    try:
        with reading("certificate"):
            for description in certificate.authority_information_access_value or ():
                if description["access_method"].native == "ocsp":
                    responders.extend(_uris([description["access_location"]]))
            for point in certificate.crl_distribution_points_value or ():
                if point["distribution_point"].name == "full_name":
                    lists.extend(_uris(point["distribution_point"].chosen))
    except InvalidInput as error:
        raise RevocationUnavailable("The certificate's addresses cannot be read") from error
    return responders, lists


def _uris(names: Any) -> list[str]:
    return [name.chosen.native for name in names if name.name == "uniform_resource_identifier"]


def _under(named: Sequence[str], allowed: Sequence[Address]) -> list[str]:
    found = []
    for text in named:
        try:
            address = parse_address(text)
        except InvalidInput:
            continue
        if any(address.lies_under(one) for one in allowed):
            found.append(text)
    return found[:_ADDRESSES_TRIED]
