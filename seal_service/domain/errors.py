"""Every reason for which the service says no, as one tree that knows nothing of HTTP.

SealServiceError
├── InvalidInput            what was given cannot be right, whoever gives it
│   ├── InvalidCreditCode · InvalidAreaCode · InvalidSealCode · InvalidPlacement · InvalidTime · InvalidCursor
│   └── ImpressionRefused · CertificateRefused · BackupRefused
├── Unauthenticated         who calls is not known
├── PermissionDenied        who calls may not
│   └── AuthorizationDenied the seal may not be applied; carries every reason
├── NotFound                Unit · Account · Application · Seal · Grant · Use · Document · LogEntry · Certificate
│   └── CertificateRequestNotFound · TrustAnchorNotFound · KeyNotFound
├── Conflict                right in itself, wrong now
│   ├── TransitionRefused · RenewalNotPossible · AlreadyDecided · SelfDecisionRefused · AlreadyRegistered
│   └── IdempotencyKeyReused · UseInProgress · UseOvertaken · KeyInUse · CertificatePending
├── DocumentRefused         the document cannot or may not be sealed
│   ├── DocumentUnsupported · DocumentEncrypted · DocumentXfa · DocumentDamaged · DocumentOverLimit
│   └── DocumentCertified · DocumentActiveContent · DocumentHiddenContent
├── SealingFailed           LevelUnreachable · SelfCheckFailed · SignatureRefused
├── IntegrityFailed         what is kept here was changed, or another key encrypted it
└── Unavailable             TimestampUnavailable · RevocationUnavailable · AuthorityUnavailable · InstanceNotReady
    └── OutcomeUnknown · KeyStoreUnavailable · SoftwareKeysRefused · ProgramMissing
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

_BEFORE_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")

Detail = str | int | bool | None | Sequence[str]


class SealServiceError(Exception):
    """The service could not do what was asked."""

    def __init__(self, message: str | None = None, **details: Detail) -> None:
        """Take a message (default: the class's docstring) and the facts a caller can act on."""
        self.message = message or (type(self).__doc__ or "").split("\n", 1)[0]
        self.details: Mapping[str, Detail] = details
        super().__init__(self.message)

    @classmethod
    def code(cls) -> str:
        """The class's name in snake case: stored with failed uses, and the tail of a problem's URN."""
        return _BEFORE_CAPITAL.sub("_", cls.__name__).lower()


class InvalidInput(SealServiceError):
    """What was given is not valid."""


class InvalidCreditCode(InvalidInput):
    """The 统一社会信用代码 is not 18 characters of GB 32100 with a right check character."""


class InvalidAreaCode(InvalidInput):
    """The area code is not six digits as in GB/T 2260."""


class InvalidSealCode(InvalidInput):
    """The seal code is not 14 digits: six of the area and eight of a serial number."""


class InvalidPlacement(InvalidInput):
    """The seal would not lie wholly on the named page."""


class InvalidTime(InvalidInput):
    """The time or period is not valid."""


class InvalidCursor(InvalidInput):
    """The cursor is not one that this list gave out."""


class ImpressionRefused(InvalidInput):
    """The picture of the impression (实物印模) cannot be used."""


class CertificateRefused(InvalidInput):
    """The certificate is not one for this key and this use."""


class BackupRefused(InvalidInput):
    """This is not a whole, unchanged backup, or there is something already where it would be restored."""


class Unauthenticated(SealServiceError):
    """The credentials are missing, wrong, expired or withdrawn."""


class PermissionDenied(SealServiceError):
    """The caller's roles do not allow this."""


class AuthorizationDenied(PermissionDenied):
    """The seal may not be applied: see the reasons."""

    def __init__(self, reasons: Sequence[tuple[str, str]], **details: Detail) -> None:
        """Take every reason as (code, sentence)."""
        super().__init__(
            "The seal may not be applied: " + "; ".join(sentence for _, sentence in reasons),
            reasons=[code for code, _ in reasons],
            **details,
        )
        self.reasons = tuple(reasons)


class NotFound(SealServiceError):
    """There is no such thing, or the caller may not see it."""


class UnitNotFound(NotFound):
    """There is no such unit (单位)."""


class AccountNotFound(NotFound):
    """There is no such account."""


class ApplicationNotFound(NotFound):
    """There is no such application (申请)."""


class SealNotFound(NotFound):
    """There is no such seal (电子印章)."""


class GrantNotFound(NotFound):
    """There is no such grant (授权)."""


class UseNotFound(NotFound):
    """There is no such seal use (用印)."""


class DocumentNotKept(NotFound):
    """The sealed document is not kept here: it was acknowledged, its time has passed, or the use gave none."""


class LogEntryNotFound(NotFound):
    """There is no such log entry (日志)."""


class CertificateNotFound(NotFound):
    """This authority has issued no such certificate."""


class CertificateRequestNotFound(NotFound):
    """There is no such certificate request (证书申请)."""


class TrustAnchorNotFound(NotFound):
    """There is no such trust anchor (信任锚)."""


class KeyNotFound(NotFound):
    """There is no such key (密钥)."""


class Conflict(SealServiceError):
    """This cannot be done in the present state."""


class TransitionRefused(Conflict):
    """The seal's state does not allow this action."""

    def __init__(self, state: str, action: str, allowed: Sequence[str], message: str | None = None) -> None:
        """Take the state now, the action asked for and the actions that would be allowed."""
        super().__init__(
            message or f"A seal that is {state} does not allow {action}; allowed: {', '.join(allowed) or 'nothing'}",
            state=state,
            action=action,
            allowed=list(allowed),
        )


class RenewalNotPossible(Conflict):
    """Renewal is possible only within the 90 days before the certificate expires (article 16)."""

    def __init__(self, possible_from: datetime, possible_until: datetime) -> None:
        """Take the window [possible_from, possible_until), UTC."""
        start, end = possible_from.isoformat(), possible_until.isoformat()
        super().__init__(
            f"Renewal is possible from {start} until {end}; after that a new seal is applied for (article 16)",
            possible_from=start,
            possible_until=end,
        )


class AlreadyDecided(Conflict):
    """The application is not waiting for this: see its state."""


class SelfDecisionRefused(PermissionDenied):
    """An application is decided by someone other than the applicant (articles 14, 18)."""


class AlreadyRegistered(Conflict):
    """This is registered already."""


class IdempotencyKeyReused(Conflict):
    """This idempotency key was used for another request."""


class UseInProgress(Conflict):
    """The same use is being worked on: ask again shortly with the same key."""


class UseOvertaken(Conflict):
    """Seal, grant or reservation changed while the seal was being applied: nothing was released."""


class KeyInUse(Conflict):
    """The key is still needed and cannot be destroyed."""


class CertificatePending(Conflict):
    """The outside authority has not issued the certificate yet: the request is kept, ask again later."""


class DocumentRefused(SealServiceError):
    """The document cannot be sealed."""


class DocumentUnsupported(DocumentRefused):
    """This is not a PDF document."""


class DocumentEncrypted(DocumentRefused):
    """The document is encrypted: save it without a password and send it again."""


class DocumentXfa(DocumentRefused):
    """The document contains an XFA form, whose appearance a seal cannot cover."""


class DocumentDamaged(DocumentRefused):
    """The document is damaged and cannot be extended without changing it."""


class DocumentOverLimit(DocumentRefused):
    """The document is larger than this instance allows."""


class DocumentCertified(DocumentRefused):
    """The document is certified, or a signature locks it, without permitting a further seal."""


class DocumentActiveContent(DocumentRefused):
    """The document contains active content (scripts, launch actions, external references)."""


class DocumentHiddenContent(DocumentRefused):
    """The document has layers that are hidden by default: remove them, or show them, and send it again."""


class SealingFailed(SealServiceError):
    """The seal could not be applied."""


class LevelUnreachable(SealingFailed):
    """The signature level that was asked for could not be reached."""


class SelfCheckFailed(SealingFailed):
    """The sealed document did not pass our own check: nothing was released."""


class SignatureRefused(SealingFailed):
    """The key could not make the signature."""


class IntegrityFailed(SealServiceError):
    """Something kept here was changed or cannot be read."""


class Unavailable(SealServiceError):
    """Something the service depends on does not answer."""


class TimestampUnavailable(Unavailable):
    """No time-stamping authority answered."""


class RevocationUnavailable(Unavailable):
    """No revocation information could be had for a certificate of the chain."""


class AuthorityUnavailable(Unavailable):
    """The outside certificate authority does not answer, or refused the request."""


class OutcomeUnknown(Unavailable):
    """Whether this was written is not known: nothing was released; repeat the request with the same key."""


class KeyStoreUnavailable(Unavailable):
    """The key store (HSM) does not answer."""


class SoftwareKeysRefused(Unavailable):
    """The production profile takes keys of the authority and of seals only from an HSM (PKCS#11)."""


class ProgramMissing(Unavailable):
    """A program that this needs is not installed on this machine."""


class InstanceNotReady(Unavailable):
    """The instance is not initialised, or its database has another schema: see `seal doctor`."""


def error_kind(code: str) -> type[SealServiceError] | None:
    """The class that has this code, anywhere in the tree, or None."""
    waiting = [SealServiceError]
    while waiting:
        kind = waiting.pop()
        if kind.code() == code:
            return kind
        waiting.extend(kind.__subclasses__())
    return None
