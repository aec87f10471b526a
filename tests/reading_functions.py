"""Functions for reading processes that do what documents must not make them do."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import BinaryIO

from seal_service.domain.errors import DocumentEncrypted, DocumentOverLimit
from seal_service.ports.documents import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Everything that may cross."""

    number: int = 0
    octets: bytes = b""
    names: frozenset[str] = frozenset()
    parts: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An answer that says what was asked and where."""

    asked: Asked
    process: int
    document: bytes


def echo(document: Content, arguments: Asked) -> Told:
    """What came."""
    return Told(asked=arguments, process=os.getpid(), document=document[:100])


def copy(document: Content, arguments: Asked, output: BinaryIO) -> int:
    """The document, `number` times."""
    for _ in range(arguments.number):
        output.write(document[:])
    return arguments.number


def refuse(document: Content, arguments: Asked) -> None:
    """Two of the typed refusals."""
    if arguments.number:
        raise DocumentOverLimit("too many", what="pages", limit=arguments.number)
    raise DocumentEncrypted


def fail(document: Content, arguments: Asked) -> None:
    """As a fault of the program does."""
    raise ZeroDivisionError("of the program")


def hold(document: Content, arguments: Asked) -> int:
    """That many bytes."""
    return len(bytearray(b"x") * arguments.number)


def work(document: Content, arguments: Asked) -> None:
    """For ever."""
    while True:
        pass


def time_left(document: Content, arguments: Asked) -> float:
    """Seconds of the processor that this reading may still take."""
    return signal.getitimer(signal.ITIMER_PROF)[0]


def write_time_left(document: Content, arguments: Asked, output: BinaryIO) -> float:
    """The same, where a document is to be written."""
    return time_left(document, arguments)


def sleep(document: Content, arguments: Asked) -> int:
    """Milliseconds."""
    time.sleep(arguments.number / 1000)
    return os.getpid()


def crash(document: Content, arguments: Asked) -> None:
    """As a fault in a library written in C does."""
    os.kill(os.getpid(), signal.SIGSEGV)


def lie(document: Content, arguments: Asked) -> int:
    """Answers what its types do not allow."""
    return "a text"  # type: ignore[return-value]


def surroundings(document: Content, arguments: Asked) -> tuple[str, ...]:
    """Environment, arguments, open files, limits."""
    with open("/proc/self/environ", "rb") as environment, open("/proc/self/cmdline", "rb") as line:
        told = [environment.read().decode(errors="replace"), line.read().decode(errors="replace")]
    links = [f"/proc/self/fd/{one}" for one in os.listdir("/proc/self/fd")]
    files = [os.readlink(one) for one in links if os.path.lexists(one)]
    with open("/proc/self/limits", encoding="ascii") as limits:
        return (*told, "\n".join(files), limits.read())
