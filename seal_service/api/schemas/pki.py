"""Wire form of the authority's own certificates."""

from __future__ import annotations

import hashlib

from pydantic import Field

from seal_service.api.schemas.common import Moment, View
from seal_service.domain.issuance import AuthorityRole
from seal_service.usecases.list_authorities import PublishedAuthority


class AuthorityView(View):
    """本机构证书: one generation of a role."""

    role: AuthorityRole
    generation: int
    signs: bool = Field(description="Whether it is the generation of its role that signs or issues now.")
    not_before: Moment
    not_after: Moment
    sha256: str = Field(description="Digest of the certificate, by which a relying party compares it.")
    certificate_path: str = Field(examples=["/pki/issuing-2.cer"])
    revocation_list_path: str | None = Field(examples=["/pki/issuing-2.crl"])


class AuthoritiesView(View):
    """本机构证书, by role and generation."""

    items: list[AuthorityView]


def authority_view(one: PublishedAuthority) -> AuthorityView:
    """Its wire form."""
    return AuthorityView(
        role=one.credential.role,
        generation=one.credential.version,
        signs=one.signs,
        not_before=one.credential.not_before,
        not_after=one.credential.not_after,
        sha256=hashlib.sha256(one.credential.certificate).hexdigest(),
        certificate_path=one.certificate_path,
        revocation_list_path=one.revocation_list_path,
    )
