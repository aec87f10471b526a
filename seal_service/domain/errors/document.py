"""A document that cannot or may not be sealed."""

from __future__ import annotations

from seal_service.domain.errors.base import SealServiceError


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
