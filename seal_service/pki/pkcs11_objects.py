"""密码设备对象: a key in a token is a private and a public object whose label and identifier are its reference.

Every function here is an act of Pkcs11Token.run, or part of one. NoSuchKey says that there is no such private key.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import pkcs11
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11 import exceptions as refused
from pkcs11.util import biginteger

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import IntegrityFailed, InvalidInput

KeyPair: TypeAlias = tuple[Any, Any]
"""Public and private object."""
Template: TypeAlias = dict[Attribute, Any]

IMPORT_REFUSED = (
    refused.AttributeReadOnly,
    refused.AttributeTypeInvalid,
    refused.AttributeValueInvalid,
    refused.FunctionNotSupported,
    refused.FunctionRejected,
    refused.TemplateIncomplete,
    refused.TemplateInconsistent,
    refused.TokenWriteProtected,
)
"""How a token says that it does not take such an object."""

_SUITES = {3072: Suite.RSA_3072, 2048: Suite.RSA_2048}
_RSA_BITS = {suite: bits for bits, suite in _SUITES.items()}
_P256 = bytes.fromhex("06082a8648ce3d030107")
"""The curve's object identifier, DER, as CKA_EC_PARAMS has it."""
_P256_POINT_BYTES = 65
_SEARCHES = 5
_PRIVATE: Template = {
    Attribute.TOKEN: True,
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.SIGN: True,
    Attribute.DECRYPT: False,
    Attribute.UNWRAP: False,
    Attribute.DERIVE: False,
}
_PUBLIC: Template = {
    Attribute.TOKEN: True,
    Attribute.PRIVATE: False,
    Attribute.VERIFY: True,
    Attribute.ENCRYPT: False,
    Attribute.WRAP: False,
}


@dataclass(frozen=True, slots=True)
class Components:
    """A private key made elsewhere, as attributes of its two objects."""

    private: Template
    public: Template


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key as a session sees it."""

    suite: Suite
    public_key_info: bytes
    """SubjectPublicKeyInfo, DER."""
    private: Any
    """The handle of its private object in that session."""


@dataclass(frozen=True, slots=True)
class FoundPublicKey:
    """A key as whoever is not logged in sees it."""

    reference: str
    suite: Suite
    public_key_info: bytes
    """SubjectPublicKeyInfo, DER."""


def private_keys(session: pkcs11.Session, reference: str) -> list[pkcs11.PrivateKey]:
    """The private keys of a reference: none, one, or while two processes make the same one, two."""
    return of_reference(session, ObjectClass.PRIVATE_KEY, reference)


def private_key(session: pkcs11.Session, reference: str) -> pkcs11.PrivateKey:
    """The private key; NoSuchKey, IntegrityFailed when there are two."""
    found = private_keys(session, reference)
    if not found:
        raise refused.NoSuchKey
    if len(found) > 1:
        raise IntegrityFailed(f"The token holds {len(found)} keys {reference}: which one is meant cannot be told")
    return found[0]


def find(session: pkcs11.Session, reference: str) -> FoundKey:
    """The key of a reference; NoSuchKey, IntegrityFailed when it is not one pair of a known kind."""
    private = private_key(session, reference)
    public = of_reference(session, ObjectClass.PUBLIC_KEY, reference)
    if len(public) != 1:
        raise IntegrityFailed(f"The token holds {len(public)} public keys {reference}, not one")
    return facts_of((public[0], private), reference)


def facts_of(pair: KeyPair, reference: str) -> FoundKey:
    """What a pair says of itself; IntegrityFailed for an unknown kind."""
    public, private = pair
    return FoundKey(*_known_public_key_info(public, reference), private)


def public_keys(session: pkcs11.Session) -> list[FoundPublicKey]:
    """Of every public key that has a reference, which needs no login; IntegrityFailed for an unknown kind."""
    found = []
    for one in _search(session, {Attribute.CLASS: ObjectClass.PUBLIC_KEY}):
        reference = _reference_of(one)
        if reference is not None:
            found.append(FoundPublicKey(reference, *_known_public_key_info(one, reference)))
    return found


def is_empty(session: pkcs11.Session) -> bool:
    """Whether the session sees nothing in the token; without a login that says nothing of private objects."""
    return not _search(session, {})


def is_alone(session: pkcs11.Session, reference: str) -> bool:
    """Whether the token has no private key beside those of a reference."""
    every = _search(session, {Attribute.CLASS: ObjectClass.PRIVATE_KEY})
    return len(every) == len(private_keys(session, reference))


def references(session: pkcs11.Session) -> list[str]:
    """Of every private key that has one; NoSuchKey when there are none."""
    found = _search(session, {Attribute.CLASS: ObjectClass.PRIVATE_KEY})
    ours = [reference for one in found if (reference := _reference_of(one)) is not None]
    if not ours:
        raise refused.NoSuchKey
    return ours


def generate(session: pkcs11.Session, reference: str, suite: Suite) -> KeyPair:
    """A new pair, made in the token; MechanismInvalid when the token can make but not use it, or neither."""
    signing_mechanism = Mechanism.RSA_PKCS if suite.is_rsa else Mechanism.ECDSA
    if signing_mechanism not in session.token.slot.get_mechanisms():
        raise refused.MechanismInvalid
    identity: dict[str, Any] = {"label": reference, "id": reference.encode(), "store": True}
    signing = MechanismFlag.SIGN | MechanismFlag.VERIFY
    if suite.is_rsa:
        return session.generate_keypair(
            KeyType.RSA,
            _RSA_BITS[suite],
            **identity,
            capabilities=signing,
            mechanism=Mechanism.RSA_PKCS_KEY_PAIR_GEN,
            public_template=_PUBLIC,
            private_template=_PRIVATE,
        )
    curve = session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: _P256}, local=True)
    return curve.generate_keypair(
        **identity,
        capabilities=signing,
        mechanism=Mechanism.EC_KEY_PAIR_GEN,
        public_template=_PUBLIC,
        private_template=_PRIVATE,
    )


def generate_edwards(session: pkcs11.Session, reference: str, curve: bytes) -> KeyPair:
    """A new pair for CKM_EDDSA on a curve (CKA_EC_PARAMS), made in the token; MechanismInvalid where it has none."""
    if Mechanism.EDDSA not in session.token.slot.get_mechanisms():
        raise refused.MechanismInvalid
    parameters = session.create_domain_parameters(KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: curve}, local=True)
    return parameters.generate_keypair(
        label=reference,
        id=reference.encode(),
        store=True,
        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
        mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
        public_template=_PUBLIC,
        private_template=_PRIVATE,
    )


def components_of(private_key: bytes) -> Components:
    """What C_CreateObject is given for a private key (PKCS#8, DER); InvalidInput for an unknown kind."""
    try:
        loaded = load_der_private_key(private_key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidInput("The private key cannot be read: it is PKCS#8 (DER)", field="private_key") from None
    if isinstance(loaded, ec.EllipticCurvePrivateKey) and isinstance(loaded.curve, ec.SECP256R1):
        return _ec_components(loaded)
    if isinstance(loaded, rsa.RSAPrivateKey) and loaded.key_size in _SUITES:
        return _rsa_components(loaded)
    raise InvalidInput(f"The private key is of none of the suites {', '.join(Suite)}", field="private_key")


def take_in(session: pkcs11.Session, reference: str, components: Components) -> KeyPair:
    """A pair that was made elsewhere; one of IMPORT_REFUSED when the token does not take it."""
    identity: Template = {Attribute.LABEL: reference, Attribute.ID: reference.encode()}
    private = session.create_object({**_PRIVATE, **components.private, **identity})
    try:
        public = session.create_object({**_PUBLIC, **components.public, **identity})
    except refused.PKCS11Error:
        private.destroy()
        raise
    return public, private


def destroy(session: pkcs11.Session, reference: str) -> None:
    """Destroy the pair; NoSuchKey when there is no private key."""
    private = private_keys(session, reference)
    if not private:
        raise refused.NoSuchKey
    for one in [*private, *of_reference(session, ObjectClass.PUBLIC_KEY, reference)]:
        with suppress(refused.ObjectHandleInvalid):  # another process was faster
            one.destroy()


def ask(session: pkcs11.Session) -> None:
    """Have the token do something: eight random bytes."""
    session.generate_random(64)


def of_reference(session: pkcs11.Session, kind: ObjectClass, reference: str) -> list[Any]:
    """Every object of a kind that a reference names."""
    identity = {Attribute.LABEL: reference, Attribute.ID: reference.encode()}
    return _search(session, {Attribute.CLASS: kind, **identity})


def _reference_of(private: Any) -> str | None:
    with suppress(refused.ObjectHandleInvalid, UnicodeDecodeError):  # destroyed meanwhile; somebody else's
        label, identifier = str(private[Attribute.LABEL]), private[Attribute.ID]
        return label if label and identifier == label.encode() else None
    return None


def _search(session: pkcs11.Session, template: Template) -> list[Any]:
    # A search over a session that is gone makes python-pkcs11 complain from a destructor; so it is tried before.
    ask(session)
    for _ in range(_SEARCHES):
        # What another process destroys while we look is seen and gone in the next moment: look again.
        with suppress(refused.ObjectHandleInvalid):
            return list(session.get_objects(template))
    raise refused.FunctionFailed


def _known_public_key_info(public: Any, reference: str) -> tuple[Suite, bytes]:
    try:
        return _public_key_info(public)
    except (ValueError, KeyError):
        raise IntegrityFailed(f"The public key {reference} in the token is of an unknown kind") from None


def _public_key_info(public: Any) -> tuple[Suite, bytes]:
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    if public.key_type is KeyType.RSA:
        modulus, exponent = (
            int.from_bytes(public[one], "big") for one in (Attribute.MODULUS, Attribute.PUBLIC_EXPONENT)
        )
        key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        suite = _SUITES[key.key_size]
    elif public.key_type is KeyType.EC and public[Attribute.EC_PARAMS] == _P256:
        # A DER OCTET STRING by the standard; some tokens give the point itself.
        key = ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256R1(), public[Attribute.EC_POINT][-_P256_POINT_BYTES:]
        )
        suite = Suite.ECDSA_P256
    else:
        raise ValueError(public.key_type)
    return suite, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _ec_components(key: ec.EllipticCurvePrivateKey) -> Components:
    shared: Template = {Attribute.KEY_TYPE: KeyType.EC, Attribute.EC_PARAMS: _P256}
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    value = key.private_numbers().private_value.to_bytes(32, "big")
    return Components(
        private={**shared, Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.VALUE: value},
        public={
            **shared,
            Attribute.CLASS: ObjectClass.PUBLIC_KEY,
            Attribute.EC_POINT: bytes((4, len(point))) + point,  # OCTET STRING, DER
        },
    )


def _rsa_components(key: rsa.RSAPrivateKey) -> Components:
    secret = key.private_numbers()
    shared: Template = {
        Attribute.KEY_TYPE: KeyType.RSA,
        Attribute.MODULUS: biginteger(secret.public_numbers.n),
        Attribute.PUBLIC_EXPONENT: biginteger(secret.public_numbers.e),
    }
    return Components(
        private={
            **shared,
            Attribute.CLASS: ObjectClass.PRIVATE_KEY,
            Attribute.PRIVATE_EXPONENT: biginteger(secret.d),
            Attribute.PRIME_1: biginteger(secret.p),
            Attribute.PRIME_2: biginteger(secret.q),
            Attribute.EXPONENT_1: biginteger(secret.dmp1),
            Attribute.EXPONENT_2: biginteger(secret.dmq1),
            Attribute.COEFFICIENT: biginteger(secret.iqmp),
        },
        public={**shared, Attribute.CLASS: ObjectClass.PUBLIC_KEY},
    )
