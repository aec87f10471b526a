"""签章: one sealer for every media type, chosen by what the document is and not by what it is called."""

from __future__ import annotations

from seal_service.domain.authorization import SealingPermit
from seal_service.domain.errors import DocumentUnsupported
from seal_service.domain.use import IntentReference
from seal_service.formats.pdf import header_offset
from seal_service.ports.documents import Content, PreparedSeal, SealedDocument, TwoStepSealer, Upload


class SealerByContent:
    """签章 of any document that one of the sealers knows (TwoStepSealer); DocumentUnsupported for others."""

    media_type = "application/octet-stream"

    def __init__(self, pdf: TwoStepSealer) -> None:
        self._pdf = pdf

    def prepare(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> PreparedSeal:
        """As the sealer for its content."""
        return self._sealer_for(document).prepare(document, permit, intent)

    def complete(self, prepared: PreparedSeal, signature: bytes) -> SealedDocument:
        """As the sealer that prepared it, which is the one there is."""
        return self._pdf.complete(prepared, signature)

    def packed(self, prepared: PreparedSeal) -> tuple[Content, ...]:
        """As the sealer that prepared it, which is the one there is."""
        return self._pdf.packed(prepared)

    def unpacked(self, document: Upload, permit: SealingPermit, packed: bytes) -> PreparedSeal:
        """As the sealer for the document's content."""
        return self._sealer_for(document).unpacked(document, permit, packed)

    def seal(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> SealedDocument:
        """As the sealer for its content."""
        return self._sealer_for(document).seal(document, permit, intent)

    def check(self, original: Upload, sealed: SealedDocument, permit: SealingPermit, intent: IntentReference) -> None:
        """As the sealer for the original's content."""
        self._sealer_for(original).check(original, sealed, permit, intent)

    def _sealer_for(self, document: Upload) -> TwoStepSealer:
        if header_offset(document.content[:1024]) >= 0:
            return self._pdf
        raise DocumentUnsupported
