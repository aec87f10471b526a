"""Port to the database: one transaction, one repository an aggregate."""

from seal_service.ports.records.approvals import ApprovalRecords, ScenarioRecords
from seal_service.ports.records.authority import AuthorityRecords, CertificateRecords, CertificateRequestRecords
from seal_service.ports.records.control import ControlledRecords
from seal_service.ports.records.custody import ActivationRecords, ConveyanceRecords, MediumRecords, PreparedUseRecords
from seal_service.ports.records.filing import FilingRecords
from seal_service.ports.records.log import LogRecords, LogRow, PrivateField
from seal_service.ports.records.machines import PersonRecords, SystemRecords
from seal_service.ports.records.notification import NotificationRecords
from seal_service.ports.records.operation import Observation, ObservationRecords, TrustRecords
from seal_service.ports.records.people import (
    ChallengeRecords,
    FactorRecords,
    IdentityLinkRecords,
    LoginRecords,
    SessionRecords,
)
from seal_service.ports.records.registers import AccountRecords, ApplicationRecords, UnitRecords
from seal_service.ports.records.seals import SealRecords
from seal_service.ports.records.transaction import Records, SigningLog, Transaction
from seal_service.ports.records.tree import (
    GrowTree,
    PendingEntry,
    PlacedEntry,
    StatisticsBucket,
    StoredCheckpoint,
    TreeHead,
    TreeRecords,
)
from seal_service.ports.records.uses import GrantRecords, IdempotencyRecords, UseRecords

__all__ = [
    "ControlledRecords",
    "AccountRecords",
    "ActivationRecords",
    "ApplicationRecords",
    "ApprovalRecords",
    "AuthorityRecords",
    "CertificateRecords",
    "CertificateRequestRecords",
    "FilingRecords",
    "GrowTree",
    "ConveyanceRecords",
    "GrantRecords",
    "IdempotencyRecords",
    "LogRecords",
    "LogRow",
    "NotificationRecords",
    "MediumRecords",
    "Observation",
    "ObservationRecords",
    "PreparedUseRecords",
    "PendingEntry",
    "PlacedEntry",
    "PrivateField",
    "PersonRecords",
    "Records",
    "ScenarioRecords",
    "SealRecords",
    "SigningLog",
    "StatisticsBucket",
    "StoredCheckpoint",
    "SystemRecords",
    "Transaction",
    "TreeHead",
    "TreeRecords",
    "TrustRecords",
    "UnitRecords",
    "UseRecords",
    "ChallengeRecords",
    "FactorRecords",
    "IdentityLinkRecords",
    "LoginRecords",
    "SessionRecords",
]
