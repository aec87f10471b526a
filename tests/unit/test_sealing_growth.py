"""文件增长: how much larger a seal makes a document, and that a further one of the same seal uses its picture again."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from seal_service.sealing.appearance import compress
from tests.sealing_world import World, document

IMPRESSIONS = sorted((Path(__file__).parents[2] / "examples" / "impressions").glob("*.png"))


@pytest.mark.parametrize("name", [one.stem for one in IMPRESSIONS])
def test_a_visible_seal_of_600_dpi_takes_at_most_25_kibibytes(name: str) -> None:
    png = next(one for one in IMPRESSIONS if one.stem == name).read_bytes()
    world = World()
    impression = world.impression
    world.impression = type(impression)(
        digest=world.blobs.put(png), width_mm=42.0, height_mm=42.0, dpi=600, ink_rgb=impression.ink_rgb
    )
    assert len(world.seal(document()).appended) <= 25 * 1024


def test_a_further_seal_refers_to_the_picture_that_is_there() -> None:
    world = World()
    first = world.seal(document())
    second = world.seal(first.content)
    assert len(second.appended) < 10_000
    with pikepdf.open(BytesIO(second.content)) as pdf:
        images = {one.AP.N.Resources.XObject.Ink.objgen for one in pdf.Root.AcroForm.Fields}
        assert len(images) == 1


def test_a_picture_that_is_another_is_not_referred_to() -> None:
    world = World()
    first = world.seal(document()).content
    spoilt = first.replace(b"/Width 992", b"/Width 991", 1)
    assert spoilt != first
    assert len(world.seal(spoilt).appended) > 10_000


@pytest.mark.parametrize(("dpi", "bits"), [(300, 4), (600, 2)])
@pytest.mark.parametrize("width", [1, 5, 8, 17])
def test_coverage_is_kept_in_steps_that_the_resolution_shows(dpi: int, bits: int, width: int) -> None:
    alpha = Image.linear_gradient("L").resize((width, 256))
    picture = Image.new("RGBA", alpha.size, (215, 0, 15, 0))
    picture.putalpha(alpha)
    out = BytesIO()
    picture.save(out, "PNG")
    compressed = compress(out.getvalue(), b"\xd7\x00\x0f", dpi)
    assert compressed.bits == bits
    pdf = pikepdf.new()
    mask = pikepdf.Stream(pdf, b"")
    mask.write(compressed.alpha, filter=pikepdf.Name.FlateDecode)
    mask.stream_dict = pikepdf.Dictionary(
        Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=width, Height=256, BitsPerComponent=bits,
        ColorSpace=pikepdf.Name.DeviceGray, Filter=pikepdf.Name.FlateDecode,
    )  # fmt: skip
    shown = pikepdf.PdfImage(mask).as_pil_image().convert("L")
    furthest = max(abs(a - b) for a, b in zip(shown.tobytes(), alpha.tobytes(), strict=True))
    assert furthest <= 255 / (2**bits - 1) / 2 + 1
