"""隔离解析: the reading processes of this process, started when needed and replaced when they end."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from pydantic import ValidationError

from seal_service.domain.errors import DocumentOverLimit, Unavailable
from seal_service.formats.document_file import DocumentFile
from seal_service.formats.upload import upload_of
from seal_service.isolation.frames import Gone, receive, send
from seal_service.isolation.limits import ReadingLimits
from seal_service.isolation.messages import BROKEN, DONE, REFUSED, ReadingCall, call_of, refusal_of
from seal_service.isolation.reading import LARGEST_REQUEST, LEAVING, too_demanding
from seal_service.ports.documents import Content, DocumentBytes, Upload
from seal_service.ports.isolation import Reading, Rewriting

Arguments = TypeVar("Arguments")
Result = TypeVar("Result")


class ReadingFault(RuntimeError):
    """A function failed in a reading process as nobody expected: a fault of this program."""


class ReadingProcesses:
    """Isolation by processes: at most `most` at a time. Safe for threads; not to be used across a fork."""

    def __init__(self, modules: Sequence[str], limits: ReadingLimits, most: int) -> None:
        """`modules` hold the functions that may be called; they are loaded before a document is seen."""
        self._modules = tuple(modules)
        self._limits = limits
        self._most = most
        self._held = _Held()
        self._count = 0
        self._changed = threading.Condition()
        self._closed = False
        weakref.finalize(self, self._held.end)  # also when nobody closes it

    def start(self) -> None:
        """Begin to load the modules; not needed, but the first document then waits less."""
        with self._changed:
            self._started()

    def run(self, reading: Reading[Arguments, Result], document: Content, arguments: Arguments) -> Result:
        """What the function says of the document."""
        with self.begun(reading, document, arguments) as answer:
            return answer()

    def begun(
        self, reading: Reading[Arguments, Result], document: Content, arguments: Arguments
    ) -> AbstractContextManager[Callable[[], Result]]:
        """The function is at work; what is entered waits for what it says of the document."""
        return self._called(reading, document, arguments)

    def rewrite(
        self, rewriting: Rewriting[Arguments, Result], document: Content, arguments: Arguments, limit: int
    ) -> tuple[Upload, Result]:
        """The document that the function wrote; DocumentOverLimit beyond `limit` bytes."""
        output = DocumentFile()
        with self._called(rewriting, document, arguments, output.descriptor) as answer:
            result: Result = answer()
        if output.size > limit:
            raise DocumentOverLimit(f"The document has more than {limit} bytes", what="bytes", limit=limit)
        return upload_of(output.finished()), result

    def close(self) -> None:
        """End them; those at work end with their document."""
        with self._changed:
            self._closed = True
            self._held.end()

    @contextmanager
    def _called(
        self, function: Callable[..., Any], document: Content, arguments: object, *files: int
    ) -> Iterator[Callable[[], Any]]:
        call = call_of(function)
        request = call.name.encode() + b"\n" + call.arguments.dump_json((arguments,))
        if isinstance(document, DocumentBytes):
            descriptor = document.file.fileno()
        else:
            file = DocumentFile()
            file.write(document)
            descriptor = file.descriptor
        connection = self._taken()
        stays = False

        def answer() -> Any:
            nonlocal stays
            try:
                told, _ = receive(connection, LARGEST_REQUEST)
            except Gone:
                raise too_demanding() from None
            stays = told[:1] != LEAVING
            return _result(call, told[1:2], told[2:])

        try:
            try:
                send(connection, request, (descriptor, *files))
            except Gone:
                raise too_demanding() from None
            yield answer
        finally:
            self._returned(connection, stays)

    def _taken(self) -> socket.socket:
        """A process that waits for work, a new one if there may be more; Unavailable."""
        until = time.monotonic() + self._limits.waiting
        with self._changed:
            while True:
                if self._closed:
                    raise Unavailable("The service is being stopped")
                while self._held.idle:
                    connection = self._held.idle.pop()
                    if _is_alive(connection):
                        return connection
                    connection.close()
                    self._count -= 1
                if self._count < self._most:
                    try:
                        connection = self._forked()
                    except (Gone, OSError) as error:
                        raise Unavailable(f"No process that reads documents can be started: {error}") from error
                    self._count += 1
                    return connection
                if not self._changed.wait(until - time.monotonic()):
                    raise Unavailable("Every process that reads documents is busy: try again shortly")

    def _returned(self, connection: socket.socket, stays: bool) -> None:
        with self._changed:
            if stays and not self._closed:
                self._held.idle.append(connection)
            else:
                connection.close()
                self._count -= 1
            self._changed.notify()

    def _forked(self) -> socket.socket:
        here, there = socket.socketpair()
        with there:
            try:
                send(self._started(), b"+", [there.fileno()])
            except Gone:  # the nursery was killed: a new one
                self._held.end_nursery()
                send(self._started(), b"+", [there.fileno()])
        here.settimeout(self._limits.patience)
        return here

    def _started(self) -> socket.socket:
        if self._held.nursery is None:
            here, there = socket.socketpair()
            with there:
                program = subprocess.Popen(  # noqa: S603 - this program itself
                    [
                        sys.executable,
                        "-P",
                        "-m",
                        "seal_service.isolation.reading",
                        str(there.fileno()),
                        str(self._limits.seconds),
                        str(self._limits.bytes),
                        *self._modules,
                    ],
                    env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)},
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[there.fileno()],
                )
            self._held.nursery = program, here
        return self._held.nursery[1]


class _Held:
    """What has to be ended: connections to processes that wait, and the nursery."""

    def __init__(self) -> None:
        self.idle: list[socket.socket] = []
        self.nursery: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def end(self) -> None:
        for one in self.idle:
            one.close()
        self.idle.clear()
        self.end_nursery()

    def end_nursery(self) -> None:
        if self.nursery is not None:
            program, control = self.nursery
            self.nursery = None
            control.close()
            program.kill()
            program.wait()


def _result(call: ReadingCall, kind: bytes, content: bytes) -> Any:
    """What an answer says; the typed refusal that it is; ReadingFault."""
    try:
        if kind == DONE:
            return call.result.validate_json(content)[0]
        if kind == REFUSED:
            raise refusal_of(content)
    except ValidationError as error:
        raise ReadingFault(f"{call.name} answered what it cannot answer") from error
    told = content.decode(errors="replace") if kind == BROKEN else "an answer of no kind"
    raise ReadingFault(f"{call.name}: {told}")


def _is_alive(connection: socket.socket) -> bool:
    """Whether the process still waits: an idle one says nothing, so that one that can be read has come to its end."""
    asked = select.poll()
    asked.register(connection, select.POLLIN)
    return not asked.poll(0)
