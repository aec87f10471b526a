"""The impression on the rendered page: where it was asked for, upright, in its true size, text below it visible."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from io import BytesIO

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops

from seal_service.domain.placement import Placement
from seal_service.domain.use import SignatureLevel
from seal_service.domain.verdict import Indication
from seal_service.formats.pdf import open_pdf, shown_page
from seal_service.formats.upload import upload_of
from seal_service.pki.trust import InstanceTrustStore
from seal_service.ports.documents import VerificationPolicy
from seal_service.testing.isolation import InProcess
from seal_service.verification.verifier import Verifier
from tests.sealing_infrastructure import der
from tests.sealing_world import SEAL_MM, World, another_intent, document

TOLERANCE_MM = 0.3
PIXELS_PER_MM = 8
Box = tuple[float, float, float, float]

BOXES: tuple[tuple[Box, Box | None], ...] = (
    ((0, 0, 595.276, 841.89), None),
    ((0, 0, 595.276, 841.89), (100, 150, 480, 700)),
    ((-50, 30, 600, 700), (-100, 100, 500, 650)),
    ((600, 842, 0, 0), None),
)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def render(content: bytes, page: int = 1) -> tuple[Image.Image, float, float, float]:
    """The page as a program shows it, its size in mm by its boxes, and pixels per mm."""
    with open_pdf(content) as pdf:
        shown = shown_page(pdf.pages[page - 1].obj)
    with pypdfium2.PdfDocument(content) as opened:
        opened.init_forms()  # without it, widgets are not drawn
        drawn = opened[page - 1]
        scale = PIXELS_PER_MM * shown.width_mm / drawn.get_width()
        picture = drawn.render(scale=scale).to_pil().convert("RGB")
    return picture, shown.width_mm, shown.height_mm, picture.width / shown.width_mm


def ink_box(picture: Image.Image) -> tuple[int, int, int, int]:
    """The bounding box of what is red."""
    red, green, _ = picture.split()
    box = ImageChops.subtract(red, green).point([0] * 100 + [255] * 156).getbbox()
    assert box is not None, "no ink on the page"
    return box


def check_upright(picture: Image.Image, box: tuple[int, int, int, int]) -> None:
    """The mark of the test's impression lies in its upper left corner, and in no other one."""
    left, upper, right, lower = box
    edge = (right - left) // 25
    corners = {
        "upper left": (left + edge, upper + edge),
        "upper right": (right - edge, upper + edge),
        "lower left": (left + edge, lower - edge),
        "lower right": (right - edge, lower - edge),
    }
    inked = [name for name, point in corners.items() if _green(picture, point) < 128]
    assert inked == ["upper left"]


def _green(picture: Image.Image, point: tuple[int, int]) -> int:
    pixel = picture.getpixel(point)
    assert isinstance(pixel, tuple)
    return int(pixel[1])


def cases() -> Iterator[tuple[int, Box, Box | None, float | None]]:
    for rotation, (media, crop) in itertools.product((0, 90, 180, 270, -90, 450), BOXES):
        yield rotation, media, crop, None
    yield from ((rotation, *BOXES[1], 2.5) for rotation in (0, 90, 180, 270))


@pytest.mark.parametrize(("rotation", "media", "crop", "user_unit"), list(cases()))
def test_the_impression_lies_where_it_was_asked_for_upright_and_in_true_size(
    world: World, rotation: int, media: Box, crop: Box | None, user_unit: float | None
) -> None:
    content = document(media_box=media, crop_box=crop, rotate=rotation, user_unit=user_unit)
    sealed = world.seal(content, Placement(page=1, x_mm=31.5, y_mm=62.25))
    picture, width_mm, height_mm, scale = render(sealed.content)
    assert picture.height / scale == pytest.approx(height_mm, abs=TOLERANCE_MM)
    box = ink_box(picture)
    measured = [side / scale for side in (box[0], box[1], box[2] - box[0], box[3] - box[1])]
    assert measured == pytest.approx([31.5, 62.25, SEAL_MM, SEAL_MM], abs=TOLERANCE_MM)
    check_upright(picture, box)
    assert width_mm > 31.5 + SEAL_MM


def test_inherited_page_attributes_are_heeded(world: World) -> None:
    content = document(media_box=(0, 0, 100, 100))
    with pikepdf.open(BytesIO(content)) as pdf:
        page, pages = pdf.pages[0].obj, pdf.Root.Pages
        del page["/MediaBox"]
        pages.MediaBox = pikepdf.Array([0, 0, 842, 595])
        pages.CropBox = pikepdf.Array([20, 30, 700, 500])
        pages.Rotate = 90
        out = BytesIO()
        pdf.save(out)
    sealed = world.seal(out.getvalue(), Placement(page=1, x_mm=12, y_mm=34))
    picture, width_mm, height_mm, scale = render(sealed.content)
    assert (width_mm, height_mm) == pytest.approx((470 * 25.4 / 72, 680 * 25.4 / 72))
    box = ink_box(picture)
    assert [box[0] / scale, box[1] / scale] == pytest.approx([12, 34], abs=TOLERANCE_MM)
    check_upright(picture, box)


def test_an_oblong_impression_keeps_its_sides() -> None:
    world = World(width_mm=40, height_mm=30)
    for rotation in (0, 90):
        sealed = world.seal(document(rotate=rotation), Placement(page=1, x_mm=20, y_mm=20))
        picture, _, _, scale = render(sealed.content)
        left, upper, right, lower = ink_box(picture)
        assert [(right - left) / scale, (lower - upper) / scale] == pytest.approx([40, 30], abs=TOLERANCE_MM)


def test_black_text_below_the_ink_stays_black_and_the_paper_white(world: World) -> None:
    sealed = world.seal(
        document(content=b"0 g 0 0 300 841 re f"), Placement(page=1, x_mm=300 * 25.4 / 72 - SEAL_MM / 2, y_mm=100)
    )
    picture, _, _, scale = render(sealed.content)
    middle_x, middle_y = 300 * 25.4 / 72, 100 + SEAL_MM / 2
    on_black = picture.getpixel((int((middle_x - 2) * scale), int(middle_y * scale)))
    on_white = picture.getpixel((int((middle_x + 2) * scale), int(middle_y * scale)))
    assert on_black == (0, 0, 0), "the star's ink multiplied with black"
    assert on_white == (0xD7, 0x00, 0x0F), "the star's ink on white paper"
    beside = picture.getpixel((int((middle_x + 10) * scale), int((middle_y - 2) * scale)))
    assert beside == (255, 255, 255), "no paper comes with the ink"


def test_the_last_page_is_sealed_by_default_and_the_others_look_as_before(world: World) -> None:
    content = document(pages=3, content=b"0.5 g 10 10 50 50 re f")
    sealed = world.seal(content)
    for page in (1, 2):
        assert ImageChops.difference(render(content, page)[0], render(sealed.content, page)[0]).getbbox() is None
    assert ink_box(render(sealed.content, 3)[0])


@pytest.mark.parametrize("page", [1, 2, 3])
def test_pages_that_share_an_array_of_annotations_do_not_share_the_seal(world: World, page: int) -> None:
    def share(pdf: pikepdf.Pdf) -> None:
        link = pdf.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=pikepdf.Array([0, 0, 9, 9]))
        )
        shared = pdf.make_indirect(pikepdf.Array([link]))
        for one in pdf.pages:
            one.obj.Annots = shared
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=shared)

    content = document(pages=3, content=b"0.5 g 10 10 50 50 re f", change=share)
    sealed = world.seal(content, Placement(page=page), level=SignatureLevel.B_LTA)
    again = world.seal(sealed.content, Placement(page=page, x_mm=20, y_mm=20), intent=another_intent(1)).content
    for other in {1, 2, 3} - {page}:
        before = render(content, other)[0]
        assert ImageChops.difference(before, render(sealed.content, other)[0]).getbbox() is None
        assert ImageChops.difference(before, render(again, other)[0]).getbbox() is None
    assert ink_box(render(sealed.content, page)[0])
    with open_pdf(again) as pdf:
        assert [len(one.obj.Annots) for one in pdf.pages] == [4 if number == page else 1 for number in (1, 2, 3)]
    trust = InstanceTrustStore(None, [der(world.infrastructure.root)], [der(world.infrastructure.root)])
    verifier = Verifier(trust=trust, revocation=world.infrastructure, isolation=InProcess(), clock=world.clock)
    report = verifier.verify(upload_of(again), VerificationPolicy())
    seals = [one for one in report.signatures if one.kind == "pades"]
    assert [one.indication for one in seals] == [Indication.TOTAL_PASSED] * 2
