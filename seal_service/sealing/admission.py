"""准入: which documents may be sealed. Facts in, a typed refusal out; no parsing here."""

from __future__ import annotations

from dataclasses import dataclass

from seal_service.domain.errors import (
    DocumentActiveContent,
    DocumentCertified,
    DocumentEncrypted,
    DocumentHiddenContent,
    DocumentOverLimit,
    DocumentXfa,
)
from seal_service.sealing.active_content import HIDDEN_LAYERS


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
    active: frozenset[str]
    """Kinds of `active_content`."""


def admit(facts: DocumentFacts, limits: DocumentLimits, permitted_content: frozenset[str]) -> None:
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
    refused = facts.active - permitted_content
    if refused - {HIDDEN_LAYERS}:
        kinds = sorted(refused - {HIDDEN_LAYERS})
        raise DocumentActiveContent(f"The document contains active content: {', '.join(kinds)}", kinds=kinds)
    if refused:
        raise DocumentHiddenContent(kinds=sorted(refused))
