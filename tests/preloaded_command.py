"""`seal` for tests that run many commands: forked from one process that has imported everything, which costs most.

Linux alone. What runs is the same program with the caller's arguments, directory, environment and standard streams.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LARGEST_REQUEST = 1 << 17
ROOT = Path(__file__).parents[1]

_WRAPPER = """#!{python} -IS
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.connect({address!r})
request = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [request], [0, 1, 2])
sys.exit(server.recv(1)[0])
"""


@contextmanager
def preloaded_command(directory: Path) -> Iterator[Path]:
    """A directory for PATH that holds `seal`; the process behind it ends with the context."""
    address = f"\0preloaded-seal-{secrets.token_hex(16)}"  # an abstract address: test directories have long paths
    wrapper = directory / "seal"
    wrapper.write_text(_WRAPPER.format(python=sys.executable, address=address))
    wrapper.chmod(0o755)
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener,
        subprocess.Popen(
            [sys.executable, __file__, str(listener.fileno())],
            pass_fds=[_listening(listener, address)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        ) as process,
    ):
        try:
            yield directory
        finally:
            process.terminate()


def _listening(listener: socket.socket, address: str) -> int:
    listener.bind(address)
    listener.listen()
    return listener.fileno()


def _answer(connection: socket.socket) -> None:
    """In a child: become the command that is asked for, and tell its exit code."""
    from seal_service.__main__ import seal_command

    code = 70
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        request, streams, _, _ = socket.recv_fds(connection, LARGEST_REQUEST, 3)
        arguments, directory, environment = json.loads(request)
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
        os.chdir(directory)
        os.environ.clear()
        os.environ.update(environment)
        seal_command(arguments)(arguments, prog_name="seal")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.send(bytes([code]))
        os._exit(code)


def _serve(listener: socket.socket) -> None:
    import seal_service.bootstrap.wiring  # noqa: F401 - imported once, for every command to come
    from seal_service.__main__ import seal_command

    seal_command()  # loads every command
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _answer(connection)
        connection.close()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
