"""Fixtures of the integration tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.instance import RealOffice
from tests.postgresql import lent_database
from tests.quick_instances import quick_instances

__all__ = ["quick_instances"]


@pytest.fixture(params=["sqlite", "postgresql"])
def on_engine(request: pytest.FixtureRequest) -> Iterator[dict[str, object]]:
    """Settings by which an instance stands on each engine."""
    if request.param == "sqlite":
        yield {}
        return
    with lent_database("instance") as addresses:
        yield addresses.settings


@pytest.fixture
def real_office(tmp_path: Path) -> Iterator[RealOffice]:
    """An office on a real instance, whose seal can be applied."""
    office = RealOffice(tmp_path / "var")
    yield office
    office.service.close()
