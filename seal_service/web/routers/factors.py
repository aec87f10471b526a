"""/pages/second-factors: one's own second factors; a TOTP key or this connection's certificate is enrolled here."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import Depends, Request, Response

from seal_service.api.dependencies import Serving
from seal_service.api.proofs import certificate_of
from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import FactorProofRefused, InvalidInput
from seal_service.domain.second_factor import FactorKind
from seal_service.usecases.second_factors import ConfirmFactor, EnrolFactor, ListFactors
from seal_service.web.door import PageCalling, pages
from seal_service.web.forms import text
from seal_service.web.refusals import problem_of
from seal_service.web.rendering import page, redirect
from seal_service.web.routers.sign_in import typed_code

router = pages()
_LONGEST_ID = 100


def _factors(use_case: str) -> PageCalling:
    return PageCalling(use_case, Permission.OWN_FACTORS)


@router.get("/second-factors")
def list_factors(
    request: Request, service: Serving, caller: Annotated[Caller, Depends(_factors("people.list_factors"))]
) -> Response:
    """第二因素列表."""
    found = service.people.list_factors(caller, ListFactors())
    return page(request, "factors.html", factors=found, accepted=service.people.accepted_factors)


@router.post("/second-factors")
def enrol_factor(
    request: Request, service: Serving, caller: Annotated[Caller, Depends(_factors("people.enrol_factor"))]
) -> Response:
    """The key is shown this once; a certificate is proven by the connection itself."""
    if text(request, "kind", 20) == FactorKind.CERTIFICATE:
        command = EnrolFactor(kind=FactorKind.CERTIFICATE, presented_certificate=certificate_of(request))
        service.people.enrol_factor(caller, command)
        return redirect("/pages?done=factor")
    made = service.people.enrol_factor(caller, EnrolFactor(kind=FactorKind.TOTP))
    key = parse_qs(urlsplit(made.address or "").query)["secret"][0]
    return page(request, "enrol.html", factor_id=made.factor.id, address=made.address, key=key)


@router.post("/second-factors/confirmation")
def confirm_factor(
    request: Request, service: Serving, caller: Annotated[Caller, Depends(_factors("people.confirm_factor"))]
) -> Response:
    """The first code; a wrong one may be followed by a right one."""
    factor_id = text(request, "factor_id", _LONGEST_ID)
    try:
        service.people.confirm_factor(caller, ConfirmFactor(factor_id=factor_id, code=typed_code(request)))
    except (FactorProofRefused, InvalidInput) as refusal:
        problem = problem_of(request, refusal)
        return page(request, "enrol.html", problem.status, problem=problem, factor_id=factor_id, address=None, key=None)
    return redirect("/pages?done=factor")
