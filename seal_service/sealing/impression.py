"""实物印模: from a picture of the physical seal to its ink alone, in its true size (articles 12, 15)."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

from PIL import Image

from seal_service.domain.errors import ImpressionRefused
from seal_service.domain.impression import MINIMUM_DPI, SealType, check_size
from seal_service.domain.organization import UnitType
from seal_service.ports.documents import ReadImpression
from seal_service.sealing.impression_ink import separate
from seal_service.sealing.impression_picture import open_picture

MILLIMETRES_PER_INCH = 25.4
_LARGEST_DISTORTION = 0.03
_EDGE_PIXELS = 2
"""By so much the crop may miss ink whose edge is soft; a seal drawn at exactly 300 dpi must still pass."""


class PictureReader:
    """Reads PNG and JPEG pictures of impressions: the port ImpressionReader. Stateless; safe for threads."""

    def read(
        self,
        picture: bytes,
        seal_type: SealType,
        unit_type: UnitType,
        width_mm: float | None,
        height_mm: float | None,
    ) -> ReadImpression:
        """The ink alone, cropped; size in mm of the ink as stated or, without, from the picture's resolution.

        If only one of width and height is stated, the other follows from the ink's proportions.
        Raises ImpressionRefused with a reason: format, too_many_bytes, too_many_pixels, no_ink, background,
        size_unknown, resolution, distorted, too_large, too_small.
        """
        opened = open_picture(picture)
        rgb, coverage = separate(opened.over_white, opened.noise)
        size = _measure(coverage.size, opened.resolution, width_mm, height_mm)
        check_size(size.width_mm, size.height_mm, seal_type, unit_type)
        return ReadImpression(
            png=_png(rgb, coverage),
            width_mm=size.width_mm,
            height_mm=size.height_mm,
            dpi=size.dpi,
            ink_rgb=bytes(rgb).hex(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    width_mm: float
    height_mm: float
    dpi: int


def _measure(
    pixels: tuple[int, int], resolution: tuple[float, float] | None, width_mm: float | None, height_mm: float | None
) -> _Size:
    """Size (mm, to 10 µm) and resolution of the ink."""
    columns, rows = pixels
    for stated in (width_mm, height_mm):
        if stated is not None and not (math.isfinite(stated) and stated > 0):
            raise ImpressionRefused("State the width and height of the seal in millimetres", reason="size_unknown")
    if width_mm is None and height_mm is None:
        if resolution is None:
            raise ImpressionRefused(
                "The picture does not say its resolution: state the width and height of the seal in millimetres",
                reason="size_unknown",
            )
        width, height = (count / dpi * MILLIMETRES_PER_INCH for count, dpi in zip(pixels, resolution, strict=True))
    else:
        width = width_mm or (height_mm or 0) * columns / rows
        height = height_mm or width * rows / columns
    horizontal, vertical = columns / width * MILLIMETRES_PER_INCH, rows / height * MILLIMETRES_PER_INCH
    if any(
        (count + _EDGE_PIXELS) / length * MILLIMETRES_PER_INCH < MINIMUM_DPI
        for count, length in ((columns, width), (rows, height))
    ):
        raise ImpressionRefused(
            f"The ink is {columns} × {rows} pixels on {width:.1f} × {height:.1f} mm, that is "
            f"{horizontal:.0f} × {vertical:.0f} dpi: scan the seal with at least {MINIMUM_DPI} dpi"
            + ("" if width_mm or height_mm else ", or state its width and height in millimetres"),
            reason="resolution",
        )
    if abs(horizontal / vertical - 1) > _LARGEST_DISTORTION:
        raise ImpressionRefused(
            f"The ink is {columns} × {rows} pixels, which does not have the shape of {width:.1f} × {height:.1f} mm: "
            "state the size of the ink itself, and remove spots and anything else around it",
            reason="distorted",
        )
    return _Size(width_mm=round(width, 2), height_mm=round(height, 2), dpi=round(min(horizontal, vertical)))


def _png(rgb: tuple[int, int, int], coverage: Image.Image) -> bytes:
    """RGBA of one colour, without metadata, so that the same ink always gives the same bytes."""
    ink = Image.new("RGB", coverage.size, rgb)
    ink.putalpha(coverage)
    buffer = io.BytesIO()
    ink.save(buffer, "PNG", compress_level=6)  # 9 takes three times as long for 4 % less
    return buffer.getvalue()
