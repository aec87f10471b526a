"""验章: verification of any document, by what it is."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from seal_service.domain.errors import (
    DocumentDamaged,
    DocumentEncrypted,
    DocumentOverLimit,
    DocumentRefused,
    DocumentUnsupported,
)
from seal_service.domain.logged import judged_by_proofs
from seal_service.domain.status_list import TrustedStatusList, judged_by_list
from seal_service.domain.verdict import Check, Indication, Outcome, SubIndication, VerificationReport, overall
from seal_service.formats.prefixes import Prefixes
from seal_service.ports.crypto import RevocationSource, TrustStore
from seal_service.ports.documents import Upload, VerificationPolicy
from seal_service.ports.isolation import Isolation
from seal_service.ports.system import Clock
from seal_service.verification.findings import check
from seal_service.verification.limits import VerificationLimits
from seal_service.verification.pdf import PdfVerifier, readable_certificates
from seal_service.verification.status_list import trusted_status_list

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """DocumentVerifier by content. Stateless; safe for threads."""

    trust: TrustStore
    revocation: RevocationSource
    clock: Clock
    isolation: Isolation
    """Where documents are read; everything else of a verification happens here."""
    limits: VerificationLimits = field(default_factory=VerificationLimits)
    strict: bool = False
    """For tests: let through what no parser is known to raise, so that a fault of this program is seen."""

    def verify(self, document: Upload, policy: VerificationPolicy) -> VerificationReport:
        """The report; DocumentUnsupported only for what is no document of a kind that is known here."""
        at = policy.at or self.clock.now()
        lists = self._status_lists(policy)
        pdf = PdfVerifier(trust=self.trust, revocation=self.revocation, isolation=self.isolation, limits=self.limits)
        try:
            if len(document.content) > self.limits.bytes:
                raise DocumentOverLimit(f"The document has more than {self.limits.bytes} bytes")
            signatures = pdf.verify(document.content, policy, at)
        except DocumentUnsupported:
            raise
        except DocumentRefused as refusal:
            return _refused(document, refusal)
        except Exception as error:
            if self.strict:
                raise
            _LOG.exception("a document could not be verified")
            return _refused(document, DocumentDamaged(f"The document cannot be verified: {error!r}"[:300]))
        if lists:
            signatures = tuple(judged_by_list(one, lists, at) for one in signatures)
        prefixes = Prefixes(document.content)
        signatures = tuple(judged_by_proofs(one, policy.proven, prefixes.of(one)) for one in signatures)
        indication, sub_indication, technically_valid = overall(signatures)
        return VerificationReport(
            file=document.name,
            sha256=document.sha256_hex,
            sm3=document.sm3_hex,
            media_type="application/pdf",
            indication=indication,
            sub_indication=sub_indication,
            technically_valid=technically_valid,
            signatures=signatures,
        )

    def _status_lists(self, policy: VerificationPolicy) -> tuple[TrustedStatusList, ...]:
        if not policy.status_lists:
            return ()
        own = [one.certificate for one in self.trust.anchors() if one.for_signatures]
        anchors = readable_certificates((*own, *policy.anchors))
        others = readable_certificates(tuple(self.trust.intermediates()))
        return tuple(trusted_status_list(one, anchors, others) for one in policy.status_lists)


def _refused(document: Upload, refusal: DocumentRefused) -> VerificationReport:
    """A file that cannot be read as a whole: malformed fails, locked or too large cannot be told."""
    malformed = isinstance(refusal, DocumentDamaged)
    return VerificationReport(
        file=document.name,
        sha256=document.sha256_hex,
        sm3=document.sm3_hex,
        media_type="application/pdf",
        indication=Indication.TOTAL_FAILED if malformed else Indication.INDETERMINATE,
        sub_indication=SubIndication.FORMAT_FAILURE if malformed else SubIndication.NOT_SUPPORTED,
        technically_valid=False,
        signatures=(),
        checks=(_reason(refusal),),
    )


def _reason(refusal: DocumentRefused) -> Check:
    if isinstance(refusal, DocumentEncrypted):
        return check("format", Outcome.UNKNOWN, "文件已加密，需要口令", str(refusal))
    if isinstance(refusal, DocumentOverLimit):
        return check("format", Outcome.UNKNOWN, "文件超出验证限额", str(refusal))
    return check("format", Outcome.FAIL, "文件结构损坏", str(refusal))
