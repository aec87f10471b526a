"""The contract (OpenAPI 3.1): what FastAPI derives from the endpoints, with permissions, roles and problems added."""

from __future__ import annotations

from importlib.metadata import version as _version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from seal_service.api.auth import calling_of
from seal_service.api.problems import OF_THE_DOOR, refusals
from seal_service.api.routers import ROUTERS, routes_of
from seal_service.api.schemas.common import Problem
from seal_service.api.schemas.seals import ApplicationBody, ApplicationPart
from seal_service.api.schemas.uses import ApplySealBody
from seal_service.domain.access import PERMISSIONS_OF, Permission
from seal_service.domain.errors import PermissionDenied, Unauthenticated

TITLE = "电子印章服务 (electronic seal service)"
DESCRIPTION = """\
HTTP interface of a city's electronic seal service, after 国务院办公厅 国办发〔2025〕33号.

* JSON in UTF-8, snake_case; times in RFC 3339, answered in UTC.
* Refusals are problems (RFC 9457, `application/problem+json`) of type `urn:seal:problem:…`.
* `Idempotency-Key` on every call that changes something: the same request with the same key does nothing twice.
* Lists are paged by keyset: `limit`, `cursor`, `next_cursor`.
* `X-Request-ID` is echoed (1–64 of A–Z a–z 0–9 . _ : -) or given.
* `RateLimit-Policy` and `RateLimit` tell what may still be asked in a minute, counted in each server process.
* Credentials: OAuth 2 client credentials at `/oauth2/token`, then `Authorization: Bearer …`.
"""
_BY_HAND = (ApplicationBody, ApplicationPart, ApplySealBody, Problem)
"""Models of bodies that endpoints read themselves, and of problems."""


def version() -> str:
    """The version of this program."""
    return _version("seal-service")


def contract_of(app: FastAPI) -> dict[str, Any]:
    """The application's contract."""
    contract = get_openapi(
        title=TITLE, version=app.version, description=DESCRIPTION, routes=app.routes, openapi_version="3.1.0"
    )
    schemas = contract["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for model in _BY_HAND:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
    contract["components"]["securitySchemes"] = {
        "client_credentials": {
            "type": "oauth2",
            "flows": {"clientCredentials": {"tokenUrl": "/oauth2/token", "scopes": {}}},
        }
    }
    for route in routes_of(*ROUTERS):
        calling = calling_of(route)
        for method in route.methods or ():
            operation = contract["paths"][route.path_format][method.lower()]
            _complete(operation, calling.permission, calling.limited)
    return contract


def _complete(operation: dict[str, Any], permission: Permission, limited: bool) -> None:
    """Say of an operation who may call it and which refusals every operation knows."""
    roles = sorted(role.value for role, held in PERMISSIONS_OF.items() if permission in held)
    operation["x-permission"] = permission.value
    operation["x-roles"] = roles
    public = permission is Permission.PUBLIC
    if not public:
        operation["security"] = [{"client_credentials": []}]
    responses = operation["responses"]
    stock = responses.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if stock.get("$ref", "").endswith("HTTPValidationError"):
        del responses["422"]
    general = refusals(*([] if public else [PermissionDenied]), Unauthenticated, *OF_THE_DOOR)
    wanted = {401, 500} | (set() if public else {403}) | ({429} if limited else set())
    if "requestBody" in operation:
        wanted |= {400, 408, 413, 415, 503}
    if operation.get("parameters") or "requestBody" in operation:
        wanted.add(422)
    for status in sorted(wanted):
        responses.setdefault(str(status), general[status])
    operation["responses"] = dict(sorted(responses.items()))
