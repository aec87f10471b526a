"""People's way in: passwords, second factors, sessions, identity providers."""

from __future__ import annotations

from collections.abc import Sequence

from seal_service.domain.errors.access import PermissionDenied
from seal_service.domain.errors.availability import Unavailable
from seal_service.domain.errors.base import Detail
from seal_service.domain.errors.conflict import Conflict
from seal_service.domain.errors.input import InvalidInput
from seal_service.domain.errors.missing import NotFound


class PasswordRefused(InvalidInput):
    """The password does not keep the rules."""

    def __init__(self, reasons: Sequence[tuple[str, str]], **details: Detail) -> None:
        """Take every reason as (code, sentence); none repeats the password."""
        sentences = "; ".join(sentence for _, sentence in reasons)
        super().__init__(sentences, reasons=[code for code, _ in reasons], **details)


class FactorProofRefused(InvalidInput):
    """The proof that this second factor is in the person's hands is wrong or late."""


class KeyFamilyUnsupported(InvalidInput):
    """Keys of this family are not supported yet."""


class PasswordChangeRequired(PermissionDenied):
    """The password was handed out by somebody else or is older than 90 days: change it first."""


class SecondFactorRequired(PermissionDenied):
    """A second factor that counts here has to be enrolled first."""


class SessionNotFound(NotFound):
    """The call was not made with a person's session."""


class SecondFactorNotFound(NotFound):
    """There is no such second factor of this person."""


class IdentityLinkNotFound(NotFound):
    """This account is not linked to such a subject."""


class IdentityProviderNotSet(NotFound):
    """No identity provider (OIDC) is set for this instance."""


class LastSecondFactor(Conflict):
    """The last second factor that counts here is not removed: enrol another one first."""


class IdentityProviderUnavailable(Unavailable):
    """The identity provider does not answer with its configuration and keys."""
