"""状态公示签名: the status list under the key that is for it alone."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from seal_service.domain.authority import ended
from seal_service.domain.errors import InstanceNotReady
from seal_service.domain.issuance import AuthorityRole
from seal_service.domain.status_list import StatusList
from seal_service.formats.status_list import compact, payload_of, signing_input
from seal_service.pki.chains import chain_of
from seal_service.pki.own_authorities import current, own_issuers
from seal_service.ports.crypto import KeyStore
from seal_service.ports.records import Records
from seal_service.ports.system import Clock

_HALF = 32


class StatusPublisher:
    """Signs lists: ES256 or RS256, as the key is. Safe for threads."""

    def __init__(self, records: Records, keys: KeyStore, clock: Clock) -> None:
        self._records = records
        self._keys = keys
        self._clock = clock

    def sign(self, content: StatusList) -> bytes:
        """The signed list; InstanceNotReady while there is no key for it, or its certificate has ended."""
        now = self._clock.now()
        with self._records.read() as transaction:
            credential = current(transaction, AuthorityRole.STATUS, now)
            issuers = own_issuers(transaction, now)
        if ended(credential, now):
            raise InstanceNotReady("The status list's certificate has expired: see `seal keys rotate status`")
        key = self._keys.open(credential.key_reference)
        chain = (credential.certificate, *chain_of(credential.certificate, issuers))
        signed = signing_input("RS256" if key.suite.is_rsa else "ES256", chain, payload_of(content))
        signature = key.sign(signed)
        if not key.suite.is_rsa:  # RFC 7518, 3.4: both halves, 32 octets each
            signature = b"".join(one.to_bytes(_HALF, "big") for one in decode_dss_signature(signature))
        return compact(signed, signature)
