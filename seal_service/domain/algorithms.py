"""密码算法套件: the signature suites in which a seal's credential can be made."""

from __future__ import annotations

from enum import StrEnum


class Suite(StrEnum):
    """算法套件: key type with the digest it signs. SM2 joins when national cryptography does."""

    ECDSA_P256 = "ecdsa-p256-sha256"
    RSA_3072 = "rsa-3072-sha256"
    RSA_2048 = "rsa-2048-sha256"
    """For relying parties that cannot read longer keys; new seals should not choose it."""

    @property
    def is_rsa(self) -> bool:
        """Whether signatures are RSASSA-PKCS1-v1_5 (else ECDSA, DER-encoded)."""
        return self is not Suite.ECDSA_P256
