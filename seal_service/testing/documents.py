"""Fakes of sealing, verification and impressions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from seal_service.domain.authorization import SealingPermit
from seal_service.domain.errors import SelfCheckFailed
from seal_service.domain.impression import SealType
from seal_service.domain.organization import UnitType
from seal_service.domain.use import IntentReference
from seal_service.domain.verdict import Indication, VerificationReport
from seal_service.ports.crypto import KeyStore
from seal_service.ports.documents import (
    Content,
    PreparedSeal,
    ReadImpression,
    SealedDocument,
    Upload,
    VerificationPolicy,
)


@dataclass
class MemorySealer:
    """Appends a line with seal, intent and signature. `before` is called at each step, to make it fail or wait."""

    keys: KeyStore
    before: Callable[[str], None] = lambda _step: None
    media_type: str = "text/plain"

    def prepare(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> PreparedSeal:
        """The line to be signed."""
        self.before("prepare")
        line = f"\n{permit.seal_code} {intent.leaf_hash.hex()} {document.sha256_hex} ".encode()
        return PreparedSeal(
            to_be_signed=line, key_reference=permit.credential.key_reference, state=(document, permit, line)
        )

    def complete(self, prepared: PreparedSeal, signature: bytes) -> SealedDocument:
        """The document with the line and its signature."""
        self.before("complete")
        state = prepared.state
        if not isinstance(state, tuple):
            raise TypeError("not prepared here")
        document, permit, line = state
        appended: bytes = line + signature.hex().encode()
        digest = hashlib.sha256(document.content[:] + appended).hexdigest()
        return SealedDocument(
            original=document.content,
            appended=appended,
            sha256=digest,
            sm3=digest,
            level=permit.level,
            lower_level_reason=None,
            signature_value=signature,
            signature_algorithm="1.2.840.10045.4.3.2",
            timestamp_token=None,
            page=1,
            box_um=(0, 0, 42_000, 42_000),
            field_name="Seal",
        )

    def packed(self, prepared: PreparedSeal) -> tuple[Content, ...]:
        """The line."""
        return (prepared.to_be_signed,)

    def unpacked(self, document: Upload, permit: SealingPermit, packed: bytes) -> PreparedSeal:
        """From the line."""
        reference = permit.credential.key_reference
        return PreparedSeal(to_be_signed=packed, key_reference=reference, state=(document, permit, packed))

    def seal(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> SealedDocument:
        """Prepare, sign, complete."""
        prepared = self.prepare(document, permit, intent)
        self.before("sign")
        return self.complete(prepared, self.keys.open(prepared.key_reference).sign(prepared.to_be_signed))

    def check(self, original: Upload, sealed: SealedDocument, permit: SealingPermit, intent: IntentReference) -> None:
        """The original is a prefix and the intent is in it; SelfCheckFailed."""
        self.before("check")
        if not sealed.content.startswith(original.content[:]) or intent.leaf_hash.hex().encode() not in sealed.content:
            raise SelfCheckFailed(seal_code=permit.seal_code)


@dataclass(frozen=True)
class UnseeingVerifier:
    """Finds no signature in anything."""

    def verify(self, document: Upload, policy: VerificationPolicy) -> VerificationReport:
        """NO_SIGNATURE."""
        del policy
        return VerificationReport(
            file=document.name,
            sha256=document.sha256_hex,
            sm3=document.sm3_hex,
            media_type="text/plain",
            indication=Indication.NO_SIGNATURE,
            sub_indication=None,
            technically_valid=False,
            signatures=(),
        )


@dataclass(frozen=True)
class PassThroughImpressions:
    """Takes any bytes for a good picture of 42 mm or the size stated."""

    def read(
        self,
        picture: bytes,
        seal_type: SealType,
        unit_type: UnitType,
        width_mm: float | None,
        height_mm: float | None,
    ) -> ReadImpression:
        """The bytes themselves."""
        del seal_type, unit_type
        return ReadImpression(
            png=picture, width_mm=width_mm or 42.0, height_mm=height_mm or 42.0, dpi=600, ink_rgb="d7000f"
        )
