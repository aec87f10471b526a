"""The HTTP server's processes: how they stop without breaking off a seal use, and how the dead are replaced.

The first SIGTERM or SIGINT closes the listening socket and lets requests under way end, for a set time; a second one
ends everything at once, as a crash would: what that leaves open, `reconcile` closes.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socket import socket
from types import FrameType

from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

STOPPING = (signal.SIGTERM, signal.SIGINT)

_log = logging.getLogger(__name__)


def serve_in_this_process(config: Config) -> bool:
    """Serve until a signal; whether it ever started."""
    server = _StoppableServer(config)
    server.run()
    return server.started


def serve_in_workers(config: Config, ended: Callable[[int], None]) -> bool:
    """Serve with as many processes as the configuration says, until a signal; whether they ever started.

    `ended` is told the id of each process that is gone.
    """
    supervisor = _Supervisor(config, [config.bind_socket()], ended)
    supervisor.run()
    return not supervisor.failed


class _StoppableServer(Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; at once the second time. Nothing is raised again at the end, so that the end is a good one."""
        del frame
        if self.should_exit:
            _end_as_killed(sig)
        self.should_exit = True


class _Supervisor(Multiprocess):
    def __init__(self, config: Config, sockets: list[socket], ended: Callable[[int], None]) -> None:
        super().__init__(config, sockets)
        self.failed = False
        self._ended = ended
        self._starting = False
        for number in STOPPING:
            signal.signal(number, self._stop)

    def init_processes(self) -> None:
        """Start the workers."""
        with self._keeping_sockets():
            super().init_processes()

    def keep_subprocess_alive(self) -> None:
        """Replace what has died."""
        before = list(self.processes)
        with self._keeping_sockets():
            super().keep_subprocess_alive()
        self.failed |= any(one.exitcode == STARTUP_FAILURE for one in before)
        for one in before:
            if one not in self.processes and one.pid is not None:
                _log.error("a worker died and was replaced", extra={"died": one.pid, "exit_code": one.exitcode})
                self._ended(one.pid)

    def terminate_all(self) -> None:
        """Let the workers end."""
        self._close_sockets()
        super().terminate_all()

    @contextmanager
    def _keeping_sockets(self) -> Iterator[None]:
        """A worker that is being started is handed the sockets: a signal must not close them meanwhile."""
        self._starting = True
        try:
            yield
        finally:
            self._starting = False

    def _close_sockets(self) -> None:
        """Else connections would wait here for workers that take none any more."""
        for one in self.sockets:
            one.close()

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        """Stop; at once the second time. Here and not in the loop, which may be waiting for a worker's answer."""
        if self.should_exit.is_set():
            self._signal_workers(signal.SIGKILL)
            _end_as_killed(number)
        self.should_exit.set()
        if not self._starting:
            self._close_sockets()
        self._signal_workers(signal.SIGTERM)

    def _signal_workers(self, number: signal.Signals) -> None:
        for one in self.processes:
            if one.pid is not None and one.exitcode is None:
                with suppress(ProcessLookupError):
                    os.kill(one.pid, number)


def _end_as_killed(number: int) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
