"""准入: who calls, whether the rate allows it, and whether the role does; asked before a body is read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from fastapi.routing import APIRoute

from seal_service.api.problems import DoorRefusal
from seal_service.api.proofs import presented_token
from seal_service.bootstrap import Guarded, Service
from seal_service.domain.access import PUBLIC_CALLER, Caller, Permission
from seal_service.domain.errors import AddressRefused, Unauthenticated
from seal_service.usecases.authenticate import PresentedToken

PUBLIC_SHARE = 10
"""Someone without an account gets this fraction of an account's rate, by address and purpose."""
ACCOUNT_SHARE = 60
"""Tries at one account, or one challenge, from one address get this fraction of an account's rate."""


@dataclass(frozen=True)
class Calling:
    """调用: dependency of every endpoint, naming the use case it calls and the permission that takes.

    It answers with the caller whom GuardedRoute let in. The use case itself asks for the same permission again
    (bootstrap.Guarded); asking here too means that nobody uploads megabytes in order to be refused. `check` keeps the
    two the same.
    """

    use_case: str
    permission: Permission
    reads_bearer: bool = True
    limited: bool = True
    bucket: str = "public"
    """Purpose whose requests without an account are counted apart from others."""
    share: int = PUBLIC_SHARE
    largest_body: int | None = None
    """Bytes of a JSON body that may be larger than others; None: as others."""

    async def __call__(self, request: Request) -> Caller:
        """The caller."""
        caller: Caller = request.state.caller
        return caller

    def admit(self, request: Request) -> Caller:
        """Identify the caller; raises Unauthenticated, PermissionDenied, DoorRefusal (too many requests)."""
        service: Service = request.app.state.service
        address = request.client.host if request.client else None
        public = replace(PUBLIC_CALLER, address=address)
        try:
            caller = self._identified(request, service, public)
        except (Unauthenticated, AddressRefused):
            self._count(request, public, service.requests_per_minute)
            raise
        self._count(request, caller, service.requests_per_minute)
        self._use_case(service).admit(caller)
        return caller

    def check(self, service: Service) -> None:
        """Raise TypeError when the service's use case needs another permission than is declared here."""
        guarded = self._use_case(service)
        if guarded.permission is not self.permission:
            raise TypeError(f"{self.use_case} needs {guarded.permission}, its endpoint declares {self.permission}")

    def _use_case(self, service: Service) -> Guarded[object, object]:
        guarded: Guarded[object, object] = attrgetter(self.use_case)(service)
        return guarded

    def presented(self, request: Request, address: str | None) -> PresentedToken | None:
        """The token that a request shows at this door, or None; Unauthenticated for what is none."""
        header = request.headers.get("authorization")
        return None if header is None or not self.reads_bearer else presented_token(request, header, address)

    def _identified(self, request: Request, service: Service, public: Caller) -> Caller:
        presented = self.presented(request, public.address)
        return public if presented is None else service.identify_caller(public, presented)

    def _count(self, request: Request, caller: Caller, requests_per_minute: int) -> None:
        if not self.limited:
            return
        if caller.account_id is not None:
            take(request, f"account {caller.account_id}", requests_per_minute)
        else:
            take(request, f"{self.bucket} {caller.address}", max(1, requests_per_minute // self.share))


def take(request: Request, client: str, limit: int) -> None:
    """Count a request of a client; DoorRefusal (too many requests) over its limit a minute."""
    allowance = request.app.state.buckets.take(client, limit)
    request.state.rate_headers = allowance.headers()
    if not allowance.granted:
        raise DoorRefusal("too-many-requests", f"At most {limit} requests a minute")


def take_try(request: Request, caller: Caller, meant: str) -> None:
    """Count a try at one account, or one challenge, from one address; DoorRefusal over its limit a minute."""
    service: Service = request.app.state.service
    named = hashlib.sha256(meant.encode("utf-8", "replace")).hexdigest()
    take(request, f"sign-in {caller.address} {named}", max(1, service.requests_per_minute // ACCOUNT_SHARE))


def calling_of(route: APIRoute) -> Calling:
    """What an endpoint calls; TypeError for one that does not say."""
    for dependency in route.dependant.dependencies:
        if isinstance(dependency.call, Calling):
            return dependency.call
    raise TypeError(f"{route.path} declares no use case")


class GuardedRoute(APIRoute):
    """An endpoint whose caller is let in, or not, before a byte of the body is read. TypeError without a Calling."""

    async def ask_more(self, request: Request) -> None:
        """What else a door asks of a caller who was let in; nothing at this one."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler behind the admission of the caller."""
        handle, calling = super().get_route_handler(), calling_of(self)

        async def guarded(request: Request) -> Response:
            request.state.caller = await run_in_threadpool(calling.admit, request)
            if calling.largest_body is not None:
                request.state.body_limit = calling.largest_body
            await self.ask_more(request)
            return await handle(request)

        return guarded
