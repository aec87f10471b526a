"""密钥层次: master keys and the ring that they wrap, as this process holds them and as they lie in the key directory.

A key directory has `master.key` (unless the environment gives it), `keyring` and a file for each private key. Another
process may rotate the master key at any time: what names a key that is not held here is looked for on disk once more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from seal_service.domain.errors import Conflict, InstanceNotReady, IntegrityFailed
from seal_service.pki.durable_files import create_file, locked, replace_file, sync_directory
from seal_service.pki.key_ring import KeyRing
from seal_service.pki.master_key import FIRST_FORM, WRAPPED, MasterKey, MasterKeys, MasterKeySource
from seal_service.ports.system import Entropy

RING = "keyring"
MASTER = "master"
"""`master.key` is the master key's file, never a private key's."""

_LOCK = ".lock"
_ROTATION = ".rotation"
_ATTEMPTS = 3


@dataclass(frozen=True)
class _Held:
    masters: MasterKeys
    ring: KeyRing
    under: MasterKey
    """The master key that wraps the ring, or implies it."""
    mark: tuple[int, ...] | None
    """What changes with the ring's file; None: there is none, the ring is implied (an instance of version 0.1.0)."""


class KeyHierarchy:
    """What wraps and unwraps private keys, and the ring. Safe for threads; several processes share the directory."""

    def __init__(self, directory: Path, source: MasterKeySource, entropy: Entropy) -> None:
        """Open what is in the directory; InstanceNotReady, IntegrityFailed with what to do."""
        self.directory = directory
        self.source = source
        self.entropy = entropy
        self._ring_path = os.fspath(directory / RING)
        self._refreshing = Lock()
        self._held = self._load()

    def held_ring(self) -> KeyRing:
        """The ring as it is held, without a look at the disk."""
        return self._held.ring

    def ring(self) -> KeyRing:
        """The ring as it is now: its file is read again only when it was replaced, which costs one `stat` to know."""
        if self._mark() != self._held.mark:
            self.refresh()
        return self._held.ring

    def refresh(self) -> None:
        """Read master keys and ring again; InstanceNotReady, IntegrityFailed when they are no longer good."""
        with self._refreshing:
            self._held = self._load()

    def unwrap(self, path: Path) -> bytes:
        """A private key from its file, which is read again when another process may have wrapped it anew.

        Raises OSError, IntegrityFailed when it was changed, InstanceNotReady when another master key wrapped it.
        """
        wrapped, context = path.read_bytes(), key_context(path.stem)
        try:
            key = self._held.masters.opener(wrapped, context)
            if key is None:
                self.refresh()
                wrapped = path.read_bytes()
                key = self._held.masters.opener(wrapped, context)
            if key is not None:
                return key.unwrap(wrapped, context)
        except IntegrityFailed:
            raise IntegrityFailed(f"The key {path} was changed: put back the copy of it that was backed up") from None
        raise InstanceNotReady(_other_master(path, wrapped, self._held.masters))

    @contextmanager
    def creating(self) -> Iterator[MasterKey]:
        """The active master key, which stays active until what it wraps inside is in the directory.

        The first key that an instance of version 0.1.0 wraps here also writes its ring, so that a ring which is
        missing beside such keys is known to be lost.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.changing(exclusive=False):
            self.refresh()
            self.write_implied_ring()
            yield self._held.masters.active

    @contextmanager
    def changing(self, *, exclusive: bool) -> Iterator[None]:
        """Hold the directory's lock: shared to add or remove a key, exclusive to replace what is there. Briefly."""
        with locked(self.directory / _LOCK, exclusive=exclusive):
            yield

    @contextmanager
    def rotating(self) -> Iterator[None]:
        """Be the only one who rotates keys here; Conflict when there is another."""
        with ExitStack() as held:
            try:
                held.enter_context(locked(self.directory / _ROTATION, exclusive=True, wait=False))
            except BlockingIOError:
                raise Conflict("Keys are being rotated, or backed up: repeat this when that has ended") from None
            yield

    @property
    def masters(self) -> MasterKeys:
        """The master keys as they are held."""
        return self._held.masters

    @property
    def ring_master(self) -> MasterKey:
        """The master key that wraps the ring."""
        return self._held.under

    def write_ring(self, ring: KeyRing, master: MasterKey) -> None:
        """Put a ring into the directory, durable on return. For whoever holds the directory's lock."""
        path, suffix = self.directory / RING, self.entropy.token(8).hex()
        content = ring.wrapped(master, self.entropy)
        if path.exists():
            replace_file(path, content, suffix)
            sync_directory(self.directory)
        else:
            with suppress(FileExistsError):  # another process wrote the ring of version 0.1.0 first; it is the same
                create_file(path, content, suffix)
        self.refresh()

    def write_implied_ring(self) -> None:
        """Write down what version 0.1.0 implied, if that is so here. For whoever holds the directory's lock."""
        if self._held.mark is None:
            self.write_ring(self._held.ring, self._held.under)

    def key_files(self) -> list[Path]:
        """The files of private keys, by name."""
        return [one for one in sorted(self.directory.glob("[!.]*.key")) if one.stem != MASTER]

    def _load(self) -> _Held:
        for _ in range(_ATTEMPTS):
            masters = self.source.load()
            mark = self._mark()
            if mark is None:
                ring, under = self._implied(masters)
                return _Held(masters, ring, under, None)
            try:
                wrapped = (self.directory / RING).read_bytes()
            except OSError as error:
                raise InstanceNotReady(f"The keyring {self.directory / RING}: {error.strerror}") from error
            try:
                opener = masters.opener(wrapped, b"") if wrapped[:1] == WRAPPED else None
                if opener is not None:
                    return _Held(masters, KeyRing.unwrapped(wrapped, opener), opener, mark)
                if wrapped[:1] != WRAPPED:
                    raise IntegrityFailed
            except IntegrityFailed:
                raise IntegrityFailed(
                    f"The keyring {self.directory / RING} was changed: put back the copy of it that was backed up"
                ) from None
            # Between the two reads another process may have put a new master key first and wrapped the ring under it.
        raise InstanceNotReady(_other_master(self.directory / RING, wrapped, masters))

    def _implied(self, masters: MasterKeys) -> tuple[KeyRing, MasterKey]:
        """The ring of an instance of version 0.1.0, whose private keys are still as that version wrote them."""
        found = {path: path.read_bytes() for path in self.key_files()}
        if any(wrapped[:1] == WRAPPED for wrapped in found.values()):
            raise InstanceNotReady(
                f"The keyring {self.directory / RING} is missing: put back the copy that was backed up with the keys"
            )
        first = next(((path, wrapped) for path, wrapped in found.items() if wrapped[:1] == FIRST_FORM), None)
        if first is None:
            raise InstanceNotReady(f"There are no keys in {self.directory}: run `seal init`, or put back a backup")
        path, wrapped = first
        master = masters.opener(wrapped, key_context(path.stem))
        if master is None:
            raise InstanceNotReady(_other_master(path, wrapped, masters))
        return KeyRing.implied_by(master), master

    def _mark(self) -> tuple[int, ...] | None:
        try:
            found = os.stat(self._ring_path)
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


def has_keys(directory: Path) -> bool:
    """Whether there is a ring, or a private key, in a key directory."""
    return (directory / RING).exists() or any(one.stem != MASTER for one in directory.glob("[!.]*.key"))


def create_ring(directory: Path, source: MasterKeySource, entropy: Entropy) -> None:
    """Make the ring of a new instance; nothing where there are keys already."""
    if has_keys(directory):
        return
    content = KeyRing.new(entropy).wrapped(source.load().active, entropy)
    with suppress(FileExistsError):  # made by another `seal init` at the same time, which then goes on or is refused
        create_file(directory / RING, content, entropy.token(8).hex())


def key_context(reference: str) -> bytes:
    """What binds a wrapped private key to its reference."""
    return b"key/" + reference.encode()


def _other_master(path: Path, wrapped: bytes, masters: MasterKeys) -> str:
    named = f"master key {wrapped[1:9].hex()}" if wrapped[:1] == WRAPPED else "another master key"
    here = ", ".join(one.id.hex() for one in masters.keys)
    return (
        f"{path} is wrapped under {named}, and here is {here}: add that key after the first one, in master.key or "
        "SEAL_MASTER_KEY, and restart"
    )
