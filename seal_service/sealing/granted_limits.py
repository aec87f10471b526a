"""授权上限: a grant may allow fewer pages than the instance takes; told apart from the instance's own limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from seal_service.domain.authorization import SealingPermit
from seal_service.domain.errors import DocumentBeyondGrant, DocumentOverLimit
from seal_service.sealing.admission import DocumentLimits


def limits_of(permit: SealingPermit, limits: DocumentLimits) -> DocumentLimits:
    """The instance's limits, and the grant's where it is stricter."""
    return limits if permit.most_pages is None else replace(limits, pages=min(limits.pages, permit.most_pages))


@contextmanager
def within_grant(permit: SealingPermit, limits: DocumentLimits) -> Iterator[None]:
    """Raise DocumentBeyondGrant for a document that only the grant's limit keeps out."""
    try:
        yield
    except DocumentOverLimit as refusal:
        most = permit.most_pages
        if most is None or refusal.details.get("what") != "pages" or refusal.details.get("limit") != most:
            raise
        if most >= limits.pages:
            raise
        raise DocumentBeyondGrant(
            f"The grant allows documents of at most {most} pages",
            reasons=["grant_pages"],
            limit=most,
            grant_id=permit.grant_id,
        ) from refusal
