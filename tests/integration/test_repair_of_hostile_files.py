"""Files made to exhaust what repairs them: a typed answer, by the processes that have no keys, and they go on."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from io import BytesIO

import pikepdf
import pytest

from seal_service.domain.errors import DocumentDamaged, DocumentOverLimit
from seal_service.isolation.limits import ReadingLimits
from seal_service.isolation.processes import ReadingProcesses
from seal_service.sealing.repair import Repair, RepairLimits, bears_signature, repair
from tests.sealing_world import document

HEADER = b"%PDF-1.7\n"
MEGABYTE = 1 << 20
LIMITS = RepairLimits(objects=10_000)


def _bomb() -> bytes:
    """An object stream of 20 KB that grows to 20 MB, and no cross-references."""
    stream = zlib.compress(b"5 0 " + b" " * (20 * MEGABYTE), 9)
    dictionary = b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>" % len(stream)
    return HEADER + b"".join(
        (
            b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n",
            b"2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n",
            b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n",
            b"4 0 obj" + dictionary + b"stream\n" + stream + b"\nendstream endobj\n",
            b"trailer<</Root 1 0 R>>\n",
        )
    )


@pytest.fixture(scope="module")
def processes() -> Iterator[ReadingProcesses]:
    """Of a second each."""
    made = ReadingProcesses((repair.__module__,), ReadingLimits(seconds=1.0), 1)
    yield made
    made.close()


@pytest.mark.parametrize(
    "content",
    [
        HEADER + b"\0" * MEGABYTE,
        HEADER + b"1 0 obj\n" * (4 * MEGABYTE),
        HEADER + b"".join(b"%d 0 obj<<>>endobj\n" % number for number in range(1, 1_000_000)),
        HEADER + b"1 0 obj\n" + b"[" * (4 * MEGABYTE),
        HEADER + b"1 0 obj\n" + b"<</A " * MEGABYTE,
        HEADER + b"startxref\n9\n%%EOF\n" * MEGABYTE,
        HEADER + b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Kids[2 0 R]>>endobj trailer<</Root 1 0 R>>",
        HEADER + b"/SigFlags " * MEGABYTE,
    ],
    ids=["zeros", "one object", "a million objects", "arrays", "dictionaries", "ends", "page tree loop", "names"],
)
def test_what_exhausts_a_repair_is_refused_and_the_next_document_is_repaired(
    processes: ReadingProcesses, content: bytes
) -> None:
    with pytest.raises((DocumentDamaged, DocumentOverLimit)):
        processes.rewrite(repair, content, LIMITS, 10 * MEGABYTE)
    whole = document(pages=2)
    damaged = whole[: whole.rindex(b"startxref")]
    assert not processes.run(bears_signature, damaged, None)
    repaired, found = processes.rewrite(repair, damaged, LIMITS, 10 * MEGABYTE)
    assert found == Repair(pages=2)
    with pikepdf.open(BytesIO(repaired.content[:]), attempt_recovery=False) as pdf:
        assert len(pdf.pages) == 2


def test_a_bomb_that_nothing_needs_is_not_opened(processes: ReadingProcesses) -> None:
    content = _bomb()
    repaired, _ = processes.rewrite(repair, content, LIMITS, MEGABYTE)
    assert len(repaired.content) < len(content)
