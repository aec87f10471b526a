"""信任锚: whom this instance believes: what operators entered, what the settings' files hold, its own authority."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seal_service.domain.errors import InvalidInput
from seal_service.domain.issuance import AuthorityRole
from seal_service.domain.trust import TrustedCertificate
from seal_service.formats.pem import LARGEST_BUNDLE, certificates_of
from seal_service.ports.crypto import TrustAnchor
from seal_service.ports.records import Records


class InstanceTrustStore:
    """Anchors of the files, read once; the instance's own root and what operators entered, read at every call.

    So every committed change is seen by every process. Nothing is kept between calls: one call costs about as much as
    one signature. `signature_anchors` and `timestamp_anchors` are DER certificates trusted for that alone; `records`
    is None where there is no instance, as when anyone verifies a document.
    """

    def __init__(
        self,
        records: Records | None,
        signature_anchors: Sequence[bytes] = (),
        timestamp_anchors: Sequence[bytes] = (),
    ) -> None:
        self._records = records
        self._configured = [
            TrustAnchor(
                certificate=one,
                for_signatures=one in signature_anchors,
                for_timestamps=one in timestamp_anchors,
            )
            for one in dict.fromkeys([*signature_anchors, *timestamp_anchors])
        ]

    def anchors(self) -> Sequence[TrustAnchor]:
        """Our own roots of every version, trusted for both, then what is configured, then what was entered."""
        own, entered = self._recorded(AuthorityRole.ROOT)
        roots = [TrustAnchor(certificate=one) for one in own]
        others = [
            TrustAnchor(
                certificate=one.certificate, for_signatures=one.for_signatures, for_timestamps=one.for_timestamps
            )
            for one in entered
            if one.is_anchor
        ]
        return [*roots, *self._configured, *others]

    def intermediates(self) -> Sequence[bytes]:
        """Our issuing and cross certificates, every version, then those that were entered."""
        own, entered = self._recorded(AuthorityRole.ISSUING, AuthorityRole.CROSS)
        return [*own, *(one.certificate for one in entered if not one.is_anchor)]

    def issuers(self) -> list[bytes]:
        """Every certificate that may have issued others: anchors, then intermediates."""
        return [*(anchor.certificate for anchor in self.anchors()), *self.intermediates()]

    def revocation_addresses(self, issuer_sha256: str) -> Sequence[str]:
        """Where revocation data on what a certificate issued may be fetched, as it was entered with it."""
        if self._records is None:
            return ()
        with self._records.read() as transaction:
            entered = transaction.trust.all()
        return [address for one in entered if one.id == issuer_sha256 for address in one.revocation_addresses]

    def _recorded(self, *roles: AuthorityRole) -> tuple[list[bytes], Sequence[TrustedCertificate]]:
        """The instance's own certificates of these roles, and what was entered, of one moment."""
        if self._records is None:
            return [], ()
        with self._records.read() as transaction:
            own = [one.certificate for one in transaction.authorities.all() if one.role in roles]
            return own, transaction.trust.all()


def certificates_of_file(path: Path) -> list[bytes]:
    """The certificates of a PEM or DER file, DER; InvalidInput naming the file."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BUNDLE + 1)
        return certificates_of(content)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from error
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error.message}") from error
