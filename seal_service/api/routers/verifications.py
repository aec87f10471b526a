"""/v1/verifications: verifying a document, for anyone (验章)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import Moment
from seal_service.api.schemas.verification import VerificationReportView
from seal_service.api.trust import anchors_of
from seal_service.api.uploads import ANY_FILE, MULTIPART, PDF, Received, binary_schema, multipart_schema, receiving
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.formats.verification_report import report_as_json
from seal_service.ports.documents import VerificationPolicy
from seal_service.usecases.verify_document import VerifyDocument

router = APIRouter(route_class=GuardedRoute, prefix="/v1/verifications", tags=["验章 verification"])

LARGEST_TRUST = 256 * 1024
_calling = Calling("verify_document", Permission.PUBLIC)
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            PDF: binary_schema(),
            ANY_FILE: binary_schema(),
            MULTIPART: multipart_schema("The document.", trust="Further trust anchors: certificates, PEM."),
        },
    }
}


@router.post(
    "",
    operation_id="verify_document",
    summary="验章: verify a document's seals and signatures",
    response_model=VerificationReportView,
    responses=refusals(e.DocumentOverLimit, e.DocumentUnsupported, e.InvalidInput),
    openapi_extra=_BODY,
)
def verify_document(
    service: Serving,
    caller: Annotated[Caller, Depends(_calling)],
    received: Annotated[Received, Depends(receiving(_calling, (PDF, ANY_FILE), {"trust": LARGEST_TRUST}))],
    at: Annotated[Moment | None, Query(description="Judge as of this moment; without it, now.")] = None,
    offline: Annotated[bool, Query(description="Fetch no revocation data.")] = False,
) -> Response:
    """Everything that is a document at all gets a report, however bad it is. The document is not kept."""
    anchors = anchors_of(received.parts.get("trust", b""))
    policy = VerificationPolicy(anchors=anchors, at=at, offline=offline)
    report = service.verify_document(caller, VerifyDocument(document=received.document, policy=policy))
    return JSONResponse(report_as_json(report))
