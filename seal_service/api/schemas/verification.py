"""Wire form of the verification report (验章报告); `formats.verification_report` writes it."""

from __future__ import annotations

from typing import Literal

from seal_service.api.schemas.common import Moment, View
from seal_service.domain.seal import SealState
from seal_service.domain.verdict import Coverage, Indication, Modifications, Outcome, SubIndication


class BothDigestsView(View):
    """杂凑值 of the file."""

    sha256: str
    sm3: str


class MessageView(View):
    """A sentence in Chinese and English."""

    zh: str
    en: str


class CheckView(View):
    """One check."""

    id: str
    outcome: Outcome
    message: MessageView


class SignerView(View):
    """The signer's certificate."""

    subject: str
    issuer: str
    serial: str
    not_before: Moment
    not_after: Moment
    algorithm: str
    certificate_sha256: str


class SealFactsView(View):
    """What is known of the seal."""

    code: str | None
    name: str | None
    holder: str | None
    status_now: SealState | None
    status_at_signing: SealState | None


class SignatureReportView(View):
    """签名报告."""

    name: str
    kind: Literal["pades", "cms", "ses", "ofd_ses", "ofd_cms", "document_timestamp"]
    indication: Indication
    sub_indication: SubIndication | None
    technically_valid: bool
    integrity: bool
    coverage: Coverage
    modifications: Modifications
    level: str | None
    signed_at: Moment | None
    time_source: str | None
    signer: SignerView | None
    seal: SealFactsView | None
    checks: list[CheckView]
    intent_leaf_hash: str | None


class VerificationReportView(View):
    """验章报告 (indications of ETSI EN 319 102-1; NO_SIGNATURE is ours)."""

    file: str
    digest: BothDigestsView
    media_type: str
    indication: Indication
    sub_indication: SubIndication | None
    technically_valid: bool
    signatures: list[SignatureReportView]
    checks: list[CheckView]
