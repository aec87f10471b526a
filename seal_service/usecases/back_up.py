"""备份: one consistent state of the instance, encrypted, in a directory of its own, while sealing goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.backup import Backup, FileList, Manifest, NamedBlob, NeededKey
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.ports.backup import (
    BackupShelf,
    DatabaseCopies,
    DatabaseState,
    EncryptedBlobs,
    KeyFiles,
    NewBackup,
    Told,
    untold,
)
from seal_service.ports.crypto import KeyStore
from seal_service.ports.records import Observation, Records, SigningLog
from seal_service.ports.system import Clock

DATABASE = "database"
BLOBS = "blobs/"
KEYS = "keys/"
OBSERVATION = "backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackUp:
    """备份 into a directory, with the wrapped private keys or without them."""

    directory: Path
    with_keys: bool = False
    told: Told = untold


@dataclass(frozen=True)
class BackUpUseCase:
    """备份: the database first, then what it names; blobs are put before the commit that names them.

    Raises BackupRefused for a directory that is no place for it, Conflict while another backup is made,
    InstanceNotReady without the database's own tools, IntegrityFailed for a damaged database. Whatever is raised, no
    backup is left; only when the log cannot be written at the end is there one that the log does not know.
    """

    permission: ClassVar[Permission] = Permission.BACK_UP
    records: Records
    log: SigningLog
    copies: DatabaseCopies
    blobs: EncryptedBlobs
    keys: KeyStore
    key_files: KeyFiles
    shelf: BackupShelf
    clock: Clock
    program: str

    def __call__(self, caller: Caller, command: BackUp) -> Backup:
        """The backup as it lies there."""
        now = self.clock.now()
        with self.shelf.begin(command.directory, now) as new:
            with self.copies.state(command.told) as state:
                new.put_sealed(DATABASE, state.content())
                absent = self._put_documents(new, state, command.told)
            if command.with_keys:
                for name, content in self.key_files.all():
                    new.put(f"{KEYS}{name}", [content])
            held = tuple(NeededKey(reference=one.reference, place=one.place) for one in self.keys.held())
            missing = self._still_held(absent)

            def manifest(files: FileList) -> Manifest:
                return Manifest(
                    made_at=now,
                    program=self.program,
                    origin=self.log.origin,
                    database=state.facts,
                    files=files,
                    with_keys=command.with_keys,
                    keys=held,
                    removed_meanwhile=len(absent) - len(missing),
                    missing=missing,
                )

            backup = new.publish(manifest)
        self._record(caller, backup)
        return backup

    def _put_documents(self, new: NewBackup, state: DatabaseState, told: Told) -> list[NamedBlob]:
        """Put what the state names; what of it is not there."""
        absent = []
        with state.blobs() as named:
            for number, blob in enumerate(named):
                told("copying documents", number, 0)
                content = self.blobs.ciphertext(blob.digest)
                if content is None:
                    absent.append(blob)
                else:
                    new.put(f"{BLOBS}{blob.digest[:2]}/{blob.digest[2:4]}/{blob.digest}", [content])
        return absent

    def _still_held(self, absent: Sequence[NamedBlob]) -> tuple[str, ...]:
        """The digests of what should be there. Asked at the end, when a removal that was under way is committed: the
        file goes before the row."""
        with self.records.write() as transaction:
            return tuple(one.digest for one in absent if not one.removable or transaction.uses.holds(one.digest))

    def _record(self, caller: Caller, backup: Backup) -> None:
        manifest = backup.manifest
        facts: dict[str, Scalar] = {
            "backup_sha256": backup.sha256,
            "upto_size": manifest.database.log.size,
            "upto_entry_id": manifest.database.log.entry_id,
            "schema_revision": manifest.database.schema_revision,
            "with_keys": manifest.with_keys,
            "files": manifest.files.count,
            "missing": len(manifest.missing),
        }
        seen = Observation(
            name=OBSERVATION,
            at=manifest.made_at,
            well=not manifest.missing,
            detail=f"{backup.name}: {manifest.database.log.size} log entries, {manifest.files.count} files"
            + (f", {len(manifest.missing)} documents missing" if manifest.missing else ""),
        )
        with self.records.write() as transaction:
            self.log.append(transaction, act_of(caller, Event(kind=EventKind.DATABASE_BACKED_UP, facts=facts)))
            transaction.observations.put(seen)
            transaction.commit()
