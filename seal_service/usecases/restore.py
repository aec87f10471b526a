"""恢复: a backup becomes an instance in an empty place. Run on the machine, like the founding of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seal_service.domain.access import Account, Caller, Role
from seal_service.domain.backup import Backup
from seal_service.domain.dual_control import reason_against
from seal_service.domain.errors import BackupRefused
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.session import SessionEnd
from seal_service.ports.backup import KeyFiles, RestorePlace, StoredBackup, Told, untold
from seal_service.ports.crypto import KeyStore
from seal_service.ports.records import SigningLog, Transaction
from seal_service.ports.system import Clock, Credentials
from seal_service.usecases.authenticate import ClientSecret
from seal_service.usecases.back_up import BLOBS, DATABASE, KEYS

MACHINE = Caller(account_id=None, name="seal db restore")


@dataclass(frozen=True)
class RestoreUseCase:
    """恢复. It has no permission and is no part of the service: whoever can write the instance's files may run it.

    Raises BackupRefused, with what is wrong, for a backup that is not whole and unchanged, is another's or of a newer
    program, and for a place that is not empty. `examine` changes nothing.
    """

    backup: StoredBackup
    place: RestorePlace
    key_files: KeyFiles
    keys: KeyStore
    log: SigningLog
    engine: str
    """Of the place."""
    knows: Callable[[str], bool]
    """Whether this program knows a revision of the schema."""
    credentials: Credentials
    clock: Clock
    people: tuple[ClientSecret, ...] = ()
    """Who restores: two people, by their accounts in the backup. Looking at it takes nobody."""
    told: Told = untold

    def examine(self) -> Backup:
        """The backup, if it can be restored here: read to its last byte, compared with the place."""
        backup = self.backup.manifest()
        manifest = backup.manifest
        database = manifest.database
        if database.engine != self.engine:
            raise BackupRefused(
                f"The backup is of a {database.engine} database and SEAL_DATABASE_URL names one of {self.engine}"
            )
        if manifest.origin != self.log.origin:
            raise BackupRefused(f"The backup's log is {manifest.origin}: set SEAL_ORIGIN to it")
        if not self.knows(database.schema_revision):
            raise BackupRefused(
                f"The backup has the schema {database.schema_revision}, which this program does not know: it was made "
                f"by {manifest.program}; take that version or a newer one"
            )
        self.place.require_empty(backup)
        self.backup.check(self.told)
        self._require_keys(backup)
        return backup

    def __call__(self) -> Backup:
        """Restore it: documents and keys first, the database last; interrupted, it can be repeated."""
        backup = self.examine()
        self.place.begin(backup)
        for number, (name, content) in enumerate(self.backup.files(BLOBS)):
            self.told("restoring documents", number, 0)
            self.place.put_blob(name.rpartition("/")[2], content)
        for name, content in self.backup.files(KEYS):
            self.key_files.add(name.removeprefix(KEYS), content)
        self.told("restoring the database", 0, 0)
        loaded = self.place.put_database(backup, self.backup.read_sealed(DATABASE))
        if loaded != backup.manifest.database:
            raise BackupRefused("The restored database does not hold what the manifest says: nothing was made of it")
        with self.place.finishing(backup) as transaction:
            people = self._two_people(transaction)
            # Who signed out, or was signed out, after the backup was made is not signed in again by it.
            ended = transaction.sessions.end_all(self.clock.now(), SessionEnd.RESTORED)
            restored = _restored(backup, people, ended)
            self.log.append(transaction, act_of(MACHINE, restored))
            transaction.commit()
        return backup

    def _two_people(self, transaction: Transaction) -> tuple[str, ...]:
        """The accounts that restore it; BackupRefused, and the place is no instance, when they may not."""
        known = [self._account(transaction, one) for one in self.people[:2]]
        first, second = (*known, None, None)[:2]
        held = frozenset(role for role in Role if transaction.accounts.active_with(role))
        reason = reason_against(first, second, held)
        if reason is not None:
            raise BackupRefused(f"The backup is not restored: {reason}")
        return tuple(one.id for one in known if one is not None)

    def _account(self, transaction: Transaction, presented: ClientSecret) -> Account | None:
        account = transaction.accounts.find(presented.client_id)
        matches = self.credentials.verify_secret(account.secret_hash if account else None, presented.client_secret)
        return account if matches else None

    def _require_keys(self, backup: Backup) -> None:
        """Every key that the instance had is in the backup or here already."""
        contained = set()
        for name, content in self.backup.files(KEYS):
            file = name.removeprefix(KEYS)
            contained.add(file.removesuffix(".key"))
            if self.key_files.holds_other(file, content):
                raise BackupRefused(f"There is another key file {file} already: restore into an empty key directory")
        here = {one.reference for one in self.keys.held()} | contained
        absent = [one for one in backup.manifest.keys if one.reference not in here]
        if absent:
            named = ", ".join(f"{one.reference} ({one.place.value})" for one in absent[:10])
            more = f" and {len(absent) - 10} more" if len(absent) > 10 else ""
            raise BackupRefused(
                f"The instance's keys are not in this backup and not here: {named}{more}. Put them into the key "
                "directory, or the HSM, from where they are kept"
            )


def _restored(backup: Backup, people: tuple[str, ...], sessions_ended: int) -> Event:
    manifest = backup.manifest
    facts: dict[str, Scalar] = {
        "backup_sha256": backup.sha256,
        "backup_name": backup.name,
        "backed_up_at": manifest.made_at.isoformat(timespec="seconds"),
        "upto_size": manifest.database.log.size,
        "upto_entry_id": manifest.database.log.entry_id,
        "schema_revision": manifest.database.schema_revision,
        "made_by_program": manifest.program,
        "restored_by": people,
        "sessions_ended": sessions_ended,
    }
    return Event(kind=EventKind.DATABASE_RESTORED, facts=facts)
