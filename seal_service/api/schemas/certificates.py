"""Wire forms of certificate requests (证书申请) and of certificates of outside authorities."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from seal_service.api.schemas.common import Body, Identifier, Moment, SealCode, View, example
from seal_service.domain.algorithms import Suite
from seal_service.domain.certification import CertificateRequest, CertificateRequestState, OutsideCertificate
from seal_service.domain.issuance import CertificateStatus
from seal_service.domain.paging import Page
from seal_service.formats.pkcs10 import request_as_pem


class RequestCertificateBody(Body):
    """证书申请: for the seal of an approved application, or for a seal to be renewed."""

    model_config = example(application_id="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50")

    application_id: Identifier | None = None
    seal_code: SealCode | None = Field(
        None,
        description="With an application a code that the province issued (null: the next one); "
        "without one the seal to be renewed.",
    )
    suite: Suite | None = Field(None, description="null: the instance's default, or that of the version before.")

    @model_validator(mode="after")
    def _names_something(self) -> RequestCertificateBody:
        if self.application_id is None and self.seal_code is None:
            raise ValueError("an application_id or a seal_code is needed")
        return self


class SubmitCertificateBody(Body):
    """The certificate for a request."""

    model_config = example(certificate="-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n")

    certificate: Annotated[str, StringConstraints(min_length=1, max_length=60_000)] = Field(
        description="PEM: the certificate, and its chain if it is at hand; or PKCS#7 as PEM."
    )
    accept_subject: bool = Field(
        False,
        description="Confirms that the subject is right, although its CN or O is another one than was asked for; "
        "it still has to name the seal's code, its unit or the unit's credit code.",
    )


class CertificateRequestView(View):
    """证书申请."""

    id: str
    seal_code: str
    application_id: str | None
    suite: Suite
    state: CertificateRequestState
    requested_by: str
    requested_at: Moment
    ended_at: Moment | None
    certificate_serial: str | None
    pem: str = Field(description="CertificationRequest (PKCS#10, RFC 2986) as PEM.")

    @classmethod
    def of(cls, one: CertificateRequest) -> CertificateRequestView:
        """The wire form."""
        return cls(
            id=one.id,
            seal_code=one.seal_code,
            application_id=one.application_id,
            suite=one.suite,
            state=one.state,
            requested_by=one.requested_by,
            requested_at=one.requested_at,
            ended_at=one.ended_at,
            certificate_serial=one.certificate_serial,
            pem=request_as_pem(one.request),
        )


class CertificateRequestPage(View):
    """A page of certificate requests, oldest first."""

    items: list[CertificateRequestView]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[CertificateRequest]) -> CertificateRequestPage:
        """The wire form."""
        return cls(items=[CertificateRequestView.of(one) for one in page.items], next_cursor=page.next_cursor)


class OutsideCertificateView(View):
    """外部机构证书 that is on hold or revoked here."""

    seal_code: str
    serial: str
    subject: str
    issuer: str
    not_after: Moment
    status: CertificateStatus = Field(description="What its authority is to be asked for: on_hold or revoked.")
    status_since: Moment | None
    reason: str | None
    revoked_by_issuer: bool | None = Field(description="What its authority publishes; null: nothing could be fetched.")


class OutsideCertificateList(View):
    """Certificates that outside authorities still have to revoke or put on hold."""

    items: list[OutsideCertificateView]

    @classmethod
    def of(cls, found: tuple[OutsideCertificate, ...]) -> OutsideCertificateList:
        """The wire form."""
        return cls(items=[OutsideCertificateView.model_validate(one) for one in found])
