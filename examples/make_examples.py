"""Make the shipped example files again: a Chinese PDF of several pages, and three demonstration impressions.

    pip install '.[examples]'    # and Debian's package fonts-noto-cjk
    python examples/make_examples.py

The same versions of the tools give the same bytes.
"""

from __future__ import annotations

import argparse
import html
import math
import os
import re
import tempfile
from datetime import datetime
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont

HERE = Path(__file__).parent
FONTS = Path("/usr/share/fonts/opentype/noto")
SIMPLIFIED_CHINESE = 2
"""Index within Noto's font collections."""

UNITS = ("示例市政务服务管理办公室", "示例市市场监督管理局")
IMPRESSIONS = {
    "government-service-office": UNITS[0],
    "market-supervision-bureau": UNITS[1],
    "certificate-query": "示例市电子证照查询专用章",
}

MADE_AT = "2026-01-01T00:00:00Z"
FACES = (
    ("Example Serif", "normal", "NotoSerifCJK-Regular.ttc"),
    ("Example Serif", "bold", "NotoSerifCJK-Bold.ttc"),
    ("Example Sans", "normal", "NotoSansCJK-Regular.ttc"),
)

# --- the document -------------------------------------------------------------------------------------------------

STYLE = """
@page {
  size: A4; margin: 37mm 26mm 35mm 28mm;  /* GB/T 9704-2012, 5.2: 天头 37, 订口 28, 版心 156 × 225 mm */
  @top-center { content: "演示文本　仅用于演示电子印章服务，不具有公文效力"; font: 9pt "Example Sans"; color: #8a8a8a;
                vertical-align: bottom; padding-bottom: 9mm }
  @bottom-left { font: 14pt "Example Serif"; vertical-align: top; padding-top: 6mm; padding-left: 5mm }
  @bottom-right { font: 14pt "Example Serif"; vertical-align: top; padding-top: 6mm; padding-right: 5mm }
}
@page :right { @bottom-right { content: "— " counter(page) " —" } }
@page :left { @bottom-left { content: "— " counter(page) " —" } }
/* 5.2.2, 5.2.3: 三号, 22 lines of 28 characters */
html { font: 5.571mm/10.2mm "Example Serif"; font-variant-east-asian: normal; color: black }
body { margin: 0 }
p { margin: 0; text-indent: 2em; text-align: justify; text-justify: inter-character; orphans: 1; widows: 1 }
h1 { font: bold 22pt/13mm "Example Serif"; text-align: center; margin: 0 0 4mm; text-wrap: balance }
h1.attachment { margin-top: 10.2mm }
h2 { font: 5.571mm/10.2mm "Example Sans"; text-align: center; margin: 0; break-after: avoid }
b { font: 5.571mm/10.2mm "Example Sans"; font-weight: normal }
.number { text-align: center; text-indent: 0; margin-bottom: 10.2mm }
.addressee { text-indent: 0 }
.signature { text-align: right; text-indent: 0; padding-right: 2em; break-before: avoid; margin-top: 10.2mm }
.date { padding-right: 4em; margin-top: 0 }
.closing { break-inside: avoid; margin-top: 10.2mm }
.closing p { text-indent: 0; font-family: "Example Sans"; font-size: 12pt; text-align: center; color: #555 }
.seals { display: flex }
.seals div { width: 50%; height: 70mm; text-align: center; display: flex; flex-direction: column;
             justify-content: center }
.seals span { display: block; line-height: 8.2mm }
"""


def document_html(text: str) -> str:
    """The regulation, one paragraph a line, as HTML with headings, and a closing block for two seals."""
    title, number, addressee, *rest = text.splitlines()
    parts = [
        f"<h1>{_title(title)}</h1>",
        f"<p class=number>{number}</p>",
        f"<p class=addressee>{addressee}</p>",
    ]
    for line in rest[:-2]:
        if re.match(r"第[一二三四五六七八九十]+章", line):
            parts.append(f"<h2>{line.replace(' ', '　')}</h2>")
        elif article := re.match(r"(第[一二三四五六七八九十]+条)　(.*)", line):
            parts.append(f"<p><b>{article[1]}</b>　{html.escape(article[2])}</p>")
        elif line.endswith("管理办法（试行）"):
            parts.append(f"<h1 class=attachment>{_title(line)}</h1>")
        else:
            parts.append(f"<p>{html.escape(line)}</p>")
    parts.append(f"<p class=signature>{rest[-2]}</p><p class='signature date'>{rest[-1]}</p>")
    seals = "".join(f"<div><span>{unit}</span><span>（盖章）</span></div>" for unit in UNITS)
    parts.append(f"<div class=closing><p>申请单位（均为虚构，供演示盖章）：</p><div class=seals>{seals}</div></div>")
    return (
        f"<!doctype html><html lang=zh-CN><head><meta charset=utf-8><title>{title}（演示文本）</title>"
        f'<meta name=dcterms.created content="{MADE_AT}"><meta name=author content="示例市（虚构）">'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _title(line: str) -> str:
    """Lines of a title break between words (GB/T 9704-2012, 7.3.1: 词意完整)."""
    words = (
        "市政府办公室关于印发",
        "连云港市一体化在线政务服务平台",
        "电子印章管理办法（试行）的通知",
        "电子印章管理办法（试行）",
    )
    lines = [word for word in words[:3] if word in line] if line.endswith("通知") else [words[1], words[3]]
    assert "".join(lines) == line
    return "<br>".join(lines)


def font_face(family: str, weight: str, file: str, characters: str, folder: Path) -> str:
    """A font reduced to some characters: what the PDF library embeds of a whole CJK font is ten times as much."""
    from fontTools import subset

    options = subset.Options(
        font_number=SIMPLIFIED_CHINESE, layout_features=[], name_languages=["*"], notdef_outline=True
    )
    options.drop_tables += ["BASE", "VORG", "vhea", "vmtx"]
    font = subset.load_font(FONTS / file, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=characters)
    subsetter.subset(font)
    target = folder / f"{family} {weight}.otf"
    subset.save_font(font, target, options)
    return f'@font-face {{ font-family: "{family}"; font-weight: {weight}; src: url("{target.as_uri()}") }}'


def make_document(target: Path) -> None:
    """The PDF: A4, tagged, fonts embedded as subsets, no scripts."""
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    page = document_html((HERE / "regulation.txt").read_text(encoding="utf-8"))
    characters = "".join(sorted(set(page)))
    fonts = FontConfiguration()
    with tempfile.TemporaryDirectory() as folder:
        faces = "".join(font_face(*face, characters, Path(folder)) for face in FACES)
        HTML(string=page).write_pdf(
            target,
            stylesheets=[CSS(string=faces, font_config=fonts)],
            font_config=fonts,
            pdf_tags=True,
            pdf_identifier=b"seal-service-example-regulation",
        )


# --- the impressions ----------------------------------------------------------------------------------------------

DPI = 600
DIAMETER_MM = 42.0
MARGIN_MM = 1.0
OVERSAMPLING = 4
RED = (218, 20, 28)
LEVELS = 16
"""Of transparency: enough for smooth edges, and four bits a pixel."""


def _pixels(millimetres: float) -> float:
    return millimetres / 25.4 * DPI * OVERSAMPLING


def _glyph(character: str, width_mm: float, height_mm: float) -> Image.Image:
    """One character, its ink fitted into a box in proportion to the font's square, as a mask."""
    size = 800
    font = ImageFont.truetype(FONTS / "NotoSerifCJK-Bold.ttc", size, index=SIMPLIFIED_CHINESE)
    square = Image.new("L", (size, size), 0)
    ImageDraw.Draw(square).text((size / 2, size / 2), character, font=font, fill=255, anchor="mm")
    return square.resize((round(_pixels(width_mm)), round(_pixels(height_mm))), Image.Resampling.LANCZOS)


def impression_coverage(name: str) -> Image.Image:
    """A round seal: ring, the name along its arc, 样章 in the middle; neither star nor emblem."""
    side = round(_pixels(DIAMETER_MM + 2 * MARGIN_MM))
    side -= side % OVERSAMPLING
    centre = side / 2
    coverage = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(coverage)
    radius, stroke = _pixels(DIAMETER_MM / 2), _pixels(1.2)
    draw.ellipse((centre - radius, centre - radius, centre + radius, centre + radius), outline=255, width=round(stroke))

    height_mm, width_mm = 6.4, 4.6
    baseline = _pixels(DIAMETER_MM / 2 - 1.2 - 1.1 - height_mm / 2)
    step = min(24.0, 250.0 / (len(name) - 1))
    for position, character in enumerate(name):
        degrees = (position - (len(name) - 1) / 2) * step
        glyph = _glyph(character, width_mm, height_mm)
        turned = glyph.rotate(-degrees, Image.Resampling.BICUBIC, expand=True)
        x = centre + baseline * math.sin(math.radians(degrees)) - turned.width / 2
        y = centre - baseline * math.cos(math.radians(degrees)) - turned.height / 2
        _add(coverage, turned, round(x), round(y))

    for position, character in enumerate("样章"):
        glyph = _glyph(character, 8.4, 8.4)
        _add(
            coverage,
            glyph,
            round(centre + (position - 1) * _pixels(8.9) + _pixels(0.25)),
            round(centre - glyph.height / 2),
        )
    return coverage.resize((side // OVERSAMPLING, side // OVERSAMPLING), Image.Resampling.BOX)


def _add(coverage: Image.Image, glyph: Image.Image, x: int, y: int) -> None:
    box = (x, y, x + glyph.width, y + glyph.height)
    coverage.paste(ImageChops.lighter(coverage.crop(box), glyph), box)


def make_impression(name: str, target: Path) -> None:
    """A PNG of one red, with a palette that runs from transparent to opaque."""
    top = LEVELS - 1
    levels = impression_coverage(name).point([round(level * top / 255) for level in range(256)])
    picture = Image.frombytes("P", levels.size, levels.tobytes())
    picture.putpalette(RED * LEVELS)
    picture.save(
        target,
        "PNG",
        bits=4,
        optimize=True,
        dpi=(DPI, DPI),
        transparency=bytes(round(level * 255 / top) for level in range(LEVELS)),
    )


def main() -> None:
    """Write all files, into this folder or another."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--into", type=Path, default=HERE)
    into: Path = parser.parse_args().into
    os.environ["SOURCE_DATE_EPOCH"] = str(round(datetime.fromisoformat(MADE_AT).timestamp()))  # inside fonts
    (into / "impressions").mkdir(parents=True, exist_ok=True)
    make_document(into / "regulation.pdf")
    for file, name in IMPRESSIONS.items():
        make_impression(name, into / "impressions" / f"{file}.png")


if __name__ == "__main__":
    main()
