"""SignedData written by hand, read back by others."""

from __future__ import annotations

import hashlib

import pytest
from asn1crypto import cms, core, x509
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.algorithms import Suite
from seal_service.formats.cms import (
    INTENT_LEAF_HASH_OID,
    longest_signature,
    read_timestamp_token,
    signature_algorithm,
    signature_is_valid,
    signed_attributes,
    signed_data,
    tlv,
)
from tests.sealing_world import World

DIGEST, LEAF = hashlib.sha256(b"document").digest(), hashlib.sha256(b"leaf").digest()


@given(st.binary(max_size=70_000))
def test_der_lengths_are_those_of_asn1crypto(content: bytes) -> None:
    assert tlv(0x04, content) == core.OctetString(content).dump()


@pytest.mark.parametrize("suite", list(Suite))
@pytest.mark.parametrize("stamped", [False, True])
def test_what_is_written_is_what_asn1crypto_writes_of_the_same_values(suite: Suite, stamped: bool) -> None:
    world = World(suite=suite)
    certificate = world.credential.certificate
    attributes = signed_attributes(DIGEST, certificate, LEAF)
    signature = world.keys.open(world.credential.key_reference).sign(attributes)
    token = world.infrastructure.timestamp(hashlib.sha256(signature).digest()) if stamped else None
    chain = world.infrastructure.chain(world.credential.certificate)
    written = signed_data(attributes, signature, suite, certificate, chain, token)

    content = cms.ContentInfo.load(written, strict=True)
    copy = content.copy()
    _ = copy.native
    assert copy.dump(force=True) == written
    data = content["content"]
    signer = data["signer_infos"][0]
    values = {one["type"].dotted: one["values"] for one in signer["signed_attrs"]}
    assert values["1.2.840.113549.1.9.3"][0].native == "data"
    assert values["1.2.840.113549.1.9.4"][0].native == DIGEST
    named = values["1.2.840.113549.1.9.16.2.47"][0]["certs"][0]
    assert named["cert_hash"].native == hashlib.sha256(certificate).digest()
    assert named["hash_algorithm"]["algorithm"].native == "sha256"
    assert core.OctetString.load(values[INTENT_LEAF_HASH_OID][0].dump()).native == LEAF
    assert "1.2.840.113549.1.9.5" not in values, "no signing-time: EN 319 142-1, 6.3"
    assert signer["signature_algorithm"]["algorithm"].dotted == signature_algorithm(suite)
    assert cms.CMSAttributes.load(attributes, strict=True).dump(force=True) == attributes, "DER order"
    assert {one.chosen.dump() for one in data["certificates"]} == {certificate, *chain}
    assert signer["sid"].chosen["serial_number"].native == x509.Certificate.load(certificate).serial_number
    if token is not None:
        assert signer["unsigned_attrs"][0]["values"][0].dump() == token
    assert len(signature) <= longest_signature(suite)
    assert signature_is_valid(certificate, attributes, signature)
    assert not signature_is_valid(certificate, attributes + b"x", signature)
    assert not signature_is_valid(certificate, attributes, signature[:-1] + bytes([signature[-1] ^ 1]))


def test_a_token_says_its_time_imprint_and_signer() -> None:
    infrastructure = World().infrastructure
    token = read_timestamp_token(infrastructure.timestamp(DIGEST))
    assert token.imprint == DIGEST
    assert token.generated_at == infrastructure.clock.now()
    assert token.signer_certificate in token.certificates


@given(st.binary(max_size=200))
def test_other_bytes_are_no_token(data: bytes) -> None:
    with pytest.raises(ValueError, match="time-stamp token"):
        read_timestamp_token(data)
