"""/v1/seals/on-medium, /v1/seals/{code}/medium: seals whose key is on a medium, and it (articles 14–16, 20)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import IdempotencyKey, Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import SealCode
from seal_service.api.schemas.custody import (
    HandOverBody,
    MakeOnMediumBody,
    MediaView,
    MediumView,
    RenewOnMediumBody,
    ReturnBody,
)
from seal_service.api.schemas.seals import SealView
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.formats.pkcs10 import request_der
from seal_service.usecases.make_on_medium import MakeOnMedium, RenewOnMedium
from seal_service.usecases.record_medium import HandOverMedium, ReadMedia, ReturnMedium

router = APIRouter(route_class=GuardedRoute, prefix="/v1/seals", tags=["印章介质 media"])

_MAKING = (e.Conflict, e.AlreadyRegistered, e.IdempotencyKeyReused, e.InvalidInput)
_KEEPING = refusals(e.SealNotFound, e.Conflict, e.IdempotencyKeyReused, e.InvalidInput, e.InvalidTime)


@router.post(
    "/on-medium",
    operation_id="make_on_medium",
    summary="制章于介质: a seal whose private key was made on a medium and stays there (articles 14–16, 20)",
    status_code=201,
    responses=refusals(e.ApplicationNotFound, e.AlreadyDecided, *_MAKING),
)
def make_on_medium(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("custody.make_on_medium", Permission.MAKE_SEAL))],
    body: MakeOnMediumBody,
    response: Response,
    key: IdempotencyKey = None,
) -> SealView:
    """The certificate request proves that the medium has the key; the seal can be applied once it is handed over."""
    given = body.model_dump(exclude={"certificate_request"})
    command = MakeOnMedium(**given, certificate_request=request_der(body.certificate_request), idempotency_key=key)
    seal = service.custody.make_on_medium(caller, command)
    response.headers["Location"] = f"/v1/seals/{seal.code}"
    return SealView.of(seal, service.clock.now())


@router.post(
    "/{seal_code}/medium/renewal",
    operation_id="renew_on_medium",
    summary="介质印章续期: a new key, on the same medium or another (article 16)",
    responses=refusals(e.SealNotFound, e.TransitionRefused, e.RenewalNotPossible, *_MAKING),
)
def renew_on_medium(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("custody.renew_on_medium", Permission.MAKE_SEAL))],
    seal_code: SealCode,
    body: RenewOnMediumBody,
    key: IdempotencyKey = None,
) -> SealView:
    """By the making office, within the last 90 days of the certificate."""
    given = body.model_dump(exclude={"certificate_request"})
    command = RenewOnMedium(
        seal_code=seal_code,
        **given,
        certificate_request=request_der(body.certificate_request),
        idempotency_key=key,
    )
    return SealView.of(service.custody.renew_on_medium(caller, command), service.clock.now())


@router.get(
    "/{seal_code}/medium",
    operation_id="read_media",
    summary="印章介质: which medium holds the seal's key, who keeps it, through whose hands it went",
    responses=refusals(e.SealNotFound),
)
def read_media(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("custody.read_media", Permission.READ_SEALS))],
    seal_code: SealCode,
) -> MediaView:
    """For the seal's unit, the making office and auditors; empty for a seal whose key the service keeps."""
    media = service.custody.read_media(caller, ReadMedia(seal_code=seal_code))
    return MediaView(items=[MediumView.of(one) for one in media])


@router.post(
    "/{seal_code}/medium/hand-over",
    operation_id="hand_over_medium",
    summary="介质交付: to its keeper, or from one keeper to the next",
    responses=_KEEPING,
)
def hand_over_medium(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("custody.hand_over_medium", Permission.KEEP_MEDIUM))],
    seal_code: SealCode,
    body: HandOverBody,
    key: IdempotencyKey = None,
) -> MediumView:
    """By the making office, or within the unit by its keeper. What was prepared before cannot be completed."""
    command = HandOverMedium(seal_code=seal_code, **body.model_dump(), idempotency_key=key)
    return MediumView.of(service.custody.hand_over_medium(caller, command))


@router.post(
    "/{seal_code}/medium/return",
    operation_id="return_medium",
    summary="介质交回: to the making office",
    responses=_KEEPING,
)
def return_medium(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("custody.return_medium", Permission.KEEP_MEDIUM))],
    seal_code: SealCode,
    body: ReturnBody,
    key: IdempotencyKey = None,
) -> MediumView:
    """From then on the seal cannot be applied."""
    command = ReturnMedium(seal_code=seal_code, **body.model_dump(), idempotency_key=key)
    return MediumView.of(service.custody.return_medium(caller, command))
