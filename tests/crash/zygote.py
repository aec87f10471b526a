"""Forks the service's processes from one that has imported everything: a new one is there in a third of a second.

Linux alone. What runs is the same program. Four things differ, for speed and for none of which a crash matters:
documents are read in the process itself, no key process is started beside the server, secrets are hashed quickly, and
what is prepared at a first use is there before it.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy.orm import configure_mappers

from seal_service.__main__ import seal_command
from seal_service.bootstrap import key_processes, wiring
from seal_service.bootstrap.isolating import SEALING, VERIFYING
from seal_service.domain.use import SignatureLevel
from seal_service.storage.sqlite import sqlite_module
from seal_service.testing.isolation import InProcess
from tests.crash.quick import SIDE_MM, remember_impressions, small_picture
from tests.instance import RealOffice, blank_pdf
from tests.quick_instances import hash_quickly

LARGEST_REQUEST = 1 << 16
ALL = "all"
LOADED = (
    "anyio._backends._asyncio", "httpx", "psycopg", "uvicorn", "uvicorn.lifespan.on", "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto", "seal_service.asgi",
    "seal_service.jobs.maintenance",
)  # fmt: skip
_PR_SET_PDEATHSIG = 1


def main(channel: socket.socket) -> None:
    """Fork for each request, until nobody can ask any more."""
    _import_everything()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    channel.send(b"ready")
    while True:
        request, files, _, _ = socket.recv_fds(channel, LARGEST_REQUEST, 2)
        if not request:
            return
        pid = os.fork()
        if pid == 0:
            channel.close()
            _become(json.loads(request), *files)
        handle = os.pidfd_open(pid)
        socket.send_fds(channel, [str(pid).encode()], [handle])
        for one in (*files, handle):
            os.close(one)


def _import_everything() -> None:
    for name in (*LOADED, *SEALING, *VERIFYING):
        import_module(name)
    seal_command()
    sqlite_module()
    configure_mappers()
    vars(wiring)["reading_processes"] = lambda _settings, _modules: ReadsHere()
    vars(key_processes)["key_process"] = lambda _settings: nullcontext()
    hash_quickly()
    remember_impressions()
    _seal_once()
    assert threading.active_count() == 1, "a process with threads must not fork"
    gc.collect()
    gc.freeze()  # those to come do not look through it again


def _seal_once() -> None:
    """What is loaded and prepared at a process's first use is there in each that is forked."""
    with tempfile.TemporaryDirectory(prefix="seal-crash-") as directory:
        office = RealOffice(Path(directory) / "warm", picture=small_picture(), side_mm=SIDE_MM)
        office.use("warm", blank_pdf(), SignatureLevel.B_B)
        office.service.close()


class ReadsHere(InProcess):
    """Documents are read in the process that asks."""

    def start(self) -> None:
        """Nothing to start."""

    def close(self) -> None:
        """Nothing to end."""


def _become(request: dict[str, Any], control: int, output: int) -> None:
    """In the child: wait for the word, then be what was asked for."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.clear()
        os.environ.update(request["environment"])
        _name_threads()
        wire = socket.socket(fileno=control)
        if wire.recv(1):
            if request["role"] == "serve":
                _serve(request["arguments"], request["tasks"])
            else:
                _work(request["role"], wire)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(1)


def _name_threads() -> None:
    """Tell the kernel each thread's name, so that a thread can be found from outside."""
    told = threading.Thread._set_native_id  # type: ignore[attr-defined]

    def named(self: threading.Thread) -> None:
        told(self)
        with suppress(OSError):  # this write may be the one that is made to fail
            Path(f"/proc/self/task/{self.native_id}/comm").write_text(self.name[:15])

    threading.Thread._set_native_id = named  # type: ignore[attr-defined]


def _serve(arguments: Sequence[str], tasks: Sequence[str]) -> None:
    """`seal serve`, with some of what it does beside."""
    import seal_service.__main__ as entry
    from seal_service.jobs.maintenance import TASKS, maintained

    chosen = [task for task in TASKS if ALL in tasks or task.name in tasks]
    entry._maintained = lambda service: maintained(service, chosen)
    entry.seal_command(arguments)(arguments, prog_name="seal")


def _work(name: str, wire: socket.socket) -> None:
    """One task of the maintenance, or one half of it: once for every word, in the main thread."""
    from seal_service.bootstrap import build, settings_from_environment
    from seal_service.jobs.maintenance import MACHINE, TASKS
    from seal_service.usecases.publish_checkpoint import PublishCheckpoint
    from seal_service.usecases.sequence_log import SequenceLog

    runs = {one.name: one.run for one in TASKS} | {
        "sequence": lambda service: service.transparency.sequence(MACHINE, SequenceLog()).placed >= 0,
        "publish": lambda service: service.transparency.publish(MACHINE, PublishCheckpoint()).begun,
    }
    run = runs[name]
    service = build(settings_from_environment())
    wire.send(b"ready")
    while wire.recv(1):
        try:
            wire.send(b"well" if run(service) else b"not well")
        except Exception as error:
            traceback.print_exc()
            wire.send(f"{type(error).__name__}: {error}"[:500].encode())


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
