"""Port to the database: one transaction, one repository an aggregate."""

from seal_service.ports.records.authority import AuthorityRecords, CertificateRecords, CertificateRequestRecords
from seal_service.ports.records.custody import ActivationRecords, ConveyanceRecords, MediumRecords, PreparedUseRecords
from seal_service.ports.records.log import LogRecords, LogRow, PrivateField
from seal_service.ports.records.operation import Observation, ObservationRecords, TrustRecords
from seal_service.ports.records.registers import AccountRecords, ApplicationRecords, UnitRecords
from seal_service.ports.records.seals import SealRecords
from seal_service.ports.records.transaction import Records, SigningLog, Transaction
from seal_service.ports.records.uses import GrantRecords, IdempotencyRecords, UseRecords

__all__ = [
    "AccountRecords",
    "ActivationRecords",
    "ApplicationRecords",
    "AuthorityRecords",
    "CertificateRecords",
    "CertificateRequestRecords",
    "ConveyanceRecords",
    "GrantRecords",
    "IdempotencyRecords",
    "LogRecords",
    "LogRow",
    "MediumRecords",
    "Observation",
    "ObservationRecords",
    "PreparedUseRecords",
    "PrivateField",
    "Records",
    "SealRecords",
    "SigningLog",
    "Transaction",
    "TrustRecords",
    "UnitRecords",
    "UseRecords",
]
