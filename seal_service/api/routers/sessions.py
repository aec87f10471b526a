"""/v1/sessions: people's way in and out; every answer before a session says the same, whatever was wrong."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from seal_service.api.auth import Calling, GuardedRoute, take_try
from seal_service.api.dependencies import Serving
from seal_service.api.problems import refusals
from seal_service.api.proofs import certificate_of
from seal_service.api.schemas.common import Identifier
from seal_service.api.schemas.people import (
    ChallengeView,
    ChangePasswordBody,
    ConfirmFactorBody,
    CurrentSessionView,
    EnrolFactorBody,
    EnrolmentView,
    FactorList,
    FactorView,
    SecondFactorBody,
    SessionView,
    SignInBody,
    SignInByProviderBody,
)
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.change_password import ChangePassword
from seal_service.usecases.pass_second_factor import PassSecondFactor
from seal_service.usecases.second_factors import ConfirmFactor, EnrolFactor, ListFactors, RemoveFactor
from seal_service.usecases.sessions import ReadSession, SignOut
from seal_service.usecases.sign_in import SignIn
from seal_service.usecases.sign_in_oidc import SignInByProvider
from seal_service.usecases.signing_in import Challenged, SignedIn

router = APIRouter(route_class=GuardedRoute, prefix="/v1/sessions", tags=["会话 sessions"])


def _way_in(use_case: str) -> Calling:
    return Calling(use_case, Permission.PUBLIC, reads_bearer=False, bucket="sign-in")


def _own(use_case: str) -> Calling:
    return Calling(use_case, Permission.OWN_SESSION)


def _factors(use_case: str) -> Calling:
    return Calling(use_case, Permission.OWN_FACTORS)


def _answered(answer: SignedIn | Challenged) -> Response:
    """201 with the session, 202 with the challenge."""
    if isinstance(answer, SignedIn):
        session = SessionView(token=answer.token, must_first=answer.must_first)
        return JSONResponse(session.model_dump(mode="json"), 201)
    challenge = ChallengeView(
        challenge=answer.challenge,
        kinds=list(answer.kinds),
        to_sign=base64.b64encode(answer.to_sign).decode(),
        expires_at=answer.expires_at,
    )
    return JSONResponse(challenge.model_dump(mode="json"), 202)


_SECOND_FACTOR_NEXT: dict[int | str, dict[str, Any]] = {
    202: {"model": ChallengeView, "description": "A second factor is asked for"}
}


@router.post(
    "",
    operation_id="sign_in",
    summary="登录: account and password; a session, or a challenge for the second factor",
    status_code=201,
    response_model=SessionView,
    responses=_SECOND_FACTOR_NEXT | refusals(e.Unauthenticated),
)
def sign_in(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(_way_in("people.sign_in"))],
    body: SignInBody,
) -> Response:
    """Five wrong passwords or codes lock an account for 1, 2, 4, 8, … minutes, 30 at most; nobody is told."""
    take_try(request, caller, body.account)
    return _answered(service.people.sign_in(caller, SignIn(account=body.account, password=body.password)))


@router.post(
    "/oidc",
    operation_id="sign_in_by_provider",
    summary="统一身份登录: an id token of the identity provider (OpenID Connect)",
    status_code=201,
    response_model=SessionView,
    responses=_SECOND_FACTOR_NEXT
    | refusals(e.Unauthenticated, e.IdentityProviderNotSet, e.IdentityProviderUnavailable),
)
def sign_in_by_provider(
    service: Serving,
    caller: Annotated[Caller, Depends(_way_in("people.sign_in_by_provider"))],
    body: SignInByProviderBody,
) -> Response:
    """The roles are those that the account has and the provider vouches for; one token opens one session."""
    command = SignInByProvider(id_token=body.id_token, nonce=body.nonce)
    return _answered(service.people.sign_in_by_provider(caller, command))


@router.post(
    "/second-factor",
    operation_id="pass_second_factor",
    summary="第二因素验证: a code, a UKey's signature or a client certificate",
    status_code=201,
    responses=refusals(e.Unauthenticated, e.InvalidInput),
)
def pass_second_factor(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(_way_in("people.pass_second_factor"))],
    body: SecondFactorBody,
) -> SessionView:
    """A challenge waits five minutes and takes five tries; a code is taken once."""
    take_try(request, caller, body.challenge)
    command = PassSecondFactor(
        challenge=body.challenge,
        code=body.code,
        signature=body.signature,
        presented_certificate=certificate_of(request),
    )
    answer = service.people.pass_second_factor(caller, command)
    return SessionView(token=answer.token, must_first=answer.must_first)


@router.delete(
    "",
    operation_id="sign_out_everywhere",
    summary="全部登出: end every session of one's own account",
    status_code=204,
)
def sign_out_everywhere(service: Serving, caller: Annotated[Caller, Depends(_own("people.sign_out"))]) -> None:
    """Their tokens are worthless at once."""
    service.people.sign_out(caller, SignOut(everywhere=True))


@router.get(
    "/current",
    operation_id="read_session",
    summary="当前会话: who am I, until when, and when the password ends",
    responses=refusals(e.SessionNotFound),
)
def read_session(
    service: Serving, caller: Annotated[Caller, Depends(_own("people.read_session"))]
) -> CurrentSessionView:
    """For a client's token there is none."""
    found = service.people.read_session(caller, ReadSession())
    return CurrentSessionView(
        account_id=caller.identity,
        name=caller.name,
        roles=sorted(caller.roles),
        unit_id=caller.unit_id,
        must_first=caller.must_first,
        way=found.session.way,
        second_factor=found.session.factor,
        opened_at=found.session.opened_at,
        idle_until=found.idle_until,
        ends_at=found.ends_at,
        password_expires_at=found.password_expires_at,
        password_expires_soon=found.password_expires_soon,
    )


@router.delete(
    "/current",
    operation_id="sign_out",
    summary="登出: end this session",
    status_code=204,
    responses=refusals(e.SessionNotFound),
)
def sign_out(service: Serving, caller: Annotated[Caller, Depends(_own("people.sign_out"))]) -> None:
    """Its token is worthless at once."""
    service.people.sign_out(caller, SignOut())


@router.put(
    "/current/password",
    operation_id="change_password",
    summary="修改口令: one's own; every other session ends",
    status_code=204,
    responses=refusals(e.SessionNotFound, e.PasswordRefused),
)
def change_password(
    service: Serving,
    caller: Annotated[Caller, Depends(_own("people.change_password"))],
    body: ChangePasswordBody,
) -> None:
    """A wrong present password counts as one at the door."""
    service.people.change_password(caller, ChangePassword(present=body.present, new=body.new))


@router.get(
    "/current/second-factors",
    operation_id="list_factors",
    summary="第二因素列表: one's own",
    responses=refusals(e.SessionNotFound),
)
def list_factors(service: Serving, caller: Annotated[Caller, Depends(_factors("people.list_factors"))]) -> FactorList:
    """Without their secrets."""
    found = service.people.list_factors(caller, ListFactors())
    return FactorList(items=[FactorView.model_validate(one) for one in found])


@router.post(
    "/current/second-factors",
    operation_id="enrol_factor",
    summary="第二因素登记: TOTP, UKey, or the certificate of this connection",
    status_code=201,
    responses=refusals(
        e.SessionNotFound, e.AlreadyRegistered, e.InvalidInput, e.CertificateRefused, e.KeyFamilyUnsupported
    ),
)
def enrol_factor(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(_factors("people.enrol_factor"))],
    body: EnrolFactorBody,
) -> EnrolmentView:
    """TOTP keys and UKeys wait ten minutes for their proof, and count from then on."""
    presented = certificate_of(request)
    command = EnrolFactor(kind=body.kind, certificate=body.certificate, presented_certificate=presented)
    made = service.people.enrol_factor(caller, command)
    return EnrolmentView(
        **FactorView.model_validate(made.factor).model_dump(),
        otpauth=made.address,
        to_sign=None if made.to_sign is None else base64.b64encode(made.to_sign).decode(),
    )


@router.post(
    "/current/second-factors/{factor_id}/confirmation",
    operation_id="confirm_factor",
    summary="第二因素确认: the first code, or the UKey's signature",
    responses=refusals(e.SessionNotFound, e.SecondFactorNotFound, e.FactorProofRefused),
)
def confirm_factor(
    service: Serving,
    caller: Annotated[Caller, Depends(_factors("people.confirm_factor"))],
    factor_id: Identifier,
    body: ConfirmFactorBody,
) -> FactorView:
    """It counts from now on, also for this session."""
    command = ConfirmFactor(factor_id=factor_id, code=body.code, signature=body.signature)
    return FactorView.model_validate(service.people.confirm_factor(caller, command))


@router.delete(
    "/current/second-factors/{factor_id}",
    operation_id="remove_factor",
    summary="第二因素移除: the session's person no longer proves by it",
    status_code=204,
    responses=refusals(e.SessionNotFound, e.SecondFactorNotFound, e.LastSecondFactor),
)
def remove_factor(
    service: Serving,
    caller: Annotated[Caller, Depends(_factors("people.remove_factor"))],
    factor_id: Identifier,
) -> None:
    """Where one is required the last one that counts stays."""
    service.people.remove_factor(caller, RemoveFactor(factor_id=factor_id))
