"""What was given cannot be right."""

from __future__ import annotations

from seal_service.domain.errors.base import SealServiceError


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
