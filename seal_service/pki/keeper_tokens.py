"""保管人分区: tokens to which the key process is logged in by the secrets of seals' keepers."""

from __future__ import annotations

import hmac
import threading
import time
from contextlib import suppress
from pathlib import Path

from seal_service.domain.errors import ActivationSecretWrong, KeyStoreUnavailable, TokenPinRefused
from seal_service.pki.pkcs11_keys import Pkcs11KeyStore
from seal_service.pki.pkcs11_token import KeeperToken

_PAUSE_SECONDS = 2.0


class KeeperKey:
    """A seal's key in a token of its own, under the secret of its keeper, which is held to log in again with when the
    device went away. Safe for threads."""

    def __init__(self, module: Path, label: str, reference: str, secret: str) -> None:
        """Log in. Raises ActivationSecretWrong, TokenPinLocked, KeyStoreUnavailable, SignatureRefused without a key."""
        self._secret = secret.encode()
        self._token = KeeperToken(module, label, self._secret.decode)
        try:
            self._token.log_in()
            self._key = Pkcs11KeyStore(self._token, held_keys=1).open(reference)
        except TokenPinRefused:
            raise ActivationSecretWrong from None
        except BaseException:
            self.close()
            raise

    def sign(self, message: bytes) -> bytes:
        """Sign in the token; TokenPinRefused when its PIN is another by now, KeyStoreUnavailable, SignatureRefused."""
        return self._key.sign(message)

    def is_opened_by(self, secret: str) -> bool:
        """Whether this secret opened it; the token is not asked, which would cost one of its tries."""
        return hmac.compare_digest(self._secret, secret.encode())

    def close(self) -> None:
        """Log out, for good. Nothing begins with it from now on; nobody waits for a device that does not answer."""
        if self._token.end():
            threading.Thread(target=self._log_out, daemon=True).start()

    def _log_out(self) -> None:
        """Asked again for as long as the device does not answer: until then it is logged in."""
        while True:
            with suppress(KeyStoreUnavailable):
                self._token.log_out()
                return
            time.sleep(_PAUSE_SECONDS)
