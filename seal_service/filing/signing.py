"""上报签名: with the key of the instance that the province was given.

The real interface wants SM2 with SM3; until national cryptography is in, the key has the instance's own suite, and
every message names the algorithm.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from seal_service.domain.errors import SignatureRefused
from seal_service.domain.filing import REPORT_KEY
from seal_service.ports.crypto import KeyStore, SigningKey

_ECDSA_SHA256, _RSA_SHA256 = "1.2.840.10045.4.3.2", "1.2.840.113549.1.1.11"


@dataclass(frozen=True)
class ReportSigner:
    """Signs what is filed. Safe for threads."""

    keys: KeyStore

    @property
    def algorithm(self) -> str:
        """Object identifier of the signature algorithm."""
        return _RSA_SHA256 if self._key().suite.is_rsa else _ECDSA_SHA256

    def sign(self, text: str) -> str:
        """The signature over the text's UTF-8, in Base64; SignatureRefused, KeyStoreUnavailable."""
        return base64.b64encode(self._key().sign(text.encode())).decode()

    def _key(self) -> SigningKey:
        try:
            return self.keys.open(REPORT_KEY)
        except SignatureRefused as error:
            raise SignatureRefused(
                f"The key that signs filings is missing: `seal filing key` ({error.message})"
            ) from error
