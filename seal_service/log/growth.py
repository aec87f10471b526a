"""The tree grows: the port GrowTree in RFC 6962's arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

from seal_service.domain.errors import LogDamaged
from seal_service.log.merkle import CompactRange
from seal_service.ports.records.tree import TreeHead


def grown(head: TreeHead, leaf_hashes: Sequence[bytes]) -> TreeHead:
    """The head after more leaves; LogDamaged for a head that has not the hashes of its size."""
    try:
        after = CompactRange(head.size, head.hashes).extended(leaf_hashes)
    except ValueError as error:
        raise LogDamaged("The log's head has not the hashes of its size") from error
    return TreeHead(size=after.size, hashes=after.hashes)
