"""Tables of the database as SQLAlchemy sees them; they are not the domain (`mapping` stands between)."""

from seal_service.storage.tables.approvals import ApprovedDocumentRow, GrantDigestRow, ScenarioRow, UseApprovalRow
from seal_service.storage.tables.authority import AuthorityCredentialRow, CertificateRequestRow, IssuedCertificateRow
from seal_service.storage.tables.base import EPOCH, Moment, StoredRow
from seal_service.storage.tables.control import ControlledRequestRow
from seal_service.storage.tables.custody import (
    MediumEventRow,
    PreparedUseRow,
    SealActivationRow,
    SealConveyanceRow,
)
from seal_service.storage.tables.filing import FilingRow
from seal_service.storage.tables.log import (
    APPEND_ONLY,
    QUEUES,
    LogCheckpointRow,
    LogCosignatureRow,
    LogHeadRow,
    LogLeafRow,
    LogPendingRow,
    LogStatRow,
    LogTerminalRow,
    PrivateFieldRow,
    SignLogRow,
)
from seal_service.storage.tables.machines import (
    ApplicationSystemRow,
    PresentedProofRow,
    SystemCredentialRow,
    UnitPersonRow,
)
from seal_service.storage.tables.notification import NotificationRow
from seal_service.storage.tables.operation import ObservationRow, TrustedCertificateRow
from seal_service.storage.tables.people import (
    IdentityLinkRow,
    LoginChallengeRow,
    LoginRow,
    SecondFactorRow,
    SessionRow,
)
from seal_service.storage.tables.registers import AccountRow, ApplicationRow, UnitRow
from seal_service.storage.tables.seals import SealCodeSequenceRow, SealCredentialRow, SealRow
from seal_service.storage.tables.uses import GrantRow, IdempotencyRow, SealUseRow

FLEETING = frozenset({"presented_proof"})
"""Tables whose rows are removed when their time is over."""

__all__ = [
    "ControlledRequestRow",
    "APPEND_ONLY",
    "AccountRow",
    "ApplicationRow",
    "ApprovedDocumentRow",
    "GrantDigestRow",
    "ScenarioRow",
    "UseApprovalRow",
    "ApplicationSystemRow",
    "AuthorityCredentialRow",
    "CertificateRequestRow",
    "EPOCH",
    "FLEETING",
    "FilingRow",
    "GrantRow",
    "IdempotencyRow",
    "IssuedCertificateRow",
    "LogCheckpointRow",
    "LogCosignatureRow",
    "LogHeadRow",
    "LogLeafRow",
    "LogPendingRow",
    "LogStatRow",
    "LogTerminalRow",
    "MediumEventRow",
    "Moment",
    "NotificationRow",
    "ObservationRow",
    "PresentedProofRow",
    "PreparedUseRow",
    "PrivateFieldRow",
    "QUEUES",
    "SealActivationRow",
    "SealCodeSequenceRow",
    "SealConveyanceRow",
    "SealCredentialRow",
    "SealRow",
    "SealUseRow",
    "SignLogRow",
    "StoredRow",
    "SystemCredentialRow",
    "TrustedCertificateRow",
    "UnitPersonRow",
    "UnitRow",
    "IdentityLinkRow",
    "LoginChallengeRow",
    "LoginRow",
    "SecondFactorRow",
    "SessionRow",
]
