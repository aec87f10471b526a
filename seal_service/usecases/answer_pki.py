"""公钥服务: certificates, revocation lists, OCSP and time-stamps for anyone (RFC 5280, 6960, 3161)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.ports.crypto import PublicKeyServices


class PkiMatter(StrEnum):
    """What /pki answers."""

    ROOT_CERTIFICATE = "root.cer"
    ISSUING_CERTIFICATE = "issuing.cer"
    TIMESTAMP_CERTIFICATE = "timestamp.cer"
    CROSS_CERTIFICATE = "cross.cer"
    ROOT_CRL = "root.crl"
    ISSUING_CRL = "issuing.crl"
    OCSP = "ocsp"
    TIMESTAMP = "tsa"


@dataclass(frozen=True, slots=True, kw_only=True)
class PkiRequest:
    """A request; `body` for OCSP and time-stamps only."""

    matter: PkiMatter
    version: int | None = None
    """The generation, of certificates and lists; None: the newest."""
    body: bytes = b""


@dataclass(frozen=True)
class AnswerPkiUseCase:
    """公钥服务. Raises CertificateNotFound for a generation that is not there."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    services: PublicKeyServices

    def __call__(self, _caller: Caller, command: PkiRequest) -> bytes:
        """DER."""
        match command.matter:
            case PkiMatter.ROOT_CERTIFICATE:
                return self.services.certificate("root", command.version)
            case PkiMatter.ISSUING_CERTIFICATE:
                return self.services.certificate("issuing", command.version)
            case PkiMatter.TIMESTAMP_CERTIFICATE:
                return self.services.certificate("timestamp", command.version)
            case PkiMatter.CROSS_CERTIFICATE:
                return self.services.certificate("cross", command.version)
            case PkiMatter.ROOT_CRL:
                return self.services.root_crl(command.version)
            case PkiMatter.ISSUING_CRL:
                return self.services.crl(command.version)
            case PkiMatter.OCSP:
                return self.services.ocsp(command.body)
            case PkiMatter.TIMESTAMP:
                return self.services.timestamp(command.body)
