"""What a registered system or a unit's person is refused."""

from __future__ import annotations

from seal_service.domain.errors.access import AuthorizationDenied, PermissionDenied, Unauthenticated
from seal_service.domain.errors.conflict import Conflict
from seal_service.domain.errors.input import InvalidInput
from seal_service.domain.errors.missing import NotFound


class AddressRefused(PermissionDenied):
    """The system calls from an address that is not registered for it (接入系统IP)."""


class ProofRefused(Unauthenticated):
    """The proof of possession (DPoP, or the client certificate) is missing, wrong, too old, or was shown before."""


class OperatorNotRegistered(AuthorizationDenied):
    """The 签章人 that the system names is no registered person (人员) of the seal's unit."""


class SystemNotFound(NotFound):
    """There is no such application system (接入系统)."""


class CredentialNotFound(NotFound):
    """There is no such credential (凭据) of this system."""


class PersonNotFound(NotFound):
    """There is no such person (人员) of this unit."""


class CredentialRefused(InvalidInput):
    """The public key or certificate cannot be a system's credential."""


class SystemNotReady(Conflict):
    """The application system (接入系统) is not in the state that this needs."""


class TooManyCredentials(Conflict):
    """The system has as many credentials as it may have: revoke one first."""
