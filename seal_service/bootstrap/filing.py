"""Filing (备案): the provincial registry of the settings, and the use cases around it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from seal_service.bootstrap.rooms import Rooms
from seal_service.bootstrap.service import Answer, Command, Guarded, UseCase
from seal_service.config import Settings
from seal_service.domain.errors import InvalidInput, RegistryUnavailable
from seal_service.domain.filing import Filing, FilingReport
from seal_service.domain.paging import Page
from seal_service.filing.province import HttpProvincialRegistry
from seal_service.filing.signing import ReportSigner
from seal_service.pki.allowed_addresses import parse_address
from seal_service.pki.bounded_http import BoundedHttp, HttpFailed
from seal_service.ports.filing import ProvincialRegistry
from seal_service.storage.filing_queries import SqlFilingQueries
from seal_service.usecases.make_filing_key import FilingKey, MakeFilingKey, MakeFilingKeyUseCase
from seal_service.usecases.read_filings import (
    FilingCondition,
    ListFilings,
    ListFilingsUseCase,
    ReadFilingState,
    ReadFilingStateUseCase,
    ReadFilingUseCase,
)
from seal_service.usecases.read_registers import ReadById
from seal_service.usecases.reconcile_filings import ReconcileFilings, ReconcileFilingsUseCase
from seal_service.usecases.relay_filings import Relayed, RelayFilings, RelayFilingsUseCase
from seal_service.usecases.retry_filing import RetryFiling, RetryFilingUseCase

_LARGEST_ANSWER = 64 << 10
_SHORTEST_CLAIM_SECONDS = 120.0
_REQUESTS_A_CLAIM = 10
"""A filing takes two requests, each bounded by the network's time limit once for connecting and once for the body."""


class Guard(Protocol):
    """Puts a use case behind its permission."""

    def __call__(self, use_case: UseCase[Command, Answer], /) -> Guarded[Command, Answer]:
        """The guarded use case."""


@dataclass(frozen=True, kw_only=True)
class FilingCases:
    """备案: the ready use cases."""

    relay: Guarded[RelayFilings, Relayed]
    reconcile: Guarded[ReconcileFilings, FilingReport | None]
    list_all: Guarded[ListFilings, Page[Filing]]
    read: Guarded[ReadById, Filing]
    read_state: Guarded[ReadFilingState, FilingCondition]
    retry: Guarded[RetryFiling, Filing]
    make_key: Guarded[MakeFilingKey, FilingKey]
    close: Callable[[], None]


def filing_of(settings: Settings, rooms: Rooms, guarded: Guard) -> FilingCases:
    """By `filing_url`: without it filings are only collected. InvalidInput for settings that cannot be used."""
    registry, close = _registry(settings, rooms)
    records, log, clock = rooms.records, rooms.log, rooms.clock
    claim = timedelta(seconds=max(_SHORTEST_CLAIM_SECONDS, _REQUESTS_A_CLAIM * settings.network_timeout_seconds))
    return FilingCases(
        relay=guarded(RelayFilingsUseCase(records, log, registry, clock, rooms.entropy, claim)),
        reconcile=guarded(ReconcileFilingsUseCase(records, log, registry, clock)),
        list_all=guarded(ListFilingsUseCase(records, SqlFilingQueries(rooms.database))),
        read=guarded(ReadFilingUseCase(records)),
        read_state=guarded(ReadFilingStateUseCase(records, registry)),
        retry=guarded(RetryFilingUseCase(records, log, clock)),
        make_key=guarded(MakeFilingKeyUseCase(records, log, rooms.keys, settings.authority_suite)),
        close=close,
    )


def _registry(settings: Settings, rooms: Rooms) -> tuple[ProvincialRegistry | None, Callable[[], None]]:
    address = settings.filing_url
    if address is None:
        return None, lambda: None
    if settings.filing_system_id is None:
        raise InvalidInput("SEAL_FILING_URL needs SEAL_FILING_SYSTEM_ID", field="filing_system_id")
    try:
        parse_address(address)
    except InvalidInput as error:
        raise InvalidInput(f"SEAL_FILING_URL: {error.message}", field="filing_url") from error
    http = BoundedHttp(settings.network_timeout_seconds, _LARGEST_ANSWER, _tls(settings))

    def post(to: str, content: bytes, media_type: str) -> tuple[int, bytes]:
        try:
            answer = http.exchange("POST", to, {"Content-Type": media_type, "Accept": "application/json"}, content)
        except HttpFailed as error:
            raise RegistryUnavailable(f"No answer: {error}") from error
        return answer.status, answer.body

    registry = HttpProvincialRegistry(
        address=address.rstrip("/"),
        system_id=settings.filing_system_id,
        post=post,
        signer=ReportSigner(rooms.keys),
        clock=rooms.clock,
    )
    return registry, http.close


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.filing_trust is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(settings.filing_trust)
    except OSError as error:  # ssl.SSLError is one
        told = f"SEAL_FILING_TRUST: {settings.filing_trust} cannot be read as PEM certificates"
        raise InvalidInput(told, field="filing_trust") from error
    return context
