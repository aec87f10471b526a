"""印模外观: the impression as ready PDF objects, made once a seal and kept."""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from io import BytesIO

import pikepdf
from PIL import Image

from seal_service.domain.errors import IntegrityFailed
from seal_service.domain.impression import Impression
from seal_service.formats.pdf import fields, is_mapping
from seal_service.formats.pdf_update import Identity, PdfUpdate, array, dictionary, number, octets, reference, stream
from seal_service.ports.system import BlobStore
from seal_service.sealing.placement import PlacedImpression

_STEPS = {4: 16, 2: 4}
"""Bits of coverage a pixel → its steps. No eye sees more than sixteen at 300 dpi, nor more than four at twice that, and
they are what makes the file grow."""
_FINE_DPI = 500
"""From here on four steps."""


@dataclass(frozen=True, slots=True)
class InkPicture:
    """The ink as compressed image data: a palette of one colour, and its coverage as alpha."""

    width: int
    height: int
    rgb: bytes
    flat: bytes
    """Flate: one bit a pixel, all zero: the palette's only colour everywhere."""
    alpha: bytes
    """Flate: `bits` a pixel."""
    bits: int


class ImpressionPictures:
    """印模缓存: the newest pictures used, ready to write. Safe for threads."""

    def __init__(self, blobs: BlobStore, capacity: int = 64) -> None:
        self._blobs = blobs
        self._capacity = capacity
        self._ready: OrderedDict[str, InkPicture] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, impression: Impression) -> InkPicture:
        """The picture of an impression; IntegrityFailed when it is not kept any more."""
        with self._lock:
            picture = self._ready.get(impression.digest)
            if picture is not None:
                self._ready.move_to_end(impression.digest)
                return picture
        png = self._blobs.get(impression.digest)
        if png is None:
            raise IntegrityFailed("The seal's impression is not in the store", digest=impression.digest)
        picture = compress(png, bytes.fromhex(impression.ink_rgb), impression.dpi)
        with self._lock:
            self._ready[impression.digest] = picture
            while len(self._ready) > self._capacity:
                self._ready.popitem(last=False)
        return picture


def compress(png: bytes, rgb: bytes, dpi: int) -> InkPicture:
    """The picture of a PNG's alpha channel in one colour (three bytes)."""
    bits = 2 if dpi >= _FINE_DPI else 4
    highest = _STEPS[bits] - 1
    with Image.open(BytesIO(png), formats=["PNG"]) as image:
        alpha = image.convert("RGBA").getchannel("A").point([round(level / 255 * highest) for level in range(256)])
    return InkPicture(
        width=alpha.width,
        height=alpha.height,
        rgb=rgb,
        flat=_flate(bytes((alpha.width + 7) // 8 * alpha.height)),
        alpha=_flate(_packed(alpha, bits)),
        bits=bits,
    )


def _flate(samples: bytes) -> bytes:
    """As small as zlib can make them: it is done once a seal."""
    packing = zlib.compressobj(level=9, memLevel=9)
    return packing.compress(samples) + packing.flush()


def _packed(levels: Image.Image, bits: int) -> bytes:
    """Samples of fewer than eight bits, each row to whole bytes (ISO 32000-2, 8.9.5.2)."""
    samples, width = levels.tobytes(), levels.width
    each = 8 // bits
    packed = bytearray()
    for row in range(levels.height):
        line = samples[row * width : (row + 1) * width]
        line += bytes(-width % each)
        parts = [line[first::each] for first in range(each)]
        packed += bytes(
            sum(sample << (8 - bits * (place + 1)) for place, sample in enumerate(group))
            for group in zip(*parts, strict=True)
        )
    return bytes(packed)


def add_appearance(pdf: pikepdf.Pdf, update: PdfUpdate, picture: InkPicture, placed: PlacedImpression) -> Identity:
    """Write the appearance stream: the ink in its true size, multiplied with what lies below so that text shows.

    A further seal of the same impression refers to the picture that is there.
    """
    image = _present(pdf, picture) or _add_image(update, picture)
    width, height = number(placed.width), number(placed.height)
    resources = {
        "/XObject": dictionary({"/Ink": reference(image)}),
        "/ExtGState": dictionary({"/Multiply": b"<</BM/Multiply>>"}),
    }
    form = {
        "/Type": b"/XObject",
        "/Subtype": b"/Form",
        "/BBox": array([number(0), number(0), width, height]),
        "/Matrix": array(number(entry) for entry in placed.matrix),
        "/Resources": dictionary(resources),
    }
    return update.add(stream(form, b"q /Multiply gs %s 0 0 %s 0 0 cm /Ink Do Q" % (width, height)))


def _add_image(update: PdfUpdate, picture: InkPicture) -> Identity:
    mask = update.add(stream(_entries(picture, b"/DeviceGray", picture.bits), picture.alpha))
    return update.add(stream(_entries(picture, _palette(picture), 1) | {"/SMask": reference(mask)}, picture.flat))


def _palette(picture: InkPicture) -> bytes:
    return array([b"/Indexed", b"/DeviceRGB", b"0", octets(picture.rgb)])


def _entries(picture: InkPicture, colour_space: bytes, bits: int) -> dict[str, bytes]:
    return {
        "/Type": b"/XObject",
        "/Subtype": b"/Image",
        "/Width": b"%d" % picture.width,
        "/Height": b"%d" % picture.height,
        "/ColorSpace": colour_space,
        "/BitsPerComponent": b"%d" % bits,
        "/Filter": b"/FlateDecode",
    }


def _present(pdf: pikepdf.Pdf, picture: InkPicture) -> Identity | None:
    """The same picture in the appearance of an earlier seal, equal in every entry and byte."""
    for _, node, kind in fields(pdf):
        value: object = node
        for key in ("/AP", "/N", "/Resources", "/XObject", "/Ink") if kind == "/Sig" else ():
            value = value.get(key) if is_mapping(value) else None
        if isinstance(value, pikepdf.Stream) and value.is_indirect and _is_same(value, picture):
            return value.objgen
    return None


def _is_same(image: pikepdf.Stream, picture: InkPicture) -> bool:
    mask = image.get("/SMask")
    return (
        isinstance(mask, pikepdf.Stream)
        and _is(image, _entries(picture, _palette(picture), 1), picture.flat, {"/SMask"})
        and _is(mask, _entries(picture, b"/DeviceGray", picture.bits), picture.alpha, set())
    )


def _is(found: pikepdf.Stream, entries: dict[str, bytes], content: bytes, further: set[str]) -> bool:
    ours = pikepdf.Object.parse(dictionary(entries))
    held = found.stream_dict
    return (
        set(held.keys()) == {*entries, "/Length", *further}
        and all(held[key] == ours[key] for key in entries)
        and found.read_raw_bytes() == content
    )
