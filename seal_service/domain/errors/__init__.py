"""Every reason for which the service says no, as one tree that knows nothing of HTTP.

SealServiceError
├── InvalidInput            what was given cannot be right, whoever gives it
│   ├── BackupRefused · CertificateRefused · CredentialRefused · FactorProofRefused · ImpressionRefused
│   ├── InvalidAreaCode · InvalidCreditCode · InvalidCursor · InvalidPlacement · InvalidSealCode · InvalidTime
│   ├── KeyFamilyUnsupported · NoteRefused · PasswordRefused · PreparedSignatureRefused
│   └── StatusListRefused
├── Unauthenticated         who calls is not known
│   └── ProofRefused
├── PermissionDenied        who calls may not
│   ├── ActivationSecretWrong · AddressRefused · AuthorizationDenied · DocumentBeyondGrant · HandleRefused
│   └── OperatorNotRegistered · PasswordChangeRequired · SecondFactorRequired · SelfDecisionRefused
├── NotFound                there is no such thing, or the caller may not see it
│   ├── AccountNotFound · ApplicationNotFound · CertificateNotFound · CertificateRequestNotFound
│   ├── ControlledRequestNotFound · ConveyanceNotFound · CredentialNotFound · DocumentNotKept · ExportNotFound
│   ├── FilingNotFound
│   ├── GrantNotFound · IdentityLinkNotFound · IdentityProviderNotSet · KeyNotFound · LogEntryNotFound
│   ├── NotificationNotFound · PersonNotFound · PreparedUseNotFound · ScenarioNotFound · SealNotFound
│   ├── SecondFactorNotFound · SessionNotFound · SystemNotFound · TrustAnchorNotFound · UnitNotFound
│   └── UseApprovalNotFound · UseNotFound
├── SecondPersonNeeded      nothing is wrong: the act waits for someone else to confirm it
├── Conflict                right in itself, wrong now
│   ├── ActivationBlocked · AlreadyDecided · AlreadyRegistered · ApprovalDecided · CertificatePending
│   ├── EntryNotPublished
│   ├── IdempotencyKeyReused · KeyInUse · LastSecondFactor · MadeByCaller · MediumNotInHand · NameChangeRefused
│   ├── PreparedUseCompleted · PreparedUseExpired · RenewalNotPossible · SealsStillValid · SystemNotReady
│   └── TooManyCredentials · TransitionRefused · UseInProgress · UseOvertaken
├── DocumentRefused         the document cannot or may not be sealed
│   ├── DocumentActiveContent · DocumentCertified · DocumentDamaged · DocumentEncrypted · DocumentHiddenContent
│   └── DocumentOverLimit · DocumentUnsupported · DocumentXfa
├── SealingFailed           the seal could not be applied
│   └── LevelUnreachable · SealNotActivated · SelfCheckFailed · SignatureRefused
├── IntegrityFailed         what is kept here was changed, or another key encrypted it
│   └── LogDamaged          ── LogIncomplete
└── Unavailable             something the service depends on does not answer
    ├── AuthorityUnavailable · DeliveryFailed · FilingRefused · IdentityProviderUnavailable · InstanceNotReady
    ├── KeyProcessUnavailable · LogHalted · OutcomeUnknown · ProgramMissing · RegistryUnavailable
    ├── KeyStoreUnavailable     ── NoTokenFree · TokenPinLocked · TokenPinRefused
    └── RevocationUnavailable · SoftwareKeysRefused · TimestampUnavailable
"""

from seal_service.domain.errors.access import (
    AuthorizationDenied,
    DocumentBeyondGrant,
    PermissionDenied,
    SelfDecisionRefused,
    Unauthenticated,
)
from seal_service.domain.errors.availability import (
    AuthorityUnavailable,
    InstanceNotReady,
    IntegrityFailed,
    KeyStoreUnavailable,
    NoTokenFree,
    OutcomeUnknown,
    ProgramMissing,
    RevocationUnavailable,
    SoftwareKeysRefused,
    TimestampUnavailable,
    TokenPinLocked,
    TokenPinRefused,
    Unavailable,
)
from seal_service.domain.errors.base import Detail, SealServiceError, error_kind
from seal_service.domain.errors.change import (
    DeliveryFailed,
    MadeByCaller,
    NameChangeRefused,
    NotificationNotFound,
    SealsStillValid,
    StatusListRefused,
)
from seal_service.domain.errors.conflict import (
    AlreadyDecided,
    AlreadyRegistered,
    ApprovalDecided,
    CertificatePending,
    Conflict,
    IdempotencyKeyReused,
    KeyInUse,
    RenewalNotPossible,
    SecondPersonNeeded,
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
from seal_service.domain.errors.filing import FilingNotFound, FilingRefused, RegistryUnavailable
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
from seal_service.domain.errors.log import (
    EntryNotPublished,
    LogDamaged,
    LogFileNotFound,
    LogHalted,
    LogIncomplete,
    LogNotPublished,
    NoteRefused,
)
from seal_service.domain.errors.machines import (
    AddressRefused,
    CredentialNotFound,
    CredentialRefused,
    OperatorNotRegistered,
    PersonNotFound,
    ProofRefused,
    SystemNotFound,
    SystemNotReady,
    TooManyCredentials,
)
from seal_service.domain.errors.missing import (
    AccountNotFound,
    ApplicationNotFound,
    CertificateNotFound,
    CertificateRequestNotFound,
    ControlledRequestNotFound,
    DocumentNotKept,
    ExportNotFound,
    GrantNotFound,
    KeyNotFound,
    LogEntryNotFound,
    NotFound,
    ScenarioNotFound,
    SealNotFound,
    TrustAnchorNotFound,
    UnitNotFound,
    UseApprovalNotFound,
    UseNotFound,
)
from seal_service.domain.errors.people import (
    FactorProofRefused,
    IdentityLinkNotFound,
    IdentityProviderNotSet,
    IdentityProviderUnavailable,
    KeyFamilyUnsupported,
    LastSecondFactor,
    PasswordChangeRequired,
    PasswordRefused,
    SecondFactorNotFound,
    SecondFactorRequired,
    SessionNotFound,
)
from seal_service.domain.errors.sealing import LevelUnreachable, SealingFailed, SelfCheckFailed, SignatureRefused

__all__ = [
    "AccountNotFound",
    "ActivationBlocked",
    "ActivationSecretWrong",
    "AddressRefused",
    "AlreadyDecided",
    "AlreadyRegistered",
    "ApplicationNotFound",
    "ApprovalDecided",
    "AuthorityUnavailable",
    "AuthorizationDenied",
    "BackupRefused",
    "CertificateNotFound",
    "CertificatePending",
    "CertificateRefused",
    "CertificateRequestNotFound",
    "Conflict",
    "ControlledRequestNotFound",
    "ConveyanceNotFound",
    "CredentialNotFound",
    "CredentialRefused",
    "DeliveryFailed",
    "Detail",
    "DocumentActiveContent",
    "DocumentBeyondGrant",
    "DocumentCertified",
    "DocumentDamaged",
    "DocumentEncrypted",
    "DocumentHiddenContent",
    "DocumentNotKept",
    "DocumentOverLimit",
    "DocumentRefused",
    "DocumentUnsupported",
    "DocumentXfa",
    "EntryNotPublished",
    "FactorProofRefused",
    "ExportNotFound",
    "FilingNotFound",
    "FilingRefused",
    "GrantNotFound",
    "HandleRefused",
    "IdempotencyKeyReused",
    "IdentityLinkNotFound",
    "IdentityProviderNotSet",
    "IdentityProviderUnavailable",
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
    "KeyFamilyUnsupported",
    "KeyInUse",
    "KeyNotFound",
    "KeyProcessUnavailable",
    "KeyStoreUnavailable",
    "LastSecondFactor",
    "LevelUnreachable",
    "LogDamaged",
    "LogEntryNotFound",
    "LogFileNotFound",
    "LogHalted",
    "LogIncomplete",
    "LogNotPublished",
    "MadeByCaller",
    "MediumNotInHand",
    "NameChangeRefused",
    "NoTokenFree",
    "NotFound",
    "NoteRefused",
    "NotificationNotFound",
    "OperatorNotRegistered",
    "OutcomeUnknown",
    "PasswordChangeRequired",
    "PasswordRefused",
    "PermissionDenied",
    "PersonNotFound",
    "PreparedSignatureRefused",
    "PreparedUseCompleted",
    "PreparedUseExpired",
    "PreparedUseNotFound",
    "ProgramMissing",
    "ProofRefused",
    "RegistryUnavailable",
    "RenewalNotPossible",
    "RevocationUnavailable",
    "ScenarioNotFound",
    "SealNotActivated",
    "SealNotFound",
    "SealServiceError",
    "SealingFailed",
    "SealsStillValid",
    "SecondFactorNotFound",
    "SecondFactorRequired",
    "SecondPersonNeeded",
    "SelfCheckFailed",
    "SelfDecisionRefused",
    "SessionNotFound",
    "SignatureRefused",
    "SoftwareKeysRefused",
    "StatusListRefused",
    "SystemNotFound",
    "SystemNotReady",
    "TimestampUnavailable",
    "TokenPinLocked",
    "TokenPinRefused",
    "TooManyCredentials",
    "TransitionRefused",
    "TrustAnchorNotFound",
    "Unauthenticated",
    "Unavailable",
    "UnitNotFound",
    "UseApprovalNotFound",
    "UseInProgress",
    "UseNotFound",
    "UseOvertaken",
    "error_kind",
]
