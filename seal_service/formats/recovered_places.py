"""日志恢复: which places of the tree an entry of a recovery says came back from the published log."""

from __future__ import annotations

from seal_service.formats import canonical


def recovered_places(canon: bytes) -> tuple[int, int]:
    """The places [first, size) of an entry `log.recovered`; none of what says no such thing."""
    facts = canonical.decode(canon).get("facts")
    first, size = (facts.get("from_size"), facts.get("size")) if isinstance(facts, dict) else (None, None)
    return (first, size) if isinstance(first, int) and isinstance(size, int) else (0, 0)
