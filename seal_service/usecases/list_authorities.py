"""本机构证书: what is published of the service's own authorities, in all generations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.authority import current, published_name
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole
from seal_service.ports.records import Records
from seal_service.ports.system import Clock

PUBLISHED = (AuthorityRole.ROOT, AuthorityRole.CROSS, AuthorityRole.ISSUING, AuthorityRole.TIMESTAMP)
"""A responder's certificate stands in its answers."""
_WITH_LIST = frozenset({AuthorityRole.ROOT, AuthorityRole.ISSUING})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAuthorities:
    """本机构证书, by role and generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedAuthority:
    """A certificate of the service itself and where it is found."""

    credential: AuthorityCredential
    signs: bool
    """Whether it is the generation of its role that signs or issues now."""
    certificate_path: str
    revocation_list_path: str | None


@dataclass(frozen=True)
class ListAuthoritiesUseCase:
    """本机构证书."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    clock: Clock

    def __call__(self, _caller: Caller, _command: ListAuthorities) -> tuple[PublishedAuthority, ...]:
        """All that are published; none before the instance is founded."""
        now = self.clock.now()
        with self.records.read() as transaction:
            own = transaction.authorities.all()
        found = []
        for role in PUBLISHED:
            generations = [one for one in own if one.role is role]
            signing = None if role is AuthorityRole.CROSS else current(generations, now)
            for one in generations:
                path = f"/pki/{published_name(role, one.version)}"
                found.append(
                    PublishedAuthority(
                        credential=one,
                        signs=one is signing,
                        certificate_path=f"{path}.cer",
                        revocation_list_path=f"{path}.crl" if role in _WITH_LIST else None,
                    )
                )
        return tuple(found)
