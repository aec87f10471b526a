"""实物印模 (articles 12, 15): which pictures are taken, what becomes of them, and why others are refused."""

from __future__ import annotations

import contextlib
import functools
import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from seal_service.domain.errors import ImpressionRefused
from seal_service.domain.impression import SealType
from seal_service.domain.organization import UnitType
from seal_service.ports.documents import ImpressionReader, ReadImpression
from seal_service.sealing.impression import PictureReader

RED = (223, 25, 29)
RING_PIXELS = 600  # 40 mm at 381 dpi
MARGIN = 60


@functools.cache
def coverage(width: int = RING_PIXELS, height: int = RING_PIXELS, margin: int = MARGIN) -> Image.Image:
    """A ring with a cross in it, edges soft: how much ink covers each pixel."""
    fine = 4
    image = Image.new("L", ((width + 2 * margin) * fine, (height + 2 * margin) * fine), 0)
    draw = ImageDraw.Draw(image)
    left = top = margin * fine
    right, bottom = left + width * fine - 1, top + height * fine - 1
    draw.ellipse((left, top, right, bottom), outline=255, width=18 * fine)
    for start, end in (((0.25, 0.25), (0.75, 0.75)), ((0.75, 0.25), (0.25, 0.75))):
        ends = [(left + x * width * fine, top + y * height * fine) for x, y in (start, end)]
        draw.line(ends, fill=255, width=24 * fine)
    return image.resize((width + 2 * margin, height + 2 * margin), Image.Resampling.BOX)


def on_paper(ink: Image.Image, colour: tuple[int, ...] = RED, paper: tuple[int, ...] = (255, 255, 255)) -> Image.Image:
    image = Image.new("RGB", ink.size, paper)
    image.paste(colour, mask=ink)
    return image


def transparent(ink: Image.Image, colour: tuple[int, int, int] = RED) -> Image.Image:
    image = Image.new("RGBA", ink.size, (*colour, 0))
    image.putalpha(ink)
    return image


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def read(content: bytes, width_mm: float | None = 40, height_mm: float | None = 40, **changed: Any) -> ReadImpression:
    reader: ImpressionReader = PictureReader()
    options = {"seal_type": SealType.LEGAL_NAME, "unit_type": UnitType.DEPARTMENT} | changed
    return reader.read(content, width_mm=width_mm, height_mm=height_mm, **options)


def refused(content: bytes, *sizes: float | None, **changed: Any) -> ImpressionRefused:
    with pytest.raises(ImpressionRefused) as caught:
        read(content, *sizes, **changed)
    return caught.value


def ink_of(impression: ReadImpression) -> Image.Image:
    image = Image.open(io.BytesIO(impression.png))
    assert image.format == "PNG"
    assert image.mode == "RGBA"
    return image


def difference(impression: ReadImpression, original: Image.Image) -> int:
    """The largest difference, in levels, between the impression laid over white and the original."""
    ink = ink_of(impression)
    assert ink.size == original.size
    seen = Image.alpha_composite(Image.new("RGBA", ink.size, "white"), ink).convert("RGB")
    return max(high for _, high in ImageChops.difference(seen, original).getextrema())  # type: ignore[misc]


def cropped(image: Image.Image) -> Image.Image:
    return image.crop((MARGIN, MARGIN, MARGIN + RING_PIXELS, MARGIN + RING_PIXELS))


@pytest.mark.parametrize("colour", [RED, (255, 0, 0), (0, 0, 160), (0, 0, 0), (180, 60, 70)])
def test_white_paper_becomes_transparent_and_edges_keep_their_shape(colour: tuple[int, int, int]) -> None:
    """Colour and coverage are recovered together: the alpha is the coverage the picture was made with."""
    original = on_paper(coverage(), colour)
    impression = read(saved(original))
    assert impression.ink_rgb == bytes(colour).hex()
    assert (impression.width_mm, impression.height_mm, impression.dpi) == (40, 40, 381)
    assert difference(impression, cropped(original)) <= 6
    ink = ink_of(impression)
    alpha_error = ImageChops.difference(ink.getchannel("A"), cropped(coverage())).histogram()
    assert not any(alpha_error[10:])
    colours = ink.convert("RGB").getcolors()
    assert colours == [(RING_PIXELS**2, colour)]


def test_transparent_background_gives_the_same_as_white() -> None:
    white = read(saved(on_paper(coverage())))
    clear = read(saved(transparent(coverage())))
    assert clear.ink_rgb == white.ink_rgb
    assert difference(clear, cropped(on_paper(coverage()))) <= 6


def test_reading_our_own_picture_again_changes_nothing() -> None:
    first = read(saved(on_paper(coverage())))
    again = read(first.png)
    assert again == first


def test_the_same_ink_gives_the_same_bytes_wherever_it_lies() -> None:
    image = on_paper(coverage())
    wider = Image.new("RGB", (1000, 900), "white")
    wider.paste(image, (130, 77))
    assert read(saved(image, dpi=(300, 300))) == read(saved(wider))


@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("quality", [60, 75, 95])
def test_jpeg_noise_is_tolerated(quality: int, subsampling: int) -> None:
    original = on_paper(coverage())
    impression = read(saved(original, "JPEG", quality=quality, subsampling=subsampling))
    ink = ink_of(impression)
    assert abs(ink.width - RING_PIXELS) <= 2
    assert abs(ink.height - RING_PIXELS) <= 2
    assert all(abs(a - b) <= 12 for a, b in zip(bytes.fromhex(impression.ink_rgb), RED, strict=True))
    outside = ink.getchannel("A").crop((0, 0, 60, 60)).getextrema()
    assert outside == (0, 0), "the paper in the corner is clear"


def test_paper_a_little_grey_and_single_specks_are_taken_off() -> None:
    paper = on_paper(coverage(), paper=(240, 238, 235))
    noisy = ImageChops.add(paper, Image.effect_noise(paper.size, 4).convert("RGB"), offset=-128)
    noisy.putpixel((5, 5), (60, 60, 60))
    noisy.putpixel((700, 300), (200, 30, 30))
    impression = read(saved(noisy))
    ink = ink_of(impression)
    assert abs(ink.width - RING_PIXELS) <= 1
    assert ink.getchannel("A").crop((0, 0, 60, 60)).getextrema() == (0, 0)


def test_a_square_seal_cropped_to_its_frame_is_taken() -> None:
    """法定代表人名章: red frame up to the picture's own border, with a soft edge."""
    image = Image.new("L", (300, 300), 255)
    ImageDraw.Draw(image).rectangle((20, 20, 279, 279), fill=0)
    ImageDraw.Draw(image).line((40, 150, 260, 150), fill=255, width=30)
    for edge in ((0, 0, 299, 0), (0, 0, 0, 299)):
        ImageDraw.Draw(image).line(edge, fill=120)
    impression = read(saved(on_paper(image)), 20, 20, seal_type=SealType.LEGAL_REPRESENTATIVE)
    assert ink_of(impression).size == (300, 300)


@functools.cache
def modes() -> dict[str, bytes]:
    ink = coverage()
    paper = on_paper(ink, (0, 0, 0))
    grey = paper.convert("L")
    deep = Image.new("I;16", grey.size)
    deep.putdata([level * 257 for level in grey.get_flattened_data()])
    red_with_alpha = transparent(ink)
    return {
        "grey": saved(grey),
        "grey with alpha": saved(Image.merge("LA", (Image.new("L", ink.size, 0), ink))),
        "16-bit grey": saved(deep),
        "palette": saved(on_paper(ink).quantize(64)),
        "palette with transparency": saved(red_with_alpha.quantize(64, method=Image.Quantize.FASTOCTREE)),
        "cmyk jpeg": saved(on_paper(ink).convert("CMYK"), "JPEG", quality=95),
        "grey jpeg": saved(grey, "JPEG", quality=95),
        "16-bit colour": rgb16_png(on_paper(ink)),
    }


def rgb16_png(image: Image.Image) -> bytes:
    width, height = image.size
    rows = image.tobytes()
    data = b"".join(
        b"\0" + bytes(byte for value in rows[y * width * 3 : (y + 1) * width * 3] for byte in (value, value))
        for y in range(height)
    )

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("name", modes())
def test_every_kind_of_png_and_jpeg_is_read(name: str) -> None:
    impression = read(modes()[name])
    assert all(abs(side - RING_PIXELS) <= 2 for side in ink_of(impression).size)
    expected = (0, 0, 0) if "grey" in name else RED
    assert all(abs(a - b) <= 10 for a, b in zip(bytes.fromhex(impression.ink_rgb), expected, strict=True))


def test_size_comes_from_the_picture_when_none_is_stated() -> None:
    for content in (
        saved(on_paper(coverage()), dpi=(381, 381)),
        saved(on_paper(coverage()), "JPEG", quality=95, dpi=(381, 381)),
    ):
        impression = read(content, None, None)
        assert impression.width_mm == pytest.approx(40, abs=0.2)
        assert impression.height_mm == pytest.approx(40, abs=0.2)
        assert impression.dpi == 381


def test_exif_resolution_in_centimetres_is_understood() -> None:
    exif = Image.Exif()
    exif[0x011A], exif[0x011B], exif[0x0128] = 150.0, 150.0, 3
    impression = read(saved(on_paper(coverage()), "JPEG", quality=95, exif=exif), None, None)
    assert impression.width_mm == pytest.approx(40, abs=0.2)


def test_exif_rotation_is_respected() -> None:
    """A seal of 40 × 30 mm photographed sideways; across and down have different resolutions."""
    exif = Image.Exif()
    exif[0x0112] = 6
    sideways = on_paper(coverage(450, 600)).filter(ImageFilter.GaussianBlur(0.3))
    content = saved(sideways, "JPEG", quality=95, exif=exif, dpi=(381, 387))
    impression = read(content, None, None, seal_type=SealType.INVOICE)
    assert impression.width_mm == pytest.approx(600 / 387 * 25.4, abs=0.2)
    assert impression.height_mm == pytest.approx(30, abs=0.2)
    assert read(content, 40, 30, seal_type=SealType.INVOICE).width_mm == 40


def test_one_stated_side_gives_the_other() -> None:
    content = saved(on_paper(coverage(600, 450)))
    impression = read(content, 40, None, seal_type=SealType.INVOICE)
    assert (impression.width_mm, impression.height_mm) == (40, 30)
    impression = read(content, None, 30, seal_type=SealType.INVOICE)
    assert (impression.width_mm, impression.height_mm) == (40, 30)


def test_exactly_300_dpi_is_enough_and_less_is_not() -> None:
    """Article 12 asks for the impression; 300 dpi is the least at which it stays legible."""
    pixels = round(42 / 25.4 * 300)
    enough = read(saved(on_paper(coverage(pixels, pixels))), 42, 42)
    assert enough.dpi == 300
    error = refused(saved(on_paper(coverage(480, 480))), 42, 42)
    assert error.details["reason"] == "resolution"
    assert "480 × 480 pixels on 42.0 × 42.0 mm, that is 290 × 290 dpi" in error.message
    assert "at least 300 dpi" in error.message


@pytest.mark.parametrize(
    ("reason", "content", "sizes"),
    [
        ("format", b"", (40, 40)),
        ("format", b"GIF89a" + bytes(100), (40, 40)),
        ("format", saved(Image.new("RGB", (50, 50)), "BMP"), (40, 40)),
        ("format", saved(on_paper(coverage()))[:2000], (40, 40)),
        ("format", saved(on_paper(coverage()), "JPEG")[:2000], (40, 40)),
        ("format", saved(on_paper(coverage())).replace(b"IDAT", b"IDAX", 1), (40, 40)),
        ("too_many_bytes", saved(on_paper(coverage())) + bytes(2 << 20), (40, 40)),
        ("no_ink", saved(Image.new("RGB", (600, 600), "white")), (40, 40)),
        ("no_ink", saved(Image.new("RGBA", (600, 600), (255, 0, 0, 0))), (40, 40)),
        ("no_ink", saved(Image.new("L", (1, 1), 255)), (40, 40)),
        ("background", saved(Image.new("RGB", (600, 600), RED)), (40, 40)),
        ("background", saved(on_paper(coverage(), paper=(205, 205, 205))), (40, 40)),
        ("background", saved(on_paper(coverage(), paper=(255, 230, 160))), (40, 40)),
        ("background", saved(on_paper(coverage(), paper=(30, 90, 30))), (40, 40)),
        ("size_unknown", saved(on_paper(coverage())), (None, None)),
        ("size_unknown", saved(on_paper(coverage()), "JPEG"), (None, None)),
        ("size_unknown", saved(on_paper(coverage())), (float("nan"), 40)),
        ("size_unknown", saved(on_paper(coverage())), (40, -1)),
        ("size_unknown", saved(on_paper(coverage())), (0, 0)),
        ("resolution", saved(on_paper(coverage()), dpi=(96, 96)), (None, None)),
        ("resolution", saved(on_paper(coverage())), (60, 60)),
        ("distorted", saved(on_paper(coverage())), (40, 38.5)),
        ("too_large", saved(on_paper(coverage())), (46, 46)),
        ("too_small", saved(on_paper(coverage(300, 300))), (9, 9)),
    ],
)
def test_other_pictures_are_refused_with_a_reason(reason: str, content: bytes, sizes: tuple[Any, Any]) -> None:
    error = refused(content, *sizes)
    assert error.details["reason"] == reason, error.message
    assert len(error.message) > 30


def test_three_per_cent_of_distortion_is_the_limit() -> None:
    content = saved(on_paper(coverage()))
    assert read(content, 40, 39).height_mm == 39
    assert refused(content, 40, 38.7).details["reason"] == "distorted"


def test_shadows_and_other_ink_are_refused() -> None:
    shaded = on_paper(coverage())
    ImageDraw.Draw(shaded).rectangle((100, 350, 500, 500), fill=(170, 170, 170))
    assert refused(saved(shaded)).details["reason"] == "background"
    lettered = on_paper(coverage())
    ImageDraw.Draw(lettered).rectangle((150, 400, 600, 440), fill=(0, 0, 0))
    assert refused(saved(lettered)).details["reason"] == "background"


def test_size_limits_follow_the_unit_and_the_seal() -> None:
    content = saved(on_paper(coverage(660, 660)))
    assert read(content, 50, 50, unit_type=UnitType.PROVINCIAL_GOVERNMENT).width_mm == 50
    assert refused(content, 50, 50, unit_type=UnitType.CITY_GOVERNMENT).details["reason"] == "too_large"
    assert refused(content, 43, 43, seal_type=SealType.FINANCE).details["reason"] == "too_large"


@pytest.mark.parametrize("side", [5001, 9_600, 30_000])
def test_decompression_bombs_are_refused_before_decoding(side: int) -> None:
    """25 megapixels by the header alone: the pixel data is never looked at."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in ((b"IHDR", header), (b"IDAT", b"never read"), (b"IEND", b""))
    )
    error = refused(b"\x89PNG\r\n\x1a\n" + chunks)
    assert error.details["reason"] == "too_many_pixels"
    assert "crop it" in error.message


def test_any_flipped_byte_is_read_or_refused() -> None:
    small = saved(on_paper(coverage(40, 40, 8)), "JPEG"), saved(transparent(coverage(40, 40, 8)), dpi=(300, 300))
    for content in small:
        for position in range(0, len(content), 3):
            damaged = content[:position] + bytes([content[position] ^ 0x55]) + content[position + 1 :]
            with contextlib.suppress(ImpressionRefused):
                assert read(damaged, None, None).png
