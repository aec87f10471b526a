"""Pictures of impressions as they come in: untrusted PNG and JPEG files, opened within limits."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageOps

from seal_service.domain.errors import ImpressionRefused

LARGEST_BYTES = 2 << 20
LARGEST_PIXELS = 25_000_000
_JPEG_NOISE = 20
_PNG_NOISE = 4
_CENTIMETRES = 3
_QUARTER_TURNS = frozenset({5, 6, 7, 8})


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPicture:
    """A picture upright as it is seen on white paper."""

    over_white: Image.Image
    """RGB, 8 bits."""
    resolution: tuple[float, float] | None
    """Pixels per inch across and down, when the file says so."""
    noise: int
    """Levels of 255 by which the file's own compression may change white."""


def open_picture(content: bytes) -> OpenedPicture:
    """The picture of a PNG or JPEG file, told by its content.

    Raises ImpressionRefused: too_many_bytes, too_many_pixels (before anything is decoded), format.
    """
    if len(content) > LARGEST_BYTES:
        raise ImpressionRefused(
            f"The picture has {len(content)} bytes: crop it to the seal or save it smaller, {LARGEST_BYTES} at most",
            reason="too_many_bytes",
        )
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > LARGEST_PIXELS:
                raise _too_many_pixels(image.size)
            image.load()
            return _seen(image)
    except ImpressionRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(None) from error
    except Exception as error:  # whatever a decoder says of a damaged file, the file is what is wrong
        raise ImpressionRefused("The picture cannot be read: give a whole PNG or JPEG file", reason="format") from error


def _too_many_pixels(size: tuple[int, int] | None) -> ImpressionRefused:
    has = "more than" if size is None else f"{size[0]} × {size[1]} pixels, more than"
    return ImpressionRefused(
        f"The picture has {has} {LARGEST_PIXELS // 1_000_000} million pixels: crop it to the seal",
        reason="too_many_pixels",
    )


def _seen(image: Image.Image) -> OpenedPicture:
    resolution = _resolution(image)
    if resolution is not None and image.getexif().get(ExifTags.Base.Orientation) in _QUARTER_TURNS:
        resolution = resolution[1], resolution[0]
    return OpenedPicture(
        over_white=_over_white(ImageOps.exif_transpose(image)),
        resolution=resolution,
        noise=_PNG_NOISE if image.format == "PNG" else _JPEG_NOISE,
    )


def _resolution(image: Image.Image) -> tuple[float, float] | None:
    """From pHYs (PNG), else the JFIF header, else Exif; not the 72 dpi that the library makes up without them."""
    if image.format == "PNG" or image.info.get("jfif_unit") in (1, 2):
        pair, unit = image.info.get("dpi", (0, 0)), 1.0
    else:
        exif = image.getexif()
        pair = exif.get(ExifTags.Base.XResolution, 0), exif.get(ExifTags.Base.YResolution, 0)
        unit = 2.54 if exif.get(ExifTags.Base.ResolutionUnit) == _CENTIMETRES else 1.0
    across, down = float(pair[0]) * unit, float(pair[1]) * unit
    known = all(math.isfinite(value) and value > 0 for value in (across, down))
    return (across, down) if known else None


def _over_white(image: Image.Image) -> Image.Image:
    """RGB of 8 bits as the picture looks on white paper, whatever its mode."""
    if image.mode.startswith("I"):  # 16-bit grey, which convert() would clip
        image = image.convert("I").point([level >> 8 for level in range(1 << 16)], "L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    coloured = image.convert("RGBA")
    paper = Image.new("RGBA", coloured.size, "white")
    return Image.alpha_composite(paper, coloured).convert("RGB")
