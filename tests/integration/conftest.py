"""Fixtures of the integration tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.instance import RealOffice


@pytest.fixture
def real_office(tmp_path: Path) -> Iterator[RealOffice]:
    """An office on a real instance, whose seal can be applied."""
    office = RealOffice(tmp_path / "var")
    yield office
    office.service.close()
