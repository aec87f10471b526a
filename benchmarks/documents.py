"""The documents and the impression that are measured with: made by code, the same bytes every time."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass

import pikepdf
from PIL import Image

from benchmarks.machine import ROOT

IMPRESSION = ROOT / "examples" / "impressions" / "government-service-office.png"
PIXELS = 600
SEAL_MM = 42.0
INK = (215, 0, 15)

_PAGE = (595.276, 841.89)


@dataclass(frozen=True, slots=True)
class Sample:
    """A document, named by its shape."""

    name: str
    content: bytes


def impression_png() -> bytes:
    """The 样章 of 示例市 that is shipped, at 600 × 600 pixels: one ink, its coverage as alpha."""
    with Image.open(IMPRESSION) as shipped:
        coverage = shipped.convert("RGBA").getchannel("A").resize((PIXELS, PIXELS), Image.Resampling.LANCZOS)
    picture = Image.new("RGB", (PIXELS, PIXELS), INK)
    picture.putalpha(coverage)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def one_page() -> Sample:
    """1 page, 30 KB: text and a small picture."""
    return Sample("1 page, 30 KB", paged(1, 28_500))


def hundred_pages() -> Sample:
    """100 pages, 5 MB: a picture on each."""
    return Sample("100 pages, 5 MB", paged(100, 49_000))


def many_objects() -> Sample:
    """20,000 objects, 7 MB: 200 forms on each of 99 pages."""
    return Sample("20,000 objects, 7 MB", _written(99, 0, lambda pdf, page, noise: _add_forms(pdf, page, noise, 200)))


def large(size: int = 50_000_000) -> Sample:
    """10 pages, 50 MB: large pictures."""
    return Sample(f"{size // 1_000_000} MB", paged(10, size // 10 - 1_500))


def paged(pages: int, picture_bytes: int) -> bytes:
    """A document with an incompressible picture of so many bytes on each page."""
    return _written(pages, picture_bytes, lambda _pdf, _page, _noise: None)


def _written(
    pages: int, picture_bytes: int, add: Callable[[pikepdf.Pdf, pikepdf.Object, random.Random], None]
) -> bytes:
    noise = random.Random(1)  # the same bytes every time
    pdf = pikepdf.new()
    font = pdf.make_indirect(
        pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    )
    for number in range(pages):
        page = pdf.add_blank_page(page_size=_PAGE).obj
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font), XObject=pikepdf.Dictionary())
        lines = "".join(f"BT /F 11 Tf 60 {760 - 14 * line} Td (Sample {number}.{line}) Tj ET\n" for line in range(20))
        drawn = "q 200 0 0 200 60 200 cm /Im Do Q\n" if picture_bytes else ""
        page.Contents = pdf.make_stream((lines + drawn).encode())
        if picture_bytes:
            page.Resources.XObject["/Im"] = _picture(pdf, noise, picture_bytes)
        add(pdf, page, noise)
    pdf.docinfo["/Title"] = "示例市 样章 测量文件"
    out = io.BytesIO()
    pdf.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return out.getvalue()


def _picture(pdf: pikepdf.Pdf, noise: random.Random, size: int) -> pikepdf.Object:
    width = 1000 if size > 100_000 else 100
    height = max(1, size // width)
    return pdf.make_stream(
        noise.randbytes(width * height),
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=width,
        Height=height,
        ColorSpace=pikepdf.Name.DeviceGray,
        BitsPerComponent=8,
    )


def _add_forms(pdf: pikepdf.Pdf, page: pikepdf.Object, noise: random.Random, count: int) -> None:
    for number in range(count):
        page.Resources.XObject[f"/X{number}"] = pdf.make_stream(
            b"% " + noise.randbytes(130).hex().encode() + b"\n0.5 g 0 0 1 1 re f",
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Form,
            BBox=pikepdf.Array([0, 0, 1, 1]),
        )
