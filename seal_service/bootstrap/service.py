"""The Service: ready use cases, each behind its permission."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seal_service.bootstrap.custody import Custodial
from seal_service.bootstrap.guarded import Answer, Command, Guarded, Refused, UseCase
from seal_service.bootstrap.life import Life
from seal_service.bootstrap.permitting import Permitting
from seal_service.bootstrap.service_people import People
from seal_service.domain.access import Account, Caller
from seal_service.domain.application import Application
from seal_service.domain.backup import Backup
from seal_service.domain.certification import CertificateRequest, OutsideCertificate
from seal_service.domain.dual_control import ControlledRequest
from seal_service.domain.grant import Grant
from seal_service.domain.invariants import Checked
from seal_service.domain.organization import Unit
from seal_service.domain.paging import Page
from seal_service.domain.readiness import Dependency
from seal_service.domain.retention import Retention
from seal_service.domain.seal import Seal
from seal_service.domain.use import SealUse
from seal_service.domain.verdict import VerificationReport
from seal_service.ports.crypto import MasterKeyPlan, MasterKeyRotated
from seal_service.ports.reading import LogStatistics
from seal_service.ports.system import Clock, RequestMeasurements
from seal_service.usecases.answer_pki import PkiRequest
from seal_service.usecases.apply_for_seal import SubmitApplication
from seal_service.usecases.apply_seal import AppliedSeal, ApplySeal
from seal_service.usecases.authenticate import (
    AccessToken,
    ClientSecret,
    PresentedClient,
    PresentedToken,
)
from seal_service.usecases.back_up import BackUp
from seal_service.usecases.change_retention import ChangeRetention, ReadRetention, RetentionView
from seal_service.usecases.change_status import (
    CancelSeal,
    ReportLoss,
    ResumeSeal,
    StatusChanged,
)
from seal_service.usecases.check_database import CheckDatabase
from seal_service.usecases.check_readiness import CheckReadiness
from seal_service.usecases.control_act import DecideControlledAct, DecidedAct
from seal_service.usecases.create_account import (
    CreateAccount,
    CreatedAccount,
    DisableAccount,
)
from seal_service.usecases.decide_application import DecideApplication
from seal_service.usecases.destroy_key import DestroyKey
from seal_service.usecases.fetch_certificate import FetchCertificate
from seal_service.usecases.give_roles import GiveRoles
from seal_service.usecases.grant_use import GrantUse, RevokeGrant
from seal_service.usecases.import_seal import ImportSeal
from seal_service.usecases.list_authorities import ListAuthorities, PublishedAuthority
from seal_service.usecases.list_keys import ListedKey, ListKeys
from seal_service.usecases.look_up_seal import LookUpSeal, PublicStatus
from seal_service.usecases.make_seal import MakeSeal
from seal_service.usecases.manage_trust import AddTrust, ConfirmTrust, ListTrust, RemoveTrust, TrustView
from seal_service.usecases.observe import Observe, Observed
from seal_service.usecases.read_controlled_acts import ListControlledActs
from seal_service.usecases.read_log import (
    CountLog,
    EntryAnswer,
    LogAnswer,
    QueryLog,
    ReadEntry,
)
from seal_service.usecases.read_metrics import ReadMetrics
from seal_service.usecases.read_registers import (
    ListAccounts,
    ListApplications,
    ListGrants,
    ListSeals,
    ListUnits,
    ReadById,
)
from seal_service.usecases.read_requests import ListCertificatesToRevoke, ListRequests
from seal_service.usecases.read_use import (
    ListUses,
    ReadUse,
)
from seal_service.usecases.reconcile import Reconcile, Reconciled
from seal_service.usecases.register_unit import RegisterUnit
from seal_service.usecases.renew_seal import RenewSeal
from seal_service.usecases.request_certificate import RequestCertificate
from seal_service.usecases.rotate_authority_key import RotateAuthorityKey, Rotation
from seal_service.usecases.rotate_master_key import PlanMasterKeyRotation, RotateMasterKey
from seal_service.usecases.rotate_token_key import RotateTokenKey
from seal_service.usecases.submit_certificate import SubmitCertificate
from seal_service.usecases.take_up_requests import TakenUp, TakeUpRequests
from seal_service.usecases.trace import Story, Trace
from seal_service.usecases.verify_document import VerifyDocument
from seal_service.usecases.withdraw_request import WithdrawRequest

if TYPE_CHECKING:
    from seal_service.bootstrap.auditing import AuditDesk
    from seal_service.bootstrap.filing import FilingCases
    from seal_service.bootstrap.machines import Machines
    from seal_service.bootstrap.transparency import Transparency

__all__ = ["Answer", "Command", "Guarded", "Refused", "Service", "UseCase"]


@dataclass(frozen=True, kw_only=True)
class Service:
    """The ready use cases, each behind its permission, and the few values that doors need."""

    issue_token: Guarded[ClientSecret | PresentedClient, AccessToken]
    identify_caller: Guarded[PresentedToken, Caller]
    machines: Machines
    create_account: Guarded[CreateAccount, CreatedAccount]
    disable_account: Guarded[DisableAccount, Account]
    give_roles: Guarded[GiveRoles, Account]
    decide_controlled_act: Guarded[DecideControlledAct, DecidedAct]
    list_controlled_acts: Guarded[ListControlledActs, Page[ControlledRequest]]
    read_controlled_act: Guarded[ReadById, ControlledRequest]
    change_retention: Guarded[ChangeRetention, Retention]
    read_retention: Guarded[ReadRetention, RetentionView]
    list_accounts: Guarded[ListAccounts, Page[Account]]
    read_account: Guarded[ReadById, Account]

    register_unit: Guarded[RegisterUnit, Unit]
    list_units: Guarded[ListUnits, Page[Unit]]
    read_unit: Guarded[ReadById, Unit]

    apply_for_seal: Guarded[SubmitApplication, Application]
    decide_application: Guarded[DecideApplication, Application]
    list_applications: Guarded[ListApplications, Page[Application]]
    read_application: Guarded[ReadById, Application]

    make_seal: Guarded[MakeSeal, Seal]
    list_seals: Guarded[ListSeals, Page[Seal]]
    read_seal: Guarded[ReadById, Seal]
    read_impression: Guarded[ReadById, bytes]
    renew_seal: Guarded[RenewSeal, Seal]
    report_loss: Guarded[ReportLoss, StatusChanged]
    resume_seal: Guarded[ResumeSeal, Seal]
    cancel_seal: Guarded[CancelSeal, Seal]
    look_up_seal: Guarded[LookUpSeal, PublicStatus]
    import_seal: Guarded[ImportSeal, Seal]

    request_certificate: Guarded[RequestCertificate, CertificateRequest]
    list_requests: Guarded[ListRequests, Page[CertificateRequest]]
    read_request: Guarded[ReadById, CertificateRequest]
    submit_certificate: Guarded[SubmitCertificate, Seal]
    fetch_certificate: Guarded[FetchCertificate, Seal]
    withdraw_request: Guarded[WithdrawRequest, CertificateRequest]
    take_up_requests: Guarded[TakeUpRequests, TakenUp]
    list_certificates_to_revoke: Guarded[ListCertificatesToRevoke, tuple[OutsideCertificate, ...]]

    grant_use: Guarded[GrantUse, Grant]
    revoke_grant: Guarded[RevokeGrant, Grant]
    list_grants: Guarded[ListGrants, Page[Grant]]
    read_grant: Guarded[ReadById, Grant]

    permitting: Permitting
    """Scenarios and use approvals."""
    apply_seal: Guarded[ApplySeal, AppliedSeal]
    custody: Custodial
    read_use: Guarded[ReadUse, SealUse]
    list_uses: Guarded[ListUses, Page[SealUse]]
    fetch_document: Guarded[ReadUse, tuple[SealUse, bytes]]
    acknowledge_document: Guarded[ReadUse, None]
    reconcile: Guarded[Reconcile, Reconciled]

    verify_document: Guarded[VerifyDocument, VerificationReport]
    query_log: Guarded[QueryLog, LogAnswer]
    count_log: Guarded[CountLog, LogStatistics]
    read_entry: Guarded[ReadEntry, EntryAnswer]
    trace: Guarded[Trace, Story]
    desk: AuditDesk
    """What auditors take out of the log."""

    plan_master_key_rotation: Guarded[PlanMasterKeyRotation, MasterKeyPlan]
    rotate_master_key: Guarded[RotateMasterKey, MasterKeyRotated]
    rotate_token_key: Guarded[RotateTokenKey, None]

    answer_pki: Guarded[PkiRequest, bytes]
    list_authorities: Guarded[ListAuthorities, tuple[PublishedAuthority, ...]]
    list_keys: Guarded[ListKeys, Page[ListedKey]]
    rotate_authority_key: Guarded[RotateAuthorityKey, Rotation]
    destroy_key: Guarded[DestroyKey, ListedKey]
    add_trust: Guarded[AddTrust, TrustView]
    confirm_trust: Guarded[ConfirmTrust, TrustView]
    remove_trust: Guarded[RemoveTrust, TrustView]
    list_trust: Guarded[ListTrust, tuple[TrustView, ...]]
    observe: Guarded[Observe, Observed]
    check_readiness: Guarded[CheckReadiness, tuple[Dependency, ...]]
    back_up: Guarded[BackUp, Backup]
    check_database: Guarded[CheckDatabase, Checked]
    read_metrics: Guarded[ReadMetrics, bytes]
    filing: FilingCases
    transparency: Transparency

    life: Life
    people: People

    origin: str
    """Name of the signing log."""
    clock: Clock
    """For what is derived from the time of day when it is shown, such as a seal's expiry."""
    document_bytes: int
    """Largest document that doors take in."""
    requests_per_minute: int
    worker_threads: int
    trusted_proxies: tuple[str, ...]
    """Addresses of the proxies in front that are believed who calls."""
    certificate_proxies: tuple[str, ...]
    """Those among them that are believed which TLS certificate a client has."""
    pages_url: str | None
    """Address under which people open the pages."""
    secure_pages: bool
    """Whether the pages are reached over TLS alone, so that their cookies go nowhere else."""
    requests: RequestMeasurements
    close: Callable[[], None]
    """Wait, for a bounded time, until no call is under way; then give back connections and sessions."""
