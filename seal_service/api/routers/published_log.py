"""/v1/log: the published log: checkpoint, tiles (C2SP tlog-tiles) and proofs (article 22)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import Digest, Identifier
from seal_service.api.schemas.published_log import ConsistencyView
from seal_service.api.uploads import ANY_FILE, answering
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.prove_entry import ProveEntry, ProveUse, UseEntry
from seal_service.usecases.read_published_log import ProveConsistency, ReadCheckpoint, ReadTile

router = APIRouter(route_class=GuardedRoute, prefix="/v1/log", tags=["日志 log"])

NOTE = "text/plain; charset=utf-8"
PROOF_FILE = ".tlog-proof"
FOR_GOOD = "private, max-age=31536000, immutable"
_TEXT: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
_LARGEST_SIZE = (1 << 63) - 1
WithEntry = Annotated[
    bool, Query(description="Whether the entry's canonical bytes stand in the proof (`extra`), to be hashed.")
]


@router.get(
    "/checkpoint",
    operation_id="read_checkpoint",
    summary="检查点: what the log has signed of its tree, for anyone",
    response_class=Response,
    responses=_TEXT | refusals(e.LogNotPublished),
)
def read_checkpoint(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("transparency.read_checkpoint", Permission.PUBLIC, bucket="log"))],
) -> Response:
    """C2SP tlog-checkpoint: origin, size and root in a signed note, with the cosignatures of witnesses."""
    return Response(service.transparency.read_checkpoint(caller, ReadCheckpoint()).content, media_type=NOTE)


@router.get(
    "/tile/{tile_path:path}",
    operation_id="read_tile",
    summary="日志文件: a tile or a bundle of entries (C2SP tlog-tiles)",
    response_class=Response,
    responses=answering(ANY_FILE) | refusals(e.LogFileNotFound),
)
def read_tile(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("transparency.read_tile", Permission.READ_LOG))],
    tile_path: Annotated[str, Path(max_length=200, description="`<level>/<index>[.p/<width>]`, `entries/<index>…`")],
) -> Response:
    """For auditors, since tiles hold every entry. A full one never changes; a partial one gives way to it."""
    tile = service.transparency.read_tile(caller, ReadTile(path=f"tile/{tile_path}"))
    headers = {"Cache-Control": FOR_GOOD} if tile.full else {}
    return Response(tile.content, media_type=ANY_FILE, headers=headers)


@router.get(
    "/proofs/{entry_id}",
    operation_id="prove_entry",
    summary="收录证明: that an entry is in the published log (C2SP tlog-proof)",
    response_class=Response,
    responses=_TEXT | refusals(e.LogEntryNotFound, e.LogNotPublished, e.EntryNotPublished),
)
def prove_entry(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("transparency.prove_entry", Permission.READ_USES))],
    entry_id: Identifier,
    with_entry: WithEntry = True,
) -> Response:
    """An auditor gets that of any entry, others those of uses that they may read. Without the entry: 2 KB at most."""
    command = ProveEntry(entry_id=entry_id, with_entry=with_entry)
    return _proof(service.transparency.prove_entry(caller, command), entry_id)


@router.get(
    "/proofs",
    operation_id="prove_use",
    summary="收录证明: the same, for whoever has the sealed document",
    response_class=Response,
    responses=_TEXT | refusals(e.LogEntryNotFound, e.LogNotPublished, e.EntryNotPublished),
)
def prove_use(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("transparency.prove_use", Permission.PUBLIC, bucket="log"))],
    intent_leaf_hash: Annotated[Digest, Query(description="As the seal on the document carries it; hexadecimal.")],
    entry: Annotated[UseEntry, Query(description="Which of the two entries of the use.")] = UseEntry.TERMINAL,
    with_entry: WithEntry = True,
) -> Response:
    """Needs no account: the hash stands in the signed bytes of the seal, so who can name it has the document.

    `seal verify --json` and the verification report tell it as `intent_leaf_hash`.
    """
    command = ProveUse(intent_leaf_hash=bytes.fromhex(intent_leaf_hash), entry=entry, with_entry=with_entry)
    return _proof(service.transparency.prove_use(caller, command), f"{intent_leaf_hash[:16]}-{entry.value}")


@router.get(
    "/consistency",
    operation_id="prove_consistency",
    summary="一致性证明: that the log only grew between two sizes, for anyone",
    responses=refusals(e.LogNotPublished, e.InvalidInput),
)
def prove_consistency(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("transparency.prove_consistency", Permission.PUBLIC, bucket="log"))],
    old: Annotated[int, Query(alias="from", ge=1, le=_LARGEST_SIZE, description="Size of the earlier tree.")],
    size: Annotated[
        int | None, Query(alias="to", ge=1, le=_LARGEST_SIZE, description="Of the later one; default: as published.")
    ] = None,
) -> ConsistencyView:
    """RFC 6962, 2.1.2; the roots are those of the two checkpoints at hand."""
    return ConsistencyView.of(service.transparency.prove_consistency(caller, ProveConsistency(old=old, size=size)))


def _proof(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}{PROOF_FILE}"'}
    return Response(content, media_type=NOTE, headers=headers)
