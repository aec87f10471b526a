"""/pages/sign-in/provider: to the identity provider (OpenID Connect) and back."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request, Response

from seal_service.api.dependencies import Serving
from seal_service.bootstrap.people import RETURN_PATH
from seal_service.domain.access import Caller
from seal_service.domain.errors import SealServiceError
from seal_service.usecases.go_to_provider import GoToProvider
from seal_service.usecases.return_from_provider import ReturnFromProvider
from seal_service.web import cookies
from seal_service.web.arrival import arrived
from seal_service.web.cookies import Cookie
from seal_service.web.door import pages, public_page
from seal_service.web.refusals import refused_page
from seal_service.web.rendering import redirect
from seal_service.web.routers.sign_in import BUCKET

router = pages()
Told = Annotated[str | None, Query()]


@router.get("/sign-in/provider")
def go_to_provider(
    request: Request, service: Serving, caller: Annotated[Caller, Depends(public_page("people.go_to_provider", BUCKET))]
) -> Response:
    """The address is the provider's, from its own configuration and our settings."""
    sent = service.people.go_to_provider(caller, GoToProvider())
    response = redirect(sent.address)
    cookies.keep(request, response, Cookie.PROVIDER, sent.kept)
    return response


@router.get(RETURN_PATH.removeprefix(router.prefix))
def return_from_provider(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(public_page("people.return_from_provider", BUCKET))],
    state: Told = None,
    code: Told = None,
    iss: Told = None,
) -> Response:
    """However it ends, the browser forgets what it kept; that a code is good once is the provider's to see to."""
    kept = cookies.read(request, Cookie.PROVIDER)
    command = ReturnFromProvider(kept=kept, state=state, code=code, issuer=iss)
    try:
        response = arrived(request, service.people.return_from_provider(caller, command))
    except SealServiceError as refusal:
        response = refused_page(request, refusal)
    cookies.forget(request, response, Cookie.PROVIDER)
    return response
