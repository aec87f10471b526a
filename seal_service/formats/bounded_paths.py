"""证书路径: the search for issuers among untrusted certificates, bounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from asn1crypto import x509
from pyhanko_certvalidator.errors import PathBuildingError
from pyhanko_certvalidator.registry import CertificateRegistry, TrustManager

_MOST_STEPS = 200
"""Certificates whose issuers are looked for in one search: those of one name and key allow n! paths."""


class BoundedRegistry(CertificateRegistry):
    """Certificates to build paths from, in one bounded search; PathBuildingError beyond it."""

    steps_left = _MOST_STEPS

    def find_potential_issuers(self, cert: x509.Certificate, trust_manager: TrustManager) -> Iterator[Any]:
        """Those that may have issued a certificate."""
        self.steps_left -= 1
        if self.steps_left < 0:
            raise PathBuildingError("the certificates allow too many paths")
        issuers: Iterator[Any] = super().find_potential_issuers(cert, trust_manager)
        return issuers
