"""A seal that could not be applied."""

from __future__ import annotations

from seal_service.domain.errors.base import SealServiceError


class SealingFailed(SealServiceError):
    """The seal could not be applied."""


class LevelUnreachable(SealingFailed):
    """The signature level that was asked for could not be reached."""


class SelfCheckFailed(SealingFailed):
    """The sealed document did not pass our own check: nothing was released."""


class SignatureRefused(SealingFailed):
    """The key could not make the signature."""
