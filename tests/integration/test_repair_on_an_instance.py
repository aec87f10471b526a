"""A repair on a real instance: the use, the log, the trace and a repeated request all tell of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from seal_service.domain.errors import DocumentDamaged, IdempotencyKeyReused
from seal_service.domain.verdict import Indication
from seal_service.usecases.apply_seal import ApplySeal
from seal_service.usecases.read_log import ReadEntry
from seal_service.usecases.read_use import ReadUse
from seal_service.usecases.trace import Trace
from tests.instance import RealOffice, blank_pdf


@pytest.fixture
def real_office(tmp_path: Path, on_engine: dict[str, object]) -> Iterator[RealOffice]:
    """An office on a real instance, on each engine."""
    office = RealOffice(tmp_path / "var", changes=on_engine)
    yield office
    office.service.close()


def damaged_pdf() -> bytes:
    whole = blank_pdf(pages=2)
    return whole[: whole.rindex(b"startxref")]


def request(office: RealOffice, key: str, content: bytes, *, allow_repair: bool) -> ApplySeal:
    return replace(office.request(key, content), allow_repair=allow_repair)


def test_a_repair_is_in_the_use_and_in_the_log_and_the_document_stays_the_one_that_came_in(
    real_office: RealOffice,
) -> None:
    office, damaged = real_office, damaged_pdf()
    with pytest.raises(DocumentDamaged, match="allow_repair"):
        office.service.apply_seal(office.system, request(office, "first", damaged, allow_repair=False))
    applied = office.service.apply_seal(office.system, request(office, "second", damaged, allow_repair=True))
    assert applied.content is not None
    end = applied.content.index(b"%%EOF\n") + len(b"%%EOF\n")
    repaired = applied.content[:end]

    use = office.service.read_use(office.system, ReadUse(seal_code=office.made.code, use_id=applied.use.id))
    assert use == applied.use
    assert use.document_sha256 == hashlib.sha256(damaged).hexdigest()
    assert use.repaired_sha256 == hashlib.sha256(repaired).hexdigest()
    assert use.sealed_sha256 == hashlib.sha256(applied.content).hexdigest()

    entry = office.service.read_entry(office.auditor, ReadEntry(entry_id=use.terminal_entry_id or ""))
    written = json.loads(entry.row.canon)
    assert written["document_sha256"] == use.document_sha256
    assert written["facts"]["repaired_sha256"] == use.repaired_sha256
    assert written["facts"]["repaired_sm3"] == hashlib.new("sm3", repaired).hexdigest()

    traced = office.service.trace(office.auditor, Trace(document_sha256=use.document_sha256))
    assert use.id in {one.use.id for one in traced.uses}
    assert office.verify(applied.content).indication is Indication.TOTAL_PASSED


def test_a_repeated_request_is_told_of_the_repair_and_asking_for_one_is_another_request(
    real_office: RealOffice,
) -> None:
    office, damaged = real_office, damaged_pdf()
    first = office.service.apply_seal(office.system, request(office, "key", damaged, allow_repair=True))
    again = office.service.apply_seal(office.system, request(office, "key", damaged, allow_repair=True))
    assert (again.replayed, again.content, again.use) == (True, first.content, first.use)
    with pytest.raises(IdempotencyKeyReused):
        office.service.apply_seal(office.system, request(office, "key", damaged, allow_repair=False))


def test_a_sound_document_is_sealed_as_it_is_and_nothing_tells_of_a_repair(real_office: RealOffice) -> None:
    office, sound = real_office, blank_pdf()
    applied = office.service.apply_seal(office.system, request(office, "sound", sound, allow_repair=True))
    assert applied.content is not None
    assert applied.content.startswith(sound)
    assert applied.use.repaired_sha256 is None
    entry = office.service.read_entry(office.auditor, ReadEntry(entry_id=applied.use.terminal_entry_id or ""))
    assert "repaired_sha256" not in json.loads(entry.row.canon)["facts"]
