"""What custody of a seal's key does not allow."""

from __future__ import annotations

from seal_service.domain.errors.access import PermissionDenied
from seal_service.domain.errors.availability import Unavailable
from seal_service.domain.errors.conflict import Conflict
from seal_service.domain.errors.input import InvalidInput
from seal_service.domain.errors.missing import NotFound
from seal_service.domain.errors.sealing import SealingFailed


class PreparedUseNotFound(NotFound):
    """There is no such prepared use (待签用印)."""


class PreparedUseExpired(Conflict):
    """The prepared use was not completed in its time: prepare the document anew, with a new key."""


class PreparedUseCompleted(Conflict):
    """The prepared use was completed already, with another signature than this one."""


class PreparedSignatureRefused(InvalidInput):
    """The signature is not one by the seal's certificate over exactly what was prepared."""


class MediumNotInHand(Conflict):
    """The seal's medium is not with its keeper, so that nobody can rightly press it."""


class SealNotActivated(SealingFailed):
    """The seal is not activated by its keeper: its key is locked."""


class ActivationSecretWrong(PermissionDenied):
    """The activation secret (激活口令) is not the seal's."""


class ActivationBlocked(Conflict):
    """Too many wrong activation secrets came: none is tried until the time named."""


class KeyProcessUnavailable(Unavailable):
    """The key process, which alone can use activated keys, does not answer: nothing is activated."""


class HandleRefused(PermissionDenied):
    """The seal was conveyed to this system, which has to show the handle (Seal-Handle) that stands for that."""


class ConveyanceNotFound(NotFound):
    """There is no such conveyance (导入记录)."""
