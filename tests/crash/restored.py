"""An old backup of the database is put back, while log, guard and callers remember more; then the log recovers it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from seal_service.bootstrap import Service
from seal_service.domain.access import PUBLIC_CALLER, Caller, Role
from seal_service.domain.errors import SealServiceError
from seal_service.domain.invariants import Invariant
from seal_service.domain.verdict import Outcome as CheckOutcome
from seal_service.formats.upload import upload_of
from seal_service.usecases.audit_log import AuditLog
from seal_service.usecases.check_database import CheckDatabase
from seal_service.usecases.prove_entry import ProveEntry
from seal_service.usecases.recover_log import RecoverLog
from seal_service.usecases.verify_document import VerifyDocument
from tests.crash.caller import Outcome
from tests.crash.invariants import SETTLING_SECONDS, settled
from tests.crash.report import Report
from tests.crash.scene import MACHINE, Scene
from tests.crash.syscalls import SERVE
from tests.crash.tree import faults_of_files, faults_of_tree, glimpsed, published, size_of_tree
from tests.postgresql import Addresses

USES = 3
PUBLISH = "publish log"
OLD_BACKUP = "an old backup restored, then the right one, then the old one recovered"
_LOST = {Invariant.INTENT, Invariant.COMPLETED}
"""What the database may miss after a recovery: the rows of the uses after the backup, which only the log knows."""
AUDITOR = Caller(account_id=None, name="auditor", roles=frozenset({Role.AUDITOR}))


@dataclass
class RestoredBackup:
    """Sealed and published, restored from before that, restored from the end, and recovered from before that."""

    scene: Scene
    report: Report
    copies: list[Addresses] = field(default_factory=list)

    def run(self) -> None:
        """One round."""
        try:
            self._run()
        finally:
            for one in self.copies:
                assert self.scene.cluster is not None
                self.scene.cluster.drop(one)

    def _run(self) -> None:
        scene = self.scene
        scene.ledger.keeps = True
        scene.living(SERVE)
        violations = [*self._used(), *settled(scene)]
        put_old_back = self._copied()
        scene.living(SERVE)
        violations += [*self._used(), *settled(scene)]
        put_new_back = self._copied()
        put_old_back()
        violations += self._refused()
        self._end()
        put_new_back()
        scene.living(SERVE)
        violations += [*settled(scene), *self._used(), *settled(scene, whole=True)]
        put_old_back()
        violations += self._recovered()
        self.report.rounds[OLD_BACKUP] += 1
        self.report.violations(OLD_BACKUP, violations)

    def _used(self) -> list[str]:
        outcomes = [self.scene.caller().use(self.scene.key()) for _ in range(USES)]
        return [] if set(outcomes) == {Outcome.RELEASED} else [f"not sealed: {outcomes}"]

    def _recovered(self) -> list[str]:
        """`seal log recover`: every document ever released is proven by the log again, and the service goes on."""
        scene = self.scene
        with scene.service() as service:
            done = service.transparency.recover(MACHINE, RecoverLog(confirmed=True))
            found = [] if done.uses >= USES else [f"{done.uses} uses came back, and {USES} were lost"]
            found += self._judged(service)
        scene.living(SERVE)
        found += self._used()
        with scene.service() as service:
            until = time.monotonic() + SETTLING_SECONDS
            while (wrong := self._judged(service)) and time.monotonic() < until:
                time.sleep(0.2)  # the server publishes, too
        return found + wrong

    def _judged(self, service: Service) -> list[str]:
        """Tree, files, guard and checkpoints as ever; of the database, all but the rows that a recovery cannot make."""
        if waiting := published(service):
            return waiting
        with self.scene.reading() as connection:
            found = [*faults_of_tree(self.scene, service, connection), *faults_of_files(service)]
        audited = service.transparency.checks.audit(MACHINE, AuditLog())
        checked = service.check_database(MACHINE, CheckDatabase(deep=True))
        wrong = [*audited.findings, *(one for one in checked.findings if one.invariant not in _LOST)]
        found += [f"{one.invariant.name}: {one.subject}: {one.detail}" for one in wrong]
        return found + [f"{key}: {told}" for key, told in self._unproven(service)]

    def _unproven(self, service: Service) -> Iterator[tuple[str, str]]:
        """Documents that the log, or a proof out of it, does not show to be sealed by it."""
        for key, (content, entry_id) in self.scene.ledger.documents.items():
            try:
                proof = service.transparency.prove_entry(AUDITOR, ProveEntry(entry_id=entry_id))
            except SealServiceError as error:
                yield key, f"no proof after a recovery: {error.message}"
                continue
            for proofs in ((), (proof,)):
                command = VerifyDocument(document=upload_of(content), proofs=proofs)
                report = service.verify_document(PUBLIC_CALLER, command)
                logged = [one for signature in report.signatures for one in signature.checks if one.id == "logged"]
                if [one.outcome for one in logged] != [CheckOutcome.PASS]:
                    yield key, f"not in the log after a recovery: {[one.en for one in logged]}"

    def _refused(self) -> list[str]:
        """Nobody seals or publishes over what the guard remembers, whether the key is new or was used after it."""
        scene = self.scene
        before, shown = dict(scene.ledger.released), (scene.log / "checkpoint").read_bytes()
        used = f"key-{scene.number}"
        size = size_of_tree(scene)
        scene.living(SERVE)
        assert scene.caller().refused() == 403, "a refusal is an entry of the log, also of one that is halted"
        scene.living(PUBLISH).run()
        found = [] if size_of_tree(scene) == size else ["entries got places that others have in the published tree"]
        for key in (scene.key(), used):
            digests = set(before.get(key, ()))
            if scene.caller().use(key) is Outcome.RELEASED and scene.ledger.released[key] != digests:
                found.append(f"{key}: a restored old state was sealed in")
        if (scene.log / "checkpoint").read_bytes() != shown:
            found.append("the published checkpoint changed under a restored old state")
        return found + glimpsed(scene)

    def _end(self) -> None:
        for victim in self.scene.processes.values():
            victim.kill()

    def _copied(self) -> Callable[[], None]:
        """A copy of the database alone, nobody at work; what puts it back."""
        self._end()
        cluster, addresses = self.scene.cluster, self.scene.addresses
        if cluster is None or addresses is None:
            return self._copied_file()
        copy = cluster.create("crash", addresses.url.rpartition("/")[2])
        self.copies.append(copy)

        def put_back() -> None:
            self._end()
            there = self.scene.addresses
            assert isinstance(there, Addresses)
            self.scene.addresses = cluster.create("crash", copy.url.rpartition("/")[2])
            cluster.drop(there)

        return put_back

    def _copied_file(self) -> Callable[[], None]:
        files = [one for one in self.scene.home.iterdir() if one.name.startswith("seal.db")]
        place = Path(f"{self.scene.home}-backup-{self.scene.number}")
        place.mkdir()
        for one in files:
            shutil.copy2(one, place)

        def put_back() -> None:
            self._end()
            for one in self.scene.home.iterdir():
                if one.name.startswith("seal.db"):
                    one.unlink()
            for one in place.iterdir():
                shutil.copy2(one, self.scene.home)

        return put_back
