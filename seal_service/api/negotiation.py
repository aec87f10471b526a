"""内容协商: which of the offered media types a client prefers (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from seal_service.api.problems import DoorRefusal


def preferred(accept: str | None, offered: Sequence[str]) -> str:
    """The offered media type with the highest quality, the first of equals; DoorRefusal when none is acceptable."""
    if not accept or not accept.strip():
        return offered[0]
    best = max(offered, key=lambda one: _quality(accept, one))
    if _quality(accept, best) <= 0:
        raise DoorRefusal("not-acceptable", f"This is offered as {', '.join(offered)}")
    return best


def _quality(accept: str, media_type: str) -> float:
    """The quality of the most specific range that covers the media type; 0 when none does."""
    family = media_type.partition("/")[0]
    specificity = {media_type: 3, f"{family}/*": 2, "*/*": 1}
    found, quality = 0, 0.0
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        rank = specificity.get(name, 0)
        if rank > found:
            found, quality = rank, _q(parameters)
    return quality


def _q(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
