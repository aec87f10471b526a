"""What an operator wants to know of an instance before anything else; nothing secret."""

from __future__ import annotations

import platform
from collections import Counter
from importlib.metadata import version

from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.bootstrap.rooms import open_rooms
from seal_service.config import Settings
from seal_service.domain.errors import SealServiceError
from seal_service.storage import schema
from seal_service.storage.queries import SqlQueries

Fact = str | int | list[str] | dict[str, int] | None


def facts_of(settings: Settings) -> dict[str, Fact]:
    """The program, the instance, its database and keys, its time-stamping authorities, how much it holds.

    What cannot be had is told as the reason for it.
    """
    known: dict[str, Fact] = {
        "program": version("seal-service"),
        "python": platform.python_version(),
        "profile": settings.profile.value,
        "home": str(settings.home.absolute()),
        "keys": str(settings.key_directory.absolute()),
        "origin": settings.origin,
        "public_url": settings.public_url,
        "certificate_source": settings.certificate_source,
        "timestamps": [*settings.timestamp_urls, *(["embedded"] if settings.timestamp_embedded else [])],
        "schema_of_program": schema.HEAD,
    }
    try:
        return known | _of_rooms(settings)
    except SealServiceError as error:
        return known | {"instance": error.message}


def _of_rooms(settings: Settings) -> dict[str, Fact]:
    rooms = open_rooms(settings, SystemClock(), SystemEntropy())
    try:
        places = Counter(key.place.value for key in rooms.keys.held())
        found = schema.state_of(rooms.database.reader)
        known: dict[str, Fact] = {
            "database": rooms.database.durability,
            "schema": found.state.value,
            "key_places": dict(places),
        }
        if found.state is schema.SchemaState.CURRENT:
            known["counts"] = dict(SqlQueries(rooms.database).counts())
        return known
    finally:
        rooms.database.close()
