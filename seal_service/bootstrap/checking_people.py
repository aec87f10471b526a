"""配置检查: how people sign in."""

from __future__ import annotations

from collections.abc import Iterator

from seal_service.bootstrap.findings import Finding, error, warning
from seal_service.config import Settings
from seal_service.domain.errors import InvalidInput, SealServiceError
from seal_service.domain.operation import Profile
from seal_service.domain.second_factor import FactorPolicy
from seal_service.pki.allowed_addresses import parse_address
from seal_service.pki.secret_files import load_secret


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
    yield from _pages(settings)
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
    if settings.pages_url is None:
        told = "unset: nobody can sign in by the identity provider with a browser, only over the API"
        yield warning("SEAL_PAGES_URL", told, "set it to the address under which people open the pages")
    yield from _client_secret(settings)


def _pages(settings: Settings) -> Iterator[Finding]:
    """The address under which people open the pages: this host's alone, over TLS."""
    if settings.pages_url is None:
        return
    mend = "write https://host, with the port if it is not 443, and no path"
    try:
        address = parse_address(settings.pages_url)
    except InvalidInput as failure:
        yield error("SEAL_PAGES_URL", f"{settings.pages_url}: {failure.message}", mend)
        return
    if address.path != "/" or "?" in settings.pages_url:
        yield error("SEAL_PAGES_URL", f"{settings.pages_url}: the pages are at /pages of a host, under no path", mend)
    elif settings.profile is Profile.PRODUCTION and address.scheme != "https":
        told = f"{settings.pages_url}: in production the pages' cookies go over TLS alone, so nobody could sign in"
        yield error("SEAL_PAGES_URL", told, mend)


def _client_secret(settings: Settings) -> Iterator[Finding]:
    file = settings.oidc_client_secret_file
    if file is None:
        return
    if settings.oidc_client_secret is not None:
        told = "is set beside SEAL_OIDC_CLIENT_SECRET_FILE"
        yield warning("SEAL_OIDC_CLIENT_SECRET", told, "take one of the two away")
    try:
        load_secret(file, "client secret")
    except SealServiceError as failure:
        mend = f"write our client secret into {file}, mode 0600"
        yield error("SEAL_OIDC_CLIENT_SECRET_FILE", failure.message, mend)
