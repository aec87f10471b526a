"""预备分区: tokens (partitions) of an HSM that an operator has prepared for seals' keys, one for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import pkcs11
from pkcs11 import exceptions as refused

from seal_service.domain.errors import TokenPinRefused
from seal_service.pki import pkcs11_objects as objects
from seal_service.pki.pkcs11_module import loaded
from seal_service.pki.pkcs11_token import BriefToken, close_session


@dataclass(frozen=True, slots=True)
class SeenToken:
    """A prepared token, as whoever is not logged in to it sees it."""

    label: str
    empty: bool
    keys: tuple[objects.FoundPublicKey, ...]


class PreparedTokens:
    """The tokens of a module whose labels have a beginning, but for the service's own. Safe for threads.

    All of them have the same user PIN at first, the transport PIN; a keeper replaces it by a secret of his own.
    """

    def __init__(self, module: Path, beginning: str, own: str | None, transport_pin: Callable[[], str]) -> None:
        self.beginning = beginning
        self.transport_pin = transport_pin
        self._module = module
        self._own = own
        self._opened: dict[str, BriefToken] = {}
        self._occupied: set[str] = set()
        """Which had a key. One that is empty later was made anew, with a PIN that has not been refused."""
        self._lock = Lock()

    def seen(self, *, anew: bool = False) -> list[SeenToken]:
        """All of them, without a login; `anew`: also those that were prepared since the module began.

        Raises KeyStoreUnavailable, IntegrityFailed for a key of an unknown kind.
        """
        module = loaded(self._module)

        def look() -> list[SeenToken]:
            if anew:
                module.renew()
            return [_seen(one) for one in module.tokens() if self._is_prepared(one.label)]

        found = module.alone(f"{self.beginning}…", look)
        with self._lock:
            for one in found:
                if one.empty and one.label in self._occupied:
                    self._occupied.remove(one.label)
                    self._opened.pop(one.label, None)
        return found

    def under_transport_pin(self, label: str) -> BriefToken:
        """One of them, as long as no keeper has taken it. A PIN that it refused once is not tried again."""
        with self._lock:
            return self._opened.setdefault(label, BriefToken(self._module, label, self.transport_pin))

    def occupied(self, label: str) -> None:
        """Remember that one has a key."""
        with self._lock:
            self._occupied.add(label)

    def is_opened_by(self, label: str, secret: str, reference: str) -> bool:
        """Whether a secret is the PIN of the token of a key, which costs one of its tries; KeyStoreUnavailable."""
        try:
            BriefToken(self._module, label, lambda: secret).run(lambda session: objects.private_key(session, reference))
        except (TokenPinRefused, refused.NoSuchKey):
            return False
        return True

    def _is_prepared(self, label: str) -> bool:
        return label.startswith(self.beginning) and label != self._own


def keys_of(tokens: list[SeenToken]) -> Iterator[tuple[str, objects.FoundPublicKey]]:
    """Every key with its token's label."""
    for token in tokens:
        for key in token.keys:
            yield token.label, key


def _seen(token: pkcs11.Token) -> SeenToken:
    session = token.open()
    try:
        return SeenToken(token.label, objects.is_empty(session), tuple(objects.public_keys(session)))
    finally:
        close_session(session)
