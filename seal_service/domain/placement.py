"""盖章位置: where on a document the impression lies."""

from __future__ import annotations

from dataclasses import dataclass

from seal_service.domain.errors import InvalidPlacement


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """盖章位置: a page, and the upper left corner of the impression in mm from that of the page as it is shown.

    `page` counts from 1; −1 is the last page. "As it is shown" means after crop box, rotation and user unit.
    x and y None: the lower right of the page, 25 mm from its edges.
    """

    page: int = -1
    x_mm: float | None = None
    y_mm: float | None = None

    def __post_init__(self) -> None:
        """Raise InvalidPlacement for page 0, page < −1 or only one of x and y."""
        if self.page == 0 or self.page < -1:
            raise InvalidPlacement("Pages count from 1; -1 is the last page", field="page")
        if (self.x_mm is None) != (self.y_mm is None):
            raise InvalidPlacement("x and y are given together or not at all", field="x")
        if (
            self.x_mm is not None
            and self.y_mm is not None
            and not (0 <= self.x_mm < 15_000 and 0 <= self.y_mm < 15_000)
        ):
            raise InvalidPlacement("x and y are millimetres from the upper left corner, not negative", field="x")
