"""证书链: from the issuer of a certificate to its root, among our own authorities and those that are known."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta

from asn1crypto import x509

from seal_service.domain.errors import InvalidInput
from seal_service.formats.der import read_certificate, reading
from seal_service.pki.own_authorities import own_issuers
from seal_service.pki.signatures import is_signed_by
from seal_service.ports.crypto import TrustStore
from seal_service.ports.records import Records
from seal_service.ports.system import Clock

_LONGEST = 8
_KEPT = timedelta(minutes=1)
"""How long a chain of our own is not looked for again: a certificate keeps it, and a use asks for it several times."""
_MOST_KEPT = 1000


class KnownChains:
    """The chain that a certificate was certified under, whichever generation that was. Safe for threads."""

    def __init__(self, records: Records, trust: TrustStore, clock: Clock) -> None:
        self._records = records
        self._trust = trust
        self._clock = clock
        self._found: OrderedDict[bytes, tuple[datetime, tuple[bytes, ...]]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, certificate: bytes) -> Sequence[bytes]:
        """DER, from its issuer on; without one for what nobody known issued, and as far as it is known."""
        now = self._clock.now()
        with self._lock:
            at, found = self._found.get(certificate, (now, ()))
        if found and now - at < _KEPT:
            return found
        with self._records.read() as transaction:
            own = own_issuers(transaction, now)
        found = chain_of(certificate, own)
        if found:
            with self._lock:
                self._found[certificate] = now, found
                while len(self._found) > _MOST_KEPT:
                    self._found.popitem(last=False)
            return found
        anchors = [one.certificate for one in self._trust.anchors()]
        return chain_of(certificate, [*anchors, *self._trust.intermediates()])


def chain_of(certificate: bytes, known: Sequence[bytes]) -> tuple[bytes, ...]:
    """From the certificate's issuer to the first that issued itself, as far as `known` leads, at most eight.

    Where several fit (a root and its cross certificate) the first of `known` is taken. InvalidInput for no certificate.
    """
    one = read_certificate(certificate)
    candidates = _readable(known)
    found: list[x509.Certificate] = []
    while one.subject.dump() != one.issuer.dump() and len(found) < _LONGEST:
        issuer = next((each for each in candidates if each not in found and is_issued_by(one, each)), None)
        if issuer is None:
            break
        found.append(issuer)
        one = issuer
    return tuple(each.dump() for each in found)


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether a certificate names an issuer and is signed by its key."""
    return certificate.issuer.dump() == issuer.subject.dump() and is_signed_by(
        issuer.public_key.dump(),
        certificate["signature_algorithm"],
        certificate["tbs_certificate"].dump(),
        certificate.signature,
    )


def _readable(certificates: Sequence[bytes]) -> list[x509.Certificate]:
    """What of them can be read and is an authority's."""
    found = []
    for one in dict.fromkeys(certificates):
        try:
            certificate = read_certificate(one)
            with reading("certificate"):
                if certificate.ca:
                    found.append(certificate)
        except InvalidInput:
            continue
    return found
