"""What would be most of the time of tests that make an instance each, and are about something else.

Secrets are hashed with the least parameters, and the processes that read documents outlive the instance that started
them: the next one's documents are read by them too. They are the service's own, with its limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from argon2 import PasswordHasher, Type

from seal_service.bootstrap import verifying, wiring
from seal_service.bootstrap.isolating import reading_processes
from seal_service.config import Settings
from seal_service.isolation.processes import ReadingProcesses
from seal_service.pki import credentials, passwords

_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=32, type=Type.ID)


def hash_quickly() -> None:
    """From here on, in this process and in what is forked from it."""
    for module in (credentials, passwords):
        vars(module)["_ARGON2"] = _QUICK


@contextmanager
def quick_hashes() -> Iterator[None]:
    """Until the block ends. A hash names its parameters, so that each is still verified as it was made."""
    before = [(module, vars(module)["_ARGON2"]) for module in (credentials, passwords)]
    hash_quickly()
    try:
        yield
    finally:
        for module, hasher in before:
            vars(module)["_ARGON2"] = hasher


class _Lent:
    """Processes of which an instance that closes ends none."""

    def __init__(self, processes: ReadingProcesses) -> None:
        self.begun, self.run, self.rewrite = processes.begun, processes.run, processes.rewrite
        self.start = processes.start

    def close(self) -> None:
        """They read on."""


@contextmanager
def lent_readers() -> Iterator[None]:
    """Until the block ends, instances of one process share theirs, as far as their limits are the same."""
    made: dict[tuple[object, ...], ReadingProcesses] = {}

    def lent(settings: Settings, modules: Sequence[str]) -> _Lent:
        key = (*modules, settings.reading_seconds, settings.reading_bytes, settings.reading_processes)
        if key not in made:
            made[key] = reading_processes(settings, modules)
        return _Lent(made[key])

    for module in (wiring, verifying):
        vars(module)["reading_processes"] = lent
    try:
        yield
    finally:
        for module in (wiring, verifying):
            vars(module)["reading_processes"] = reading_processes
        for one in made.values():
            one.close()


@pytest.fixture(scope="module", autouse=True)
def quick_instances() -> Iterator[None]:
    """For the tests of every folder whose conftest names it; those of the hashes themselves are unit tests."""
    with quick_hashes(), lent_readers():
        yield
