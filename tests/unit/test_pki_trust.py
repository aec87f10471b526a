from __future__ import annotations

from pathlib import Path

import pytest
from asn1crypto import pem
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import InvalidInput
from seal_service.domain.issuance import AuthorityRole
from seal_service.formats.pem import certificates_of
from seal_service.pki.allowed_addresses import parse_address
from seal_service.pki.trust import InstanceTrustStore, certificates_of_file
from seal_service.ports.crypto import TrustAnchor, TrustStore
from seal_service.testing import MemoryRecords
from tests.pki_instance import instance_of

INSTANCE = instance_of()
ROOT, ISSUING, UNIT = (
    INSTANCE.services.certificate(role) for role in (AuthorityRole.ROOT, AuthorityRole.ISSUING, AuthorityRole.TIMESTAMP)
)


def armored(*certificates: bytes) -> bytes:
    return b"".join(bytes(pem.armor("CERTIFICATE", one)) for one in certificates)


def test_bundles_and_single_certificates_are_read() -> None:
    bundle = b"# subject: ...\r\n" + armored(ROOT, ISSUING).replace(b"\n", b"\r\n") + "注释\n".encode() + armored(ROOT)
    assert certificates_of(bundle) == [ROOT, ISSUING]
    assert certificates_of(ROOT) == [ROOT]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        ROOT[:-1],
        ROOT + b"\0",
        armored(ROOT) + armored(ISSUING)[:-40],
        armored(ROOT).replace(b"CERTIFICATE", b"PRIVATE KEY"),
        armored(ROOT) + bytes(pem.armor("X509 CRL", INSTANCE.services.crl())),
        armored(b"\x30\x03\x02\x01\x00"),
        armored(ROOT).replace(b"MII", b"M=I"),
        bytes(5 << 20),
        armored(ROOT) * 3000,
    ],
    ids=range(11),
)
def test_what_holds_no_certificates_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        certificates_of(content)


@given(st.binary(max_size=300), st.integers(0, 2000))
def test_damaged_certificates_are_refused_or_read(garbage: bytes, position: int) -> None:
    damaged = ROOT[:position] + garbage + ROOT[position + len(garbage) :]
    for content in (garbage, damaged, armored(damaged) if damaged else b""):
        try:
            assert certificates_of(content)
        except InvalidInput:
            continue


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    path = tmp_path / "anchors.pem"
    with pytest.raises(InvalidInput, match=r"anchors\.pem"):
        certificates_of_file(path)
    path.write_bytes(b"nothing")
    with pytest.raises(InvalidInput, match=r"anchors\.pem"):
        certificates_of_file(path)
    path.write_bytes(armored(ROOT))
    assert certificates_of_file(path) == [ROOT]


def test_our_own_root_is_trusted_as_soon_as_it_is_committed_and_others_for_what_they_are_configured() -> None:
    other = instance_of()
    records = MemoryRecords()
    store: TrustStore = InstanceTrustStore(records, signature_anchors=[ISSUING, UNIT], timestamp_anchors=[UNIT])
    configured = [
        TrustAnchor(certificate=ISSUING, for_signatures=True, for_timestamps=False),
        TrustAnchor(certificate=UNIT, for_signatures=True, for_timestamps=True),
    ]
    assert list(store.anchors()) == configured
    assert list(store.intermediates()) == []
    records.state = other.records.state
    assert list(store.anchors()) == [TrustAnchor(certificate=ROOT), *configured]
    assert list(store.intermediates()) == [ISSUING]


def test_without_an_instance_only_what_is_configured_is_trusted() -> None:
    store = InstanceTrustStore(None, timestamp_anchors=[UNIT])
    assert [(one.for_signatures, one.for_timestamps) for one in store.anchors()] == [(False, True)]
    assert list(store.intermediates()) == []


ALLOWED = parse_address("http://good.example/crl")


@pytest.mark.parametrize(
    "address",
    [
        "http://good.example/crl",
        "http://good.example:80/crl/a.crl",
        "HTTP://GOOD.example/crl/a.crl".replace("HTTP", "http"),
        "http://good.example/crl/a.crl?serial=1",
    ],
)
def test_addresses_under_an_allowed_one_are_allowed(address: str) -> None:
    assert parse_address(address).lies_under(ALLOWED)


@pytest.mark.parametrize(
    "address",
    [
        "http://good.example.evil.com/crl",
        "http://evil.com/good.example/crl",
        "https://good.example/crl",
        "http://good.example:8080/crl",
        "http://good.example/crlevil",
        "http://good.example/",
        "http://good.example",
        "http://sub.good.example/crl",
        "http://good.example./crl",
        "http://evil.com/?http://good.example/crl",
    ],
)
def test_addresses_that_only_look_alike_are_not(address: str) -> None:
    assert not parse_address(address).lies_under(ALLOWED)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "good.example/crl",
        "ldap://good.example/crl",
        "file:///etc/passwd",
        "http:///crl",
        "http://good.example@evil.com/crl",
        "http://user:secret@good.example/crl",
        "http://good.example/crl/../secret",
        "http://good.example/crl/./x",
        "http://good.example/crl/%2e%2E/secret",
        "http://good.example/crl/..%2fsecret",
        "http://good.example/crl/%252e%252e/secret",
        "http://good.example/crl\\..\\secret",
        "http://good.example\\@evil.com/crl",
        "http://good.example/crl#fragment",
        "http://good.example/crl\n",
        "http://good.example/ crl",
        "http://good.example:port/crl",
        "http://good.example:99999/crl",
        "http://good.example:0/crl",
        "http://印章.example/crl",
        "http://good.example/crl?" + "x" * 3000,
        "http://[::1/crl",
    ],
)
def test_addresses_that_could_be_read_in_two_ways_are_refused(address: str) -> None:
    with pytest.raises(InvalidInput):
        parse_address(address)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for address in (text, "http://good.example/crl" + text, "http://good.example" + text):
        try:
            parsed = parse_address(address)
        except InvalidInput:
            continue
        if parsed.lies_under(ALLOWED):
            assert parsed.host == "good.example"
            assert parsed.path.startswith("/crl")
