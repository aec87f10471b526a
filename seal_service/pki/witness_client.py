"""见证方 over HTTP (C2SP tlog-witness), believed as far as its signature goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seal_service.domain.errors import LogHalted, NoteRefused, Unavailable
from seal_service.formats.cosignature import cosigned_at
from seal_service.formats.note import (
    SignatureType,
    SignedNote,
    VerifierKey,
    read_note,
    read_signature_lines,
    signature_line,
)
from seal_service.formats.witness_request import SIZE_TYPE, read_size, write_witness_request
from seal_service.pki.bounded_http import BoundedHttp, HttpAnswer, HttpFailed
from seal_service.ports.transparency import Cosigned, WitnessKnowsMore

LARGEST_ANSWER = 64 * 1024
"""Bytes."""
_ATTEMPTS = 3
"""Another process may have told the witness of a checkpoint meanwhile."""
_OK, _CONFLICT, _NOT_SHOWN = 200, 409, 422


class HttpWitness:
    """见证方: its verifier key and the address before `/add-checkpoint`. Safe for threads."""

    def __init__(self, key: VerifierKey, address: str, http: BoundedHttp) -> None:
        if key.type is not SignatureType.COSIGNATURE:
            raise NoteRefused(f"The key of {key.name} is no witness's: `seal witness show` prints the one that is")
        self._key = key
        self._address = f"{address.rstrip('/')}/add-checkpoint"
        self._http = http

    @property
    def name(self) -> str:
        """As its key has it."""
        return self._key.name

    def add_checkpoint(
        self, content: bytes, size: int, prove: Callable[[int], Sequence[bytes]], since: int | None
    ) -> Cosigned:
        """Its cosignature; Unavailable, LogHalted, WitnessKnowsMore."""
        old = since if since is not None and since <= size else 0
        for _ in range(_ATTEMPTS):
            answer = self._asked(write_witness_request(old, prove(old) if old else (), content))
            if answer.status == _OK:
                return self._verified(answer.body, read_note(content))
            if answer.status == _NOT_SHOWN:
                raise LogHalted(self._forked(old, size))
            if answer.status != _CONFLICT:
                raise Unavailable(f"The witness {self.name} answers with HTTP status {answer.status}")
            told = self._size(answer)
            if told > size:
                raise WitnessKnowsMore(self._forked(told, size), told)
            if told == old:
                raise LogHalted(self._forked(told, size))
            old = told
        raise Unavailable(f"The witness {self.name} tells another size each time it is asked")

    def _asked(self, body: bytes) -> HttpAnswer:
        try:
            return self._http.exchange("POST", self._address, {"Content-Type": "text/plain; charset=utf-8"}, body)
        except HttpFailed as error:
            raise Unavailable(f"The witness {self.name} does not answer: {error}") from error

    def _size(self, answer: HttpAnswer) -> int:
        try:
            if answer.headers.get("content-type", "").split(";")[0].strip().lower() != SIZE_TYPE:
                raise ValueError(f"the answer is not {SIZE_TYPE}")
            return read_size(answer.body.decode("ascii").removesuffix("\n"))
        except ValueError as error:
            raise Unavailable(f"The witness {self.name} does not say which size it knows: {error}") from error

    def _verified(self, body: bytes, note: SignedNote) -> Cosigned:
        try:
            given = read_signature_lines(body.decode())
            own = tuple(one for one in given if (one.name, one.key_id) == (self._key.name, self._key.key_id))
            at = cosigned_at(SignedNote(text=note.text, signatures=own), self._key)
        except (NoteRefused, UnicodeDecodeError) as error:
            raise Unavailable(f"The witness {self.name} gave no cosignature of this checkpoint: {error}") from error
        return Cosigned(lines=tuple(map(signature_line, own)), at=at)

    def _forked(self, known: int, size: int) -> str:
        return (
            f"The witness {self.name} knows a tree of {known} entries that this log's tree of {size} does not follow: "
            "it was restored from an old backup, or another instance publishes under its name"
        )
