"""隔离解析, the process's side: one document after the other, until the other end of the connection is closed.

Started as a program, it is the nursery: it loads the modules once and forks a process for every connection it is
handed, which takes milliseconds. It never reads a document itself, so that every new process begins clean.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import signal
import socket
import sys
from importlib import import_module

from seal_service.domain.errors import DocumentOverLimit, SealServiceError
from seal_service.formats.document_file import mapped
from seal_service.formats.pdf import bound_parsing
from seal_service.isolation.frames import Gone, receive, send
from seal_service.isolation.limits import ReadingLimits, limit_this_process, limit_time
from seal_service.isolation.messages import BROKEN, DONE, REFUSED, call_of, function_named, refusal_as_bytes
from seal_service.ports.documents import HeldFile

LARGEST_REQUEST = 64 << 20
STAYING, LEAVING = b"S", b"L"
_MOST_DOCUMENTS = 500
"""That one process reads: what a document may have done to it ends with it."""
_GROWN = 96 << 20
"""Bytes by which a process may have grown and go on."""


def main(arguments: list[str]) -> None:
    """nursery DESCRIPTOR SECONDS BYTES MODULE…: fork a reading process for each connection that arrives."""
    control = socket.socket(fileno=int(arguments[0]))
    limits = ReadingLimits(seconds=float(arguments[1]), bytes=int(arguments[2]))
    modules = frozenset(arguments[3:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the parent's to act on
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    gc.disable()  # what is loaded stays
    bound_parsing()
    for module in modules:
        import_module(module)
    gc.collect()
    gc.freeze()
    gc.enable()
    with contextlib.suppress(Gone):
        while True:
            _, (connection,) = receive(control, 1)
            if os.fork() == 0:
                control.close()
                _serve(socket.socket(fileno=connection), limits, modules)
                os._exit(0)
            os.close(connection)


def _serve(connection: socket.socket, limits: ReadingLimits, modules: frozenset[str]) -> None:
    limit_this_process(limits)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    at_first = _peak()
    with contextlib.suppress(Gone):
        for _ in range(_MOST_DOCUMENTS - 1):
            answer = _answered(connection, limits, modules)
            stays = _peak() - at_first < _GROWN
            send(connection, (STAYING if stays else LEAVING) + answer)
            if not stays:
                return
        send(connection, LEAVING + _answered(connection, limits, modules))


def _answered(connection: socket.socket, limits: ReadingLimits, modules: frozenset[str]) -> bytes:
    request, files = receive(connection, LARGEST_REQUEST)
    rewrites = len(files) > 1
    limit_time(limits.seconds / 2 if rewrites else limits.seconds)  # it is rewritten once more to check it
    try:
        name, _, written = request.partition(b"\n")
        document, outputs = HeldFile(files[0]), [os.fdopen(one, "wb") for one in files[1:]]
        function = function_named(name.decode(), modules)
        call = call_of(function)
        (arguments,) = call.arguments.validate_json(written)
        result = function(mapped(document), arguments, *outputs)
        for output in outputs:
            output.close()
        return DONE + call.result.dump_json((result,))
    except SealServiceError as error:
        return REFUSED + refusal_as_bytes(error)
    except MemoryError:
        return REFUSED + refusal_as_bytes(too_demanding())
    except Exception as error:
        return BROKEN + f"{type(error).__name__}: {error}"[:500].encode()
    finally:
        limit_time(0)


def too_demanding() -> DocumentOverLimit:
    """What a document is told that costs more than it may."""
    return DocumentOverLimit("Reading the document takes more time or memory than is allowed", what="reading")


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


if __name__ == "__main__":
    main(sys.argv[1:])
