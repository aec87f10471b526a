"""The service behind a command, and the caller who acts through it: the same guarded use cases as over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seal_service.cli import credentials, session_token
from seal_service.domain.access import PUBLIC_CALLER, Caller
from seal_service.usecases.authenticate import ClientSecret, PresentedToken

if TYPE_CHECKING:
    from seal_service.bootstrap import Service


@dataclass(frozen=True)
class Session:
    """A logged-in caller and the service that he calls."""

    service: Service
    caller: Caller


def caller_of(service: Service, presented: ClientSecret) -> Caller:
    """The caller of a client's id and secret, by way of a token as over HTTP; Unauthenticated."""
    token = service.issue_token(PUBLIC_CALLER, presented).token
    return service.identify_caller(PUBLIC_CALLER, PresentedToken(token=token, address=None))


@contextmanager
def instance() -> Iterator[Service]:
    """The service of this instance, for commands that anyone may give; InstanceNotReady."""
    from seal_service import bootstrap

    service = bootstrap.build(bootstrap.settings_from_environment())
    try:
        yield service
    finally:
        service.close()


@contextmanager
def session() -> Iterator[Session]:
    """The service with the caller who is logged in, a person by a session; Unauthenticated, InstanceNotReady."""
    from seal_service import bootstrap

    home = bootstrap.settings_from_environment().home
    token = None if credentials.from_environment() else session_token.stored(home)
    presented = credentials.present(home) if token is None else None
    with instance() as service:
        if presented is not None:
            yield Session(service, caller_of(service, presented))
        elif token is not None:
            presented_token = PresentedToken(token=token, address=None)
            yield Session(service, service.identify_caller(PUBLIC_CALLER, presented_token))
