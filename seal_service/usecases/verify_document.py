"""验章: a document's signatures, and what our own records know of their seals (国办发〔2025〕33号)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.events import Event, EventKind, Result, act_of
from seal_service.domain.lifecycle import state_at, status_when_sealed
from seal_service.domain.verdict import (
    Indication,
    SealFacts,
    SignatureReport,
    VerificationReport,
    overall,
    with_seal_status,
)
from seal_service.ports.documents import DocumentVerifier, Upload, VerificationPolicy
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyDocument:
    """验章 as asked for."""

    document: Upload
    policy: VerificationPolicy = VerificationPolicy()


@dataclass(frozen=True)
class VerifyDocumentUseCase:
    """验章 for anyone. Raises DocumentUnsupported for what is no document at all; everything else is a report."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    log: SigningLog
    verifier: DocumentVerifier
    clock: Clock

    def __call__(self, caller: Caller, command: VerifyDocument) -> VerificationReport:
        """The report."""
        report = self.verifier.verify(command.document, command.policy)
        with self.records.read() as transaction:
            signatures = tuple(self._judged(transaction, command, one) for one in report.signatures)
        if signatures:
            indication, sub_indication, technically_valid = overall(signatures)
            report = replace(
                report,
                signatures=signatures,
                indication=indication,
                sub_indication=sub_indication,
                technically_valid=technically_valid,
            )
        self._note(caller, command, report)
        return report

    def _judged(self, transaction: Transaction, command: VerifyDocument, report: SignatureReport) -> SignatureReport:
        if report.kind == "document_timestamp" or report.signer is None:
            return report
        seal = transaction.seals.by_certificate(report.signer.serial)
        credential = next(
            (
                one
                for one in (seal.credentials if seal else ())
                if hashlib.sha256(one.certificate).hexdigest() == report.signer.certificate_sha256
            ),
            None,
        )
        if seal is None or credential is None:
            if command.policy.status_lists:  # which have told of it
                return report
            return with_seal_status(report, report.seal or SealFacts(), ours=False)
        changes = transaction.log.status_changes(seal.code)
        proven = report.time_source == "timestamp"
        at_signing = (
            status_when_sealed(changes, report.signed_at, proven=proven, invalid_from=seal.invalid_from)
            if report.signed_at
            else None
        )
        # A time-stamp in whole seconds may lie up to a second before its moment.
        came = seal.made_at.replace(microsecond=0)
        earlier = seal.history_note is not None and proven and report.signed_at is not None and report.signed_at < came
        facts = SealFacts(
            code=seal.code,
            name=seal.name,
            holder=transaction.units.get(seal.unit_id).name,
            status_now=state_at(seal, self.clock.now()),
            status_at_signing=None if earlier else at_signing,
        )
        return with_seal_status(report, facts, ours=True, imported_later=earlier)

    def _note(self, caller: Caller, command: VerifyDocument, report: VerificationReport) -> None:
        """Log what was found; what a caller's own anchors or moment made of it is no finding of this service."""
        ours = {one.seal.code for one in report.signatures if one.seal and one.seal.status_now and one.seal.code}
        policy = command.policy
        event = Event(
            kind=EventKind.DOCUMENT_VERIFIED,
            result=_result(report.indication, by_own_trust=not policy.anchors and policy.at is None),
            document_sha256=report.sha256,
            reason=report.sub_indication.value if report.sub_indication else None,
            facts={
                "indication": report.indication.value,
                "signatures": len(report.signatures),
                "seal_codes": tuple(sorted(ours))[:20],
                "document_sm3": report.sm3,
                "foreign_anchors": len(policy.anchors),
                "judged_at": policy.at.isoformat() if policy.at else None,
                "offline": policy.offline,
            },
            private={"document_name": report.file},
        )
        with self.records.write() as transaction:
            self.log.append(transaction, act_of(caller, event))
            transaction.commit()


def _result(indication: Indication, *, by_own_trust: bool) -> Result:
    if indication is Indication.TOTAL_FAILED:
        return Result.FAILURE
    return Result.SUCCESS if indication is Indication.TOTAL_PASSED and by_own_trust else Result.UNDECIDED
