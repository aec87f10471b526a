"""口令杂凑: people's passwords under argon2id (RFC 9106)."""

from __future__ import annotations

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerificationError

from seal_service.domain.password import LONGEST, normalized
from seal_service.ports.system import Entropy

_SALT_BYTES = 16
_ARGON2 = PasswordHasher(time_cost=2, memory_cost=46 * 1024, parallelism=1, hash_len=32, type=Type.ID)
"""46 MiB and two passes in one lane, twice what OWASP's password storage advice asks of argon2id: unlike a client's
secret, a person's password may be guessed from a stolen hash, so that every guess has to cost; a sign-in costs as much,
about a tenth of a second."""


class Argon2Passwords:
    """The port Passwords. Stateless; safe for threads."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._nobodys_hash = self.hashed(entropy.token(_SALT_BYTES).hex())

    def hashed(self, password: str) -> str:
        """A fresh hash (PHC string)."""
        return _ARGON2.hash(_content(password), salt=self._entropy.token(_SALT_BYTES))

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the hashed one; takes as long for None."""
        try:
            _ARGON2.verify(self._nobodys_hash if password_hash is None else password_hash, _content(password))
        except (VerificationError, ValueError):  # ValueError: the kept hash is none
            return False
        return password_hash is not None and len(password) <= 2 * LONGEST


def _content(password: str) -> bytes:
    """Of a bounded length; what is longer matches nothing."""
    return normalized(password[: 2 * LONGEST]).encode("utf-8", "replace")
