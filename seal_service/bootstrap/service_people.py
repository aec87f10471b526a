"""人员登录 as doors see it: the ready use cases of people's way in, each behind its permission."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seal_service.domain.second_factor import FactorKind, SecondFactor
from seal_service.domain.session import IdentityLink
from seal_service.usecases.change_password import ChangePassword
from seal_service.usecases.go_to_provider import GoToProvider, SentToProvider
from seal_service.usecases.link_identity import LinkIdentity, ListIdentityLinks, UnlinkIdentity
from seal_service.usecases.pass_second_factor import PassSecondFactor
from seal_service.usecases.reset_password import InitialPassword, ResetPassword
from seal_service.usecases.return_from_provider import ReturnFromProvider
from seal_service.usecases.second_factors import ConfirmFactor, EnrolFactor, Enrolment, ListFactors, RemoveFactor
from seal_service.usecases.sessions import CurrentSession, ReadSession, SignOut
from seal_service.usecases.sign_in import SignIn
from seal_service.usecases.sign_in_oidc import SignInByProvider
from seal_service.usecases.signing_in import Challenged, SignedIn

if TYPE_CHECKING:
    from seal_service.bootstrap.service import Guarded


@dataclass(frozen=True, kw_only=True)
class People:
    """What people come in by."""

    sign_in: Guarded[SignIn, SignedIn | Challenged]
    pass_second_factor: Guarded[PassSecondFactor, SignedIn]
    sign_in_by_provider: Guarded[SignInByProvider, SignedIn | Challenged]
    go_to_provider: Guarded[GoToProvider, SentToProvider]
    return_from_provider: Guarded[ReturnFromProvider, SignedIn | Challenged]
    browsers_go_to_provider: bool
    """Whether a provider is set, and an address to which it sends browsers back."""
    accepted_factors: frozenset[FactorKind]
    """Kinds that count here."""
    read_session: Guarded[ReadSession, CurrentSession]
    sign_out: Guarded[SignOut, int]
    change_password: Guarded[ChangePassword, None]
    reset_password: Guarded[ResetPassword, InitialPassword]
    recover_administrator: Guarded[ResetPassword, InitialPassword]
    enrol_factor: Guarded[EnrolFactor, Enrolment]
    confirm_factor: Guarded[ConfirmFactor, SecondFactor]
    list_factors: Guarded[ListFactors, Sequence[SecondFactor]]
    remove_factor: Guarded[RemoveFactor, None]
    link_identity: Guarded[LinkIdentity, IdentityLink]
    unlink_identity: Guarded[UnlinkIdentity, IdentityLink]
    list_identity_links: Guarded[ListIdentityLinks, Sequence[IdentityLink]]
    close: Callable[[], None]
