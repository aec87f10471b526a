"""Ports to keys, certificates, revocation, time-stamps and trust."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from seal_service.domain.algorithms import Suite
from seal_service.domain.authority import PlannedCredential
from seal_service.domain.certification import CheckedCertificate, ExpectedCertificate, ReceivedCertificate
from seal_service.domain.issuance import AuthorityCredential, CertificateSubject, IssuedCertificate
from seal_service.domain.key_custody import CustodyFinding
from seal_service.domain.operation import KeyPlace
from seal_service.domain.trust import AuthorityCertificate
from seal_service.ports.records import Transaction


class SigningKey(Protocol):
    """A private key that signs and does nothing else; may live in another process or an HSM. Safe for threads."""

    @property
    def suite(self) -> Suite:
        """Key type with the digest it signs."""

    @property
    def public_key_info(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""

    def sign(self, message: bytes) -> bytes:
        """Hash the message with the suite's digest and sign it; ECDSA as DER. SignatureRefused when it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """What is known of a key without using it."""

    reference: str
    place: KeyPlace
    token: str | None = None
    """Label of the token that holds it alone."""


class KeyStore(Protocol):
    """Private keys by reference. A key is durable when `create` returns; safe for threads and processes."""

    def create(self, reference: str, suite: Suite) -> SigningKey:
        """A new key; refuses a reference that exists (AlreadyRegistered)."""

    def open(self, reference: str) -> SigningKey:
        """The key, held ready after its first use; SignatureRefused when there is none."""

    def adopt(self, reference: str, private_key: bytes) -> SigningKey:
        """Take in a private key made elsewhere (PKCS#8, DER); AlreadyRegistered, InvalidInput for an unknown kind."""

    def held(self) -> Sequence[KeyFacts]:
        """Every key that is here, by reference."""

    def place(self, reference: str) -> KeyPlace:
        """Where a key is; KeyNotFound."""

    def require_destroyable(self, reference: str) -> None:
        """Raise Conflict for a key that `destroy` cannot open; nothing for one that is gone."""

    def destroy(self, reference: str) -> None:
        """Remove the key for good; nothing when it is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterKeyPlan:
    """What a rotation of the master key would find. Ids name keys and tell nothing of them."""

    from_environment: bool
    """Whether SEAL_MASTER_KEY gives the keys, so that only the operator can put a new one first."""
    active: str
    others: tuple[str, ...]
    """Those that only open: a rotation is unfinished as long as there is one."""
    key_files: int
    key_files_to_wrap: int
    """Of these, not wrapped under the active key: before a rotation begins, none."""
    kept_files: int
    """Kept documents and impressions, which get a new data key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterKeyRotated:
    """What a rotation of the master key did."""

    active: str
    retired: tuple[str, ...]
    """They open nothing here any more."""
    from_environment: bool
    """Whether the operator has yet to take the retired ones out of SEAL_MASTER_KEY."""
    data_key: int
    """Number of the data key that encrypts from now on."""
    key_files: int
    """Wrapped anew by this call."""
    kept_files: int
    """Encrypted anew by this call."""
    kept_files_damaged: int
    """Left as they are, since they cannot be opened."""


class MasterKeyRotation(Protocol):
    """主密钥轮换. At every moment everything can be opened, by this and every other process."""

    def plan(self) -> MasterKeyPlan:
        """What there is; changes nothing."""

    def rotate(self) -> MasterKeyRotated:
        """Begin a rotation, or finish one that was interrupted, by another process or a crash.

        Raises Conflict when another one is under way, or when the environment names no new key;
        IntegrityFailed when a key cannot be opened: then no key was retired.
        """


class TokenKeyRotation(Protocol):
    """令牌密钥轮换."""

    def rotate(self) -> None:
        """A new key signs access tokens; those by the key before are accepted until they end, older ones no more."""


class KeyCustody(Protocol):
    """Looks after where private keys are."""

    def finding(self) -> CustodyFinding:
        """Whether the key stores answer and keep the rule on software keys."""


class CertificateAuthority(Protocol):
    """电子认证服务 (article 9): issues seal certificates and says when they are no longer good."""

    def issue(
        self, transaction: Transaction, subject: CertificateSubject, public_key_info: bytes, now: datetime
    ) -> IssuedCertificate:
        """A certificate for a seal's key (digitalSignature, nonRepudiation); recorded in the transaction."""

    def chain(self, certificate: bytes) -> Sequence[bytes]:
        """The certificates, DER, from the issuer of this one (DER) to its root, as far as they are known.

        A seal keeps the chain it was certified under, whatever has certified later ones.
        """

    def hold(self, transaction: Transaction, serial: str, at: datetime) -> None:
        """Put on hold (certificateHold); CRL and OCSP say so from the commit on."""

    def release(self, transaction: Transaction, serial: str, at: datetime) -> None:
        """Lift a hold."""

    def revoke(
        self, transaction: Transaction, serial: str, at: datetime, reason: str, invalid_from: datetime | None = None
    ) -> None:
        """Revoke for good, for a reason of RFC 5280, 5.3.1; `invalid_from`: it was invalid already then (5.3.2)."""

    def has_issued(self, transaction: Transaction, certificate: bytes) -> bool:
        """Whether a certificate (DER) is of this authority; else only its own can tell the world of its status."""


class CertificateRequestWriter(Protocol):
    """Writes certificate requests (PKCS#10). Stateless; safe for threads."""

    def write(self, key_reference: str, subject: CertificateSubject, renewed: bytes | None) -> bytes:
        """A CertificationRequest (RFC 2986), DER, signed with the key.

        It asks for the subject, or for that of the certificate (DER) to be renewed (RFC 7030, 4.2.2).
        """


class CertificateCheck(Protocol):
    """Judges certificates of outside authorities. Stateless; safe for threads; asks allowed addresses alone."""

    def check(self, received: ReceivedCertificate, expected: ExpectedCertificate) -> CheckedCertificate:
        """The certificate with its chain; CertificateRefused with every reason."""

    def describe(self, certificate: bytes) -> tuple[str, str]:
        """Subject and issuer of a certificate (DER), as a person reads them."""

    def is_revoked(self, certificate: bytes) -> bool | None:
        """What its authority publishes now, a hold included; None when nothing can be fetched."""


class EnrolmentServer(Protocol):
    """An outside authority that certifies over the network. Safe for threads; bounded in time and size."""

    def enrol(self, request: bytes, *, renewal: bool) -> Sequence[bytes]:
        """Certificates, DER: the one for the request (PKCS#10, DER) and those that may lead to its root.

        Raises CertificatePending when it is not issued yet, AuthorityUnavailable.
        """


class AuthorityFoundation(Protocol):
    """Makes the embedded public-key infrastructure of a new instance, and its later generations."""

    def found(self, transaction: Transaction, suite: Suite, now: datetime) -> Sequence[AuthorityCredential]:
        """Root, issuing CA, OCSP responder and time-stamping unit, each with its own key; recorded."""

    def certify(
        self, transaction: Transaction, planned: PlannedCredential, key_reference: str, now: datetime
    ) -> AuthorityCredential:
        """The credential of a key that is there; recorded, and with a new root its cross certificate.

        Raises InstanceNotReady when its issuer's certificate has ended or its issuer's key is gone.
        """


class PublicKeyServices(Protocol):
    """What /pki answers: CRL, OCSP, time-stamps, CA certificates. In-process; safe for threads."""

    def crl(self, version: int | None = None) -> bytes:
        """The list of a generation of the issuing CA (None: the newest), DER; it shows every status committed before
        the call. CertificateNotFound for a generation that is not there or no longer signs."""

    def root_crl(self, version: int | None = None) -> bytes:
        """The list of a generation of the root (None: the newest), DER. CertificateNotFound."""

    def ocsp(self, request: bytes) -> bytes:
        """The answer (RFC 6960) to a request, DER; a malformed one is answered with malformedRequest."""

    def timestamp(self, request: bytes) -> bytes:
        """The answer (RFC 3161) to a request, DER; a bad one is answered with a rejection."""

    def certificate(self, role: str, version: int | None = None) -> bytes:
        """The certificate of a generation (None: the newest) of an AuthorityRole, DER; CertificateNotFound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationEvidence:
    """Revocation data about one certificate, DER."""

    ocsp_responses: tuple[bytes, ...] = field(default=())
    crls: tuple[bytes, ...] = field(default=())
    further_certificates: tuple[bytes, ...] = field(default=())
    """Of responders, so that the evidence can be verified later."""


class RevocationSource(Protocol):
    """Revocation data. Fetches only from allow-listed addresses, without redirects, with time limits."""

    def evidence(self, certificate: bytes, issuer: bytes, produced_after: datetime | None) -> RevocationEvidence:
        """Evidence on a certificate (DER) of an issuer (DER), produced not before a moment (to the second).

        Raises RevocationUnavailable.
        """


class TimestampAuthority(Protocol):
    """时间戳: time-stamps over SHA-256 digests (RFC 3161). Safe for threads."""

    name: str

    def timestamp(self, sha256: bytes) -> bytes:
        """A TimeStampToken (CMS ContentInfo, DER) over the digest, its imprint and nonce checked.

        Raises TimestampUnavailable.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAnchor:
    """信任锚: a certificate that ends a chain, for signatures, time-stamps or both."""

    certificate: bytes
    for_signatures: bool = True
    for_timestamps: bool = True


class TrustStore(Protocol):
    """信任锚 and known intermediate certificates. Reads see every committed change."""

    def anchors(self) -> Sequence[TrustAnchor]:
        """Trust anchors."""

    def intermediates(self) -> Sequence[bytes]:
        """Certificates, DER, that help to build chains and are not trusted in themselves."""


class AuthorityCertificateReader(Protocol):
    """Reads certificates and addresses of other authorities. Stateless; safe for threads."""

    def read(self, certificate: bytes) -> AuthorityCertificate:
        """What a certificate (DER) says of itself, its own signature checked; InvalidInput when it is none."""

    def check_address(self, address: str) -> None:
        """Raise InvalidInput for what is no plain http or https address."""
