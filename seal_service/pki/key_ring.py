"""密钥环: the data keys, the pseudonym key and the token keys of an instance, wrapped together under the master key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from seal_service.domain.errors import InstanceNotReady
from seal_service.pki.master_key import KEY_BYTES, MasterKey
from seal_service.ports.system import Entropy

_FORM = 1
_CONTEXT = b"keyring"


@dataclass(frozen=True, kw_only=True)
class KeyRing:
    """密钥环. Data keys are only ever added: what was written under one, such as the log's rows, stays as it is."""

    data: Mapping[int, bytes] = field(repr=False)
    """Numbered from 1: the newest encrypts, all decrypt."""
    pseudonyms: bytes = field(repr=False)
    """For good: pseudonyms stand in the log."""
    tokens: tuple[bytes, ...] = field(repr=False)
    """The first signs access tokens; the second, if any, signed those that have not ended yet."""

    @classmethod
    def new(cls, entropy: Entropy) -> KeyRing:
        """The ring of a new instance: every key 32 random bytes."""
        data, pseudonyms, token = (entropy.token(KEY_BYTES) for _ in range(3))
        return cls(data={1: data}, pseudonyms=pseudonyms, tokens=(token,))

    @classmethod
    def implied_by(cls, master: MasterKey) -> KeyRing:
        """What stood for a ring in version 0.1.0: sub-keys of its master key."""
        purposes = (b"encryption", b"pseudonyms", b"derived/access tokens")
        data, pseudonyms, token = (master.sub_key(purpose) for purpose in purposes)
        return cls(data={1: data}, pseudonyms=pseudonyms, tokens=(token,))

    def with_data_key(self, entropy: Entropy) -> KeyRing:
        """The ring with one more data key, which encrypts from now on."""
        return replace(self, data={**self.data, self.newest + 1: entropy.token(KEY_BYTES)})

    def with_token_key(self, entropy: Entropy) -> KeyRing:
        """The ring with another token key; the one before is still accepted, earlier ones are not."""
        return replace(self, tokens=(entropy.token(KEY_BYTES), self.tokens[0]))

    @cached_property
    def newest(self) -> int:
        """Number of the data key that encrypts."""
        return max(self.data)

    @cached_property
    def ciphers(self) -> Mapping[int, AESGCM]:
        """The data keys, ready for use."""
        return {number: AESGCM(key) for number, key in self.data.items()}

    def wrapped(self, master: MasterKey, entropy: Entropy) -> bytes:
        """The whole ring under a master key, so that no part can be exchanged, put back or left out."""
        content = {
            "form": _FORM,
            "data": {str(number): key.hex() for number, key in self.data.items()},
            "pseudonyms": self.pseudonyms.hex(),
            "tokens": [key.hex() for key in self.tokens],
        }
        return master.wrap(json.dumps(content).encode(), _CONTEXT, entropy)

    @classmethod
    def unwrapped(cls, wrapped: bytes, master: MasterKey) -> KeyRing:
        """The ring; IntegrityFailed when it was changed, InstanceNotReady when a later version made it."""
        content = json.loads(master.unwrap(wrapped, _CONTEXT))
        if content["form"] != _FORM:
            raise InstanceNotReady(f"The keyring has form {content['form']}: run the later version that wrote it")
        return cls(
            data={int(number): bytes.fromhex(key) for number, key in content["data"].items()},
            pseudonyms=bytes.fromhex(content["pseudonyms"]),
            tokens=tuple(bytes.fromhex(key) for key in content["tokens"]),
        )
