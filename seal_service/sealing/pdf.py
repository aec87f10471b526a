"""PDF 签章: a seal as a visible PAdES signature (ETSI EN 319 142-1), always as an incremental update."""

from __future__ import annotations

import itertools
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
from seal_service.ports.crypto import KeyStore, RevocationSource, TimestampAuthority
from seal_service.ports.documents import PreparedSeal, SealedDocument, Upload
from seal_service.ports.isolation import Isolation
from seal_service.ports.system import BlobStore, Clock
from seal_service.sealing.admission import DocumentLimits, admit
from seal_service.sealing.appearance import ImpressionPictures, add_appearance
from seal_service.sealing.facts import damage_reported, read_document
from seal_service.sealing.levels import LevelRaiser, Raised, SignedRevision, TimestampTooLarge
from seal_service.sealing.placement import place
from seal_service.sealing.repair import repaired_document, still_damaged
from seal_service.sealing.revision import OpenSignature, Revision, seal_dictionary
from seal_service.sealing.self_check import check_sealed

_STRUCTURE_BYTES = 512
"""More than SignedData takes beside its certificates, names, signature and token; a test measures it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _PreparedPdf:
    """What `complete` needs of `prepare`."""

    document: Upload
    permit: SealingPermit
    signature: OpenSignature
    attributes: bytes
    certificates: tuple[bytes, ...]
    page: int
    page_id: tuple[int, int]
    box_um: tuple[int, int, int, int]
    field_name: str
    repaired: bool = False
    """Whether `document` is what a repair made of the one that came in."""


class PdfSealer:
    """签章 of PDF documents (DocumentSealer). Safe for threads; keeps nothing but prepared impressions."""

    media_type = "application/pdf"

    def __init__(
        self,
        *,
        keys: KeyStore,
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
        self._levels = LevelRaiser(chain, timestamps, revocation, issuers)

    def prepare(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> PreparedSeal:
        """Place the impression, write the revision with a gap for the signature, build the signed attributes.

        A damaged document is repaired first, where the permit says so and it bears no signature.
        Raises a DocumentRefused, InvalidPlacement.
        """
        try:
            return self._prepared(document, permit, intent)
        except DocumentDamaged as damage:
            repaired = repaired_document(document, damage, permit.allow_repair, self._isolation, self._limits)
        with still_damaged():
            prepared = self._prepared(repaired, permit, intent)
        return replace(prepared, state=replace(_state(prepared), repaired=True))

    def _prepared(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> PreparedSeal:
        read = read_document(bytes(document.content), permit.placement.page, self._limits)
        admit(read.facts, self._limits, self._permitted_content)
        impression = permit.impression
        placed = place(read.page.shown, permit.placement, impression.width_mm, impression.height_mm)
        picture = self._pictures.of(impression)
        field_name = _field_name(intent, read.field_names)
        credential = permit.credential
        certificates = self._intermediates(credential.certificate)
        room = (
            _STRUCTURE_BYTES
            + len(credential.certificate)
            + sum(len(one) for one in certificates)
            + longest_signature(credential.suite)
            + (self._levels.timestamp_room if permit.level.at_least(SignatureLevel.B_T) else 0)
        )
        with damage_reported():
            revision = Revision(bytes(document.content), read.reader)
            write = revision.add_signature(
                field_name,
                read.page.object_id,
                placed.rectangle,
                add_appearance(revision.writer, picture, placed),
                seal_dictionary(self._clock.now(), permit.unit_name, f"{permit.seal_name} {permit.seal_code}"),
                room,
            )
            signature = write(document.sha256.copy())
        attributes = signed_attributes(signature.digest, credential.certificate, intent.leaf_hash)
        return PreparedSeal(
            to_be_signed=attributes,
            key_reference=credential.key_reference,
            state=_PreparedPdf(
                document=document,
                permit=permit,
                signature=signature,
                attributes=attributes,
                certificates=certificates,
                page=read.page.number,
                page_id=read.page.object_id,
                box_um=placed.box_um,
                field_name=field_name,
            ),
        )

    def complete(self, prepared: PreparedSeal, signature: bytes) -> SealedDocument:
        """Put the signature in and raise the level, one revision after the other.

        Raises SignatureRefused when the signature is not by the certificate's key, LevelUnreachable.
        """
        state = _state(prepared)
        return self._finish(state, signature, self._raise(state, signature))

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
        """自检 without the library that wrote it; SelfCheckFailed.

        Where a repaired document was sealed: that this was asked for, and that the original, repaired once more, gives
        the same document. With that the sealed one must begin.
        """
        if sealed.repaired is not None:
            again = repaired_document(original, DocumentDamaged(), permit.allow_repair, self._isolation, self._limits)
            if again.sha256_hex != sealed.repaired.sha256_hex:
                raise SelfCheckFailed("The repaired document is not the repair of the original", what="repair")
        check_sealed(original, sealed, permit, intent, self._intermediates(permit.credential.certificate))

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
                content=bytes(state.document.content),
                sha256=state.document.sha256,
                open_signature=state.signature,
                contents=contents,
                signature=signature,
                certificate=credential.certificate,
                page=state.page_id,
                field_name=state.field_name,
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
            page=state.page,
            box_um=state.box_um,
            field_name=state.field_name,
            repaired=state.document if state.repaired else None,
        )


def _state(prepared: PreparedSeal) -> _PreparedPdf:
    if not isinstance(prepared.state, _PreparedPdf):
        raise TypeError("this was prepared by another sealer")
    return prepared.state


def _field_name(intent: IntentReference, taken: frozenset[str]) -> str:
    """A name of one's own: the end of the intent's identifier, which is its random part, numbered if need be."""
    name = f"Seal-{''.join(character for character in intent.entry_id if character.isalnum())[-12:]}"
    numbered = (f"{name}-{count}" for count in itertools.count(2))
    return next(one for one in itertools.chain([name], numbered) if one not in taken)
