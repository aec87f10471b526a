"""密钥进程 of an instance: started before the workers, started again when it dies, ended with who started it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seal_service.config import Settings

_log = logging.getLogger(__name__)

_PASSED_ON = ("PATH", "PYTHONPATH", "LANG", "LC_ALL")
"""Of the environment: not what opens the instance."""
_KEPT_BACK = ("SEAL_", "PG")
"""What opens the instance, in capitals or not: a PKCS#11 module has settings there too, each maker his own."""
_PAUSE_SECONDS = 0.5
_ENDING_SECONDS = 5.0


def prepared_directory(settings: Settings) -> Path:
    """The directory in which processes meet, its user's alone."""
    directory = settings.run_directory
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    return directory


@contextmanager
def key_process(settings: Settings) -> Iterator[None]:
    """One key process beside the service, as long as this is entered.

    When it dies, whatever was activated is locked, and keepers have to activate it again: that is said in the log.
    """
    directory, ending = prepared_directory(settings), threading.Event()
    module = None if settings.pkcs11_seal_tokens is None else settings.pkcs11_module
    running = _start(directory, module)

    def watch() -> None:
        nonlocal running
        while not ending.is_set():
            code = running.wait()
            _let_go(running)
            if ending.is_set():
                return
            _log.error("the key process ended: nothing is activated any more", extra={"exit_code": code})
            ending.wait(_PAUSE_SECONDS)
            if not ending.is_set():
                running = _start(directory, module)

    watching = threading.Thread(target=watch, name="key process", daemon=True)
    watching.start()
    try:
        yield
    finally:
        ending.set()
        _let_go(running)
        try:
            running.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
        watching.join(_ENDING_SECONDS)


def _let_go(running: subprocess.Popen[bytes]) -> None:
    if running.stdin is not None:
        running.stdin.close()


def _start(directory: Path, module: Path | None) -> subprocess.Popen[bytes]:
    named = [name for name in os.environ if name in _PASSED_ON or (module and not name.upper().startswith(_KEPT_BACK))]
    command = [sys.executable, "-m", "seal_service.pki.key_process", str(directory)]
    return subprocess.Popen(  # noqa: S603 - this program's own module
        [*command, *([str(module.absolute())] if module else [])],
        stdin=subprocess.PIPE,
        env={name: os.environ[name] for name in named},
    )
