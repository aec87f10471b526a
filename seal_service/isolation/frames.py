"""Frames between a process and the one that reads documents for it: a length, open files, and as many bytes."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

_LENGTH_BYTES = 4
_MOST_FILES = 2


class Gone(Exception):
    """The other process is gone, or did not answer in time."""


def send(connection: socket.socket, content: bytes, files: Sequence[int] = ()) -> None:
    """One frame; Gone."""
    frame = len(content).to_bytes(_LENGTH_BYTES, "big") + content
    try:
        sent = socket.send_fds(connection, [frame], list(files)) if files else connection.send(frame)
        if sent < len(frame):
            connection.sendall(memoryview(frame)[sent:])
    except OSError as error:
        raise Gone from error


def receive(connection: socket.socket, limit: int) -> tuple[bytes, list[int]]:
    """One frame of at most `limit` bytes, and the files that came with it, which are the caller's to close; Gone."""
    try:
        head, files, _, _ = socket.recv_fds(connection, _LENGTH_BYTES, _MOST_FILES)
        try:
            head += _exactly(connection, _LENGTH_BYTES - len(head))
            length = int.from_bytes(head, "big")
            if length > limit:
                raise Gone("the answer is too long")
            return _exactly(connection, length), files
        except (Gone, OSError):
            for one in files:
                os.close(one)
            raise
    except OSError as error:
        raise Gone from error


def _exactly(connection: socket.socket, length: int) -> bytes:
    content = bytearray(length)
    left = memoryview(content)
    while left:
        count = connection.recv_into(left)
        if count == 0:
            raise Gone
        left = left[count:]
    return bytes(content)
