"""主密钥: wraps the private keys and the key ring (AES-256-GCM, HKDF-SHA256); where it comes from.

There may be several: the first is active and wraps; the others only open what they wrapped before.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from seal_service.domain.errors import AlreadyRegistered, InstanceNotReady, IntegrityFailed
from seal_service.pki.durable_files import create_file, replace_file, sync_directory
from seal_service.ports.system import Entropy

FIRST_FORM = b"\x01"
"""Of version 0.1.0: names no key; nonce and AES-256-GCM under a sub-key of the master key."""
WRAPPED = b"\x02"
ID_BYTES = 8
NONCE_BYTES = 12
TAG_BYTES = 16
KEY_BYTES = 32

_WRITTEN = re.compile(r"[0-9a-fA-F]{64}")
_MOST_KEYS = 16
_SHORTEST = len(WRAPPED) + ID_BYTES + NONCE_BYTES + TAG_BYTES
_SEPARATOR = re.compile(r"[,\n]")


class MasterKey:
    """主密钥 of 32 bytes. Only sub-keys are used (HKDF, RFC 5869), one for each purpose, never the key itself."""

    def __init__(self, key: bytes) -> None:
        """Take the key; InstanceNotReady for another length."""
        if len(key) != KEY_BYTES:
            raise InstanceNotReady("The master key has not 32 bytes")
        self._key = key
        self.id = self.sub_key(b"master key id")[:ID_BYTES]
        """Names the key and tells nothing of it."""
        self._cipher = AESGCM(self.sub_key(b"wrapping"))

    def __repr__(self) -> str:
        return f"MasterKey({self.id.hex()})"

    def wrap(self, plaintext: bytes, context: bytes, entropy: Entropy) -> bytes:
        """Byte 2, this key's id, 96-bit random nonce, AES-256-GCM (NIST SP 800-38D) over it and the context."""
        nonce = entropy.token(NONCE_BYTES)
        header = WRAPPED + self.id
        return header + nonce + self._cipher.encrypt(nonce, plaintext, header + context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The plaintext; IntegrityFailed when content, context or key is another."""
        first_form = wrapped[:1] == FIRST_FORM
        header = FIRST_FORM if first_form else WRAPPED + self.id
        if not wrapped.startswith(header) or len(wrapped) < len(header) + NONCE_BYTES + TAG_BYTES:
            raise IntegrityFailed
        cipher = AESGCM(self.sub_key(b"encryption")) if first_form else self._cipher
        nonce, content = wrapped[len(header) : len(header) + NONCE_BYTES], wrapped[len(header) + NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, content, header + context)
        except InvalidTag:
            raise IntegrityFailed from None

    def sub_key(self, purpose: bytes) -> bytes:
        """A key of 32 bytes for one purpose."""
        info = b"seal-service/" + purpose
        return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=info).derive(self._key)

    def written(self) -> str:
        """The key itself, as it stands in its file: for that file alone."""
        return self._key.hex()


@dataclass(frozen=True)
class MasterKeys:
    """The master keys in order, the active one first."""

    keys: tuple[MasterKey, ...]

    def __post_init__(self) -> None:
        """InstanceNotReady for none, too many, or one that is named twice."""
        if not 1 <= len(self.keys) <= _MOST_KEYS:
            raise InstanceNotReady(f"There are 1 to {_MOST_KEYS} master keys")
        if len({one.id for one in self.keys}) != len(self.keys):
            raise InstanceNotReady("A master key is named twice: name each once, the active one first")

    @property
    def active(self) -> MasterKey:
        """The one that wraps."""
        return self.keys[0]

    @property
    def others(self) -> tuple[MasterKey, ...]:
        """Those that only open what they wrapped."""
        return self.keys[1:]

    def opener(self, wrapped: bytes, context: bytes) -> MasterKey | None:
        """The key that wrapped this, None when it is none of them; IntegrityFailed for what is no wrapped content."""
        if wrapped[:1] not in (FIRST_FORM, WRAPPED) or len(wrapped) < _SHORTEST:
            raise IntegrityFailed
        if wrapped[:1] == FIRST_FORM:
            return next((one for one in self.keys if _opens(one, wrapped, context)), None)
        named = wrapped[len(WRAPPED) : len(WRAPPED) + ID_BYTES]
        return next((one for one in self.keys if one.id == named), None)


def _opens(key: MasterKey, wrapped: bytes, context: bytes) -> bool:
    try:
        key.unwrap(wrapped, context)
    except IntegrityFailed:
        return False
    return True


class MasterKeySource(Protocol):
    """Where the master keys come from."""

    def load(self) -> MasterKeys:
        """The keys as they are now; InstanceNotReady without good ones."""


class GivenMasterKeys:
    """From the environment: `new,old`. They stay what they were when the process began."""

    def __init__(self, text: str) -> None:
        """Take the text; InstanceNotReady when it is malformed."""
        self._keys = parse_master_keys(text)

    def load(self) -> MasterKeys:
        """The keys."""
        return self._keys


@dataclass(frozen=True)
class MasterKeyFile:
    """`master.key`, mode 0600: one key of 64 hexadecimal characters a line, the active one first."""

    path: Path

    def load(self) -> MasterKeys:
        """The keys; InstanceNotReady when the file is missing, malformed or not its owner's alone."""
        try:
            with self.path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                if mode & 0o077:
                    raise InstanceNotReady(
                        f"The master key {self.path} can be read by others (mode {mode & 0o777:04o}): chmod 600 it"
                    )
                content = file.read(4096)
        except OSError as error:
            raise InstanceNotReady(f"The master key {self.path} cannot be read: {error.strerror}") from error
        try:
            return parse_master_keys(content.decode("ascii", errors="replace"))
        except InstanceNotReady as error:
            raise InstanceNotReady(f"{error.message}: {self.path}") from None

    def create(self, entropy: Entropy) -> MasterKeys:
        """A first key in a new file, durable on return; AlreadyRegistered when the file exists."""
        keys = MasterKeys((MasterKey(entropy.token(KEY_BYTES)),))
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            create_file(self.path, _content(keys.keys), entropy.token(8).hex())
        except FileExistsError:
            raise AlreadyRegistered(f"There is a master key already: {self.path}") from None
        return keys

    def replace(self, keys: MasterKeys, entropy: Entropy) -> None:
        """Put other keys in their place, durable on return."""
        replace_file(self.path, _content(keys.keys), entropy.token(8).hex())
        sync_directory(self.path.parent)


def parse_master_keys(text: str) -> MasterKeys:
    """The keys of a text, one a line or separated by commas; InstanceNotReady (which repeats nothing of it)."""
    written = [one.strip() for one in _SEPARATOR.split(text.strip())]
    if not all(_WRITTEN.fullmatch(one) for one in written):
        raise InstanceNotReady("A master key is not 64 hexadecimal characters")
    return MasterKeys(tuple(MasterKey(bytes.fromhex(one)) for one in written))


def _content(keys: Sequence[MasterKey]) -> bytes:
    return b"".join(one.written().encode() + b"\n" for one in keys)
