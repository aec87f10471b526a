"""签名报告: reports of the service, printed and signed (PAdES B-LT) under the key that is for them alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from seal_service.domain.issuance import AuthorityCredential
from seal_service.domain.use import SignatureLevel
from seal_service.formats.cms import longest_signature, signed_attributes, signed_data
from seal_service.formats.issuing import issued_itself
from seal_service.formats.upload import upload_of
from seal_service.ports.crypto import KeyStore
from seal_service.ports.isolation import Isolation
from seal_service.ports.reporting import Report
from seal_service.sealing.levels import LevelRaiser, Raised, SignedRevision, TimestampTooLarge, digest_of
from seal_service.sealing.report_pages import print_report, supplied_font
from seal_service.sealing.writing import ReportToSign, write_report_signature

_log = logging.getLogger(__name__)
_FIELD_NAME = "Report"


class SignedReports:
    """报告 as signed PDF: the port ReportWriter. Safe for threads."""

    def __init__(
        self,
        *,
        keys: KeyStore,
        credential: Callable[[], AuthorityCredential],
        chain: Callable[[bytes], Sequence[bytes]],
        levels: LevelRaiser,
        isolation: Isolation,
        signer_name: str,
        font: Path | None,
    ) -> None:
        """Take the ports; `font` None: the one that is installed with the service."""
        self._keys = keys
        self._credential = credential
        self._chain = chain
        self._levels = levels
        self._isolation = isolation
        self._signer_name = signer_name
        self._font = font

    def write(self, report: Report) -> bytes:
        """The signed PDF, at B-LT or, where time-stamps or revocation data are not to be had, as near as can be."""
        credential = self._credential()
        pages = print_report(report, self._font or supplied_font())
        raised = self._signed(pages, credential, report)
        if isinstance(raised.shortfall, TimestampTooLarge):  # the next one reserves more room
            raised = self._signed(pages, credential, report)
        if raised.shortfall is not None:
            _log.warning("A report is signed at %s only: %s", raised.level, raised.shortfall.message)
        return pages + raised.appended

    def _signed(self, pages: bytes, credential: AuthorityCredential, report: Report) -> Raised:
        key, certificate = self._keys.open(credential.key_reference), credential.certificate
        others = tuple(one for one in self._chain(certificate) if not issued_itself(one))
        longest = signed_data(
            signed_attributes(bytes(32), certificate, None),
            bytes(longest_signature(key.suite)),
            key.suite,
            certificate,
            others,
            bytes(self._levels.timestamp_room),
        )
        document = upload_of(pages, "report.pdf")
        asked = ReportToSign(
            at=report.at,
            signer_name=self._signer_name,
            reason=report.title,
            field_name=_FIELD_NAME,
            room=len(longest),
        )
        written = self._isolation.run(write_report_signature, document.content, asked)
        attributes = signed_attributes(digest_of(written.revision, document.sha256), certificate, None)
        signature = key.sign(attributes)

        def contents(token: bytes | None) -> bytes:
            return signed_data(attributes, signature, key.suite, certificate, others, token)

        return self._levels.raise_to(
            SignatureLevel.B_LT,
            SignedRevision(
                content=document.content,
                sha256=document.sha256,
                revision=written.revision,
                contents=contents,
                signature=signature,
                certificate=certificate,
                page=written.page_id,
                field_name=_FIELD_NAME,
            ),
        )
