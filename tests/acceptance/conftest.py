"""Fixtures of the acceptance tests: real instances behind the doors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine, Office
from tests.live import LiveCity, LiveOffice, live_city
from tests.quick_instances import quick_instances

__all__ = ["quick_instances"]


@pytest.fixture
def city(tmp_path: Path) -> Iterator[LiveCity]:
    """A fresh instance that serves HTTP."""
    with live_city(tmp_path / "home") as served:
        yield served


@pytest.fixture
def office(city: LiveCity) -> LiveOffice:
    """A unit with an active, granted seal, and everyone who has to do with it."""
    return LiveOffice(city)


@pytest.fixture(scope="module")
def shared_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCity]:
    """An instance for all tests of a file."""
    with live_city(tmp_path_factory.mktemp("shared") / "home") as served:
        yield served


@pytest.fixture(scope="module")
def shared_office(shared_city: LiveCity) -> LiveOffice:
    """An office for all tests of a file that leave its seal active."""
    return LiveOffice(shared_city)


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    """The `seal` command, in a home that has no instance yet."""
    return CommandLine(tmp_path / "cli-home")


@pytest.fixture
def fresh_by_command(command_line: CommandLine) -> Office:
    """A unit with an active, granted seal, made by the `seal` command alone."""
    return Office(command_line)


@pytest.fixture(scope="module")
def by_command(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The same for all tests of a file that leave its seal active."""
    return Office(CommandLine(tmp_path_factory.mktemp("by-command") / "home"))
