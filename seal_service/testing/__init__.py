"""A fake for each port, for our own tests and for those of integrators. Nothing here is fit for production."""

from seal_service.testing.crypto import (
    MemoryAuthority,
    MemoryKeys,
    MemoryMasterKey,
    MemoryTokenKey,
    PaperEnrolment,
    PaperRequests,
    TrustingCheck,
)
from seal_service.testing.documents import MemorySealer, PassThroughImpressions, UnseeingVerifier
from seal_service.testing.filing_records import MemoryProvince
from seal_service.testing.isolation import InProcess
from seal_service.testing.people import (
    ListedIdentities,
    PlainCodes,
    PlainPasswords,
    TrustingPersonCertificates,
)
from seal_service.testing.records import MemoryRecords
from seal_service.testing.system import (
    ChangeableClock,
    CountedEntropy,
    MemoryBlobs,
    MemoryLog,
    NoMeasurements,
    PlainCredentials,
    PlainVault,
)

__all__ = [
    "UnseeingVerifier",
    "ChangeableClock",
    "CountedEntropy",
    "InProcess",
    "MemoryAuthority",
    "MemoryBlobs",
    "MemoryKeys",
    "MemoryLog",
    "MemoryMasterKey",
    "MemoryProvince",
    "MemoryRecords",
    "MemorySealer",
    "MemoryTokenKey",
    "NoMeasurements",
    "PaperEnrolment",
    "PaperRequests",
    "PassThroughImpressions",
    "PlainCredentials",
    "PlainVault",
    "TrustingCheck",
    "ListedIdentities",
    "PlainCodes",
    "PlainPasswords",
    "TrustingPersonCertificates",
]
