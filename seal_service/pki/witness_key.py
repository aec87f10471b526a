"""见证密钥: the Ed25519 key of a witness, in a file that its owner alone reads."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seal_service.domain.errors import AlreadyRegistered, InstanceNotReady, IntegrityFailed, InvalidInput
from seal_service.formats.base64_text import decoded, encoded
from seal_service.formats.cosignature import cosignature, cosigned_message
from seal_service.formats.note import SignatureType, VerifierKey, checked_name, signature_line
from seal_service.pki.durable_files import create_file
from seal_service.ports.system import Entropy

_KEY_BYTES = 32
_MARK = "witness"
_LARGEST_FILE = 4096


class WitnessKey:
    """见证密钥, held in this process. Safe for threads."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        public = private_key.public_key().public_bytes_raw()
        self._key = VerifierKey(name=name, type=SignatureType.COSIGNATURE, public_key=public)
        self._private_key = private_key

    @property
    def verifier_key(self) -> str:
        """name+id+key."""
        return self._key.text

    def cosign(self, text: str, at: datetime) -> str:
        """The signature line over a checkpoint's text, with its line feed."""
        return signature_line(cosignature(self._key, at, self._private_key.sign(cosigned_message(text, at))))


def create_witness_key(path: Path, name: str, entropy: Entropy) -> WitnessKey:
    """A new key in a file of mode 0600; AlreadyRegistered when there is one, InvalidInput for a name of no key."""
    try:
        checked_name(name)
    except ValueError as error:
        raise InvalidInput(f"The witness's name: {error}", field="name") from error
    seed = entropy.token(_KEY_BYTES)
    try:
        create_file(path, f"{_MARK} {name} {encoded(seed)}\n".encode(), "new")
    except FileExistsError:
        raise AlreadyRegistered(f"The witness has a key already: {path}") from None
    return WitnessKey(name, Ed25519PrivateKey.from_private_bytes(seed))


def read_witness_key(path: Path) -> WitnessKey:
    """The key of a file; InstanceNotReady without one, IntegrityFailed when it cannot be used."""
    try:
        with path.open("rb") as file:
            if path.stat().st_mode & 0o077:
                raise IntegrityFailed(f"Others than its owner can read the witness's key: chmod 600 {path}")
            mark, name, seed = file.read(_LARGEST_FILE).decode().removesuffix("\n").split(" ")
        if mark != _MARK:
            raise ValueError("not a witness's key")
        return WitnessKey(checked_name(name), Ed25519PrivateKey.from_private_bytes(decoded(seed)))
    except FileNotFoundError:
        raise InstanceNotReady(f"There is no witness in {path.parent}: `seal witness init` makes one") from None
    except ValueError:
        raise IntegrityFailed(f"The witness's key cannot be read: {path}") from None
