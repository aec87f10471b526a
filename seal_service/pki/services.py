"""公钥基础设施服务: what /pki answers."""

from __future__ import annotations

from seal_service.domain.errors import CertificateNotFound
from seal_service.domain.issuance import AuthorityRole
from seal_service.pki.ocsp import OcspResponder
from seal_service.pki.own_authorities import generations
from seal_service.pki.revocation_lists import RevocationLists
from seal_service.pki.timestamp_unit import TimestampUnit
from seal_service.ports.records import Records


class InternalPublicKeyServices:
    """The embedded authorities' answers. Safe for threads."""

    def __init__(self, records: Records, lists: RevocationLists, responder: OcspResponder, unit: TimestampUnit) -> None:
        self._records = records
        self._lists = lists
        self._responder = responder
        self._unit = unit

    def crl(self, version: int | None = None) -> bytes:
        """The list of a generation of the issuing CA (None: the newest), DER."""
        return self._lists.current(AuthorityRole.ISSUING, version=version)

    def root_crl(self, version: int | None = None) -> bytes:
        """The list of a generation of the root (None: the newest), DER."""
        return self._lists.current(AuthorityRole.ROOT, version=version)

    def ocsp(self, request: bytes) -> bytes:
        """The answer to an OCSPRequest, DER."""
        return self._responder.answer(request)

    def timestamp(self, request: bytes) -> bytes:
        """The answer to a TimeStampReq, DER."""
        return self._unit.answer(request)

    def certificate(self, role: str, version: int | None = None) -> bytes:
        """The certificate of a generation (None: the newest) of a role, DER; CertificateNotFound."""
        if role not in set(AuthorityRole):
            raise CertificateNotFound
        with self._records.read() as transaction:
            found = [one for one in generations(transaction, AuthorityRole(role)) if version in (None, one.version)]
        if not found:
            raise CertificateNotFound
        return found[-1].certificate
