"""有证书即成印章: once a certificate is here, a seal is made or renewed with it, whoever issued it (articles 14–16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from seal_service.domain import identifiers
from seal_service.domain.access import Caller
from seal_service.domain.algorithms import Suite
from seal_service.domain.application import Application, ApplicationKind, ApplicationState
from seal_service.domain.certification import CertificateRequestState
from seal_service.domain.errors import AlreadyDecided, AlreadyRegistered, Conflict, InvalidInput
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.issuance import CertificateSubject, IssuedCertificate
from seal_service.domain.lifecycle import TRANSITIONS, Action, next_state
from seal_service.domain.organization import Unit
from seal_service.domain.seal import Credential, CredentialPurpose, Custody, Seal, SealState
from seal_service.ports.records import SigningLog, Transaction
from seal_service.usecases.facts import seal_facts


def subject_of(unit: Unit, seal_code: str) -> CertificateSubject:
    """C=CN, O=统一社会信用代码+单位名称, CN=印章编码."""
    return CertificateSubject(organization=unit.credit_code + unit.name, common_name=seal_code)


def credential_of(
    issued: IssuedCertificate, key_reference: str, suite: Suite, version: int, custody: Custody = Custody.SERVER
) -> Credential:
    """The signing credential that a certificate and its key make."""
    return Credential(
        id=key_reference,
        version=version,
        suite=suite,
        purpose=CredentialPurpose.SIGNING,
        custody=custody,
        key_reference=key_reference,
        certificate=issued.certificate,
        serial=issued.serial,
        not_before=issued.not_before,
        not_after=issued.not_after,
    )


def require_approved(application: Application) -> None:
    """Raise AlreadyDecided unless the application waits for its seal, InvalidInput for a change of one."""
    if application.kind is not ApplicationKind.NEW:
        raise InvalidInput("A change (变更) is made of its seal: see its change", field="application_id")
    if application.state is not ApplicationState.APPROVED:
        raise AlreadyDecided(
            f"Only an approved application becomes a seal (article 14); this one is {application.state.value}",
            state=application.state.value,
        )


def require_no_request(transaction: Transaction, application: Application) -> None:
    """Raise Conflict while the application's seal waits for its certificate from outside."""
    pending = transaction.certificate_requests.chosen(
        CertificateRequestState.PENDING, application_id=application.id, limit=1
    )
    if pending:
        raise Conflict(
            "The application has a certificate request: hand in its certificate, or withdraw it",
            certificate_request_id=pending[0].id,
        )


def seal_code_for(transaction: Transaction, unit: Unit, given: str | None) -> str:
    """The next code of the unit's area, or the given one, which a province issued.

    Raises InvalidSealCode, InvalidInput for another area's, AlreadyRegistered for one that a request has reserved.
    """
    if given is None:
        while True:  # a code that the province issued may stand in the way
            code = identifiers.seal_code_of(unit.area_code, transaction.seals.next_serial(unit.area_code))
            if transaction.seals.find(code) is None and not _is_reserved(transaction, code):
                return code
    code = identifiers.seal_code(given)
    if not code.startswith(unit.area_code):
        raise InvalidInput(f"The code's area is not the unit's ({unit.area_code})", field="seal_code")
    if _is_reserved(transaction, code):
        raise AlreadyRegistered("A certificate request has reserved this code", seal_code=code)
    return code


def _is_reserved(transaction: Transaction, code: str) -> bool:
    return bool(transaction.certificate_requests.chosen(CertificateRequestState.PENDING, seal_code=code, limit=1))


def made_seal(
    transaction: Transaction,
    log: SigningLog,
    caller: Caller,
    application: Application,
    code: str,
    credential: Credential,
    now: datetime,
    *,
    history_note: str | None = None,
    further_facts: Mapping[str, Scalar] | None = None,
    first: EventKind | None = None,
) -> Seal:
    """制章: the application's seal, active at once, because its certificate is here; in the log as made, activated.

    `first` is the kind of an entry that comes before these. Raises AlreadyRegistered when the code is taken.
    """
    unit = transaction.units.get(application.unit_id)
    seal = Seal(
        code=code,
        name=application.seal_name,
        seal_type=application.seal_type,
        unit_id=unit.id,
        application_id=application.id,
        impression=application.impression,
        state=TRANSITIONS[SealState.MADE, Action.ACTIVATE],
        version=1,
        epoch=1,
        credentials=(credential,),
        made_at=now,
        replaces_seal_code=application.replaces_seal_code,
        history_note=history_note,
    )
    transaction.seals.add(seal)
    transaction.applications.replace(replace(application, state=ApplicationState.MADE, seal_code=code))
    facts = {
        **seal_facts(seal, unit),
        "application_id": application.id,
        "replaces_seal_code": seal.replaces_seal_code,
        "history_note": history_note,
        **(further_facts or {}),
    }
    for kind in (*((first,) if first else ()), EventKind.SEAL_MADE, EventKind.SEAL_ACTIVATED):
        log.append(transaction, act_of(caller, Event(kind=kind, seal_code=code, unit_id=unit.id, facts=facts)))
    return seal


def require_renewable(seal: Seal, now: datetime, custody: Custody = Custody.SERVER) -> SealState:
    """The state after a renewal.

    Raises RenewalNotPossible outside article 16's window, TransitionRefused, Conflict for a key that is kept elsewhere
    than the new one will be.
    """
    state = next_state(seal, Action.RENEW, now)
    before = seal.signing_credential()
    if before is None or before.custody is custody:
        return state
    if before.custody is Custody.TOKEN:
        raise Conflict("The seal's key is kept by its unit (分散式): its certificate is renewed where the key is")
    raise Conflict("The seal's key is kept by the service (集中式): it is renewed there")


def renewed_seal(
    transaction: Transaction,
    log: SigningLog,
    caller: Caller,
    seal: Seal,
    credential: Credential,
    now: datetime,
    *,
    further_facts: Mapping[str, Scalar] | None = None,
) -> Seal:
    """续期: the locked seal in its next version, to which the credential belongs; the old certificate stays as it is.

    Raises what `require_renewable` raises.
    """
    renewed = replace(
        seal,
        state=require_renewable(seal, now, credential.custody),
        version=credential.version,
        epoch=seal.epoch + 1,
        credentials=(*seal.credentials, credential),
    )
    transaction.seals.replace(renewed)
    unit = transaction.units.get(seal.unit_id)
    facts = {**seal_facts(renewed, unit), **(further_facts or {})}
    event = Event(kind=EventKind.SEAL_RENEWED, seal_code=seal.code, unit_id=unit.id, facts=facts)
    log.append(transaction, act_of(caller, event))
    return renewed
