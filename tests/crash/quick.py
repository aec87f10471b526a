"""What would be much of the work of a run of thousands of processes: an impression made ready."""

from __future__ import annotations

from functools import cache
from io import BytesIO

from PIL import Image

from seal_service.domain.impression import MINIMUM_DPI
from seal_service.sealing import appearance
from tests.instance import IMPRESSIONS

SIDE_MM = 10


def remember_impressions() -> None:
    """An impression is made ready once, before anything is forked, and not by every process anew."""
    vars(appearance)["compress"] = cache(appearance.compress)


def small_picture() -> bytes:
    """An impression that is made ready at once."""
    out, side = BytesIO(), round(1.15 * SIDE_MM / 25.4 * MINIMUM_DPI)  # the ink does not fill it
    with Image.open(IMPRESSIONS / "government-service-office.png") as picture:
        picture.resize((side, side)).save(out, "PNG")
    return out.getvalue()
