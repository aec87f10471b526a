"""Tables of the database as SQLAlchemy sees them; they are not the domain (`mapping` stands between)."""

from seal_service.storage.tables.authority import AuthorityCredentialRow, CertificateRequestRow, IssuedCertificateRow
from seal_service.storage.tables.base import EPOCH, Moment, StoredRow
from seal_service.storage.tables.custody import (
    MediumEventRow,
    PreparedUseRow,
    SealActivationRow,
    SealConveyanceRow,
)
from seal_service.storage.tables.log import APPEND_ONLY, LogPendingRow, LogTerminalRow, PrivateFieldRow, SignLogRow
from seal_service.storage.tables.operation import ObservationRow, TrustedCertificateRow
from seal_service.storage.tables.registers import AccountRow, ApplicationRow, UnitRow
from seal_service.storage.tables.seals import SealCodeSequenceRow, SealCredentialRow, SealRow
from seal_service.storage.tables.uses import GrantRow, IdempotencyRow, SealUseRow

__all__ = [
    "APPEND_ONLY",
    "AccountRow",
    "ApplicationRow",
    "AuthorityCredentialRow",
    "CertificateRequestRow",
    "EPOCH",
    "GrantRow",
    "IdempotencyRow",
    "IssuedCertificateRow",
    "LogPendingRow",
    "LogTerminalRow",
    "MediumEventRow",
    "Moment",
    "ObservationRow",
    "PreparedUseRow",
    "PrivateFieldRow",
    "SealActivationRow",
    "SealCodeSequenceRow",
    "SealConveyanceRow",
    "SealCredentialRow",
    "SealRow",
    "SealUseRow",
    "SignLogRow",
    "StoredRow",
    "TrustedCertificateRow",
    "UnitRow",
]
