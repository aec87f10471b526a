"""文件类型, by what a document is and not by what it is called."""

from __future__ import annotations

import re

from seal_service.ports.documents import Content

PDF = "application/pdf"
UNKNOWN = "application/octet-stream"
_PDF_HEADER = re.compile(rb"%PDF-[12]\.[0-9]")


def media_type_of(content: Content) -> str:
    """The media type of a document that can be sealed (ISO 32000-2, 7.5.2, annex I), or UNKNOWN."""
    return PDF if _PDF_HEADER.search(content[:1024]) else UNKNOWN
