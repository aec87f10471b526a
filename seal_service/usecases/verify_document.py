"""验章: a document's signatures, and what our own records know of their seals (国办发〔2025〕33号)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.events import Event, EventKind, Result, act_of
from seal_service.domain.lifecycle import state_at, status_when_sealed
from seal_service.domain.logged import (
    Logged,
    judged,
    made_before,
    not_found,
    not_of_this_log,
    on_document,
    unlogged,
    with_logged,
)
from seal_service.domain.verdict import (
    Indication,
    Outcome,
    SealFacts,
    SignatureReport,
    VerificationReport,
    overall,
    with_seal_status,
)
from seal_service.formats.prefixes import Prefixes
from seal_service.ports.documents import DocumentVerifier, Upload, VerificationPolicy
from seal_service.ports.logged import LogEvidence
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyDocument:
    """验章 as asked for."""

    document: Upload
    policy: VerificationPolicy = VerificationPolicy()
    proofs: tuple[bytes, ...] = ()
    """收录证明 of its seals; with some, or with log keys, a seal passes only by one."""
    log_keys: tuple[str, ...] = ()
    """By which they are checked; none: this service's own."""


@dataclass(frozen=True)
class VerifyDocumentUseCase:
    """验章 for anyone. Raises DocumentUnsupported for what is no document at all; everything else is a report.

    NoteRefused for a log key that is none, InstanceNotReady for proofs by this service's own key before it has one.
    """

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    log: SigningLog
    verifier: DocumentVerifier
    evidence: LogEvidence
    clock: Clock

    def __call__(self, caller: Caller, command: VerifyDocument) -> VerificationReport:
        """The report."""
        if command.proofs or command.log_keys:
            proven = self.evidence.by_proofs(command.proofs, command.log_keys)
            command = replace(command, policy=replace(command.policy, proven=proven))
        report = self.verifier.verify(command.document, command.policy)
        prefixes = Prefixes(command.document.content)
        with self.records.read() as transaction:
            signatures = tuple(self._judged(transaction, command, one, prefixes) for one in report.signatures)
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

    def _judged(
        self, transaction: Transaction, command: VerifyDocument, report: SignatureReport, prefixes: Prefixes
    ) -> SignatureReport:
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
        proven_by = command.policy.proven
        asks_log = proven_by is None or proven_by.given_keys > 0  # else proofs by this log's own key have told of it
        if seal is None or credential is None:
            if asks_log:
                ours = _owes_an_intent(transaction, report.signer.serial, report.signer.certificate_sha256)
                report = self._logged(
                    transaction, command, report, prefixes, not_ours=None if ours else not_of_this_log()
                )
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
        report = with_seal_status(report, facts, ours=True, imported_later=earlier)
        if not asks_log:
            return report
        imported = earlier or (seal.history_note is not None and not proven)
        return self._logged(transaction, command, report, prefixes, not_ours=made_before() if imported else None)

    def _logged(
        self,
        transaction: Transaction,
        command: VerifyDocument,
        report: SignatureReport,
        prefixes: Prefixes,
        *,
        not_ours: Logged | None,
    ) -> SignatureReport:
        """The check `logged`; `not_ours` is what a signature is told that no entry of this log has to stand behind."""
        seal = on_document(report)
        if seal is None:
            return report
        named = seal.intent_leaf_hash
        use = None if named is None else self.evidence.of_intent(transaction, bytes.fromhex(named))
        if use is not None:
            found = judged(seal, use, prefixes.of(report))
        else:
            found = not_ours or (unlogged() if named is None else not_found())
        if command.policy.proven is not None and found.outcome is not Outcome.FAIL:
            return report  # what proofs told by a key that was given stands, where this log does not speak against it
        return with_logged(report, found)

    def _note(self, caller: Caller, command: VerifyDocument, report: VerificationReport) -> None:
        """Log what was found; what a caller's own anchors, keys or moment made of it is no finding of this service."""
        ours = {one.seal.code for one in report.signatures if one.seal and one.seal.status_now and one.seal.code}
        policy = command.policy
        given_keys = policy.proven.given_keys if policy.proven else 0
        event = Event(
            kind=EventKind.DOCUMENT_VERIFIED,
            result=_result(report.indication, by_own_trust=not policy.anchors and not given_keys and policy.at is None),
            document_sha256=report.sha256,
            reason=report.sub_indication.value if report.sub_indication else None,
            facts={
                "indication": report.indication.value,
                "signatures": len(report.signatures),
                "seal_codes": tuple(sorted(ours))[:20],
                "document_sm3": report.sm3,
                "foreign_anchors": len(policy.anchors),
                "foreign_log_keys": given_keys,
                "judged_at": policy.at.isoformat() if policy.at else None,
                "offline": policy.offline,
            },
            private={"document_name": report.file},
        )
        with self.records.write() as transaction:
            self.log.append(transaction, act_of(caller, event))
            transaction.commit()


def _owes_an_intent(transaction: Transaction, serial: str, certificate_sha256: str) -> bool:
    """Whether a certificate is of a seal of this service; its own reports are signed without a use of a seal."""
    own = {hashlib.sha256(one.certificate).hexdigest() for one in transaction.authorities.all()}
    return certificate_sha256 not in own and transaction.certificates.find(serial) is not None


def _result(indication: Indication, *, by_own_trust: bool) -> Result:
    if indication is Indication.TOTAL_FAILED:
        return Result.FAILURE
    return Result.SUCCESS if indication is Indication.TOTAL_PASSED and by_own_trust else Result.UNDECIDED
