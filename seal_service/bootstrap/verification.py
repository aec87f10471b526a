"""验章 of an instance: what a document is judged by, for the whole service and for `seal verify` alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from seal_service.bootstrap.guarded import Guarded
from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.bootstrap.rooms import Rooms, open_rooms
from seal_service.bootstrap.verifying import LARGEST_ANSWER, trust_store
from seal_service.config import Settings
from seal_service.domain.verdict import VerificationReport
from seal_service.formats.pdf import bound_parsing
from seal_service.log.own_log import OwnLog
from seal_service.log.tiled_log import TiledLog
from seal_service.log.tiles import is_log_file
from seal_service.pki.bounded_http import BoundedHttp
from seal_service.pki.ocsp import OcspResponder
from seal_service.pki.revocation_lists import RevocationLists
from seal_service.pki.revocation_source import AllowListedRevocation, FirstAnsweringRevocation, OwnRevocation
from seal_service.pki.trust import InstanceTrustStore
from seal_service.ports.isolation import Isolation
from seal_service.storage import schema
from seal_service.storage.log_files import DirectoryLogFiles
from seal_service.usecases.log_refusal import LogRefusal
from seal_service.usecases.verify_document import VerifyDocument, VerifyDocumentUseCase
from seal_service.verification.verifier import Verifier


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What a document is judged by: anchors, revocation of our own and of others, and the verifier over them."""

    trust: InstanceTrustStore
    lists: RevocationLists
    responder: OcspResponder
    others: AllowListedRevocation
    revocation: FirstAnsweringRevocation
    verifier: Verifier


def verification_of(settings: Settings, rooms: Rooms, http: BoundedHttp, isolation: Isolation) -> Verification:
    """As the instance's settings and records have it."""
    records, keys, clock = rooms.records, rooms.keys, rooms.clock
    trust = trust_store(settings, records)
    lists = RevocationLists(records, keys, clock)
    responder = OcspResponder(records, keys, clock)
    others = AllowListedRevocation(
        settings.revocation_addresses, http, clock, rooms.entropy, trust.revocation_addresses
    )
    revocation = FirstAnsweringRevocation([OwnRevocation(records, responder, lists, clock), others])
    return Verification(
        trust=trust,
        lists=lists,
        responder=responder,
        others=others,
        revocation=revocation,
        verifier=Verifier(trust=trust, revocation=revocation, clock=clock, isolation=isolation),
    )


def own_log(settings: Settings, rooms: Rooms) -> OwnLog:
    """日志佐证 of the instance's records and published files."""
    return OwnLog(
        origin=settings.origin,
        published=TiledLog(DirectoryLogFiles(settings.published_log, is_log_file)),
        signer=rooms.log_key,
        clock=rooms.clock,
        merge=timedelta(seconds=settings.log_merge_seconds),
    )


@contextmanager
def verifying_alone(settings: Settings, isolation: Isolation) -> Iterator[Guarded[VerifyDocument, VerificationReport]]:
    """The use case without the rest of the service. Raises InstanceNotReady as `build` does."""
    bound_parsing()
    rooms = open_rooms(settings, SystemClock(), SystemEntropy())
    http = BoundedHttp(settings.network_timeout_seconds, LARGEST_ANSWER)
    try:
        schema.require_current(rooms.database)
        verifier = verification_of(settings, rooms, http, isolation).verifier
        evidence = own_log(settings, rooms)
        use_case = VerifyDocumentUseCase(rooms.records, rooms.log, verifier, evidence, rooms.clock)
        yield Guarded(use_case, LogRefusal(rooms.records, rooms.log))
    finally:
        http.close()
        rooms.database.close()
