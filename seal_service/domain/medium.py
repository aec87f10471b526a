"""印章介质 (UKey): which medium holds a seal's key, who keeps it and through whose hands it went (article 20)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from seal_service.domain.errors import Conflict, InvalidInput, MediumNotInHand

_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
LONGEST_NAME = 100


class MediumAct(StrEnum):
    """介质交接: what may happen to a medium."""

    ISSUED = "issued"
    """制发: the seal was made on it, or renewed; it lies with the making office."""
    HANDED_OVER = "handed_over"
    """交付: to its keeper, or from one keeper to the next."""
    RETURNED = "returned"
    """交回: to the making office."""
    DESTROYED = "destroyed"
    """销毁, before a witness; nothing comes after it."""


_AFTER: dict[MediumAct | None, frozenset[MediumAct]] = {
    None: frozenset({MediumAct.ISSUED}),
    MediumAct.ISSUED: frozenset({MediumAct.ISSUED, MediumAct.HANDED_OVER, MediumAct.DESTROYED}),
    MediumAct.HANDED_OVER: frozenset({MediumAct.ISSUED, MediumAct.HANDED_OVER, MediumAct.RETURNED}),
    MediumAct.RETURNED: frozenset({MediumAct.ISSUED, MediumAct.HANDED_OVER, MediumAct.DESTROYED}),
    MediumAct.DESTROYED: frozenset(),
}
"""What may follow what, of one medium; a renewal issues it again and it is handed over again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediumEvent:
    """介质交接记录: one line of a medium's history; a line is added and never changed."""

    id: str
    seal_code: str
    position: int
    """Its place in the history of the seal's media, from 0."""
    serial_number: str
    """介质序列号, as it is printed on the medium."""
    version: int
    """The seal's version whose key it holds."""
    act: MediumAct
    at: datetime
    """When it happened, which may be before it was recorded."""
    recorded_at: datetime
    recorded_by: str
    """Account."""
    keeper: str
    """保管人: who keeps it from then on, or is to; a person's name."""
    giver: str | None = None
    witness: str | None = None
    """Of a destruction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """印章介质 as its history leaves it."""

    serial_number: str
    seal_code: str
    version: int
    keeper: str
    last: MediumAct
    history: tuple[MediumEvent, ...]
    """Oldest first."""


def media_of(history: Sequence[MediumEvent]) -> tuple[Medium, ...]:
    """The media of a seal by its whole history, oldest event first; the newest medium last."""
    by_serial: dict[str, list[MediumEvent]] = {}
    for event in history:
        by_serial.setdefault(event.serial_number, []).append(event)
    media = [
        Medium(
            serial_number=serial,
            seal_code=events[-1].seal_code,
            version=events[-1].version,
            keeper=events[-1].keeper,
            last=events[-1].act,
            history=tuple(events),
        )
        for serial, events in by_serial.items()
    ]
    return tuple(sorted(media, key=lambda one: one.version))


def require_next(medium: Medium | None, act: MediumAct, at: datetime) -> None:
    """Raise Conflict when the act cannot follow what happened to the medium before, in kind or in time."""
    last = None if medium is None else medium.last
    if act not in _AFTER[last]:
        allowed = ", ".join(sorted(_AFTER[last])) or "nothing"
        raise Conflict(f"A medium that is {last or 'not known'} cannot be {act}; possible: {allowed}")
    if medium is not None and at < medium.history[-1].at:
        raise Conflict("This would have happened before what is recorded of the medium already")


def require_in_hand(history: Sequence[MediumEvent], version: int) -> Medium:
    """The medium with a seal's present key; MediumNotInHand unless its keeper has it."""
    medium = next((one for one in reversed(media_of(history)) if one.version == version), None)
    if medium is None or medium.last is not MediumAct.HANDED_OVER:
        told = "not recorded" if medium is None else medium.last.value
        raise MediumNotInHand(f"The medium with the seal's key is {told}: it is applied by its keeper alone")
    return medium


def medium_serial(text: str) -> str:
    """介质序列号: 1–64 letters, digits and `._:/-`; else InvalidInput."""
    serial = text.strip()
    if not _SERIAL.fullmatch(serial):
        raise InvalidInput("A medium's serial number is 1 to 64 letters, digits and ._:/-", field="medium_serial")
    return serial


def person_name(text: str, field: str) -> str:
    """A person's name as records keep it, 1–100 printable characters; else InvalidInput."""
    name = text.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidInput(f"A name is 1 to {LONGEST_NAME} printable characters", field=field)
    return name
