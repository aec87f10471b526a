"""Fixtures of the unit tests."""

from __future__ import annotations

import pytest

from tests.city import City, Office


@pytest.fixture
def city() -> City:
    """An empty city on fakes."""
    return City()


@pytest.fixture
def office() -> Office:
    """An office on fakes whose seal can be applied."""
    return Office()
