"""证书申请: requests to an outside authority (PKCS#10, RFC 2986), signed through the SigningKey port."""

from __future__ import annotations

from asn1crypto import core, csr, keys, x509

from seal_service.domain.issuance import CertificateSubject
from seal_service.formats.der import made, read_certificate
from seal_service.pki.certificates import subject_name
from seal_service.pki.signatures import algorithm_of
from seal_service.ports.crypto import KeyStore

_KEY_USAGE = {"digital_signature", "non_repudiation"}
"""What a seal's key is for; asked for as an extension (RFC 2985, 5.4.2), so that authorities may copy it."""


class SigningRequestWriter:
    """Writes requests with keys of the store. Safe for threads."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    def write(self, key_reference: str, subject: CertificateSubject, renewed: bytes | None) -> bytes:
        """A CertificationRequest, DER; its subject is byte for byte that of a certificate that is renewed."""
        key = self._keys.open(key_reference)
        name = subject_name(subject) if renewed is None else read_certificate(renewed).subject
        usage = {
            "extn_id": "key_usage",
            "critical": True,
            "extn_value": core.ParsableOctetString(x509.KeyUsage(_KEY_USAGE).dump()),
        }
        body = made(
            csr.CertificationRequestInfo,
            {
                "version": "v1",
                "subject": name,
                "subject_pk_info": keys.PublicKeyInfo.load(key.public_key_info),
                "attributes": [{"type": "extension_request", "values": [[usage]]}],
            },
        )
        request = csr.CertificationRequest(
            {
                "certification_request_info": body,
                "signature_algorithm": algorithm_of(key.suite),
                "signature": key.sign(body.dump()),
            }
        )
        return bytes(request.dump())
