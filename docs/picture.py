"""`python docs/picture.py demo-output/sealed.pdf`: the README's picture, the last page that carries a seal."""

from __future__ import annotations

import sys
from pathlib import Path

import pypdfium2

TARGET = Path(__file__).parent / "images" / "sealed-page.png"
DOTS_PER_INCH = 96
WIDGET = pypdfium2.raw.FPDF_ANNOT_WIDGET


def sealed_page(document: pypdfium2.PdfDocument) -> pypdfium2.PdfPage:
    """The last page with a signature field's widget; LookupError without one."""
    for number in range(len(document) - 1, -1, -1):
        page = document[number]
        for index in range(pypdfium2.raw.FPDFPage_GetAnnotCount(page)):
            annotation = pypdfium2.raw.FPDFPage_GetAnnot(page, index)
            if pypdfium2.raw.FPDFAnnot_GetSubtype(annotation) == WIDGET:
                return page
    raise LookupError("no page carries a seal")


def main(path: Path) -> None:
    """Render the page, with what its fields show, into the picture."""
    document = pypdfium2.PdfDocument(path)
    document.init_forms()
    picture = sealed_page(document).render(scale=DOTS_PER_INCH / 72).to_pil()
    picture.quantize(colors=128).save(TARGET, optimize=True)
    sys.stdout.write(f"{TARGET}: {TARGET.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
