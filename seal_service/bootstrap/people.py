"""人员登录: the use cases by which people come in, built from the settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from seal_service.bootstrap.rooms import Rooms
from seal_service.bootstrap.service import Guarded, UseCase
from seal_service.bootstrap.service_people import People
from seal_service.bootstrap.verifying import certificates_of_files
from seal_service.config import Settings
from seal_service.domain.errors import InvalidInput
from seal_service.domain.operation import Profile
from seal_service.domain.second_factor import FactorRule
from seal_service.domain.session import SessionLimits
from seal_service.pki.allowed_addresses import parse_address
from seal_service.pki.bounded_http import BoundedHttp
from seal_service.pki.identity_provider import LARGEST_DOCUMENT, OidcProvider
from seal_service.pki.one_time_codes import TotpCodes
from seal_service.pki.passwords import Argon2Passwords
from seal_service.pki.person_certificates import AnchoredPersonCertificates
from seal_service.pki.secret_files import load_secret
from seal_service.ports.crypto import RevocationSource
from seal_service.usecases.change_password import ChangePasswordUseCase
from seal_service.usecases.go_to_provider import GoToProviderUseCase
from seal_service.usecases.identify_session import IdentifySessionUseCase
from seal_service.usecases.link_identity import (
    LinkIdentityUseCase,
    ListIdentityLinksUseCase,
    UnlinkIdentityUseCase,
)
from seal_service.usecases.pass_second_factor import PassSecondFactorUseCase
from seal_service.usecases.recover_administrator import RecoverAdministratorUseCase
from seal_service.usecases.reset_password import HandingOut, ResetPasswordUseCase
from seal_service.usecases.return_from_provider import ReturnFromProviderUseCase
from seal_service.usecases.second_factors import (
    ConfirmFactorUseCase,
    EnrolFactorUseCase,
    ListFactorsUseCase,
    RemoveFactorUseCase,
)
from seal_service.usecases.sessions import ReadSessionUseCase, SignOutUseCase
from seal_service.usecases.sign_in import SignInUseCase
from seal_service.usecases.sign_in_oidc import SignInByProviderUseCase
from seal_service.usecases.signing_in import WayIn

RETURN_PATH = "/pages/sign-in/provider/return"


def factor_rule(settings: Settings) -> FactorRule:
    """What an instance asks of people beside the password."""
    return FactorRule(profile=settings.profile, policy=settings.second_factor)


def session_limits(settings: Settings) -> SessionLimits:
    """How long a session lasts."""
    return SessionLimits(
        idle=timedelta(minutes=settings.session_idle_minutes), absolute=timedelta(hours=settings.session_hours)
    )


def identity_provider(settings: Settings, http: BoundedHttp) -> OidcProvider | None:
    """The provider that is set, or None; InvalidInput naming what is missing."""
    if settings.oidc_issuer is None:
        return None
    if settings.oidc_audience is None:
        raise InvalidInput("SEAL_OIDC_ISSUER needs SEAL_OIDC_AUDIENCE", field="oidc_audience")
    secret = client_secret(settings)
    return OidcProvider(
        settings.oidc_issuer,
        settings.oidc_audience,
        settings.oidc_roles_claim,
        http,
        secret,
        most_at_once=max(1, settings.worker_threads // 2),  # the other threads serve everything else meanwhile
    )


def client_secret(settings: Settings) -> str | None:
    """What we show the provider, from the setting or its file; InstanceNotReady for a file that is not as it should."""
    if settings.oidc_client_secret is not None:
        return settings.oidc_client_secret.get_secret_value()
    return (
        None
        if settings.oidc_client_secret_file is None
        else load_secret(settings.oidc_client_secret_file, "client secret")
    )


def return_address(settings: Settings) -> str | None:
    """Where the identity provider sends browsers back to, or None; InvalidInput for pages that are at no address."""
    if settings.pages_url is None:
        return None
    parse_address(settings.pages_url)
    return settings.pages_url.rstrip("/") + RETURN_PATH


def secure_pages(settings: Settings) -> bool:
    """Whether the pages' cookies go over TLS alone: in production whatever their address is said to be."""
    return settings.profile is Profile.PRODUCTION or (settings.pages_url or "").startswith("https://")


def identify_session(settings: Settings, rooms: Rooms) -> IdentifySessionUseCase:
    """Whom a session's token stands for."""
    return IdentifySessionUseCase(
        rooms.records, rooms.log, rooms.clock, factor_rule(settings), session_limits(settings)
    )


def people_of(
    settings: Settings,
    rooms: Rooms,
    revocation: RevocationSource,
    guarded: Callable[[UseCase[Any, Any]], Guarded[Any, Any]],
) -> People:
    """Every use case of people's way in."""
    records, log, clock, entropy, vault = rooms.records, rooms.log, rooms.clock, rooms.entropy, rooms.vault
    rule, limits, origin = factor_rule(settings), session_limits(settings), settings.public_url
    passwords = Argon2Passwords(entropy)
    codes = TotpCodes(settings.city_name)
    certificates = AnchoredPersonCertificates(certificates_of_files(settings.person_anchors), revocation, clock)
    http = BoundedHttp(settings.network_timeout_seconds, LARGEST_DOCUMENT)
    provider = identity_provider(settings, http)
    handing_out = HandingOut(records, log, clock, entropy, passwords)
    way_in = WayIn(log, entropy, rule, origin)
    by_provider = SignInByProviderUseCase(records, log, clock, provider, settings.oidc_roles, way_in)
    back = return_address(settings)
    return People(
        sign_in=guarded(SignInUseCase(records, log, clock, passwords, way_in)),
        pass_second_factor=guarded(PassSecondFactorUseCase(records, log, clock, vault, codes, certificates, way_in)),
        sign_in_by_provider=guarded(by_provider),
        go_to_provider=guarded(GoToProviderUseCase(clock, entropy, vault, provider, back)),
        return_from_provider=guarded(ReturnFromProviderUseCase(records, log, clock, vault, provider, by_provider)),
        accepted_factors=rule.accepted,
        browsers_go_to_provider=provider is not None and back is not None,
        read_session=guarded(ReadSessionUseCase(records, clock, limits)),
        sign_out=guarded(SignOutUseCase(records, log, clock)),
        change_password=guarded(ChangePasswordUseCase(records, log, clock, passwords)),
        reset_password=guarded(ResetPasswordUseCase(handing_out)),
        recover_administrator=guarded(RecoverAdministratorUseCase(handing_out)),
        enrol_factor=guarded(
            EnrolFactorUseCase(records, log, clock, entropy, vault, codes, certificates, rule, origin)
        ),
        confirm_factor=guarded(ConfirmFactorUseCase(records, log, clock, vault, codes, certificates, origin)),
        list_factors=guarded(ListFactorsUseCase(records)),
        remove_factor=guarded(RemoveFactorUseCase(records, log, clock, rule)),
        link_identity=guarded(LinkIdentityUseCase(records, log, clock, provider)),
        unlink_identity=guarded(UnlinkIdentityUseCase(records, log, clock, provider)),
        list_identity_links=guarded(ListIdentityLinksUseCase(records)),
        close=http.close,
    )
