"""/pages/seal-status: what anyone may know of a seal by its code and name (articles 23, 24)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from seal_service.api.dependencies import Serving
from seal_service.domain.access import Caller
from seal_service.domain.errors import InvalidInput, SealNotFound
from seal_service.usecases.look_up_seal import LookUpSeal
from seal_service.web.door import pages, public_page
from seal_service.web.refusals import problem_of
from seal_service.web.rendering import page

router = pages()
_LONGEST = 150
Asked = Annotated[str, Query()]


@router.get("/seal-status")
def look_up_seal(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(public_page("look_up_seal"))],
    code: Asked = "",
    name: Asked = "",
) -> Response:
    """状态公示."""
    code, name = code.strip()[:_LONGEST], name.strip()[:_LONGEST]
    if not code and not name:
        return page(request, "status.html", found=None, code=code, name=name)
    try:
        found = service.look_up_seal(caller, LookUpSeal(code=code, name=name))
    except (InvalidInput, SealNotFound) as refusal:
        problem = problem_of(request, refusal)
        return page(request, "status.html", problem.status, problem=problem, found=None, code=code, name=name)
    return page(request, "status.html", found=found, code=code, name=name)
