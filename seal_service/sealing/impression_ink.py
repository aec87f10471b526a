"""Ink and paper apart: one ink colour, and how much of it covers each pixel.

A pixel on white paper is `255 − coverage × (255 − ink)` in every channel. With the ink's colour known, coverage is
the least-squares answer of that equation; so soft edges keep their shape and lose their white fringe.
"""

from __future__ import annotations

from itertools import accumulate

from PIL import Image, ImageChops

from seal_service.domain.errors import ImpressionRefused

_PAPER = 32
"""Levels below white, in any channel, that still count as paper: scanners and JPEG make white a little grey."""
_SMALLEST_INK_SHARE = 0.0005
_SMALLEST_PAPER_SHARE = 0.05
_DARKEST_SHARE = 0.1
"""Of the inked pixels, those that show the ink's own colour rather than an edge."""
_BORDER_PIXELS = 8
_SMALLEST_PLAIN_BORDER = 0.75
_FULL = 204
_EDGE = 64
_COLOUR_TOLERANCE = 64
_LARGEST_STRANGE_SHARE = 0.1
_SPECK = 3
_PAPER_MARGIN = 8

_BACKGROUND = "photograph or scan the seal on plain white paper, or save it with a transparent background"


def separate(picture: Image.Image, noise: int) -> tuple[tuple[int, int, int], Image.Image]:
    """The ink's colour, and its coverage (mode L, 255 = full) cropped to the ink, of an RGB picture on white.

    Raises ImpressionRefused: no_ink, background.
    """
    darkness = _darkness(picture)
    levels = darkness.histogram()
    inked, pixels = sum(levels[_PAPER + 1 :]), sum(levels)
    if inked < _SMALLEST_INK_SHARE * pixels:
        raise ImpressionRefused("There is no ink in the picture: give a picture of the inked seal", reason="no_ink")
    if pixels - inked < _SMALLEST_PAPER_SHARE * pixels:
        raise ImpressionRefused(f"The background is not white: {_BACKGROUND}", reason="background")
    ink = _ink_colour(picture, darkness, levels, inked)
    coverage = _coverage(picture, ink)
    _check_border(darkness, coverage)
    _check_colours(picture, coverage, ink, inked)
    floor = max(noise, _paper_level(darkness)) * 255 // (255 - min(ink))
    coverage = coverage.point([0 if level <= floor else level for level in range(256)])
    return ink, coverage.crop(_extent(coverage))


def _darkness(picture: Image.Image) -> Image.Image:
    """How far each pixel is below white in its darkest channel."""
    red, green, blue = picture.split()
    return ImageChops.invert(ImageChops.darker(ImageChops.darker(red, green), blue))


def _ink_colour(picture: Image.Image, darkness: Image.Image, levels: list[int], inked: int) -> tuple[int, int, int]:
    """The median colour of the darkest tenth of the inked pixels."""
    darkest_first = list(accumulate(reversed(levels)))
    level = 255 - next(index for index, count in enumerate(darkest_first) if count >= _DARKEST_SHARE * inked)
    chosen = darkness.point([255 if value >= level else 0 for value in range(256)])
    histogram = picture.histogram(chosen)
    red, green, blue = (_percentile(histogram[start : start + 256], 0.5) for start in (0, 256, 512))
    return red, green, blue


def _percentile(levels: list[int], share: float) -> int:
    total = sum(levels)
    return next(level for level, count in enumerate(accumulate(levels)) if count >= share * total)


def _coverage(picture: Image.Image, ink: tuple[int, int, int]) -> Image.Image:
    """Least squares over the channels: (255 − pixel)·(255 − ink) / |255 − ink|², as 0–255."""
    below_white = [255 - channel for channel in ink]
    square = sum(value * value for value in below_white)
    weights = [-255 * value / square for value in below_white]
    return picture.convert("L", (*weights, -255 * sum(weights)))


def _check_border(darkness: Image.Image, coverage: Image.Image) -> None:
    """Along the border all is paper or, where the picture ends with the seal, full ink."""
    plain = ImageChops.lighter(
        darkness.point([255 if level <= _PAPER else 0 for level in range(256)]),
        coverage.point([255 if level >= _FULL else 0 for level in range(256)]),
    )
    levels = _border_levels(plain)
    if levels[255] < _SMALLEST_PLAIN_BORDER * sum(levels):
        raise ImpressionRefused(f"The background is not evenly white: {_BACKGROUND}", reason="background")


def _check_colours(picture: Image.Image, coverage: Image.Image, ink: tuple[int, int, int], inked: int) -> None:
    """White and the one ink explain nearly every pixel: else shadows, other ink or coloured paper are in the way."""
    explained = Image.merge(
        "RGB", [coverage.point([255 - level * (255 - channel) // 255 for level in range(256)]) for channel in ink]
    )
    red, green, blue = ImageChops.difference(picture, explained).split()
    strange = sum(ImageChops.lighter(ImageChops.lighter(red, green), blue).histogram()[_COLOUR_TOLERANCE:])
    if strange > _LARGEST_STRANGE_SHARE * inked:
        raise ImpressionRefused(
            f"There is more in the picture than one ink on white: remove text and shadows, {_BACKGROUND}",
            reason="background",
        )


def _paper_level(darkness: Image.Image) -> int:
    """How dark the paper along the border is, its noise included; 0 for clean white and when the border is all ink."""
    paper = _border_levels(darkness)[: _PAPER + 1]
    level = _percentile(paper, 0.95)
    return level + _PAPER_MARGIN if level else 0


def _border_levels(image: Image.Image) -> list[int]:
    """Histogram of the border of an image of mode L."""
    width, height = image.size
    thick = min(_BORDER_PIXELS, width, height)
    boxes = ((0, 0, width, thick), (0, height - thick, width, height), (0, 0, thick, height))
    strips = [image.crop(box).histogram() for box in (*boxes, (width - thick, 0, width, height))]
    return [sum(counts) for counts in zip(*strips, strict=True)]


def _extent(coverage: Image.Image) -> tuple[int, int, int, int]:
    """The box around the ink; single specks of dust away from it do not widen it."""
    marked = coverage.point([255 if level >= _EDGE else 0 for level in range(256)])
    coarse = marked.reduce(_SPECK).point([255 if level > 127 else 0 for level in range(256)]).getbbox()
    if coarse is None:
        raise ImpressionRefused("There is hardly any ink in the picture: ink the seal well", reason="no_ink")
    left, upper, right, lower = (value * _SPECK for value in coarse)
    around = (
        max(left - _SPECK, 0),
        max(upper - _SPECK, 0),
        min(right + _SPECK, coverage.width),
        min(lower + _SPECK, coverage.height),
    )
    found = marked.crop(around).getbbox() or (0, 0, *coverage.size)
    return (around[0] + found[0], around[1] + found[1], around[0] + found[2], around[1] + found[3])
