"""准入: which documents may be sealed. Facts in, a typed refusal out; no parsing here."""

from __future__ import annotations

from dataclasses import dataclass

from seal_service.domain.content import ContentKind
from seal_service.domain.errors import (
    DocumentActiveContent,
    DocumentCertified,
    DocumentEncrypted,
    DocumentHiddenContent,
    DocumentOverLimit,
    DocumentXfa,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLimits:
    """文件上限: how large a document may be; each is the largest that is still allowed."""

    bytes: int
    pages: int
    objects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFacts:
    """What a document is, as far as it decides on its admission."""

    bytes: int
    pages: int
    objects: int
    encrypted: bool
    xfa: bool
    locked: bool
    """Certified with no changes permitted, or locked by a signature against new fields (ISO 32000-2, 12.8.2)."""
    active: frozenset[ContentKind]


def admit(facts: DocumentFacts, limits: DocumentLimits, permitted_content: frozenset[ContentKind]) -> None:
    """Raise the DocumentRefused that fits; content of the permitted kinds passes."""
    for what, size, limit in (
        ("bytes", facts.bytes, limits.bytes),
        ("pages", facts.pages, limits.pages),
        ("objects", facts.objects, limits.objects),
    ):
        if size > limit:
            raise DocumentOverLimit(f"The document has more than {limit} {what}", what=what, limit=limit)
    if facts.encrypted:
        raise DocumentEncrypted
    if facts.xfa:
        raise DocumentXfa
    if facts.locked:
        raise DocumentCertified
    refused = sorted(kind.value for kind in facts.active - permitted_content)
    if refused == [ContentKind.HIDDEN_LAYERS]:
        raise DocumentHiddenContent(kinds=refused)
    if refused:
        kinds = [kind for kind in refused if kind != ContentKind.HIDDEN_LAYERS]
        raise DocumentActiveContent(
            f"The document contains active content ({', '.join(kinds)}): remove it and send it again", kinds=kinds
        )
