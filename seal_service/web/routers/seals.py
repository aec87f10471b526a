"""/pages/seals: the unit's seals, each with its state, and the report of a loss (articles 23, 24)."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Depends, Query, Request, Response

from seal_service.api.dependencies import Serving
from seal_service.domain.access import Caller, Permission, permitted
from seal_service.domain.errors import InvalidInput
from seal_service.domain.lifecycle import Action, allowed_actions, state_at
from seal_service.domain.paging import PageRequest
from seal_service.domain.seal import Seal, SealState
from seal_service.usecases.change_status import LONGEST_REASON, ReportLoss
from seal_service.usecases.read_registers import ListSeals, ReadById
from seal_service.web.door import PageCalling, pages
from seal_service.web.forms import is_ticked, text
from seal_service.web.refusals import Problem, problem_of
from seal_service.web.rendering import page, redirect

router = pages()
ON_A_PAGE = 20
_LONGEST_KEY = 100


@router.get("/seals")
def list_seals(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(PageCalling("list_seals", Permission.READ_SEALS))],
    cursor: Annotated[str | None, Query()] = None,
) -> Response:
    """印章列表: what the caller may see, newest first."""
    found = service.list_seals(caller, ListSeals(page=PageRequest(limit=ON_A_PAGE, cursor=cursor)))
    now = service.clock.now()
    seals = [(one, state_at(one, now)) for one in found.items]
    return page(request, "seals.html", seals=seals, cursor=cursor, next_cursor=found.next_cursor)


@router.get("/seals/{seal_code}")
def read_seal(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(PageCalling("read_seal", Permission.READ_SEALS))],
    seal_code: str,
) -> Response:
    """印章, with the form of a loss report where its state and the caller's role allow one."""
    return _seal_page(request, service, caller, service.read_seal(caller, ReadById(id=seal_code)))


@router.post("/seals/{seal_code}/loss-report")
def report_loss(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(PageCalling("report_loss", Permission.REPORT_LOSS))],
    seal_code: str,
) -> Response:
    """挂失: from this answer on no use is released. The form sent twice reports one loss."""
    try:
        reason, key = text(request, "reason", LONGEST_REASON), text(request, "key", _LONGEST_KEY)
        if not is_ticked(request, "certain"):
            raise InvalidInput("Tick the box: a loss report stops every use of the seal at once", field="certain")
        command = ReportLoss(seal_code=seal_code, reason=reason, idempotency_key=key)
        done = service.report_loss(caller, command)
    except InvalidInput as refusal:
        seal = service.read_seal(caller, ReadById(id=seal_code))
        return _seal_page(request, service, caller, seal, problem_of(request, refusal))
    now = service.clock.now()
    state = state_at(done.seal, now)
    if state is not SealState.SUSPENDED:  # sent again later: what was reported no longer stands
        return redirect(f"/pages/seals/{done.seal.code}")
    return page(request, "loss_reported.html", done=done, state=state, now=now)


def _seal_page(
    request: Request, service: Serving, caller: Caller, seal: Seal, problem: Problem | None = None
) -> Response:
    state = state_at(seal, service.clock.now())
    may_report = permitted(caller, Permission.REPORT_LOSS) and Action.REPORT_LOSS in allowed_actions(state)
    typed = getattr(request.state, "form", {})
    return page(
        request,
        "seal.html",
        200 if problem is None else problem.status,
        problem=problem,
        seal=seal,
        state=state,
        may_report=may_report,
        reason=typed.get("reason", "")[:LONGEST_REASON],
        longest_reason=LONGEST_REASON,
        key=typed.get("key") or secrets.token_urlsafe(16),
    )
