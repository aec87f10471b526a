"""报告版面: Chinese text, rare characters and whatever people wrote, on pages that every reader shows alike."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from seal_service.domain.errors import InvalidInput
from seal_service.ports.reporting import Report, ReportSection, ReportTable
from seal_service.sealing.report_pages import print_report, supplied_font

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)


def report(*facts: tuple[str, str], rows: int = 0) -> Report:
    table = ReportTable(columns=(("条目", 40), ("杂凑值", 60)), rows=tuple((str(n), "ab" * 32) for n in range(rows)))
    section = ReportSection(title="用印", facts=facts, table=table)
    return Report(
        title="电子印章溯源报告", facts=(("日志", "seal.example/log"),), sections=(section,), closing="完", at=AT
    )


def text_of(pages: bytes) -> str:
    document = pypdfium2.PdfDocument(pages)
    try:
        return "".join(page.get_textpage().get_text_bounded() for page in document).replace("\r\n", "")
    finally:
        document.close()


def test_names_of_people_and_units_can_be_read_and_searched() -> None:
    written = text_of(print_report(report(("责任人", "龘䶮"), ("单位", "示例市政务服务管理办公室")), supplied_font()))
    for expected in ("电子印章溯源报告", "龘䶮", "示例市政务服务管理办公室", "第 1 页，共 1 页"):
        assert expected in written


@pytest.mark.parametrize(
    ("name", "shown"),
    [("𠮷田", "〔U+20BB7〕田"), ("a\u202eb", "a〔U+202E〕b"), ("a\nb", "a〔U+000A〕b"), ("\0", "〔U+0000〕")],
)
def test_what_the_font_lacks_or_would_turn_the_text_around_is_named(name: str, shown: str) -> None:
    assert shown in text_of(print_report(report(("责任人", name)), supplied_font()))


def test_the_font_is_within_and_nothing_active_is() -> None:
    with pikepdf.open(io.BytesIO(print_report(report(rows=3), supplied_font()))) as pdf:
        (font,) = pdf.pages[0].Resources.Font.values()
        descriptor = font.DescendantFonts[0].FontDescriptor
        assert any(name in descriptor for name in ("/FontFile2", "/FontFile3"))
        assert not {"/AA", "/AcroForm", "/Names"} & set(pdf.Root.keys())
        assert isinstance(pdf.Root.get("/OpenAction", pikepdf.Array()), pikepdf.Array), "a place, which is no action"


def test_a_long_table_goes_on_over_pages_that_are_counted() -> None:
    pages = print_report(report(rows=120), supplied_font())
    with pikepdf.open(io.BytesIO(pages)) as pdf:
        count = len(pdf.pages)
    assert count > 2
    assert f"第 {count} 页，共 {count} 页" in text_of(pages)


def test_the_same_report_is_the_same_pages() -> None:
    assert print_report(report(), supplied_font()) == print_report(report(), supplied_font())


def test_a_file_that_is_no_font_is_refused_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "font.ttf").write_bytes(b"no font")
    for font in (tmp_path / "font.ttf", tmp_path / "none.ttf"):
        with pytest.raises(InvalidInput, match="SEAL_REPORT_FONT"):
            print_report(report(), font)
