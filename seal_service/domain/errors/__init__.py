"""Every reason for which the service says no, as one tree that knows nothing of HTTP.

SealServiceError
├── InvalidInput            what was given cannot be right, whoever gives it
│   ├── InvalidCreditCode · InvalidAreaCode · InvalidSealCode · InvalidPlacement · InvalidTime · InvalidCursor
│   └── ImpressionRefused · CertificateRefused · BackupRefused · PreparedSignatureRefused
├── Unauthenticated         who calls is not known
├── PermissionDenied        who calls may not
│   └── AuthorizationDenied the seal may not be applied; carries every reason · ActivationSecretWrong · HandleRefused
├── NotFound                Unit · Account · Application · Seal · Grant · Use · Document · LogEntry · Certificate
│   └── CertificateRequestNotFound · TrustAnchorNotFound · KeyNotFound · PreparedUseNotFound · ConveyanceNotFound
├── Conflict                right in itself, wrong now
│   ├── TransitionRefused · RenewalNotPossible · AlreadyDecided · SelfDecisionRefused · AlreadyRegistered
│   ├── IdempotencyKeyReused · UseInProgress · UseOvertaken · KeyInUse · CertificatePending
│   └── PreparedUseExpired · PreparedUseCompleted · MediumNotInHand · ActivationBlocked
├── DocumentRefused         the document cannot or may not be sealed
│   ├── DocumentUnsupported · DocumentEncrypted · DocumentXfa · DocumentDamaged · DocumentOverLimit
│   └── DocumentCertified · DocumentActiveContent · DocumentHiddenContent
├── SealingFailed           LevelUnreachable · SelfCheckFailed · SignatureRefused · SealNotActivated
├── IntegrityFailed         what is kept here was changed, or another key encrypted it
└── Unavailable             TimestampUnavailable · RevocationUnavailable · AuthorityUnavailable · InstanceNotReady
    └── OutcomeUnknown · KeyStoreUnavailable · SoftwareKeysRefused · ProgramMissing · KeyProcessUnavailable
"""

from seal_service.domain.errors.access import (
    AuthorizationDenied,
    PermissionDenied,
    SelfDecisionRefused,
    Unauthenticated,
)
from seal_service.domain.errors.availability import (
    AuthorityUnavailable,
    InstanceNotReady,
    IntegrityFailed,
    KeyStoreUnavailable,
    OutcomeUnknown,
    ProgramMissing,
    RevocationUnavailable,
    SoftwareKeysRefused,
    TimestampUnavailable,
    Unavailable,
)
from seal_service.domain.errors.base import Detail, SealServiceError, error_kind
from seal_service.domain.errors.conflict import (
    AlreadyDecided,
    AlreadyRegistered,
    CertificatePending,
    Conflict,
    IdempotencyKeyReused,
    KeyInUse,
    RenewalNotPossible,
    TransitionRefused,
    UseInProgress,
    UseOvertaken,
)
from seal_service.domain.errors.custody import (
    ActivationBlocked,
    ActivationSecretWrong,
    ConveyanceNotFound,
    HandleRefused,
    KeyProcessUnavailable,
    MediumNotInHand,
    PreparedSignatureRefused,
    PreparedUseCompleted,
    PreparedUseExpired,
    PreparedUseNotFound,
    SealNotActivated,
)
from seal_service.domain.errors.document import (
    DocumentActiveContent,
    DocumentCertified,
    DocumentDamaged,
    DocumentEncrypted,
    DocumentHiddenContent,
    DocumentOverLimit,
    DocumentRefused,
    DocumentUnsupported,
    DocumentXfa,
)
from seal_service.domain.errors.input import (
    BackupRefused,
    CertificateRefused,
    ImpressionRefused,
    InvalidAreaCode,
    InvalidCreditCode,
    InvalidCursor,
    InvalidInput,
    InvalidPlacement,
    InvalidSealCode,
    InvalidTime,
)
from seal_service.domain.errors.missing import (
    AccountNotFound,
    ApplicationNotFound,
    CertificateNotFound,
    CertificateRequestNotFound,
    DocumentNotKept,
    GrantNotFound,
    KeyNotFound,
    LogEntryNotFound,
    NotFound,
    SealNotFound,
    TrustAnchorNotFound,
    UnitNotFound,
    UseNotFound,
)
from seal_service.domain.errors.sealing import LevelUnreachable, SealingFailed, SelfCheckFailed, SignatureRefused

__all__ = [
    "AccountNotFound",
    "ActivationBlocked",
    "ActivationSecretWrong",
    "AlreadyDecided",
    "AlreadyRegistered",
    "ApplicationNotFound",
    "AuthorityUnavailable",
    "AuthorizationDenied",
    "BackupRefused",
    "CertificateNotFound",
    "CertificatePending",
    "CertificateRefused",
    "CertificateRequestNotFound",
    "Conflict",
    "ConveyanceNotFound",
    "Detail",
    "DocumentActiveContent",
    "DocumentCertified",
    "DocumentDamaged",
    "DocumentEncrypted",
    "DocumentHiddenContent",
    "DocumentNotKept",
    "DocumentOverLimit",
    "DocumentRefused",
    "DocumentUnsupported",
    "DocumentXfa",
    "GrantNotFound",
    "HandleRefused",
    "IdempotencyKeyReused",
    "ImpressionRefused",
    "InstanceNotReady",
    "IntegrityFailed",
    "InvalidAreaCode",
    "InvalidCreditCode",
    "InvalidCursor",
    "InvalidInput",
    "InvalidPlacement",
    "InvalidSealCode",
    "InvalidTime",
    "KeyInUse",
    "KeyNotFound",
    "KeyProcessUnavailable",
    "KeyStoreUnavailable",
    "LevelUnreachable",
    "LogEntryNotFound",
    "MediumNotInHand",
    "NotFound",
    "OutcomeUnknown",
    "PermissionDenied",
    "PreparedSignatureRefused",
    "PreparedUseCompleted",
    "PreparedUseExpired",
    "PreparedUseNotFound",
    "ProgramMissing",
    "RenewalNotPossible",
    "RevocationUnavailable",
    "SealNotActivated",
    "SealNotFound",
    "SealServiceError",
    "SealingFailed",
    "SelfCheckFailed",
    "SelfDecisionRefused",
    "SignatureRefused",
    "SoftwareKeysRefused",
    "TimestampUnavailable",
    "TransitionRefused",
    "TrustAnchorNotFound",
    "Unauthenticated",
    "Unavailable",
    "UnitNotFound",
    "UseInProgress",
    "UseNotFound",
    "UseOvertaken",
    "error_kind",
]
