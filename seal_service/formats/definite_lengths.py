"""A mend for asn1crypto 1.5.1, which takes a definite length that ends in the byte 0x80 for an indefinite one.

Such a value (one in 256 of those longer than 127 bytes) is encoded anew at every `dump`, and so is everything within,
twice a level: a use at B-LT then took eight seconds here. And what is not strictly DER comes back as other bytes
than were read, so that a good signature over them fails. An indefinite length has its end-of-contents octets as trailer
(X.690, 8.1.5); where there is none, the bytes that were read are the encoding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asn1crypto import core

_MENDED = "_seal_service_definite_lengths"


def mend() -> None:
    """Put the mend in the place of the methods of asn1crypto's classes, once a process."""
    for kind in (core.Asn1Value, core.Choice, core.Primitive, core.Sequence, core.SequenceOf):
        if not hasattr(kind.dump, _MENDED):
            kind.dump = _mended(kind.dump)


def _mended(original: Callable[..., bytes]) -> Callable[..., bytes]:
    def dump(self: Any, force: bool = False) -> bytes:
        header = self._header
        if not force and header is not None and header[-1:] == b"\x80" and not self._trailer:
            contents = self.contents  # encodes what was changed since, and forgets the header then
            if contents is not None and self._header is not None:
                return bytes(self._header + contents)
        return original(self, force)

    setattr(dump, _MENDED, True)
    return dump
