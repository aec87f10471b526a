"""What is broken, or does not answer."""

from __future__ import annotations

from seal_service.domain.errors.base import SealServiceError


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


class TokenPinRefused(KeyStoreUnavailable):
    """The token of the HSM refuses its PIN."""


class TokenPinLocked(KeyStoreUnavailable):
    """The token has locked its PIN after too many wrong ones: its security officer has to set it anew."""


class NoTokenFree(KeyStoreUnavailable):
    """No token that was prepared for seals' keys is free: prepare further ones."""


class SoftwareKeysRefused(Unavailable):
    """The production profile takes keys of the authority and of seals only from an HSM (PKCS#11)."""


class ProgramMissing(Unavailable):
    """A program that this needs is not installed on this machine."""


class InstanceNotReady(Unavailable):
    """The instance is not initialised, or its database has another schema: see `seal doctor`."""
