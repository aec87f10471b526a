"""How a person signs in at the command line: password, then the code where one is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seal_service.cli import asking
from seal_service.domain.access import PUBLIC_CALLER, Caller
from seal_service.domain.errors import Unauthenticated
from seal_service.domain.second_factor import FactorKind
from seal_service.usecases.authenticate import PresentedToken
from seal_service.usecases.pass_second_factor import PassSecondFactor
from seal_service.usecases.sign_in import SignIn
from seal_service.usecases.signing_in import Challenged, SignedIn

if TYPE_CHECKING:
    from seal_service.bootstrap import Service


def signed_in(service: Service, account: str) -> SignedIn:
    """The session of an account's person; Unauthenticated."""
    command = SignIn(account=account, password=asking.asked("password", asking.PASSWORD))
    answer = service.people.sign_in(PUBLIC_CALLER, command)
    if isinstance(answer, Challenged):
        if FactorKind.TOTP not in answer.kinds:
            kinds = " or ".join(one.value for one in answer.kinds)
            raise Unauthenticated(f"This person's second factor is a {kinds}: sign in over HTTP (/v1/sessions)")
        code = asking.asked("code", asking.CODE, hidden=False)
        return service.people.pass_second_factor(PUBLIC_CALLER, PassSecondFactor(challenge=answer.challenge, code=code))
    return answer


def caller_of_token(service: Service, token: str) -> Caller:
    """Whom a session's token stands for; Unauthenticated."""
    return service.identify_caller(PUBLIC_CALLER, PresentedToken(token=token, address=None))
