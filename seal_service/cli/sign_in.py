"""How a person signs in at the command line: password, then the code or the UKey where one is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seal_service.cli import asking, ukey
from seal_service.domain.access import PUBLIC_CALLER, Caller
from seal_service.domain.errors import Unauthenticated
from seal_service.domain.second_factor import FactorKind
from seal_service.usecases.authenticate import PresentedToken
from seal_service.usecases.pass_second_factor import PassSecondFactor
from seal_service.usecases.sign_in import SignIn
from seal_service.usecases.signing_in import Challenged, SignedIn

if TYPE_CHECKING:
    from seal_service.bootstrap import Service


def signed_in(service: Service, account: str, by: ukey.UKey | None) -> SignedIn:
    """The session of an account's person, who may have a UKey plugged in; Unauthenticated, InvalidInput."""
    command = SignIn(account=account, password=asking.asked("password", asking.PASSWORD))
    answer = service.people.sign_in(PUBLIC_CALLER, command)
    if isinstance(answer, Challenged):
        return service.people.pass_second_factor(PUBLIC_CALLER, _proof(answer, by))
    return answer


def _proof(asked: Challenged, by: ukey.UKey | None) -> PassSecondFactor:
    """A code where one is enough and no UKey is named, else the UKey's signature."""
    if by is None and FactorKind.TOTP in asked.kinds:
        code = asking.asked("code", asking.CODE, hidden=False)
        return PassSecondFactor(challenge=asked.challenge, code=code)
    if FactorKind.UKEY in asked.kinds:
        return PassSecondFactor(challenge=asked.challenge, signature=ukey.signature(by, asked.to_sign))
    kinds = " or ".join(one.value for one in asked.kinds)
    told = "leave out --ukey-…" if by is not None and FactorKind.TOTP in asked.kinds else "sign in over HTTP"
    raise Unauthenticated(f"This person's second factor is a {kinds}: {told} (`seal login`, /v1/sessions)")


def caller_of_token(service: Service, token: str) -> Caller:
    """Whom a session's token stands for; Unauthenticated."""
    return service.identify_caller(PUBLIC_CALLER, PresentedToken(token=token, address=None))
