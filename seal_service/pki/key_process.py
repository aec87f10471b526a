"""密钥进程: holds the keys that keepers have activated, in memory alone, and signs with them for the workers.

`python -m seal_service.pki.key_process DIRECTORY [MODULE]`: listens on a socket in the directory, which is its user's
alone, and ends with its standard input. It knows no master key, no database and no document. Nothing of it survives it.
The PKCS#11 module, for seals whose keys have tokens of their own, is named by who starts it and by no request.
"""

from __future__ import annotations

import base64
import ctypes
import fcntl
import json
import os
import resource
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import load_der_private_key

from seal_service.domain.errors import (
    ActivationSecretWrong,
    IntegrityFailed,
    KeyStoreUnavailable,
    SealServiceError,
    SignatureRefused,
    TokenPinLocked,
    TokenPinRefused,
)
from seal_service.pki.activation_wrap import unwrapped
from seal_service.pki.file_keys import SoftwareKey, supported_key
from seal_service.pki.keeper_tokens import KeeperKey

SOCKET, LOCK = "keys.sock", "keys.lock"
LARGEST_FRAME = 1 << 20
_LENGTH = 4
_AT_ONCE = 4096
_CREDENTIALS = struct.Struct("3i")
_PR_SET_DUMPABLE = 4
_MCL_CURRENT_AND_FUTURE = 3
_BROKEN = (KeyStoreUnavailable, SignatureRefused, IntegrityFailed)


@dataclass
class _Active:
    key: SoftwareKey | KeeperKey
    until: float
    left: int | None
    signing: int = 0
    """Signatures under way, which are still made when it ends."""
    ended: bool = False

    def close_unused(self) -> None:
        """Log out of a token, once it has ended and the last signature is made; twice is once."""
        if isinstance(self.key, KeeperKey) and self.ended and not self.signing:
            self.key.close()


class ActivatedKeys:
    """What is activated. Safe for threads: of N uses that are left exactly N sign."""

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        module: Path | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._ticks = ticks
        self._module = module
        self._since = now()
        self._active: dict[str, _Active] = {}
        self._opening: dict[str, object] = {}
        """The newest activation of each key that is under way; an end takes it away."""
        self._lock = threading.Lock()
        self._deriving = threading.Semaphore(1)  # argon2id takes 64 MiB each

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request's answer."""
        if request.get("do") not in ("sign", "status"):  # which every use asks, and which look at one key alone
            self.drop_ended()
        match request.get("do"):
            case "activate":
                return self._activate(request)
            case "sign":
                return self._sign(str(request["reference"]), base64.b64decode(request["message"]))
            case "end":
                reference = str(request["reference"])
                with self._lock:
                    self._opening.pop(reference, None)
                return {"was": self._end(lambda one, _: one == reference)}
            case "status":
                with self._lock:
                    found = self._active.get(str(request["reference"]))
                    ended = found is None or found.until <= self._now() or found.left == 0
                    return {} if found is None or ended else {"until": found.until, "left": found.left}
            case "condition":
                with self._lock:
                    return {"since": self._since, "activated": len(self._active)}
        return {"error": "unknown"}

    def drop_ended(self) -> None:
        """Forget keys whose time or uses are over."""
        now = self._now()
        self._end(lambda _, active: active.until <= now or active.left == 0)

    def _end(self, chosen: Callable[[str, _Active], bool]) -> bool:
        with self._lock:
            found = [self._active.pop(one) for one, active in [*self._active.items()] if chosen(one, active)]
            for active in found:
                active.ended = True
        for active in found:
            active.close_unused()
        return bool(found)

    def _activate(self, request: dict[str, Any]) -> dict[str, Any]:
        """Nothing is activated for who has given up waiting (`by`), or has locked the key meanwhile: "late"."""
        reference, opening = str(request["reference"]), object()
        with self._lock:
            self._opening[reference] = opening
        try:
            with self._deriving:
                return self._opened(reference, opening, request)
        finally:
            with self._lock:
                if self._opening.get(reference) is opening:
                    del self._opening[reference]

    def _opened(self, reference: str, opening: object, request: dict[str, Any]) -> dict[str, Any]:
        uses, by = request["uses"], float(request["by"])
        until, left = float(request["until"]), None if uses is None else int(uses)

        def is_late() -> bool:
            return self._opening.get(reference) is not opening or self._ticks() >= by

        with self._lock:
            if is_late():
                return {"error": "late"}
            active = self._active.get(reference)
            if active is not None and isinstance(active.key, KeeperKey):
                if not active.key.is_opened_by(str(request["secret"])):
                    return {"error": "wrong"}
                active.until, active.left = until, left
                return {}
        try:
            key = self._unlocked(reference, request)
        except ActivationSecretWrong:
            return {"error": "wrong"}
        except TokenPinLocked as error:
            return {"error": "token_locked", "told": error.message}
        except _BROKEN as error:
            return {"error": "unavailable", "told": error.message}
        with self._lock:
            if not is_late():
                self._active[reference] = _Active(key, until, left)
                return {}
        if isinstance(key, KeeperKey):
            key.close()
        return {"error": "late"}

    def _unlocked(self, reference: str, request: dict[str, Any]) -> SoftwareKey | KeeperKey:
        secret = str(request["secret"])
        if "token" not in request:
            plaintext = unwrapped(base64.b64decode(request["wrapped"]), secret, reference)
            return SoftwareKey(
                supported_key(load_der_private_key(plaintext, None, unsafe_skip_rsa_key_validation=True))
            )
        if self._module is None:
            raise KeyStoreUnavailable(
                "The key process was started without SEAL_PKCS11_SEAL_TOKENS: restart the service"
            )
        return KeeperKey(self._module, str(request["token"]), reference, secret)

    def _sign(self, reference: str, message: bytes) -> dict[str, Any]:
        with self._lock:  # counted before it signs: a use too few rather than one too many
            found = self._active.get(reference)
            if found is None or found.until <= self._now() or found.left == 0:
                return {"error": "not_activated"}
            if found.left is not None:
                found.left -= 1
            found.signing += 1
        try:
            return {"signature": base64.b64encode(found.key.sign(message)).decode()}
        except (TokenPinRefused, TokenPinLocked):  # another secret by now, by its security officer
            self._end(lambda _, active: active is found)
            return {"error": "not_activated"}
        except _BROKEN as error:
            return {"error": "unavailable", "told": error.message}
        finally:
            with self._lock:
                found.signing -= 1
            if found.left == 0:
                self._end(lambda _, active: active is found and active.left == 0)
            found.close_unused()


def send_frame(connection: socket.socket, values: dict[str, Any]) -> None:
    """One JSON object behind its length."""
    content = json.dumps(values).encode()
    connection.sendall(len(content).to_bytes(_LENGTH, "big") + content)


def receive_frame(connection: socket.socket) -> dict[str, Any] | None:
    """The next object; None when the other end is gone. ValueError for what is none."""
    # One frame is under way at a time, nearly always a small one.
    begun = _up_to(connection, connection.recv(_AT_ONCE), _LENGTH)
    if begun is None:
        return None
    size = int.from_bytes(begun[:_LENGTH], "big")
    if size > LARGEST_FRAME or len(begun) > _LENGTH + size:
        raise ValueError("too large")
    frame = _up_to(connection, begun, _LENGTH + size)
    values = None if frame is None else json.loads(frame[_LENGTH:])
    if values is not None and not isinstance(values, dict):
        raise ValueError("no object")
    return values


def is_own_user(connection: socket.socket) -> bool:
    """Whether the other end runs as the same user (SO_PEERCRED)."""
    given = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return bool(_CREDENTIALS.unpack(given)[1] == os.geteuid())


def _up_to(connection: socket.socket, begun: bytes, size: int) -> bytes | None:
    """What has come, and as much more as makes it so many bytes; None when the other end is gone before."""
    parts = bytearray(begun)
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


def harden() -> bool:
    """No core dumps, no debugger, no memory of it to be read by others, nothing swapped out; whether that is locked."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] != resource.RLIM_INFINITY and os.geteuid() != 0:
        return False  # to lock less than everything would let later allocations fail
    return bool(library.mlockall(_MCL_CURRENT_AND_FUTURE) == 0)


def main(directory: str, module: str | None = None) -> int:
    """Serve until standard input ends."""
    for number in (signal.SIGINT, signal.SIGTERM):  # they reach all processes; uses under way still need their keys
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)
    harden()
    os.chdir(directory)  # a socket's address is short, a directory's name may be long
    lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 3  # another serves this directory already
    Path(SOCKET).unlink(missing_ok=True)
    keys = ActivatedKeys(module=None if module is None else Path(module))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(SOCKET)
        listening.listen(128)
        threading.Thread(target=_end_with_input, daemon=True).start()
        listening.settimeout(1)
        while True:
            with suppress(TimeoutError):
                connection, _ = listening.accept()
                connection.settimeout(None)
                threading.Thread(target=_serve, args=(connection, keys), daemon=True).start()
            keys.drop_ended()


def _serve(connection: socket.socket, keys: ActivatedKeys) -> None:
    with connection, suppress(OSError):
        if not is_own_user(connection):
            return
        while True:
            try:
                request = receive_frame(connection)
                if request is None:
                    return
                answer = keys.answer(request)
            except (ValueError, KeyError, TypeError, SealServiceError):
                answer = {"error": "malformed"}
            send_frame(connection, answer)


def _end_with_input() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
