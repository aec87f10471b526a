"""`build(settings)`: the only function that knows every class."""

from __future__ import annotations

import logging
from datetime import timedelta
from importlib.metadata import version

from seal_service.bootstrap.auditing import audit_desk
from seal_service.bootstrap.backups import backing_up, checking
from seal_service.bootstrap.certifying import outside_certification
from seal_service.bootstrap.controlling import controlled_acts
from seal_service.bootstrap.custody import custodial
from seal_service.bootstrap.filing import filing_of
from seal_service.bootstrap.isolating import SEALING, VERIFYING, reading_processes
from seal_service.bootstrap.life import life_of_seals
from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.bootstrap.machines import authentication, machines
from seal_service.bootstrap.notifying import notifying
from seal_service.bootstrap.people import identify_session, people_of, secure_pages
from seal_service.bootstrap.permitting import permitting
from seal_service.bootstrap.readiness import observation_of, readiness_of
from seal_service.bootstrap.rooms import authority_foundation, open_rooms
from seal_service.bootstrap.service import Answer, Command, Guarded, Service, UseCase
from seal_service.bootstrap.transparency import publication_of, transparency_of
from seal_service.bootstrap.under_way import CallsUnderWay
from seal_service.bootstrap.verification import own_log, verification_of
from seal_service.bootstrap.verifying import LARGEST_ANSWER
from seal_service.config import Settings
from seal_service.domain.errors import SealServiceError
from seal_service.domain.retention import Retention
from seal_service.formats.pdf import bound_parsing
from seal_service.observability.metrics import PrometheusMeasurements
from seal_service.observability.pools import count_connections
from seal_service.observability.timestamps import MeasuredTimestampAuthority
from seal_service.pki.activated_keys import ActivatedSealKeys, KeyProcessClient
from seal_service.pki.authority_certificates import AuthorityCertificates
from seal_service.pki.bounded_http import BoundedHttp
from seal_service.pki.chains import KnownChains
from seal_service.pki.internal_ca import InternalCertificateAuthority
from seal_service.pki.key_rotation import KeyDirectoryRotation, RingTokenKeyRotation
from seal_service.pki.services import InternalPublicKeyServices
from seal_service.pki.timestamp_client import (
    EmbeddedTimestampAuthority,
    FirstAnsweringTimestampAuthority,
    HttpTimestampAuthority,
)
from seal_service.pki.timestamp_unit import TimestampUnit
from seal_service.ports.crypto import TimestampAuthority
from seal_service.ports.system import Clock, Entropy
from seal_service.sealing.admission import DocumentLimits
from seal_service.sealing.impression import PictureReader
from seal_service.sealing.levels import LevelRaiser
from seal_service.sealing.pdf import PdfSealer
from seal_service.sealing.sealer import SealerByContent
from seal_service.storage import schema
from seal_service.storage.blobs import EncryptedFiles
from seal_service.storage.queries import SqlQueries
from seal_service.usecases.answer_pki import AnswerPkiUseCase
from seal_service.usecases.apply_for_seal import ApplyForSealUseCase
from seal_service.usecases.apply_seal import ApplySealUseCase
from seal_service.usecases.change_retention import ReadRetentionUseCase, retention_in_force
from seal_service.usecases.change_status import (
    CancelSealUseCase,
    ReportLossUseCase,
    ResumeSealUseCase,
)
from seal_service.usecases.create_account import (
    CreateAccountUseCase,
    DisableAccountUseCase,
)
from seal_service.usecases.decide_application import DecideApplicationUseCase
from seal_service.usecases.grant_use import GrantUseUseCase, RevokeGrantUseCase
from seal_service.usecases.import_seal import ImportSealUseCase
from seal_service.usecases.list_authorities import ListAuthoritiesUseCase
from seal_service.usecases.list_keys import ListKeysUseCase
from seal_service.usecases.log_refusal import LogRefusal
from seal_service.usecases.look_up_seal import LookUpSealUseCase
from seal_service.usecases.make_seal import MakeSealUseCase
from seal_service.usecases.manage_trust import (
    ConfirmTrustUseCase,
    ListTrustUseCase,
)
from seal_service.usecases.read_controlled_acts import ListControlledActsUseCase, ReadControlledActUseCase
from seal_service.usecases.read_log import (
    CountLogUseCase,
    QueryLogUseCase,
    ReadEntryUseCase,
)
from seal_service.usecases.read_metrics import ReadMetricsUseCase
from seal_service.usecases.read_registers import (
    ListAccountsUseCase,
    ListApplicationsUseCase,
    ListGrantsUseCase,
    ListSealsUseCase,
    ListUnitsUseCase,
    ReadAccountUseCase,
    ReadApplicationUseCase,
    ReadGrantUseCase,
    ReadImpressionUseCase,
    ReadSealUseCase,
    ReadUnitUseCase,
)
from seal_service.usecases.read_requests import (
    ListCertificatesToRevokeUseCase,
    ListRequestsUseCase,
    ReadRequestUseCase,
)
from seal_service.usecases.read_use import (
    AcknowledgeDocumentUseCase,
    FetchDocumentUseCase,
    ListUsesUseCase,
    ReadUseUseCase,
)
from seal_service.usecases.reconcile import ReconcileUseCase
from seal_service.usecases.register_unit import RegisterUnitUseCase
from seal_service.usecases.renew_seal import RenewSealUseCase
from seal_service.usecases.rotate_authority_key import RotateAuthorityKeyUseCase
from seal_service.usecases.rotate_master_key import PlanMasterKeyRotationUseCase, RotateMasterKeyUseCase
from seal_service.usecases.rotate_token_key import RotateTokenKeyUseCase
from seal_service.usecases.sequence_log import CatchUp
from seal_service.usecases.take_up_requests import TakeUpRequestsUseCase
from seal_service.usecases.trace import TraceUseCase
from seal_service.usecases.verify_document import VerifyDocumentUseCase
from seal_service.usecases.withdraw_request import WithdrawRequestUseCase

_log = logging.getLogger(__name__)


def build(settings: Settings, *, clock: Clock | None = None, entropy: Entropy | None = None) -> Service:
    """The service of an instance that `initialise` made. Raises InstanceNotReady with the command to run."""
    bound_parsing()
    rooms = open_rooms(settings, clock or SystemClock(), entropy or SystemEntropy())
    try:
        schema.require_current(rooms.database)
    except SealServiceError:
        rooms.database.close()
        raise
    records, log, keys, clock, entropy = rooms.records, rooms.log, rooms.keys, rooms.clock, rooms.entropy
    measurements = PrometheusMeasurements(version("seal-service"))
    count_connections(rooms.database.writer, "writer", measurements)
    count_connections(rooms.database.reader, "reader", measurements)
    queries = SqlQueries(rooms.database)
    publication = publication_of(settings, rooms)
    catch_up = CatchUp(publication.sequence)
    blobs = EncryptedFiles(settings.home / "blobs", rooms.vault)
    rotation = KeyDirectoryRotation(rooms.hierarchy, rooms.vault, blobs, entropy)
    http = BoundedHttp(settings.network_timeout_seconds, LARGEST_ANSWER)
    reading_for_verification = reading_processes(settings, VERIFYING)
    verification = verification_of(settings, rooms, http, reading_for_verification)
    trust, lists, responder = verification.trust, verification.lists, verification.responder
    others, revocation, verifier = verification.others, verification.revocation, verification.verifier
    chains = KnownChains(records, trust, clock)
    authority = InternalCertificateAuthority(chains, keys, entropy, settings.public_url, settings.certificate_days)
    unit = TimestampUnit(records, keys, clock, entropy)
    outside: list[TimestampAuthority] = [HttpTimestampAuthority(url, http, entropy) for url in settings.timestamp_urls]
    embedded: list[TimestampAuthority] = (
        [EmbeddedTimestampAuthority(unit.answer, entropy)] if settings.timestamp_embedded else []
    )
    measured = [MeasuredTimestampAuthority(one, measurements) for one in (*outside, *embedded)]
    services = InternalPublicKeyServices(records, lists, responder, unit)
    reading_for_sealing = reading_processes(settings, SEALING)
    process = KeyProcessClient(settings.run_directory)
    seal_keys = ActivatedSealKeys(keys, process, required=settings.activation_required)
    timestamps = FirstAnsweringTimestampAuthority(measured, trust, clock)
    levels_of_reports = LevelRaiser(authority.chain, timestamps, revocation, trust.issuers, reading_for_sealing)
    sealer = PdfSealer(
        keys=seal_keys,
        blobs=blobs,
        chain=authority.chain,
        timestamps=timestamps,
        revocation=revocation,
        clock=clock,
        isolation=reading_for_sealing,
        limits=DocumentLimits(
            bytes=settings.document_bytes, pages=settings.document_pages, objects=settings.document_objects
        ),
        permitted_content=settings.permitted_content,
        issuers=trust.issuers,
    )
    certification = outside_certification(settings, rooms, authority, trust, revocation)
    reservation = timedelta(seconds=settings.reservation_seconds)
    asked = Retention(documents=settings.documents, hold_hours=settings.document_hold_hours)
    retention = retention_in_force(queries) or asked
    hold = timedelta(hours=retention.hold_hours)

    foundation = authority_foundation(settings, keys, entropy)
    rotate = RotateAuthorityKeyUseCase(records, log, keys, foundation, clock, entropy, settings.authority_suite)
    controlled = controlled_acts(rooms, AuthorityCertificates(), rotate)
    told = notifying(settings, clock, entropy)
    refused = LogRefusal(records, log)
    under_way = CallsUnderWay()
    readiness = readiness_of(settings, rooms, queries, services, outside, process, publication.health)

    def guarded(use_case: UseCase[Command, Answer]) -> Guarded[Command, Answer]:
        return Guarded(use_case, refused, under_way)

    people = people_of(settings, rooms, revocation, guarded)
    filing = filing_of(settings, rooms, guarded)
    halted = publication.condition.halted

    def close() -> None:
        if not under_way.ended_within(settings.shutdown_seconds):
            _log.error("Calls are still under way after %s seconds; `reconcile` closes them", settings.shutdown_seconds)
        http.close()
        told.close()
        people.close()
        filing.close()
        publication.close()
        process.close()
        certification.close()
        reading_for_sealing.close()
        reading_for_verification.close()
        rooms.database.close()

    login = authentication(settings, rooms, guarded, identify_session(settings, rooms))
    return Service(
        people=people,
        issue_token=login.issue_token,
        identify_caller=login.identify_caller,
        machines=machines(settings, rooms, guarded),
        create_account=guarded(CreateAccountUseCase(records, log, clock, entropy, rooms.credentials)),
        disable_account=guarded(DisableAccountUseCase(records, log, clock)),
        give_roles=guarded(controlled.give_roles),
        decide_controlled_act=guarded(controlled.decide),
        list_controlled_acts=guarded(ListControlledActsUseCase(records)),
        read_controlled_act=guarded(ReadControlledActUseCase(records)),
        change_retention=guarded(controlled.change_retention),
        read_retention=guarded(ReadRetentionUseCase(queries, asked)),
        list_accounts=guarded(ListAccountsUseCase(queries)),
        read_account=guarded(ReadAccountUseCase(records)),
        register_unit=guarded(RegisterUnitUseCase(records, log, clock, entropy)),
        list_units=guarded(ListUnitsUseCase(queries)),
        read_unit=guarded(ReadUnitUseCase(records)),
        apply_for_seal=guarded(ApplyForSealUseCase(records, log, blobs, PictureReader(), clock, entropy)),
        decide_application=guarded(DecideApplicationUseCase(records, log, clock)),
        list_applications=guarded(ListApplicationsUseCase(queries)),
        read_application=guarded(ReadApplicationUseCase(records, queries)),
        make_seal=guarded(
            MakeSealUseCase(records, log, keys, authority, clock, entropy, settings.seal_suite, certification.certify)
        ),
        list_seals=guarded(ListSealsUseCase(queries, clock)),
        read_seal=guarded(ReadSealUseCase(records, queries)),
        read_impression=guarded(ReadImpressionUseCase(records, blobs)),
        renew_seal=guarded(RenewSealUseCase(records, log, keys, authority, clock, entropy, certification.certify)),
        report_loss=guarded(ReportLossUseCase(records, log, authority, clock, told.notify)),
        resume_seal=guarded(ResumeSealUseCase(records, log, authority, clock, told.notify)),
        cancel_seal=guarded(CancelSealUseCase(records, log, authority, clock, told.notify)),
        look_up_seal=guarded(LookUpSealUseCase(records, clock)),
        import_seal=guarded(ImportSealUseCase(records, log, keys, authority, certification.check, clock, entropy)),
        request_certificate=guarded(certification.request),
        list_requests=guarded(ListRequestsUseCase(records)),
        read_request=guarded(ReadRequestUseCase(records)),
        submit_certificate=guarded(certification.submit),
        fetch_certificate=guarded(certification.fetch),
        withdraw_request=guarded(WithdrawRequestUseCase(records, log, keys, clock)),
        take_up_requests=guarded(TakeUpRequestsUseCase(records, certification.fetch, clock)),
        list_certificates_to_revoke=guarded(
            ListCertificatesToRevokeUseCase(records, authority, certification.check, clock)
        ),
        grant_use=guarded(GrantUseUseCase(records, log, clock, entropy)),
        revoke_grant=guarded(RevokeGrantUseCase(records, log, clock)),
        list_grants=guarded(ListGrantsUseCase(queries)),
        read_grant=guarded(ReadGrantUseCase(records)),
        permitting=permitting(rooms, guarded),
        apply_seal=guarded(
            ApplySealUseCase(
                records,
                log,
                SealerByContent(sealer),
                blobs,
                clock,
                entropy,
                measurements,
                retention.documents,
                hold,
                seal_keys,
                publication.receipts,
                halted,
            )
        ),
        custody=custodial(
            settings,
            rooms,
            authority,
            SealerByContent(sealer),
            blobs,
            measurements,
            process,
            publication.receipts,
            halted,
            guarded,
        ),
        read_use=guarded(ReadUseUseCase(records)),
        list_uses=guarded(ListUsesUseCase(records, queries)),
        fetch_document=guarded(FetchDocumentUseCase(records, blobs, clock)),
        acknowledge_document=guarded(AcknowledgeDocumentUseCase(records, log, blobs)),
        reconcile=guarded(ReconcileUseCase(records, log, blobs, clock, reservation)),
        verify_document=guarded(VerifyDocumentUseCase(records, log, verifier, own_log(settings, rooms), clock)),
        query_log=guarded(QueryLogUseCase(queries, log, catch_up)),
        count_log=guarded(CountLogUseCase(queries, catch_up)),
        read_entry=guarded(ReadEntryUseCase(records, log)),
        trace=guarded(TraceUseCase(records, queries)),
        desk=audit_desk(
            settings, rooms, queries, catch_up, authority.chain, levels_of_reports, reading_for_sealing, guarded
        ),
        plan_master_key_rotation=guarded(PlanMasterKeyRotationUseCase(rotation)),
        rotate_master_key=guarded(RotateMasterKeyUseCase(records, log, rotation)),
        rotate_token_key=guarded(RotateTokenKeyUseCase(records, log, RingTokenKeyRotation(rooms.hierarchy, entropy))),
        answer_pki=guarded(AnswerPkiUseCase(services)),
        list_authorities=guarded(ListAuthoritiesUseCase(records, clock)),
        list_keys=guarded(ListKeysUseCase(records, keys, clock)),
        rotate_authority_key=guarded(controlled.rotate_authority_key),
        destroy_key=guarded(controlled.destroy_key),
        add_trust=guarded(controlled.add_trust),
        confirm_trust=guarded(ConfirmTrustUseCase(records, log, AuthorityCertificates(), clock)),
        remove_trust=guarded(controlled.remove_trust),
        list_trust=guarded(ListTrustUseCase(records, AuthorityCertificates())),
        observe=guarded(observation_of(settings, rooms, queries, outside, others, trust)),
        check_readiness=guarded(readiness),
        read_metrics=guarded(
            ReadMetricsUseCase(readiness, records, queries, measurements, clock, process, settings.metrics_addresses)
        ),
        back_up=guarded(backing_up(settings, rooms)),
        check_database=guarded(checking(settings, rooms)),
        life=life_of_seals(settings, rooms, authority, blobs, PictureReader(), told, guarded),
        filing=filing,
        transparency=transparency_of(settings, publication, rooms, authority, guarded),
        clock=clock,
        origin=settings.origin,
        document_bytes=settings.document_bytes,
        requests_per_minute=settings.requests_per_minute,
        worker_threads=settings.worker_threads,
        trusted_proxies=tuple(str(one) for one in settings.trusted_proxies),
        certificate_proxies=(
            tuple(str(one) for one in settings.trusted_proxies) if settings.client_certificates else ()
        ),
        pages_url=settings.pages_url,
        secure_pages=secure_pages(settings),
        requests=measurements,
        close=close,
    )
