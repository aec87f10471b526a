"""机器凭证: any bytes for an assertion, a proof, a key or a certificate are answered with a refusal, never a fault."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from seal_service.domain.errors import CredentialRefused, Unauthenticated
from seal_service.pki.machine_proofs import JoseMachineProofs
from seal_service.ports.machines import MachineProofs, PresentedProof
from tests.machines import digest, proof, signed

PROOFS: MachineProofs = JoseMachineProofs("https://Seal.example:443/base/")
URL = "https://seal.example/base/v1/seals"
KEY = ECKey.generate_key("P-256")
NOW = datetime.fromtimestamp(1_790_000_000, UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def shown(made: str, path: str = "/v1/seals", method: str = "GET") -> PresentedProof:
    return PresentedProof(proof=made, method=method, path=path)


def made(**changes: Any) -> str:
    return proof(KEY, "GET", URL, **{"iat": int(NOW.timestamp()), **changes})


def test_a_proof_names_the_address_as_clients_write_it() -> None:
    """RFC 9449, 4.3: compared without query and fragment, scheme and host in any case, the usual port or none."""
    for url in (URL, "HTTPS://SEAL.example:443/base/v1/seals", f"{URL}?a=b", f"{URL}#c"):
        found = PROOFS.check_proof(shown(made(htu=url)), None, NOW)
        assert found.thumbprint == KEY.thumbprint(), "RFC 7638"
    for url in (
        f"{URL}/",
        "http://seal.example/base/v1/seals",
        "https://seal.example:8443/base/v1/seals",
        "",
        "https://[",
    ):
        with pytest.raises(Unauthenticated):
            PROOFS.check_proof(shown(made(htu=url)), None, NOW)


@pytest.mark.parametrize(("seconds", "accepted"), [(-61, False), (-60, True), (0, True), (60, True), (61, False)])
def test_a_proof_counts_for_a_minute_and_is_remembered_as_long(seconds: int, accepted: bool) -> None:
    given_proof = shown(made(iat=int(NOW.timestamp()) + seconds))
    if not accepted:
        with pytest.raises(Unauthenticated):
            PROOFS.check_proof(given_proof, None, NOW)
        return
    found = PROOFS.check_proof(given_proof, None, NOW)
    with pytest.raises(Unauthenticated):
        PROOFS.check_proof(given_proof, None, found.until)


def test_what_is_shown_once_is_told_apart_by_key_and_jti_alone() -> None:
    other = ECKey.generate_key("P-256")
    iat = int(NOW.timestamp())
    once = PROOFS.check_proof(shown(made(jti="a")), None, NOW).once
    assert PROOFS.check_proof(shown(made(jti="a", iat=iat - 5)), None, NOW).once == once
    assert PROOFS.check_proof(shown(made(jti="b")), None, NOW).once != once
    assert PROOFS.check_proof(shown(proof(other, "GET", URL, jti="a", iat=iat)), None, NOW).once != once


def test_the_thumbprint_of_a_key_is_that_of_rfc_7638() -> None:
    keys = (ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519"), RSAKey.generate_key(2048))
    for key in keys:
        written = key.as_dict(private=False) | {"kid": "x", "use": "sig"}
        read = PROOFS.read_key(json.dumps(written))
        assert read.thumbprint == key.thumbprint()
        assert read.thumbprint == digest(read.content)


@pytest.mark.parametrize("bits", [1024, 8192])
def test_an_rsa_key_of_another_size_is_refused(bits: int) -> None:
    number = "A" * (bits // 6)
    with pytest.raises(CredentialRefused):
        PROOFS.read_key(json.dumps({"kty": "RSA", "e": "AQAB", "n": number}))


@given(st.text(max_size=200) | JSON.map(lambda value: json.dumps(value)))
def test_any_text_is_no_assertion_no_proof_and_no_key(text: str) -> None:
    with pytest.raises(Unauthenticated):
        PROOFS.client_of(text)
    with pytest.raises(Unauthenticated):
        PROOFS.check_assertion(text, "client", [], NOW)
    with pytest.raises(Unauthenticated):
        PROOFS.check_proof(shown(text), None, NOW)
    with pytest.raises(CredentialRefused):
        PROOFS.read_key(text)
    with pytest.raises(CredentialRefused):
        PROOFS.read_certificate(text.encode("utf-8", "replace"))


@given(claims=st.dictionaries(st.sampled_from(["jti", "htm", "htu", "iat", "ath"]), JSON), jwk=JSON)
def test_any_claims_and_any_key_in_a_signed_proof_are_answered(claims: dict[str, Any], jwk: object) -> None:
    good = {"jti": "a", "htm": "GET", "htu": URL, "iat": int(NOW.timestamp())}
    own = {"typ": "dpop+jwt", "jwk": KEY.as_dict(private=False)}
    for header, content in ((own, good | claims), ({"typ": "dpop+jwt", "jwk": jwk}, good)):
        try:
            made_proof = signed(header, content, KEY)
        except (ValueError, JoseError):  # joserfc refuses to write it
            continue
        try:
            PROOFS.check_proof(shown(made_proof), "token", NOW)
        except Unauthenticated:
            continue
        raise AssertionError("without the token's digest it is no proof for the token")


def test_a_proof_for_a_token_is_for_no_other() -> None:
    bound = made(ath=digest("token"))
    assert PROOFS.check_proof(shown(bound), "token", NOW).until == NOW + timedelta(seconds=61)
    for token in ("another", "", "tokén"):
        with pytest.raises(Unauthenticated):
            PROOFS.check_proof(shown(bound), token, NOW)
