"""Who calls is not known, or may not."""

from __future__ import annotations

from collections.abc import Sequence

from seal_service.domain.errors.base import Detail, SealServiceError


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


class DocumentBeyondGrant(PermissionDenied):
    """The document has more pages than the grant allows: nothing was sealed."""


class SelfDecisionRefused(PermissionDenied):
    """An application is decided by someone other than the applicant (articles 14, 18)."""
