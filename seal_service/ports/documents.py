"""Ports to documents: uploads, sealing, verification, pictures of impressions."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from seal_service.domain.authorization import SealingPermit
from seal_service.domain.impression import SealType
from seal_service.domain.logged import ProvenUses
from seal_service.domain.organization import UnitType
from seal_service.domain.use import IntentReference, SignatureLevel
from seal_service.domain.verdict import VerificationReport


class HeldFile:
    """An open file that is closed with its last user, whoever that is."""

    def __init__(self, descriptor: int) -> None:
        """Take the descriptor over."""
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor, as long as this is held."""
        return self._descriptor

    def __del__(self) -> None:
        """Close it."""
        os.close(self._descriptor)


class DocumentBytes(mmap.mmap):
    """文件内容, mapped read-only over a file that processes can share (`formats.document_file` makes it)."""

    file: HeldFile
    """What it maps; kept open with it."""


Content = bytes | DocumentBytes
"""文件内容: slices are bytes, and hashing, searching and measuring copy nothing."""


class HashState(Protocol):
    """A running hash that can be copied, so that what follows a prefix is hashed without hashing it again."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""

    def copy(self) -> Self:
        """An independent copy of the state."""

    def digest(self) -> bytes:
        """The digest so far; the state may be used further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A document as it came in, with its hash states taken while it streamed (`formats.upload` makes it)."""

    name: str
    content: Content
    sha256: HashState
    sm3: HashState

    @property
    def sha256_hex(self) -> str:
        """SHA-256 of the content, lower-case hex."""
        return self.sha256.digest().hex()

    @property
    def sm3_hex(self) -> str:
        """SM3 of the content, lower-case hex."""
        return self.sm3.digest().hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedSeal:
    """A seal that waits for its signature value."""

    to_be_signed: bytes
    """The message: SigningKey hashes and signs it (for CMS, the DER of the signed attributes as a SET)."""
    key_reference: str
    state: object
    """The sealer's own; opaque to everyone else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedDocument:
    """盖章文件, and what the log keeps of it: the original, or what its repair made of it, and what was appended."""

    original: Content
    appended: bytes
    sha256: str
    sm3: str
    level: SignatureLevel
    """The level reached."""
    lower_level_reason: str | None
    """Why it is below the one asked for; None when it is not."""
    signature_value: bytes
    signature_algorithm: str
    """Dotted object identifier."""
    timestamp_token: bytes | None
    page: int
    """From 1."""
    box_um: tuple[int, int, int, int]
    """x, y, width, height in µm from the upper left of the page as shown."""
    field_name: str
    repaired: Upload | None = None
    """The repaired document, when it was sealed in the place of the one that came in; `original` is its content."""

    @property
    def pieces(self) -> tuple[Content, ...]:
        """The whole document, nothing of it copied."""
        return (self.original, self.appended)

    @property
    def content(self) -> bytes:
        """The whole document in one piece: a copy."""
        return b"".join(self.pieces)


class DocumentSealer(Protocol):
    """签章 for one media type. Stateless between calls; safe for threads. Takes nothing but a permit."""

    media_type: str

    def prepare(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> PreparedSeal:
        """Place the impression and build what is to be signed, the intent's leaf hash in it.

        Raises a DocumentRefused, InvalidPlacement.
        """

    def complete(self, prepared: PreparedSeal, signature: bytes) -> SealedDocument:
        """Put the signature in and raise the level; LevelUnreachable unless a lower one is allowed."""

    def seal(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> SealedDocument:
        """prepare → SigningKey.sign → complete, for a key that is held here."""

    def check(self, original: Upload, sealed: SealedDocument, permit: SealingPermit, intent: IntentReference) -> None:
        """自检 of our own output, by the format's own rules; SelfCheckFailed."""


class TwoStepSealer(DocumentSealer, Protocol):
    """签章 in two steps, which may be taken by two processes."""

    def packed(self, prepared: PreparedSeal) -> tuple[Content, ...]:
        """What was prepared, as bytes from which another process can go on; without document and permit."""

    def unpacked(self, document: Upload, permit: SealingPermit, packed: bytes) -> PreparedSeal:
        """What was prepared of this document on this permit, from its bytes; IntegrityFailed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationPolicy:
    """How to verify: further anchors (DER), the moment to judge by (None: now), whether the network may be used.

    With status lists (signed, as they were published) a seal passes only if one of them says that it may; with proofs
    of the signing log only if one of them shows that it is there.
    """

    anchors: tuple[bytes, ...] = ()
    at: datetime | None = None
    offline: bool = False
    status_lists: tuple[bytes, ...] = ()
    proven: ProvenUses | None = None


class DocumentVerifier(Protocol):
    """验章 of any document. Stateless; safe for threads. Never raises for a document, however bad.

    Raises StatusListRefused for a status list of the policy that is none, or not of a trusted authority.
    """

    def verify(self, document: Upload, policy: VerificationPolicy) -> VerificationReport:
        """The report, without what only the service's own records know of the seal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadImpression:
    """A picture that was accepted: PNG of the ink with alpha, cropped, and its measures."""

    png: bytes
    width_mm: float
    height_mm: float
    dpi: int
    ink_rgb: str


class ImpressionReader(Protocol):
    """Reads pictures of physical impressions (实物印模). Stateless; safe for threads."""

    def read(
        self,
        picture: bytes,
        seal_type: SealType,
        unit_type: UnitType,
        width_mm: float | None,
        height_mm: float | None,
    ) -> ReadImpression:
        """The ink alone, cropped; size as stated or, without, from the picture's resolution.

        Raises ImpressionRefused with a reason: format, too_many_bytes, too_many_pixels, no_ink, background,
        size_unknown, resolution, distorted, too_large, too_small.
        """
