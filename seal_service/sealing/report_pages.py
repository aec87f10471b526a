"""报告版面: a report as PDF pages, its font embedded, so that every reader shows the same characters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seal_service.domain.errors import InvalidInput
from seal_service.ports.reporting import Facts, Report, ReportSection, ReportTable

if TYPE_CHECKING:
    from fpdf import FPDF

FAMILY = "report"
_FONTS = (b"\0\1\0\0", b"OTTO", b"true", b"ttcf")
"""How a TrueType or OpenType font, or a collection of them, begins."""
_MARGIN_MM = 18
_LINE_MM = 5.2
_LABEL_MM = 38
_GREY = (110, 110, 110)
_RULED = (200, 200, 200)


def supplied_font() -> Path:
    """Noto Sans SC, which is installed with the service."""
    from pylopdf_fonts_zh_cn import sans_path

    return Path(sans_path())


def print_report(report: Report, font: Path) -> bytes:
    """The pages; InvalidInput for a file that is no font. A character that the font does not have is named instead."""
    from fontTools.ttLib import TTLibError  # with the first report: it takes half a second

    pdf = _opened(report)
    try:
        with font.open("rb") as file:
            if file.read(4) not in _FONTS:
                raise ValueError("neither TrueType nor OpenType")
        pdf.add_font(FAMILY, "", font)
    except (OSError, TTLibError, ValueError, KeyError) as error:
        raise InvalidInput(
            f"SEAL_REPORT_FONT names no font that can be embedded: {font}", field="report_font"
        ) from error
    pages = _Pages(pdf)
    pages.begin(report.title)
    pages.facts(report.facts)
    for section in report.sections:
        pages.section(section)
    pages.closing(report.closing)
    return bytes(pdf.output())


def _opened(report: Report) -> FPDF:
    from fpdf import FPDF

    class Numbered(FPDF):
        """Pages with their number at the foot."""

        def footer(self) -> None:
            """第 n 页，共 m 页."""
            self.set_y(-12)
            self.set_font(FAMILY, size=8)
            self.set_text_color(*_GREY)
            self.cell(0, 6, f"{report.title}　第 {self.page_no()} 页，共 {{nb}} 页", align="C")

    pdf = Numbered(format="A4")
    pdf.set_margins(_MARGIN_MM, _MARGIN_MM)
    pdf.set_auto_page_break(auto=True, margin=_MARGIN_MM)
    pdf.set_title(report.title)
    pdf.set_lang("zh-CN")
    pdf.set_producer("seal-service")
    pdf.set_creation_date(report.at)
    return pdf


class _Pages:
    """Writes one part below the other."""

    def __init__(self, pdf: FPDF) -> None:
        from fpdf.enums import WrapMode

        self._pdf = pdf
        self._anywhere = WrapMode.CHAR
        self._known = frozenset(pdf.fonts[FAMILY].cmap)  # type: ignore[union-attr]

    def begin(self, title: str) -> None:
        """The first page, with its title."""
        self._pdf.add_page()
        self._size(18)
        self._pdf.multi_cell(0, 12, self._shown(title), align="C", new_x="LMARGIN", new_y="NEXT")
        self._pdf.ln(3)

    def facts(self, facts: Facts) -> None:
        """Label and value, one below the other."""
        self._size(9.5)
        for label, value in facts:
            if self._pdf.will_page_break(_LINE_MM):
                self._pdf.add_page()
            top = self._pdf.get_y()
            self._pdf.set_text_color(*_GREY)
            self._pdf.multi_cell(_LABEL_MM, _LINE_MM, self._shown(label), align="L", new_x="RIGHT", new_y="TOP")
            self._pdf.set_text_color(0)
            self._pdf.set_xy(_MARGIN_MM + _LABEL_MM, top)
            # A long value without spaces, such as a digest, is broken wherever the line ends.
            self._pdf.multi_cell(
                0, _LINE_MM, self._shown(value), align="L", wrapmode=self._anywhere, new_x="LMARGIN", new_y="NEXT"
            )

    def section(self, section: ReportSection) -> None:
        """Heading, facts, table; a table without rows says so."""
        self._pdf.ln(3)
        if self._pdf.will_page_break(4 * _LINE_MM):
            self._pdf.add_page()
        self._size(12)
        self._pdf.multi_cell(0, 7, self._shown(section.title), align="L", new_x="LMARGIN", new_y="NEXT")
        self.facts(section.facts)
        if section.table is not None:
            self._table(section.table)

    def closing(self, text: str) -> None:
        """What a reader is told at the end."""
        self._pdf.ln(5)
        self._size(8.5)
        self._pdf.set_text_color(*_GREY)
        self._pdf.multi_cell(
            0, 4.6, self._shown(text), align="L", wrapmode=self._anywhere, new_x="LMARGIN", new_y="NEXT"
        )

    def _table(self, table: ReportTable) -> None:
        if not table.rows:
            self.facts((("", "（无）"),))
            return
        from fpdf.fonts import FontFace

        self._size(8)
        self._pdf.set_draw_color(*_RULED)
        with self._pdf.table(
            col_widths=tuple(share for _, share in table.columns),
            headings_style=FontFace(fill_color=(240, 240, 240)),
            line_height=4.4,
            padding=0.6,
            text_align="LEFT",
            wrapmode=self._anywhere,
        ) as printed:
            for row in (tuple(title for title, _ in table.columns), *table.rows):
                printed.row([self._shown(cell) for cell in row])

    def _size(self, points: float) -> None:
        self._pdf.set_font(FAMILY, size=points)
        self._pdf.set_text_color(0)

    def _shown(self, text: str) -> str:
        """The text with what the font lacks, and what would move the pen, named by its code point."""
        return "".join(
            one if ord(one) in self._known and one.isprintable() else f"〔U+{ord(one):04X}〕" for one in text
        )
