"""日志公布: where the published log, its key, its guard and its witnesses are, and the use cases around them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from seal_service.bootstrap.filing import Guard as Guarding
from seal_service.bootstrap.rooms import Rooms
from seal_service.bootstrap.service import Guarded
from seal_service.bootstrap.tree_checks import TreeChecks, checks_of
from seal_service.bootstrap.witnessing import witnesses_of
from seal_service.config import Settings
from seal_service.domain.operation import Profile
from seal_service.domain.publication import DAMAGED_ENTRY, DAMAGED_FILES
from seal_service.domain.use import SealUse
from seal_service.formats.receipt import SignedReceipt
from seal_service.log.growth import grown
from seal_service.log.published_entries import BundledEntries
from seal_service.log.tiled_log import TiledLog
from seal_service.log.tiles import is_log_file
from seal_service.log.tree_files import TiledTreeFiles
from seal_service.pki.bounded_http import BoundedHttp
from seal_service.pki.witness_client import LARGEST_ANSWER
from seal_service.ports.crypto import CertificateAuthority
from seal_service.ports.transparency import (
    Guard,
    LogFiles,
    NoteSigner,
    PublishedLog,
    PublishedTile,
    PublishedTree,
    TreeFiles,
    Witness,
)
from seal_service.storage.guard_in_time import GuardInTime
from seal_service.storage.log_files import DirectoryLogFiles
from seal_service.storage.log_guard import DirectoryGuard
from seal_service.usecases.ask_witnesses import AskWitnesses
from seal_service.usecases.audit_log import PublishedFiles
from seal_service.usecases.initialise_log import InitialiseLog, InitialiseLogUseCase, LogInitialised
from seal_service.usecases.issue_receipt import IssueReceipt, LogBeginning, ReadReceiptUseCase
from seal_service.usecases.log_condition import LogCondition
from seal_service.usecases.log_damage import LogDamage
from seal_service.usecases.log_health import PublicationHealth
from seal_service.usecases.prove_entry import ProveEntry, ProveEntryUseCase, ProveUse, ProveUseUseCase
from seal_service.usecases.publish_checkpoint import PublishCheckpoint, PublishCheckpointUseCase, Published
from seal_service.usecases.read_log_key import (
    LogKeyInTime,
    ReadLogKey,
    ReadLogKeys,
    ReadLogKeysUseCase,
    ReadLogKeyUseCase,
)
from seal_service.usecases.read_published_log import (
    ConsistencyProof,
    ProveConsistency,
    ProveConsistencyUseCase,
    ReadCheckpoint,
    ReadCheckpointUseCase,
    ReadTile,
    ReadTileUseCase,
)
from seal_service.usecases.read_use import ReadUse
from seal_service.usecases.recover_log import Recovered, RecoverLog, RecoverLogUseCase
from seal_service.usecases.recovered_states import FollowEntries
from seal_service.usecases.resume_log import LogResumed, ResumeLog, ResumeLogUseCase
from seal_service.usecases.rotate_log_key import (
    LogKeyRotated,
    PrepareLogKey,
    PrepareLogKeyUseCase,
    RotateLogKey,
    RotateLogKeyUseCase,
)
from seal_service.usecases.sequence_log import Sequenced, SequenceLog, SequenceLogUseCase


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What the use cases of the published log stand on."""

    origin: str
    signer: NoteSigner
    files: LogFiles
    tree_files: TreeFiles
    guard: Guard
    witnesses: tuple[Witness, ...]
    published: PublishedLog
    receipts: IssueReceipt
    condition: LogCondition
    sequence: SequenceLogUseCase
    health: PublicationHealth
    close: Callable[[], None]
    """Close what is open to witnesses."""


@dataclass(frozen=True, kw_only=True)
class Transparency:
    """日志公布: the ready use cases."""

    checks: TreeChecks
    read_key: Guarded[ReadLogKey, str]
    read_receipt: Guarded[ReadUse, tuple[SealUse, SignedReceipt | None]]
    read_checkpoint: Guarded[ReadCheckpoint, PublishedTree]
    read_tile: Guarded[ReadTile, PublishedTile]
    prove_entry: Guarded[ProveEntry, bytes]
    prove_use: Guarded[ProveUse, bytes]
    prove_consistency: Guarded[ProveConsistency, ConsistencyProof]
    wait_seconds: int
    """How long an answer waits, where it is asked to, until its entry is published."""
    initialise: Guarded[InitialiseLog, LogInitialised]
    sequence: Guarded[SequenceLog, Sequenced]
    publish: Guarded[PublishCheckpoint, Published]
    recover: Guarded[RecoverLog, Recovered]
    resume: Guarded[ResumeLog, LogResumed]
    read_keys: Guarded[ReadLogKeys, tuple[LogKeyInTime, ...]]
    prepare_key: Guarded[PrepareLogKey, str]
    rotate_key: Guarded[RotateLogKey, LogKeyRotated]


def publication_of(settings: Settings, rooms: Rooms) -> Publication:
    """The parts, as the settings place them; nothing is opened yet."""
    files = DirectoryLogFiles(settings.published_log, is_log_file)
    published = TiledLog(files)
    merge = timedelta(seconds=settings.log_merge_seconds)
    tree_files = TiledTreeFiles(files)
    guard = GuardInTime(DirectoryGuard(settings.guard_directory))
    http = BoundedHttp(settings.network_timeout_seconds, LARGEST_ANSWER)
    witnesses = witnesses_of(settings, http)
    names = tuple(one.name for one in witnesses)
    required = settings.profile is Profile.PRODUCTION
    condition = LogCondition(
        rooms.records,
        guard,
        rooms.log_key,
        rooms.clock,
        names,
        timedelta(seconds=settings.clock_seconds),
        required=required,
    )
    health = PublicationHealth(
        rooms.records,
        condition,
        tree_files,
        rooms.clock,
        names,
        settings.witnesses_needed,
        merge,
        required,
        lambda: _share_volume(settings.home, settings.guard_directory),
    )
    entries = LogDamage(rooms.records, rooms.clock, DAMAGED_ENTRY)
    return Publication(
        origin=settings.origin,
        signer=rooms.log_key,
        files=files,
        tree_files=tree_files,
        guard=guard,
        witnesses=witnesses,
        condition=condition,
        sequence=SequenceLogUseCase(rooms.records, grown, condition.contradiction, entries),
        health=health,
        close=http.close,
        published=published,
        receipts=IssueReceipt(settings.origin, rooms.log_key, LogBeginning(rooms.records), merge),
    )


def transparency_of(
    settings: Settings,
    publication: Publication,
    rooms: Rooms,
    authority: CertificateAuthority,
    guarded: Guarding,
) -> Transparency:
    """The use cases."""
    records, published, signer, guard = rooms.records, publication.published, publication.signer, publication.guard
    files = publication.tree_files
    witnesses = AskWitnesses(records, files, publication.witnesses, settings.witnesses_needed, rooms.clock)
    publish = PublishCheckpointUseCase(
        records,
        publication.condition,
        files,
        signer,
        guard,
        witnesses,
        LogDamage(records, rooms.clock, DAMAGED_FILES),
        rooms.log_keys,
        rooms.clock,
        settings.origin,
    )
    return Transparency(
        checks=checks_of(settings, rooms, PublishedFiles(publication.files, signer, guard), guarded),
        read_key=guarded(ReadLogKeyUseCase(signer)),
        initialise=guarded(
            InitialiseLogUseCase(records, rooms.log, files, rooms.log_key, rooms.log_keys, signer, guard)
        ),
        sequence=guarded(publication.sequence),
        publish=guarded(publish),
        recover=guarded(
            RecoverLogUseCase(
                records,
                rooms.log,
                publication.condition,
                files,
                BundledEntries(publication.files, settings.origin),
                signer,
                rooms.log_keys,
                grown,
                FollowEntries(rooms.log, authority),
                rooms.clock,
            )
        ),
        resume=guarded(ResumeLogUseCase(records, rooms.log, publication.condition, witnesses, rooms.clock)),
        read_keys=guarded(ReadLogKeysUseCase(signer, rooms.log_keys)),
        prepare_key=guarded(PrepareLogKeyUseCase(records, rooms.log, rooms.log_key, rooms.log_keys)),
        rotate_key=guarded(
            RotateLogKeyUseCase(
                records,
                rooms.log,
                publication.condition,
                rooms.log_key,
                rooms.log_keys,
                publication.sequence,
                publish,
                files,
                rooms.clock,
            )
        ),
        read_receipt=guarded(ReadReceiptUseCase(records, publication.receipts)),
        read_checkpoint=guarded(ReadCheckpointUseCase(published)),
        read_tile=guarded(ReadTileUseCase(published)),
        prove_entry=guarded(ProveEntryUseCase(records, published)),
        prove_use=guarded(ProveUseUseCase(records, published)),
        prove_consistency=guarded(ProveConsistencyUseCase(published)),
        wait_seconds=settings.log_wait_seconds,
    )


def _share_volume(home: Path, guard: Path) -> bool:
    """As far as this machine can tell; a guard that is not there is told of elsewhere."""
    try:
        return os.stat(home).st_dev == os.stat(guard).st_dev
    except OSError:
        return False
