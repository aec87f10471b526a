"""信任锚: whom this instance believes, from files and from its own authority."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seal_service.domain.errors import InvalidInput
from seal_service.domain.issuance import AuthorityRole
from seal_service.formats.pem import LARGEST_BUNDLE, certificates_of
from seal_service.ports.crypto import TrustAnchor
from seal_service.ports.records import Records


class InstanceTrustStore:
    """Anchors of the files, read once, and the instance's own root, read through records at every call.

    `signature_anchors` and `timestamp_anchors` are DER certificates trusted for that alone; `records` is None where
    there is no instance, as when anyone verifies a document.
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
        """Our own roots of every version, trusted for both, then what is configured."""
        own = [TrustAnchor(certificate=one) for one in self._own(AuthorityRole.ROOT)]
        return [*own, *self._configured]

    def intermediates(self) -> Sequence[bytes]:
        """Our issuing and cross certificates, every version."""
        return [*self._own(AuthorityRole.ISSUING), *self._own(AuthorityRole.CROSS)]

    def _own(self, role: AuthorityRole) -> list[bytes]:
        if self._records is None:
            return []
        with self._records.read() as transaction:
            return [one.certificate for one in transaction.authorities.all() if one.role is role]


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
