"""The digest by which a repeated request is known: the same across an upgrade of the program."""

from __future__ import annotations

from dataclasses import replace

from seal_service.domain.placement import Placement
from seal_service.domain.use import Operator, SignatureLevel, UseRequest
from seal_service.usecases.requests import request_digest

REQUEST = UseRequest(
    seal_code="99990000000001",
    scenario="permit",
    placement=Placement(page=1, x_mm=120.0, y_mm=220.0),
    level=SignatureLevel.B_LT,
    allow_lower_level=False,
    document_name="示例文件.pdf",
    document_sha256="1" * 64,
    document_sm3="2" * 64,
    document_size=1234,
    operator=Operator(id="U1001", name="李四"),
    case_number="2026-0002",
)


def test_a_request_has_the_digest_that_it_had_before_repairs_could_be_asked_for() -> None:
    """As 0.1.0 made it: a client that repeats a request across the upgrade gets its document, not a conflict."""
    assert request_digest(REQUEST) == "cedfa8f4d71216ac26e08871572f55886dd11d5bb0310803a079ef36ec728045"


def test_a_request_that_allows_a_repair_is_another_one() -> None:
    assert request_digest(replace(REQUEST, allow_repair=True)) != request_digest(REQUEST)
