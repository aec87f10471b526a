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
from seal_service.api.trust import anchors_of, log_keys_of, proofs_of
from seal_service.api.uploads import ANY_FILE, MULTIPART, PDF, Received, binary_schema, multipart_schema, receiving
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.formats.verification_report import report_as_json
from seal_service.ports.documents import VerificationPolicy
from seal_service.usecases.verify_document import VerifyDocument

router = APIRouter(route_class=GuardedRoute, prefix="/v1/verifications", tags=["验章 verification"])

LARGEST_TRUST = 256 * 1024
LARGEST_PROOFS = 256 * 1024
LARGEST_LOG_KEYS = 4096
_PARTS = {"trust": LARGEST_TRUST, "proof": LARGEST_PROOFS, "log_key": LARGEST_LOG_KEYS}
_calling = Calling("verify_document", Permission.PUBLIC)
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            PDF: binary_schema(),
            ANY_FILE: binary_schema(),
            MULTIPART: multipart_schema(
                "The document.",
                trust="Further trust anchors: certificates, PEM.",
                proof="收录证明: tlog-proofs of the `seal.completed` entries of its seals, one after another, each "
                "with its entry. With them a seal passes only by one.",
                log_key="The keys of the log, one a line, by which the proofs are checked, as the caller's own word; "
                "without any, this service's own key counts.",
            ),
        },
    }
}


@router.post(
    "",
    operation_id="verify_document",
    summary="验章: verify a document's seals and signatures",
    response_model=VerificationReportView,
    responses=refusals(e.DocumentOverLimit, e.DocumentUnsupported, e.InvalidInput, e.NoteRefused, e.InstanceNotReady),
    openapi_extra=_BODY,
)
def verify_document(
    service: Serving,
    caller: Annotated[Caller, Depends(_calling)],
    received: Annotated[Received, Depends(receiving(_calling, (PDF, ANY_FILE), _PARTS))],
    at: Annotated[Moment | None, Query(description="Judge as of this moment; without it, now.")] = None,
    offline: Annotated[bool, Query(description="Fetch no revocation data.")] = False,
) -> Response:
    """Everything that is a document at all gets a report, however bad it is. The document is not kept."""
    anchors = anchors_of(received.parts.get("trust", b""))
    policy = VerificationPolicy(anchors=anchors, at=at, offline=offline)
    command = VerifyDocument(
        document=received.document,
        policy=policy,
        proofs=proofs_of(received.parts.get("proof", b"")),
        log_keys=log_keys_of(received.parts.get("log_key", b"")),
    )
    return JSONResponse(report_as_json(service.verify_document(caller, command)))
