"""见证方: the door of a witness, which is a service of its own (C2SP tlog-witness): no accounts, one route."""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from seal_service.domain.access import PUBLIC_CALLER, Caller
from seal_service.domain.errors import NoteRefused, SealServiceError
from seal_service.domain.witnessing import WitnessFinding
from seal_service.formats.witness_request import LARGEST_REQUEST, SIZE_TYPE
from seal_service.usecases.witness_checkpoint import (
    CosignedNow,
    UnknownLog,
    UnknownSigner,
    WitnessAnswer,
    WitnessCheckpoint,
)

Witnessing = Callable[[Caller, WitnessCheckpoint], WitnessAnswer]

_CONFLICTS = (WitnessFinding.OTHER_SIZE, WitnessFinding.OTHER_ROOT)
_log = logging.getLogger("seal_service.witness")


def witness_app(witness: Witnessing) -> Starlette:
    """The application: POST /add-checkpoint."""

    async def add_checkpoint(request: Request) -> Response:
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_REQUEST:
                    return _said(413, f"A request has at most {LARGEST_REQUEST} bytes")
        except ClientDisconnect:
            return Response(status_code=400)
        try:
            answer = await run_in_threadpool(witness, PUBLIC_CALLER, WitnessCheckpoint(content=bytes(body)))
        except NoteRefused as error:
            return _said(400, error.message)
        except SealServiceError as error:
            _log.error("a checkpoint was not cosigned: %s", error.message)
            return _said(503, "The witness cannot keep what it saw: its operator finds more in its log")
        return _response(answer)

    return Starlette(routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])])


def _response(answer: WitnessAnswer) -> Response:
    """Statuses and bodies of the specification."""
    if isinstance(answer, CosignedNow):
        return PlainTextResponse(answer.lines)
    if isinstance(answer, UnknownLog):
        return _said(404, "This witness does not know the log of this origin")
    if isinstance(answer, UnknownSigner):
        return _said(403, "No key that this witness knows of the log signed this checkpoint")
    if answer.finding is not WitnessFinding.OTHER_SIZE:
        _log.warning(
            "a log shows what it should not: %s after size %d",
            answer.finding.name,
            answer.known_size,
            extra={"checkpoint": answer.checkpoint.decode()},
        )
    if answer.finding in _CONFLICTS:
        return Response(f"{answer.known_size}\n", 409, headers={"Content-Type": SIZE_TYPE})
    if answer.finding is WitnessFinding.SMALLER_THAN_SAID:
        return _said(400, "The tree is smaller than the one that it is said to follow")
    return _said(422, "The consistency path does not lead from the checkpoint that was cosigned last to this one")


def _said(status: int, sentence: str) -> Response:
    return PlainTextResponse(f"{sentence}\n", status)
