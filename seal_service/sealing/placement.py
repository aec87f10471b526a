"""盖章位置: from millimetres on the page as it is shown to PDF user space. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from seal_service.domain.errors import InvalidPlacement
from seal_service.domain.placement import Placement
from seal_service.formats.pdf import ShownPage

DEFAULT_MARGIN_MM = 25.0
_TOLERANCE_MM = 0.01
"""A seal asked for right at an edge must not fail for the page size's rounding to points."""

_MATRICES: dict[int, tuple[int, int, int, int, int, int]] = {
    0: (1, 0, 0, 1, 0, 0),
    90: (0, 1, -1, 0, 0, 0),
    180: (-1, 0, 0, -1, 0, 0),
    270: (0, -1, 1, 0, 0, 0),
}
"""The page is turned clockwise when shown, so the appearance is turned counter-clockwise (ISO 32000-2, 12.5.5)."""


@dataclass(frozen=True, slots=True)
class PlacedImpression:
    """Where and how the impression is drawn."""

    rectangle: tuple[float, float, float, float]
    """The annotation's /Rect in default user space: left, bottom, right, top."""
    matrix: tuple[int, int, int, int, int, int]
    """The appearance's /Matrix."""
    width: float
    height: float
    """Of the upright appearance (its /BBox from 0 0), in units of user space."""
    box_um: tuple[int, int, int, int]
    """x, y, width, height in µm from the upper left of the page as shown."""


def place(page: ShownPage, placement: Placement, width_mm: float, height_mm: float) -> PlacedImpression:
    """盖章位置 of an impression of this size; InvalidPlacement when it would not lie wholly on the page."""
    room_x, room_y = page.width_mm - width_mm, page.height_mm - height_mm
    if placement.x_mm is None or placement.y_mm is None:
        x_mm, y_mm = _from_far_edge(room_x), _from_far_edge(room_y)
    else:
        x_mm, y_mm = placement.x_mm, placement.y_mm
    if x_mm < -_TOLERANCE_MM or y_mm < -_TOLERANCE_MM or x_mm > room_x + _TOLERANCE_MM or y_mm > room_y + _TOLERANCE_MM:
        raise InvalidPlacement(
            f"The page is {page.width_mm:.1f} × {page.height_mm:.1f} mm; a seal of {width_mm:g} × {height_mm:g} mm"
            f" at ({x_mm:.1f}, {y_mm:.1f}) mm would not lie wholly on it",
            page_width_mm=f"{page.width_mm:.1f}",
            page_height_mm=f"{page.height_mm:.1f}",
        )
    unit = page.unit_mm
    first = to_user_space(page, x_mm / unit, y_mm / unit)
    second = to_user_space(page, (x_mm + width_mm) / unit, (y_mm + height_mm) / unit)
    return PlacedImpression(
        rectangle=(
            min(first[0], second[0]),
            min(first[1], second[1]),
            max(first[0], second[0]),
            max(first[1], second[1]),
        ),
        matrix=_MATRICES[page.rotation],
        width=width_mm / unit,
        height=height_mm / unit,
        box_um=(_um(x_mm), _um(y_mm), _um(width_mm), _um(height_mm)),
    )


def to_user_space(page: ShownPage, right: float, down: float) -> tuple[float, float]:
    """A point of the page as shown (units from its upper left, right and down) in default user space."""
    match page.rotation:
        case 0:
            return page.left + right, page.top - down
        case 90:
            return page.left + down, page.bottom + right
        case 180:
            return page.right - right, page.bottom + down
        case _:
            return page.right - down, page.top - right


def _from_far_edge(room_mm: float) -> float:
    """Distance from the near edge that leaves the default margin at the far one, or half the room if there is less."""
    return max(room_mm - DEFAULT_MARGIN_MM, room_mm / 2)


def _um(mm: float) -> int:
    return round(mm * 1000)
