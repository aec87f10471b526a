"""PDF 验章: every signature and document time-stamp of a PDF, from facts over findings to reports."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import x509

from seal_service.domain.verdict import Indication, Outcome, SignatureReport, SubIndication
from seal_service.formats.der import known_certificate
from seal_service.formats.pdf_signatures import SecurityStore
from seal_service.ports.crypto import RevocationSource, TrustStore
from seal_service.ports.documents import Content, VerificationPolicy
from seal_service.ports.isolation import Isolation
from seal_service.verification.digests import CoveredDigests
from seal_service.verification.embedded import embedded_certificates, embedded_evidence, signature_timestamps
from seal_service.verification.facts import READ_ERRORS, SignatureFacts, read_facts
from seal_service.verification.findings import check
from seal_service.verification.limits import VerificationLimits
from seal_service.verification.proofs import Proof, earliest_proof
from seal_service.verification.reading import read_document
from seal_service.verification.revocation import Evidence
from seal_service.verification.signature import (
    judge_document_timestamp,
    judge_signature,
    report_document_timestamp,
)
from seal_service.verification.timestamps import TimestampFindings
from seal_service.verification.trust import TrustMaterial

_LOG = logging.getLogger(__name__)
_JUDGING_ERRORS = (*READ_ERRORS, NotImplementedError, AssertionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfVerifier:
    """Verifies the signatures of PDF documents. Stateless; safe for threads."""

    trust: TrustStore
    revocation: RevocationSource
    isolation: Isolation
    limits: VerificationLimits

    def verify(self, content: Content, policy: VerificationPolicy, at: datetime) -> tuple[SignatureReport, ...]:
        """The report of every signature, in the order of what they cover; DocumentRefused for a file as a whole."""
        read = self.isolation.run(read_document, content, self.limits)
        digests = CoveredDigests(content, [one.covered for one in read.signatures])
        facts = [read_facts(one, digests) for one in read.signatures]
        if not facts:
            return ()
        material = self._material(read.store, facts, policy)
        stamps, proofs = self._document_timestamps(facts, material, at)
        return tuple(
            self._report(one, material, at, stamps.get(position), proofs) for position, one in enumerate(facts)
        )

    def _material(
        self, store: SecurityStore, facts: Sequence[SignatureFacts], policy: VerificationPolicy
    ) -> TrustMaterial:
        anchors = self.trust.anchors()
        given = readable_certificates(policy.anchors)
        evidence = Evidence(ocsp_responses=store.ocsp_responses, crls=store.crls)
        carried: list[bytes] = []
        for one in facts:
            if one.data is not None:
                for data in (one.data, *_tokens(one)):
                    evidence |= embedded_evidence(data)
                    carried.extend(embedded_certificates(data))
        return TrustMaterial(
            signature_anchors=(
                *readable_certificates([one.certificate for one in anchors if one.for_signatures]),
                *given,
            ),
            timestamp_anchors=(
                *readable_certificates([one.certificate for one in anchors if one.for_timestamps]),
                *given,
            ),
            certificates=readable_certificates((*self.trust.intermediates(), *store.certificates, *carried)),
            evidence=evidence,
            source=None if policy.offline else self.revocation,
            limits=self.limits,
        )

    def _document_timestamps(
        self, facts: Sequence[SignatureFacts], material: TrustMaterial, at: datetime
    ) -> tuple[dict[int, TimestampFindings], list[Proof]]:
        """The newest first: each valid one proves that the ones before it existed while their keys were good."""
        found: dict[int, TimestampFindings] = {}
        proofs: list[Proof] = []
        for position, one in reversed(list(enumerate(facts))):
            if one.kind != "document_timestamp":
                continue
            end = one.covered.end
            try:
                stamp = judge_document_timestamp(one, material, earliest_proof(proofs, end) or at)
            except _JUDGING_ERRORS:
                continue
            found[position] = stamp
            if stamp.proves is not None:
                proofs.append(Proof(end=end, time=stamp.proves, evidence=_stamped_evidence(one, facts[:position])))
        return found, proofs

    def _report(
        self,
        facts: SignatureFacts,
        material: TrustMaterial,
        at: datetime,
        stamp: TimestampFindings | None,
        proofs: Sequence[Proof],
    ) -> SignatureReport:
        """One signature's report; a fault of a library on what the signature holds is that signature's alone."""
        try:
            if stamp is not None:
                return report_document_timestamp(facts, stamp)
            return judge_signature(facts, material, at, proofs)
        except _JUDGING_ERRORS as error:
            _LOG.warning("a signature could not be judged", exc_info=error)
            return _unreadable(facts, error)


def _stamped_evidence(stamp: SignatureFacts, before: Sequence[SignatureFacts]) -> frozenset[bytes]:
    """The revocation data that the document held when it was stamped."""
    store = stamp.read.store or SecurityStore()
    inside = Evidence(ocsp_responses=store.ocsp_responses, crls=store.crls)
    for one in before:
        if one.data is not None:
            for data in (one.data, *_tokens(one)):
                inside |= embedded_evidence(data)
    return inside.items()


def _unreadable(facts: SignatureFacts, error: Exception) -> SignatureReport:
    broken = check("format", Outcome.FAIL, "签名数据无法解析", f"its parts cannot be read: {error!r}")
    return SignatureReport(
        name=facts.field.name,
        kind=facts.kind,
        indication=Indication.TOTAL_FAILED,
        sub_indication=SubIndication.FORMAT_FAILURE,
        technically_valid=False,
        integrity=False,
        coverage=facts.covered.coverage,
        modifications=facts.change.modifications,
        level=None,
        signed_at=None,
        time_source=None,
        signer=None,
        seal=None,
        checks=(broken, facts.covered.check, facts.change.check),
    )


def _tokens(facts: SignatureFacts) -> list[object]:
    try:
        return [one for one in signature_timestamps(facts.data) if one is not None]
    except READ_ERRORS:
        return []


def readable_certificates(encoded: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """Certificates that can be read; others are left out."""
    found: list[x509.Certificate] = []
    for one in dict.fromkeys(encoded):
        try:
            certificate: x509.Certificate = known_certificate(x509.Certificate.load(one).dump())
            _ = certificate.subject.hashable, certificate.issuer.hashable, certificate.serial_number
            _ = certificate.key_identifier, certificate.public_key.algorithm, certificate.not_valid_after
        except READ_ERRORS:
            continue
        found.append(certificate)
    return tuple(found)
