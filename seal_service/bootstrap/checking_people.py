"""配置检查: how people sign in."""

from __future__ import annotations

from collections.abc import Iterator

from seal_service.bootstrap.findings import Finding, error, warning
from seal_service.config import Settings
from seal_service.domain.operation import Profile
from seal_service.domain.second_factor import FactorPolicy


def check_people(settings: Settings) -> Iterator[Finding]:
    """Rules of the second factor, and of the identity provider where one is set."""
    production = settings.profile is Profile.PRODUCTION
    if production and settings.second_factor not in (None, FactorPolicy.CERTIFICATE):
        told = f"{settings.second_factor}: the production profile asks for a client certificate or a UKey all the same"
        yield error("SEAL_SECOND_FACTOR", told, "unset it, or set it to certificate")
    certificates = production or settings.second_factor is FactorPolicy.CERTIFICATE
    if certificates and not settings.person_anchors:
        told = "no authority is named whose certificates and UKeys people sign in by: nobody can enrol one"
        yield warning("SEAL_PERSON_ANCHORS", told, 'name its PEM file: ["/etc/seal/people.pem"]')
    if settings.oidc_issuer is None:
        return
    if settings.oidc_audience is None:
        told = "the service does not start without it where an issuer is set"
        yield error("SEAL_OIDC_AUDIENCE", told, "set our client id at the identity provider")
    if not settings.oidc_roles:
        told = "no role of the identity provider's is one of ours: nobody can sign in by it"
        yield warning("SEAL_OIDC_ROLES", told, '{"their-name": "seal_keeper"}')
    if production and not settings.oidc_issuer.startswith("https://"):
        told = "keys that are fetched without TLS may be anybody's"
        yield error("SEAL_OIDC_ISSUER", told, "take a provider with an https:// address")
