"""PDF 签章: a seal as a visible PAdES signature (ETSI EN 319 142-1), always as an incremental update."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from seal_service.domain.authorization import SealingPermit
from seal_service.domain.content import ContentKind
from seal_service.domain.errors import DocumentDamaged, LevelUnreachable, SelfCheckFailed, SignatureRefused
from seal_service.domain.use import IntentReference, SignatureLevel
from seal_service.formats.cms import (
    longest_signature,
    signature_algorithm,
    signature_is_valid,
    signed_attributes,
    signed_data,
)
from seal_service.formats.issuing import issued_itself
from seal_service.formats.upload import upload_of
from seal_service.ports.activation import SealKeys
from seal_service.ports.crypto import RevocationSource, TimestampAuthority
from seal_service.ports.documents import Content, PreparedSeal, SealedDocument, Upload
from seal_service.ports.isolation import Isolation
from seal_service.ports.system import BlobStore, Clock
from seal_service.sealing.admission import DocumentLimits
from seal_service.sealing.appearance import ImpressionPictures
from seal_service.sealing.granted_limits import limits_of, within_grant
from seal_service.sealing.levels import LevelRaiser, Raised, SignedRevision, TimestampTooLarge, digest_of
from seal_service.sealing.packing import Packed, pack, unpack
from seal_service.sealing.repair import repaired_document, still_damaged
from seal_service.sealing.self_check import check_sealed
from seal_service.sealing.writing import SealToWrite, WrittenSeal, write_seal


@dataclass(frozen=True, slots=True, kw_only=True)
class _PreparedPdf:
    """What `complete` needs of `prepare`."""

    document: Upload
    permit: SealingPermit
    written: WrittenSeal
    attributes: bytes
    certificates: tuple[bytes, ...]
    repaired: bool = False
    """Whether `document` is what a repair made of the one that came in."""


class PdfSealer:
    """签章 of PDF documents (TwoStepSealer). Safe for threads; keeps nothing but prepared impressions."""

    media_type = "application/pdf"

    def __init__(
        self,
        *,
        keys: SealKeys,
        blobs: BlobStore,
        chain: Callable[[bytes], Sequence[bytes]],
        timestamps: TimestampAuthority | None,
        revocation: RevocationSource,
        clock: Clock,
        isolation: Isolation,
        limits: DocumentLimits,
        permitted_content: frozenset[ContentKind] = frozenset(),
        issuers: Callable[[], Sequence[bytes]] = tuple,
    ) -> None:
        """Take the ports.

        `chain` gives the certificates, DER, from the issuer of one to its root; `issuers` further ones, that may have
        issued those of outside time-stamping authorities.
        """
        self._keys = keys
        self._pictures = ImpressionPictures(blobs)
        self._chain = chain
        self._clock = clock
        self._isolation = isolation
        self._limits = limits
        self._permitted_content = permitted_content
        self._levels = LevelRaiser(chain, timestamps, revocation, issuers, isolation)

    def prepare(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> PreparedSeal:
        """Place the impression, write the revision with a gap for the signature, build the signed attributes.

        A damaged document is repaired first, where the permit says so and it bears no signature.
        Raises a DocumentRefused, InvalidPlacement, DocumentBeyondGrant.
        """
        with within_grant(permit, self._limits):
            try:
                return self._prepared(document, permit, intent)
            except DocumentDamaged as damage:
                repaired = repaired_document(document, damage, permit.allow_repair, self._isolation, self._limits)
            with still_damaged():
                prepared = self._prepared(repaired, permit, intent)
        return replace(prepared, state=replace(_state(prepared), repaired=True))

    def _prepared(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> PreparedSeal:
        impression = permit.impression
        credential = permit.credential
        certificates = self._intermediates(credential.certificate)
        stamped = permit.level.at_least(SignatureLevel.B_T)
        longest = signed_data(
            signed_attributes(bytes(32), credential.certificate, intent.leaf_hash),
            bytes(longest_signature(credential.suite)),
            credential.suite,
            credential.certificate,
            certificates,
            bytes(self._levels.timestamp_room) if stamped else None,
        )
        written = self._isolation.run(
            write_seal,
            document.content,
            SealToWrite(
                placement=permit.placement,
                width_mm=impression.width_mm,
                height_mm=impression.height_mm,
                picture=self._pictures.of(impression),
                at=self._clock.now(),
                unit_name=permit.unit_name,
                reason=f"{permit.seal_name} {permit.seal_code}",
                field_name=_field_name(intent),
                room=len(longest),
                limits=limits_of(permit, self._limits),
                permitted_content=self._permitted_content,
            ),
        )
        digest = digest_of(written.revision, document.sha256)
        attributes = signed_attributes(digest, credential.certificate, intent.leaf_hash)
        return PreparedSeal(
            to_be_signed=attributes,
            key_reference=credential.key_reference,
            state=_PreparedPdf(
                document=document, permit=permit, written=written, attributes=attributes, certificates=certificates
            ),
        )

    def complete(self, prepared: PreparedSeal, signature: bytes) -> SealedDocument:
        """Put the signature in and raise the level, one revision after the other.

        Raises SignatureRefused when the signature is not by the certificate's key, LevelUnreachable.
        """
        state = _state(prepared)
        return self._finish(state, signature, self._raise(state, signature))

    def packed(self, prepared: PreparedSeal) -> tuple[Content, ...]:
        """What was prepared, as bytes from which another process can go on; without document and permit."""
        state = _state(prepared)
        return pack(
            Packed(
                written=state.written,
                attributes=state.attributes,
                certificates=state.certificates,
                repaired=state.document.content if state.repaired else None,
            )
        )

    def unpacked(self, document: Upload, permit: SealingPermit, packed: bytes) -> PreparedSeal:
        """What was prepared of this document on this permit, from its bytes; IntegrityFailed."""
        kept = unpack(packed)
        repaired = kept.repaired is not None
        state = _PreparedPdf(
            document=upload_of(kept.repaired, document.name) if kept.repaired is not None else document,
            permit=permit,
            written=kept.written,
            attributes=kept.attributes,
            certificates=kept.certificates,
            repaired=repaired,
        )
        return PreparedSeal(to_be_signed=kept.attributes, key_reference=permit.credential.key_reference, state=state)

    def seal(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> SealedDocument:
        """prepare → SigningKey.sign → complete, once more with more room when a time-stamp did not fit."""
        key = self._keys.open(permit.credential.key_reference)
        prepared = self.prepare(document, permit, intent)
        signature = key.sign(prepared.to_be_signed)
        raised = self._raise(_state(prepared), signature)
        if isinstance(raised.shortfall, TimestampTooLarge):
            prepared = self.prepare(document, permit, intent)
            signature = key.sign(prepared.to_be_signed)
            raised = self._raise(_state(prepared), signature)
        return self._finish(_state(prepared), signature, raised)

    def check(self, original: Upload, sealed: SealedDocument, permit: SealingPermit, intent: IntentReference) -> None:
        """自检 without the code that wrote it; SelfCheckFailed.

        Where a repaired document was sealed: that this was asked for, and that the original, repaired once more, gives
        the same document. With that the sealed one must begin.
        """
        if sealed.repaired is not None:
            again = repaired_document(original, DocumentDamaged(), permit.allow_repair, self._isolation, self._limits)
            if again.sha256_hex != sealed.repaired.sha256_hex:
                raise SelfCheckFailed("The repaired document is not the repair of the original", what="repair")
        intermediates = self._intermediates(permit.credential.certificate)
        check_sealed(original, sealed, permit, intent, intermediates, self._isolation)

    def _intermediates(self, certificate: bytes) -> tuple[bytes, ...]:
        """What a signature holds beside the seal's certificate: the chain that this was certified under, without its
        root, which trust decides on."""
        return tuple(one for one in self._chain(certificate) if not issued_itself(one))

    def _raise(self, state: _PreparedPdf, signature: bytes) -> Raised:
        credential = state.permit.credential
        if not signature_is_valid(credential.certificate, state.attributes, signature):
            raise SignatureRefused("The signature is not by the key of the seal's certificate")

        def contents(token: bytes | None) -> bytes:
            return signed_data(
                state.attributes, signature, credential.suite, credential.certificate, state.certificates, token
            )

        return self._levels.raise_to(
            state.permit.level,
            SignedRevision(
                content=state.document.content,
                sha256=state.document.sha256,
                revision=state.written.revision,
                contents=contents,
                signature=signature,
                certificate=credential.certificate,
                page=state.written.page_id,
                field_name=state.written.field_name,
            ),
        )

    def _finish(self, state: _PreparedPdf, signature: bytes, raised: Raised) -> SealedDocument:
        asked = state.permit.level
        if raised.shortfall is not None and not state.permit.allow_lower_level:
            raise LevelUnreachable(
                f"{asked} was asked for, {raised.level} could be reached: {raised.reason}",
                asked=asked.value,
                reached=raised.level.value,
                cause=raised.reason,
            ) from raised.shortfall
        sha256, sm3 = state.document.sha256.copy(), state.document.sm3.copy()
        sha256.update(raised.appended)
        sm3.update(raised.appended)
        return SealedDocument(
            original=state.document.content,
            appended=raised.appended,
            sha256=sha256.digest().hex(),
            sm3=sm3.digest().hex(),
            level=raised.level,
            lower_level_reason=raised.reason,
            signature_value=signature,
            signature_algorithm=signature_algorithm(state.permit.credential.suite),
            timestamp_token=raised.timestamp_token,
            page=state.written.page,
            box_um=state.written.box_um,
            field_name=state.written.field_name,
            repaired=state.document if state.repaired else None,
        )


def _state(prepared: PreparedSeal) -> _PreparedPdf:
    if not isinstance(prepared.state, _PreparedPdf):
        raise TypeError("this was prepared by another sealer")
    return prepared.state


def _field_name(intent: IntentReference) -> str:
    """The end of the intent's identifier, which is its random part."""
    return f"Seal-{''.join(character for character in intent.entry_id if character.isalnum())[-12:]}"
