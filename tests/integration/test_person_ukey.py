"""A person's UKey by PKCS#11 (SoftHSM): RSA and ECDSA sign, and what it refuses is said without the PIN."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from seal_service.bootstrap import sign_by_ukey
from seal_service.domain.errors import InvalidInput, RevocationUnavailable
from seal_service.pki.person_certificates import AnchoredPersonCertificates
from seal_service.testing import ChangeableClock
from tests.person_authority import Key, PersonAuthority
from tests.softhsm import USER_PIN, softhsm_module
from tests.ukey_token import ukey_token

MESSAGE = b"seal-service sign-in\nhttps://seal.example\naccount\n" + bytes(range(32))
KEYS: dict[str, Key] = {
    "rsa-2048": rsa.generate_private_key(65537, 2048),
    "rsa-3072": rsa.generate_private_key(65537, 3072),
    "p-256": ec.generate_private_key(ec.SECP256R1()),
}


class NothingPublished:
    """The port RevocationSource, of authorities that publish nothing."""

    def evidence(self, certificate: bytes, issuer: bytes, at: object) -> object:
        raise RevocationUnavailable


@pytest.mark.parametrize("kind", KEYS)
def test_what_a_ukey_signs_is_by_the_certificate_that_people_sign_in_with(kind: str) -> None:
    token = ukey_token({"sign-in": KEYS[kind]})
    signature = sign_by_ukey(softhsm_module(), token, None, USER_PIN, MESSAGE)
    authority = PersonAuthority()
    judge = AnchoredPersonCertificates([], NothingPublished(), ChangeableClock())  # type: ignore[arg-type]
    certificate = authority.ukey(key=KEYS[kind]).certificate
    assert judge.is_signed(certificate, MESSAGE, signature)
    assert not judge.is_signed(certificate, MESSAGE + b"!", signature)


def test_of_several_keys_one_is_named() -> None:
    token = ukey_token({"first": KEYS["p-256"], "second": KEYS["rsa-2048"]})
    with pytest.raises(InvalidInput, match=r"2 keys that sign \(first, second\)"):
        sign_by_ukey(softhsm_module(), token, None, USER_PIN, MESSAGE)
    assert len(sign_by_ukey(softhsm_module(), token, "second", USER_PIN, MESSAGE)) == 256
    with pytest.raises(InvalidInput, match="no key that signs with the label third"):
        sign_by_ukey(softhsm_module(), token, "third", USER_PIN, MESSAGE)


def test_a_wrong_pin_is_told_and_not_repeated_and_the_right_one_still_works() -> None:
    token = ukey_token({"sign-in": KEYS["p-256"]})
    for wrong in ("999999", "1", ""):
        with pytest.raises(InvalidInput, match="refuses the PIN") as refused:
            sign_by_ukey(softhsm_module(), token, None, wrong, MESSAGE)
        assert wrong == "" or wrong not in refused.value.message.replace(token, "")
        assert refused.value.__cause__ is None
    assert sign_by_ukey(softhsm_module(), token, None, USER_PIN, MESSAGE)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="plugged in"):
        sign_by_ukey(softhsm_module(), "no such ukey", None, USER_PIN, MESSAGE)
    with pytest.raises(InvalidInput, match="module"):
        sign_by_ukey(tmp_path / "missing.so", "x", None, USER_PIN, MESSAGE)
    no_library = tmp_path / "text.so"
    no_library.write_text("hello", encoding="ascii")
    with pytest.raises(InvalidInput, match="module"):
        sign_by_ukey(no_library, "x", None, USER_PIN, MESSAGE)
    empty = ukey_token({})
    with pytest.raises(InvalidInput, match="no key that signs"):
        sign_by_ukey(softhsm_module(), empty, None, USER_PIN, MESSAGE)
