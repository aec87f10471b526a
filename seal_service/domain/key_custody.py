"""密钥保管: which private keys a production instance takes from an HSM alone.

A key in a file can be copied by whoever reads both the file and the master key, and nobody would know. For the
authority's keys and seals' keys that is a forged seal for good; a time-stamping or OCSP key can be replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seal_service.domain.errors import SoftwareKeysRefused
from seal_service.domain.issuance import AuthorityRole
from seal_service.domain.operation import KeyPlace, Profile

WHAT_TO_DO = (
    "keep them in an HSM (SEAL_KEY_STORE=pkcs11), or take the risk explicitly (SEAL_ALLOW_SOFTWARE_KEYS=true) "
    "and health will say so"
)

NO_KEEPERS = (
    "warning: seals' keys in the HSM sign without an activation by their keepers, since all are under the service's "
    "own PIN: give each a token of its own (SEAL_PKCS11_SEAL_TOKENS)"
)

_MAY_BE_SOFTWARE = tuple(
    f"{role.value}-"
    for role in (AuthorityRole.OCSP, AuthorityRole.TIMESTAMP, AuthorityRole.STATUS, AuthorityRole.REPORT)
)
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyFinding:
    """Whether the keys are where they have to be, in words."""

    ready: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyRule:
    """What an instance's settings say of where keys may be."""

    profile: Profile
    software_keys_allowed: bool
    """Whether the production profile takes them all the same, because it was told so."""
    activation_required: bool = False
    """Whether seals are meant to sign only as far as their keepers let them."""

    def require_permitted(self, reference: str, place: KeyPlace) -> None:
        """Raise SoftwareKeysRefused for a key that may not be where it is."""
        if self.profile is Profile.PRODUCTION and not self.software_keys_allowed and _is_misplaced(reference, place):
            raise SoftwareKeysRefused(
                f"The production profile takes no software key {reference} for the authority or a seal: {WHAT_TO_DO}"
            )

    def finding(self, software_keys: Sequence[str]) -> CustodyFinding:
        """What to say of an instance that has these keys in files, by reference."""
        misplaced = [one for one in software_keys if _is_misplaced(one, KeyPlace.FILE)]
        named = ", ".join([*misplaced[:_NAMED], *(["…"] if len(misplaced) > _NAMED else [])])
        told = f"{len(misplaced)} of the authority and of seals ({named})" if misplaced else "none in use"
        if self.profile is not Profile.PRODUCTION:
            return CustodyFinding(ready=True, detail=f"{self.profile.value} profile, software keys: {told}")
        if self.software_keys_allowed:
            return CustodyFinding(ready=True, detail=f"software keys allowed explicitly: {told}")
        if misplaced:
            return CustodyFinding(ready=False, detail=f"software keys refused: {told}; {WHAT_TO_DO}")
        return CustodyFinding(ready=True, detail="no software keys of the authority or of seals")


def needs_hardware(reference: str) -> bool:
    """Whether a key of this reference belongs into an HSM: all do but those for time-stamps and OCSP answers."""
    return not reference.startswith(_MAY_BE_SOFTWARE)


def is_of_seal(reference: str) -> bool:
    """Whether a key of this reference is a seal's."""
    return reference.startswith("seal-")


def _is_misplaced(reference: str, place: KeyPlace) -> bool:
    return place is KeyPlace.FILE and needs_hardware(reference)
