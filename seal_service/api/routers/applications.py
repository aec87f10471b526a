"""/v1/applications: applications for seals and their decision (articles 12–15)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import IdempotencyKey, Paging, Serving, parsed
from seal_service.api.multipart import SmallPart, read_parts
from seal_service.api.problems import DoorRefusal, refusals
from seal_service.api.schemas.common import Identifier
from seal_service.api.schemas.seals import (
    ApplicationBody,
    ApplicationPage,
    ApplicationPart,
    ApplicationView,
    DecisionBody,
)
from seal_service.api.uploads import MULTIPART, media_type
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.domain.application import ApplicationState
from seal_service.usecases.decide_application import DecideApplication
from seal_service.usecases.read_registers import ListApplications, ReadById

router = APIRouter(route_class=GuardedRoute, prefix="/v1/applications", tags=["申请 applications"])

LARGEST_PICTURE = 4 << 20
"""What the door takes in; the reader of impressions refuses earlier, with its reason."""
LARGEST_PART = 64 * 1024
_JSON = "application/json"
_calling = Calling("apply_for_seal", Permission.APPLY_FOR_SEAL)
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            MULTIPART: {
                "schema": {
                    "type": "object",
                    "required": ["request", "picture"],
                    "properties": {
                        "request": {"$ref": "#/components/schemas/ApplicationPart"},
                        "picture": {"type": "string", "format": "binary", "description": "实物印模: PNG or JPEG."},
                    },
                },
                "encoding": {"request": {"contentType": _JSON}, "picture": {"contentType": "image/png, image/jpeg"}},
            },
            _JSON: {"schema": {"$ref": "#/components/schemas/ApplicationBody"}},
        },
    }
}
_REFUSALS = refusals(
    e.UnitNotFound, e.PermissionDenied, e.AlreadyDecided, e.IdempotencyKeyReused, e.InvalidInput, e.ImpressionRefused
)


@dataclass(frozen=True)
class Submitted:
    """An application as it came in."""

    fields: ApplicationPart
    picture: bytes


async def submitted(request: Request, _caller: Annotated[Caller, Depends(_calling)]) -> Submitted:
    """The application of a multipart or JSON body."""
    request.state.body_limit = 2 * LARGEST_PICTURE
    given = media_type(request)
    if given == _JSON:
        body = parsed(ApplicationBody, await request.body(), "body")
        return Submitted(body, body.picture)
    if given != MULTIPART:
        raise DoorRefusal("unsupported-media-type", f"An application comes as {MULTIPART} or {_JSON}")
    text, picture = SmallPart("request", LARGEST_PART), SmallPart("picture", LARGEST_PICTURE)
    names = await read_parts(request, {"request": text, "picture": picture})
    if len(names) != 2:
        raise DoorRefusal("malformed-request", "The parts are request (JSON) and picture (PNG or JPEG)")
    return Submitted(parsed(ApplicationPart, bytes(text.content), "request"), bytes(picture.content))


@router.post(
    "",
    operation_id="apply_for_seal",
    summary="印章申请: apply for a seal with the picture of the physical one",
    status_code=201,
    responses=_REFUSALS,
    openapi_extra=_BODY,
)
def apply_for_seal(
    service: Serving,
    caller: Annotated[Caller, Depends(_calling)],
    given: Annotated[Submitted, Depends(submitted)],
    response: Response,
    key: IdempotencyKey = None,
) -> ApplicationView:
    """Through the unit's channel organization (article 13)."""
    application = service.apply_for_seal(caller, given.fields.command(given.picture, None, key))
    response.headers["Location"] = f"/v1/applications/{application.id}"
    return ApplicationView.of(application)


@router.put(
    "/{application_id}",
    operation_id="revise_application",
    summary="修改申请: revise an application that was returned for change",
    responses=refusals(e.ApplicationNotFound) | _REFUSALS,
    openapi_extra=_BODY,
)
def revise_application(
    service: Serving,
    caller: Annotated[Caller, Depends(_calling)],
    application_id: Identifier,
    given: Annotated[Submitted, Depends(submitted)],
    key: IdempotencyKey = None,
) -> ApplicationView:
    """The whole application anew."""
    return ApplicationView.of(service.apply_for_seal(caller, given.fields.command(given.picture, application_id, key)))


@router.get(
    "",
    operation_id="list_applications",
    summary="申请列表: applications, newest first",
    responses=refusals(e.InvalidCursor),
)
def list_applications(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("list_applications", Permission.READ_APPLICATIONS))],
    page: Paging,
    state: Annotated[ApplicationState | None, Query()] = None,
) -> ApplicationPage:
    """All for the making office and auditors, its channel's for a unit."""
    return ApplicationPage.model_validate(service.list_applications(caller, ListApplications(state=state, page=page)))


@router.get(
    "/{application_id}",
    operation_id="read_application",
    summary="申请: one application",
    responses=refusals(e.ApplicationNotFound),
)
def read_application(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("read_application", Permission.READ_APPLICATIONS))],
    application_id: Identifier,
) -> ApplicationView:
    """By its id."""
    return ApplicationView.of(service.read_application(caller, ReadById(id=application_id)))


@router.post(
    "/{application_id}/decision",
    operation_id="decide_application",
    summary="审批: approve, reject or return an application (article 14)",
    responses=refusals(
        e.ApplicationNotFound, e.SelfDecisionRefused, e.AlreadyDecided, e.IdempotencyKeyReused, e.InvalidInput
    ),
)
def decide_application(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("decide_application", Permission.DECIDE_APPLICATION))],
    application_id: Identifier,
    body: DecisionBody,
    key: IdempotencyKey = None,
) -> ApplicationView:
    """By someone other than the applicant (articles 14, 18)."""
    command = DecideApplication(
        application_id=application_id, decision=body.decision, reason=body.reason, idempotency_key=key
    )
    return ApplicationView.of(service.decide_application(caller, command))
