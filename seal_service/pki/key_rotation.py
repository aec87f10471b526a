"""主密钥轮换, 令牌密钥轮换: while other processes seal, and to be taken up again after a crash at any step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from seal_service.domain.errors import Conflict, InstanceNotReady, IntegrityFailed
from seal_service.pki.durable_files import replace_file, sync_directory
from seal_service.pki.key_hierarchy import RING, KeyHierarchy, key_context
from seal_service.pki.key_ring import KeyRing
from seal_service.pki.master_key import KEY_BYTES, WRAPPED, MasterKey, MasterKeyFile, MasterKeys
from seal_service.pki.vault import KeyRingVault
from seal_service.ports.crypto import MasterKeyPlan, MasterKeyRotated
from seal_service.ports.system import Entropy, KeptFiles

_LEFT_BEHIND = re.compile(r"\.(.+\.key|keyring)\.[0-9a-f]{16}")


@dataclass(frozen=True)
class KeyDirectoryRotation:
    """主密钥轮换 of a key directory; the port MasterKeyRotation.

    1. The new master key is put before the old one, durably. Whoever creates a key wraps it under the new one from now
       on. `master.key` with several lines is the mark of a rotation that has not ended.
    2. The ring is wrapped under it, with one more data key.
    3. Each private key is wrapped under it.
    4. Kept files are encrypted under the new data key. Rows of the log stay under theirs, which stays in the ring.
    5. Everything is opened with the new master key alone.
    6. The old one is taken out.

    The directory's lock is held for one file at a time, so that nobody waits for the whole of it.
    """

    hierarchy: KeyHierarchy
    vault: KeyRingVault
    kept: KeptFiles
    entropy: Entropy

    def plan(self) -> MasterKeyPlan:
        """What there is."""
        self.hierarchy.refresh()
        masters, paths = self.hierarchy.masters, self.hierarchy.key_files()
        return MasterKeyPlan(
            from_environment=not isinstance(self.hierarchy.source, MasterKeyFile),
            active=masters.active.id.hex(),
            others=tuple(one.id.hex() for one in masters.others),
            key_files=len(paths),
            key_files_to_wrap=sum(not _is_under(masters.active, path) for path in paths),
            kept_files=self.kept.count(),
        )

    def rotate(self) -> MasterKeyRotated:
        """Steps 1 to 6, or those that are left."""
        with self.hierarchy.rotating():
            self._require_two_keys_of_environment()
            self._require_everything_opens(None)
            masters = self._put_first()
            data_key = self._wrap_ring(masters.active)
            wrapped = sum(self._wrap_key(path, masters.active) for path in self.hierarchy.key_files())
            sync_directory(self.hierarchy.directory)
            encrypted, damaged = self.kept.encrypt_anew(self.vault.is_current)
            self._require_everything_opens(masters.active)
            self._take_out_others(masters)
        return MasterKeyRotated(
            active=masters.active.id.hex(),
            retired=tuple(one.id.hex() for one in masters.others),
            from_environment=not isinstance(self.hierarchy.source, MasterKeyFile),
            data_key=data_key,
            key_files=wrapped,
            kept_files=encrypted,
            kept_files_damaged=damaged,
        )

    def _require_two_keys_of_environment(self) -> None:
        source = self.hierarchy.source
        if not isinstance(source, MasterKeyFile) and not source.load().others:
            raise Conflict(
                "SEAL_MASTER_KEY names one key: make another with `seal keys new master`, set SEAL_MASTER_KEY to "
                "`new,old`, restart every process, then repeat this"
            )

    def _put_first(self) -> MasterKeys:
        with self.hierarchy.changing(exclusive=True):
            self._remove_what_was_left_behind()
            self.hierarchy.refresh()
            self.hierarchy.write_implied_ring()
            masters, source = self.hierarchy.masters, self.hierarchy.source
            if masters.others or not isinstance(source, MasterKeyFile):
                return masters
            both = MasterKeys((MasterKey(self.entropy.token(KEY_BYTES)), masters.active))
            source.replace(both, self.entropy)
            self.hierarchy.refresh()
            return both

    def _wrap_ring(self, active: MasterKey) -> int:
        with self.hierarchy.changing(exclusive=True):
            self.hierarchy.refresh()
            if self.hierarchy.ring_master.id != active.id:
                self.hierarchy.write_ring(self.hierarchy.held_ring().with_data_key(self.entropy), active)
            return self.hierarchy.held_ring().newest

    def _wrap_key(self, path: Path, active: MasterKey) -> bool:
        with self.hierarchy.changing(exclusive=True):
            if _is_under(active, path):
                return False
            plaintext = self.hierarchy.unwrap(path)
            wrapped = active.wrap(plaintext, key_context(path.stem), self.entropy)
            replace_file(path, wrapped, self.entropy.token(8).hex())
            return True

    def _require_everything_opens(self, master: MasterKey | None) -> None:
        """By one master key, or (None) by those that are here: before anything is changed."""
        for path in self.hierarchy.key_files():
            try:
                if master is None:
                    self.hierarchy.unwrap(path)
                else:
                    master.unwrap(path.read_bytes(), key_context(path.stem))
            except FileNotFoundError:
                continue  # destroyed meanwhile
            except (IntegrityFailed, InstanceNotReady) as error:
                raise IntegrityFailed(
                    f"{error.message}. The master key was not rotated to its end and no key was retired; repeat the "
                    f"rotation when {path} opens, or is moved away"
                ) from error
        if master is not None:
            KeyRing.unwrapped((self.hierarchy.directory / RING).read_bytes(), master)

    def _take_out_others(self, masters: MasterKeys) -> None:
        if isinstance(self.hierarchy.source, MasterKeyFile) and masters.others:
            with self.hierarchy.changing(exclusive=True):
                self.hierarchy.source.replace(MasterKeys((masters.active,)), self.entropy)
                self.hierarchy.refresh()

    def _remove_what_was_left_behind(self) -> None:
        """Temporary files of processes that died: nobody alive has one while the directory's lock is held alone."""
        for path in self.hierarchy.directory.iterdir():
            if _LEFT_BEHIND.fullmatch(path.name):
                path.unlink()


@dataclass(frozen=True)
class RingTokenKeyRotation:
    """令牌密钥轮换 in the ring; the port TokenKeyRotation."""

    hierarchy: KeyHierarchy
    entropy: Entropy

    def rotate(self) -> None:
        """A new token key; every process signs with it from its next token on."""
        with self.hierarchy.rotating(), self.hierarchy.changing(exclusive=True):
            self.hierarchy.refresh()
            ring = self.hierarchy.held_ring().with_token_key(self.entropy)
            self.hierarchy.write_ring(ring, self.hierarchy.ring_master)


def _is_under(master: MasterKey, path: Path) -> bool:
    """Whether a key file needs nothing more: it is under this master key, or gone."""
    try:
        return path.read_bytes().startswith(WRAPPED + master.id)
    except FileNotFoundError:
        return True
