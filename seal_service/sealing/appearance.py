"""印模外观: the impression as ready PDF objects, made once a seal and kept."""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from io import BytesIO

from PIL import Image
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.writer import BasePdfFileWriter

from seal_service.domain.errors import IntegrityFailed
from seal_service.domain.impression import Impression
from seal_service.ports.system import BlobStore
from seal_service.sealing.placement import PlacedImpression

_COMPRESSION = 9
_STEP = 17
"""Coverage is kept in sixteen steps: no eye sees more at 300 dpi and above, and it halves the file's growth."""


@dataclass(frozen=True, slots=True)
class InkPicture:
    """The ink as compressed image data: a palette of one colour, and its coverage as alpha."""

    width: int
    height: int
    rgb: bytes
    flat: bytes
    """Flate: one bit a pixel, all zero: the palette's only colour everywhere."""
    alpha: bytes
    """Flate: eight bits a pixel."""


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
        picture = compress(png, bytes.fromhex(impression.ink_rgb))
        with self._lock:
            self._ready[impression.digest] = picture
            while len(self._ready) > self._capacity:
                self._ready.popitem(last=False)
        return picture


def compress(png: bytes, rgb: bytes) -> InkPicture:
    """The picture of a PNG's alpha channel in one colour (three bytes)."""
    with Image.open(BytesIO(png), formats=["PNG"]) as image:
        alpha = image.convert("RGBA").getchannel("A").point([round(level / _STEP) * _STEP for level in range(256)])
    row = (alpha.width + 7) // 8
    return InkPicture(
        width=alpha.width,
        height=alpha.height,
        rgb=rgb,
        flat=zlib.compress(bytes(row * alpha.height), _COMPRESSION),
        alpha=zlib.compress(alpha.tobytes(), _COMPRESSION),
    )


def add_appearance(writer: BasePdfFileWriter, picture: InkPicture, placed: PlacedImpression) -> generic.IndirectObject:
    """Write the appearance stream: the ink in its true size, multiplied with what lies below so that text shows."""
    mask = _image(picture, pdf_name("/DeviceGray"), 8, picture.alpha)
    palette = generic.ArrayObject(
        [pdf_name("/Indexed"), pdf_name("/DeviceRGB"), generic.NumberObject(0), generic.ByteStringObject(picture.rgb)]
    )
    image = _image(picture, palette, 1, picture.flat)
    image["/SMask"] = writer.add_object(mask)
    width, height = _number(placed.width), _number(placed.height)
    state = generic.DictionaryObject({pdf_name("/BM"): pdf_name("/Multiply")})
    form = generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): generic.ArrayObject([_number(0), _number(0), width, height]),
            pdf_name("/Matrix"): generic.ArrayObject([_number(entry) for entry in placed.matrix]),
            pdf_name("/Resources"): generic.DictionaryObject(
                {
                    pdf_name("/XObject"): generic.DictionaryObject({pdf_name("/Ink"): writer.add_object(image)}),
                    pdf_name("/ExtGState"): generic.DictionaryObject({pdf_name("/Multiply"): state}),
                }
            ),
        },
        stream_data=f"q /Multiply gs {width} 0 0 {height} 0 0 cm /Ink Do Q".encode("ascii"),
    )
    return writer.add_object(form)


def _image(picture: InkPicture, colour_space: generic.PdfObject, bits: int, encoded: bytes) -> generic.StreamObject:
    return generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Image"),
            pdf_name("/Width"): generic.NumberObject(picture.width),
            pdf_name("/Height"): generic.NumberObject(picture.height),
            pdf_name("/ColorSpace"): colour_space,
            pdf_name("/BitsPerComponent"): generic.NumberObject(bits),
            pdf_name("/Filter"): pdf_name("/FlateDecode"),
        },
        encoded_data=encoded,
    )


def _number(value: float) -> generic.FloatObject:
    return generic.FloatObject(f"{value:.4f}")
