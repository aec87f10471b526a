"""A person's UKey as a token of SoftHSM."""

from __future__ import annotations

from collections.abc import Mapping

import pkcs11
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from seal_service.pki import pkcs11_objects as objects
from tests.person_authority import Key
from tests.softhsm import USER_PIN, softhsm_module, softhsm_token


def ukey_token(keys: Mapping[str, Key]) -> str:
    """The label of a new token with these keys, by their labels; nobody is logged in to it."""
    label = softhsm_token()
    library = pkcs11.lib(str(softhsm_module().resolve()))
    library.reinitialize()  # it learns of new tokens when it is initialised
    with library.get_token(token_label=label).open(rw=True, user_pin=USER_PIN) as session:
        for name, key in keys.items():
            plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            objects.take_in(session, name, objects.components_of(plain))
    return label
