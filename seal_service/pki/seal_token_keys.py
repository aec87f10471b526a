"""独立分区密钥库: each seal's key in a token of its own, whose user PIN becomes the secret of the seal's keeper.

PKCS#11 knows no PIN of a key, only one of a token: so a seal's key is alone in one.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from threading import Lock

import pkcs11
from pkcs11 import exceptions as refused

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import (
    AlreadyRegistered,
    Conflict,
    IntegrityFailed,
    InvalidInput,
    KeyNotFound,
    KeyStoreUnavailable,
    NoTokenFree,
    SealNotActivated,
    SignatureRefused,
    TokenPinLocked,
    TokenPinRefused,
)
from seal_service.domain.operation import KeyPlace
from seal_service.pki import pkcs11_objects as objects
from seal_service.pki.pkcs11_keys import Pkcs11Key, require_well_formed, taken_in
from seal_service.pki.pkcs11_token import BriefToken
from seal_service.pki.prepared_tokens import PreparedTokens, keys_of
from seal_service.ports.crypto import KeyFacts

_log = logging.getLogger(__name__)

_MAKING = Lock()
"""Of this process. Those of other processes are told by what they leave in a token."""


class SealTokenKey:
    """A seal's key in a token of its own.

    Until its keeper takes it, it signs here under the transport PIN, as a certificate request needs; afterwards
    nowhere but in the key process, once activated there.
    """

    def __init__(self, label: str, token: BriefToken, found: objects.FoundPublicKey) -> None:
        self.reference = found.reference
        self.suite = found.suite
        self.public_key_info = found.public_key_info
        self.label = label
        self._key = Pkcs11Key(token, found.reference, objects.FoundKey(found.suite, found.public_key_info, None))

    def sign(self, message: bytes) -> bytes:
        """Under the transport PIN; SealNotActivated when that is its no more, SignatureRefused, KeyStoreUnavailable."""
        try:
            return self._key.sign(message)
        except TokenPinRefused as error:
            raise SealNotActivated(f"The token {self.label} is its keeper's") from error


class SealTokenKeyStore:
    """Keys of seals, each alone in a token that was prepared for one. Found, and their public half read, without a
    login. Durable as the tokens are; several processes may make keys at once and give way to each other.
    """

    def __init__(self, tokens: PreparedTokens) -> None:
        self._tokens = tokens
        self._held: dict[str, SealTokenKey] = {}
        self._lock = Lock()
        self._refused: TokenPinRefused | None = None
        """What a free token said of the transport PIN: the others are spared it."""

    def create(self, reference: str, suite: Suite) -> SealTokenKey:
        """A new key, made in a free token; AlreadyRegistered, InvalidInput, NoTokenFree, KeyStoreUnavailable."""
        require_well_formed(reference)
        return self._make(reference, lambda session: objects.generate(session, reference, suite))

    def adopt(self, reference: str, private_key: bytes) -> SealTokenKey:
        """Take a private key made elsewhere (PKCS#8, DER) into a free token; as `create`, and InvalidInput."""
        require_well_formed(reference)
        components = objects.components_of(private_key)
        return self._make(reference, lambda session: taken_in(session, reference, components))

    def open(self, reference: str) -> SealTokenKey:
        """The key; SignatureRefused when there is none, KeyStoreUnavailable. One that is held is not looked for."""
        found = self._find(reference)
        if found is None:
            raise SignatureRefused(f"There is no key {reference} in the tokens {self._tokens.beginning}…")
        return found

    def has(self, reference: str) -> bool:
        """Whether it is in one of these tokens; one that is held is not looked for."""
        return self._find(reference) is not None

    def holds(self, reference: str) -> bool:
        """Whether a key is held ready; no token is asked."""
        with self._lock:
            return reference in self._held

    def look_anew(self) -> None:
        """Have the module begin anew: some know by nothing else of what other processes did, as to a PIN."""
        self._tokens.seen(anew=True)

    def held(self) -> Sequence[KeyFacts]:
        """Every key with its token, by reference; KeyStoreUnavailable."""
        found = sorted((key.reference, label) for label, key in keys_of(self._tokens.seen()))
        return [KeyFacts(reference=one, place=KeyPlace.PARTITION, token=label) for one, label in found]

    def place(self, reference: str) -> KeyPlace:
        """In a token of its own, which is asked; KeyNotFound, KeyStoreUnavailable."""
        self._forget(reference)
        if self._find(reference) is None:
            raise KeyNotFound(f"There is no key {reference} in the tokens {self._tokens.beginning}…")
        return KeyPlace.PARTITION

    def require_destroyable(self, reference: str) -> None:
        """Ask the key's token whether no keeper has taken it; Conflict, KeyStoreUnavailable."""
        self._under_transport_pin(reference, lambda session: objects.private_key(session, reference))

    def destroy(self, reference: str) -> None:
        """Remove a key that no keeper has taken; nothing when it is gone. Conflict for one that is a keeper's."""
        self._under_transport_pin(reference, lambda session: objects.destroy(session, reference))
        self._forget(reference)

    def _under_transport_pin(self, reference: str, act: Callable[[pkcs11.Session], object]) -> None:
        self._forget(reference)
        found = self._find(reference)
        if found is None:
            return
        try:
            self._token(found.label).run(act)
        except refused.NoSuchKey:
            return
        except (TokenPinRefused, TokenPinLocked) as error:
            raise Conflict(
                f"The key {reference} has the token {found.label} of the HSM for itself, under its keeper's secret: "
                "initialise that token anew with the HSM's own means, which destroys the key",
                token=found.label,
            ) from error

    def protect(self, reference: str, secret: str) -> None:
        """Make the keeper's secret the user PIN of the key's token, for good; this service then has none for it.

        Nothing is done where it is that already: whose answer was lost repeats it. `look_anew` comes before it.
        Raises SignatureRefused when there is no such key; Conflict when the token is a keeper's already;
        InvalidInput for a secret that the token does not take, IntegrityFailed when the token is not the key's alone:
        then nothing has changed. KeyStoreUnavailable.
        """
        key, transport = self.open(reference), self._tokens.transport_pin()
        if secret == transport:
            raise InvalidInput("This secret is not the keeper's alone: choose another", field="secret")

        def hand_over(session: pkcs11.Session) -> None:
            objects.private_key(session, reference)
            if not objects.is_alone(session, reference):
                raise IntegrityFailed(f"The token {key.label} has further keys, which would be this keeper's too")
            try:
                session.set_pin(transport, secret)
            except (refused.PinLenRange, refused.PinInvalid) as error:
                raise InvalidInput(
                    f"The HSM does not take this secret ({type(error).__name__}): other than in length or characters; "
                    "letters and digits count one byte each, a Chinese character three",
                    field="secret",
                ) from None

        try:
            self._token(key.label).run(hand_over, repeatable=False)
        except refused.NoSuchKey:
            raise SignatureRefused(f"The token {key.label} has no key {reference} any more") from None
        except TokenPinRefused as error:
            if self._tokens.is_opened_by(key.label, secret, reference):
                return
            raise Conflict(
                f"The token {key.label} is not under the transport PIN any more: the seal's keeper has taken it, or "
                "SEAL_PKCS11_SEAL_PIN_FILE holds another PIN than it was prepared with"
            ) from error

    def _make(self, reference: str, make: Callable[[pkcs11.Session], objects.KeyPair]) -> SealTokenKey:
        def make_alone(session: pkcs11.Session) -> objects.FoundKey | None:
            if not objects.is_empty(session):
                return None
            pair = make(session)
            if not objects.is_alone(session, reference) or len(objects.private_keys(session, reference)) > 1:
                for one in pair:  # another process makes a key here: whoever finds a second one gives way
                    one.destroy()
                return None
            return objects.facts_of(pair, reference)

        with _MAKING:
            if self._refused is not None:
                raise TokenPinRefused(self._refused.message)
            seen = self._tokens.seen(anew=True)
            if any(key.reference == reference for _, key in keys_of(seen)):
                raise AlreadyRegistered(f"There is a key {reference} already")
            for label in _spread([one.label for one in seen if one.empty], reference):
                token = self._token(label)
                try:
                    made = token.run(make_alone, repeatable=False)
                except TokenPinRefused as error:
                    self._refused = error
                    raise
                except KeyStoreUnavailable as error:
                    if not token.is_refused:
                        raise
                    _log.warning("a token that was prepared for a seal is passed over: %s", error.message)
                    continue
                if made is not None:
                    found = objects.FoundPublicKey(reference, made.suite, made.public_key_info)
                    return self._hold(label, found)
        raise NoTokenFree(
            f"None of the {len(seen)} tokens {self._tokens.beginning}… is free for a seal's key: prepare further ones, "
            "empty and with the transport PIN"
        )

    def _find(self, reference: str) -> SealTokenKey | None:
        require_well_formed(reference)
        with self._lock:
            held = self._held.get(reference)
        if held is not None:
            return held
        for anew in (False, True):  # it may be in a token that was prepared since
            found = [one for one in keys_of(self._tokens.seen(anew=anew)) if one[1].reference == reference]
            if len(found) > 1:
                named = " and ".join(label for label, _ in found)
                raise IntegrityFailed(f"The tokens {named} hold keys {reference}: which one is meant cannot be told")
            if found:
                return self._hold(*found[0])
        return None

    def _hold(self, label: str, found: objects.FoundPublicKey) -> SealTokenKey:
        key = SealTokenKey(label, self._token(label), found)
        self._tokens.occupied(label)
        with self._lock:
            return self._held.setdefault(found.reference, key)

    def _forget(self, reference: str) -> None:
        require_well_formed(reference)
        with self._lock:
            self._held.pop(reference, None)

    def _token(self, label: str) -> BriefToken:
        return self._tokens.under_transport_pin(label)


def _spread(labels: list[str], reference: str) -> list[str]:
    """In an order of each reference's own, so that processes seldom meet in one token."""
    return sorted(labels, key=lambda label: hashlib.sha256(f"{reference} {label}".encode()).digest())
