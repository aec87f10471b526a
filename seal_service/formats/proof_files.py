"""收录证明 files (C2SP tlog-proof@v1): how one is told from the next where several come in one text."""

from __future__ import annotations

import re

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
_BEGINNING = re.compile(rb"^(?=" + re.escape(PROOF_HEADER.encode()) + rb"$)", re.MULTILINE)


def proofs_in(content: bytes) -> list[bytes]:
    """Each from its first line to the next one's; none in white space. Nothing of them is read yet."""
    return [one for one in _BEGINNING.split(content) if one.strip()]
