"""Ports of filing (备案): the provincial registry, and lists of what was filed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from seal_service.domain.filing import Filing, FilingState
from seal_service.domain.organization import Unit
from seal_service.domain.paging import Page, PageRequest
from seal_service.domain.seal import Seal
from seal_service.ports.records.log import LogRow


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledSource:
    """From what a filing's message is made: its entry says what happened, the registers what the entry leaves out."""

    filing: Filing
    entry: LogRow
    private: Mapping[str, str]
    """The entry's personal fields that are still kept, checked against it."""
    seal: Seal
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """备案回执."""

    text: str
    already_there: bool
    """The province had it from an earlier attempt whose answer was lost."""


class ProvincialRegistry(Protocol):
    """省级电子印章系统: takes a filing once, however often its serial comes. Safe for threads; bounded in time."""

    @property
    def name(self) -> str:
        """Host of the registry, for operators."""

    def file(self, source: FiledSource) -> Receipt:
        """Hand one over; durable there on return.

        Raises RegistryUnavailable when it is not known whether it was taken, FilingRefused when it was not.
        """

    def is_valid(self, seal_code: str, seal_name: str) -> bool | None:
        """Whether the province shows the seal as valid; None: it does not know it. Raises RegistryUnavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingFilter:
    """Which filings; None: any."""

    state: FilingState | None = None
    seal_code: str | None = None
    area_code: str | None = None


class FilingQueries(Protocol):
    """Lists of filings; each call sees one consistent state."""

    def filings(self, page: PageRequest, chosen: FilingFilter) -> Page[Filing]:
        """Filings, newest first."""
