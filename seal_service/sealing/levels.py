"""签名级别: from B-B to B-T, B-LT and B-LTA (ETSI EN 319 142-1, 6), each as far as time-stamps and revocation allow."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from seal_service.domain.errors import RevocationUnavailable, TimestampUnavailable, Unavailable
from seal_service.domain.use import SignatureLevel
from seal_service.formats.cms import TimestampToken, read_timestamp_token
from seal_service.ports.crypto import RevocationSource, TimestampAuthority
from seal_service.ports.documents import Content, HashState
from seal_service.ports.isolation import Isolation
from seal_service.sealing.revision import OpenRevision
from seal_service.sealing.validation_data import ValidationData, collect
from seal_service.sealing.writing import StoreToWrite, TimestampToWrite, write_store, write_timestamp

_log = logging.getLogger(__name__)
_FIRST_TIMESTAMP_ROOM = 6144
"""Bytes reserved for a time-stamp while none has been seen: most authorities' tokens with their certificates."""
_SPARE = 256
"""Tokens of one authority differ by a few bytes: serial number, accuracy, signature."""


class TimestampTooLarge(TimestampUnavailable):
    """The time-stamp is larger than the room reserved for it; the next seal reserves more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRevision:
    """A revision whose signature value exists, to be filled in."""

    content: Content
    """The document before the revision."""
    sha256: HashState
    """Its hash state; copied, never changed."""
    revision: OpenRevision
    contents: Callable[[bytes | None], bytes]
    """SignedData, DER, with a time-stamp token or without."""
    signature: bytes
    certificate: bytes
    page: tuple[int, int]
    """Object number of the sealed page, which also carries the invisible field of the document time-stamp."""
    field_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """What was reached: all appended bytes, and why it is not more."""

    appended: bytes
    level: SignatureLevel
    timestamp_token: bytes | None
    shortfall: Unavailable | None

    @property
    def reason(self) -> str | None:
        """What kept it lower, in the sentence of the error's kind: its own may name addresses inside, which go to the
        process's log and not to clients."""
        return type(self.shortfall)().message if self.shortfall is not None else None


class LevelRaiser:
    """签名级别: raises signatures with one time-stamping authority and one source of revocation data.

    Remembers how large time-stamps are, to reserve no more than needed. Safe for threads.
    """

    def __init__(
        self,
        chain: Callable[[bytes], Sequence[bytes]],
        timestamps: TimestampAuthority | None,
        revocation: RevocationSource,
        issuers: Callable[[], Sequence[bytes]],
        isolation: Isolation,
    ) -> None:
        """`chain` gives the certificates, DER, from the issuer of one to its root; `issuers` further ones, that may
        have issued those of outside time-stamping authorities."""
        self._chain = chain
        self._issuers = issuers
        self._timestamps = timestamps
        self._revocation = revocation
        self._isolation = isolation
        self._largest_timestamp = 0

    @property
    def timestamp_room(self) -> int:
        """Bytes to reserve for a time-stamp."""
        return self._largest_timestamp + _SPARE if self._largest_timestamp else _FIRST_TIMESTAMP_ROOM

    def raise_to(self, asked: SignatureLevel, signed: SignedRevision) -> Raised:
        """The highest level up to the one asked for; `shortfall` says what kept it lower."""
        document = _Document(signed)
        token, shortfall = None, None
        document.append(signed.revision.filled(signed.contents(None)))
        level = SignatureLevel.B_B
        try:
            if asked.at_least(SignatureLevel.B_T):
                stamp, token = self._stamp_signature(signed, document)
                level = SignatureLevel.B_T
                if asked.at_least(SignatureLevel.B_LT):
                    data = self._store(document, [signed.certificate], stamp, _padded(signed, token))
                    level = SignatureLevel.B_LT
                    if asked is SignatureLevel.B_LTA:
                        self._archive(document, signed, data)
                        level = SignatureLevel.B_LTA
        except (TimestampUnavailable, RevocationUnavailable) as error:
            shortfall = error
            _log.warning("%s was asked for, %s could be reached: %s", asked, level, error.message)
        return Raised(appended=document.appended, level=level, timestamp_token=token, shortfall=shortfall)

    def _stamp_signature(self, signed: SignedRevision, document: _Document) -> tuple[TimestampToken, bytes]:
        """B-T: the signature-time-stamp attribute (EN 319 122-1, 5.3), in the place of the signature without it."""
        stamp, token = self._timestamp(hashlib.sha256(signed.signature).digest())
        der = signed.contents(token)
        if len(der) > signed.revision.room:
            raise TimestampTooLarge(f"The time-stamp has {len(token)} bytes, more than the room reserved for it")
        document.replace(signed.revision.filled(der))
        return stamp, token

    def _store(
        self, document: _Document, leaves: Sequence[bytes], stamp: TimestampToken, contents: bytes
    ) -> ValidationData:
        """B-LT: validation data of these certificates and the time-stamp's, produced after the time-stamp."""
        if stamp.signer_certificate is None:
            raise RevocationUnavailable("The time-stamp does not hold its authority's certificate")
        judged = [*leaves, stamp.signer_certificate]
        chains = [issuer for certificate in judged for issuer in self._chain(certificate)]
        known = [*chains, *stamp.certificates, *self._issuers()]
        data = collect(judged, known, self._revocation, stamp.generated_at)
        written = StoreToWrite(
            appended=document.appended,
            certificates=tuple(data.certificates),
            ocsp_responses=tuple(data.ocsp_responses),
            crls=tuple(data.crls),
            contents=contents,
        )
        document.append(self._isolation.run(write_store, document.original, written))
        return data

    def _archive(self, document: _Document, signed: SignedRevision, data: ValidationData) -> None:
        """B-LTA: a document time-stamp over everything so far (EN 319 142-1, 5.4.3)."""
        room = self.timestamp_room
        while True:
            asked = TimestampToWrite(
                appended=document.appended, field_name=f"Timestamp-{signed.field_name}", page=signed.page, room=room
            )
            opened = self._isolation.run(write_timestamp, document.original, asked)
            stamp, token = self._timestamp(digest_of(opened, document.sha256))
            if len(token) <= opened.room:
                break
            room = len(token) + _SPARE
        document.append(opened.filled(token))
        if stamp.signer_certificate not in data.certificates:
            self._store(document, [], stamp, token.ljust(opened.room, b"\0"))

    def _timestamp(self, sha256: bytes) -> tuple[TimestampToken, bytes]:
        if self._timestamps is None:
            raise TimestampUnavailable("No time-stamping authority is configured")
        token = self._timestamps.timestamp(sha256)
        self._largest_timestamp = max(self._largest_timestamp, len(token))
        try:
            return read_timestamp_token(token), token
        except ValueError as error:
            raise TimestampUnavailable("The time-stamp cannot be read") from error


class _Document:
    """The document as it grows, with the hash state of all of it."""

    def __init__(self, signed: SignedRevision) -> None:
        self.original = signed.content
        self._original_sha256 = signed.sha256
        self.appended = b""
        self.sha256 = signed.sha256.copy()

    def append(self, revision: bytes) -> None:
        self.appended += revision
        self.sha256.update(revision)

    def replace(self, appended: bytes) -> None:
        """Start over with another first revision."""
        self.appended = b""
        self.sha256 = self._original_sha256.copy()
        self.append(appended)


def digest_of(revision: OpenRevision, before: HashState) -> bytes:
    """The digest over the byte range of a revision, from the hash state of all that is before it."""
    state = before.copy()
    for part in revision.covered:
        state.update(part)
    return state.digest()


def _padded(signed: SignedRevision, token: bytes) -> bytes:
    return signed.contents(token).ljust(signed.revision.room, b"\0")
