"""签发者: who issued a certificate, by what it says itself: name and key identifier (RFC 5280, 4.1.2.4, 4.2.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from seal_service.domain.algorithms import Suite
from seal_service.formats.der import read_certificate


@dataclass(frozen=True, slots=True)
class IssuerIdentity:
    """An issuer as its certificates name it. Every generation of our own authorities has a name and a key of its own,
    so that this tells one from the other; whether the signature is right is not asked here."""

    name: bytes
    """Name, DER."""
    key_identifier: bytes | None


def identity_of(issuer: Any) -> IssuerIdentity:
    """How an issuer (asn1crypto certificate) is named by what it issues."""
    return IssuerIdentity(issuer.subject.dump(), issuer.key_identifier)


def issuer_named_by(certificate: Any) -> IssuerIdentity:
    """Whom a certificate (asn1crypto) names as its issuer."""
    return IssuerIdentity(certificate.issuer.dump(), certificate.authority_key_identifier)


def is_of(certificate: bytes, issuer: IssuerIdentity) -> bool:
    """Whether a certificate (DER) names this issuer; quick for those that do not."""
    return issuer.name in certificate and issuer_named_by(read_certificate(certificate)) == issuer


@lru_cache(maxsize=256)
def issued_itself(certificate: bytes) -> bool:
    """Whether a certificate (DER) names itself as its issuer, as roots do."""
    read = read_certificate(certificate)
    return bool(read.subject.dump() == read.issuer.dump())


def suite_of(certificate: bytes) -> Suite | None:
    """The suite in which a certificate's key (DER) signs, or None for one that is none of ours."""
    key = read_certificate(certificate).public_key
    if key.algorithm == "ec" and key.curve == ("named", "secp256r1"):
        return Suite.ECDSA_P256
    return {("rsa", 3072): Suite.RSA_3072, ("rsa", 2048): Suite.RSA_2048}.get((key.algorithm, key.bit_size))
