"""信任锚: another city's authority is trusted, confirmed and removed, and every process sees it (articles 7, 9)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from seal_service.bootstrap import build
from seal_service.domain.access import PUBLIC_CALLER, Role
from seal_service.domain.errors import (
    AlreadyRegistered,
    CertificateRefused,
    InvalidInput,
    PermissionDenied,
    TrustAnchorNotFound,
)
from seal_service.domain.use import SignatureLevel
from seal_service.formats.upload import upload_of
from seal_service.ports.reading import LogFilter
from seal_service.usecases.answer_pki import PkiMatter, PkiRequest
from seal_service.usecases.manage_trust import AddTrust, ConfirmTrust, ListTrust, RemoveTrust
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.verify_document import VerifyDocument
from tests.foreign_authority import authority_certificate, signed_with_sha1
from tests.instance import Instance, RealOffice
from tests.live import serving

KEY = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
SHORT = rsa.generate_private_key(65537, 1024)
ROOT = authority_certificate(KEY)
NOTE = "来自 pki.example；样某电话核对杂凑值"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Instance]:
    """An instance that trusts nobody else yet."""
    made = Instance(tmp_path / "city")
    yield made
    made.service.close()


def adding(certificate: bytes = ROOT, **changes: Any) -> AddTrust:
    given: dict[str, Any] = {"for_signatures": True, "for_timestamps": False, "note": NOTE, **changes}
    return AddTrust(certificate=certificate, **given)


def test_a_document_of_another_city_passes_once_its_root_is_trusted_and_no_longer_once_it_is_not(
    city: Instance, tmp_path: Path
) -> None:
    """Article 9: seals of other systems are recognised. A second process sees each change without a restart."""
    other = RealOffice(tmp_path / "other", city.clock)
    second = build(city.settings, clock=city.clock)
    try:
        sealed = other.use("key-1", level=SignatureLevel.B_LT).content
        assert sealed is not None
        root = other.service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=PkiMatter.ROOT_CERTIFICATE))
        other.service.close()

        def verified() -> list[str]:
            command = VerifyDocument(document=upload_of(sealed, "theirs.pdf"))
            return [one.verify_document(PUBLIC_CALLER, command).indication.value for one in (city.service, second)]

        assert verified() == ["INDETERMINATE"] * 2
        entered = adding(root, for_timestamps=True)
        seen = city.confirmed(city.service.add_trust, replace(entered, only_examine=True))
        assert seen.certificate.is_self_signed
        assert verified() == ["INDETERMINATE"] * 2, "looking at it changes nothing"
        view = city.confirmed(city.service.add_trust, entered)
        assert verified() == ["TOTAL_PASSED"] * 2
        city.confirmed(city.service.remove_trust, RemoveTrust(id=view.trusted.id))
        assert verified() == ["INDETERMINATE"] * 2
        city.confirmed(city.service.add_trust, entered)
        assert verified() == ["TOTAL_PASSED"] * 2, "what was removed can be entered again"
    finally:
        second.close()


def test_revocation_data_is_fetched_only_from_the_addresses_that_were_entered_with_the_issuer(
    city: Instance, tmp_path: Path
) -> None:
    """The document holds no revocation data (B-B): it is asked of the other city, where that was allowed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    other = RealOffice(tmp_path / "other", city.clock, {"public_url": url})
    sealed = other.use("key-1", level=SignatureLevel.B_B).content
    assert sealed is not None
    with serving(other.service, port):
        pki = {
            matter: other.service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=matter))
            for matter in (PkiMatter.ROOT_CERTIFICATE, PkiMatter.ISSUING_CERTIFICATE)
        }

        def verified() -> str:
            command = VerifyDocument(document=upload_of(sealed, "theirs.pdf"))
            return city.service.verify_document(PUBLIC_CALLER, command).indication.value

        root = pki[PkiMatter.ROOT_CERTIFICATE]
        issuing = pki[PkiMatter.ISSUING_CERTIFICATE]
        city.confirmed(city.service.add_trust, adding(root, revocation_addresses=(f"{url}/pki/root.crl",)))
        assert verified() == "INDETERMINATE", "the issuer's own addresses are not allowed by the root's"
        helping = adding(issuing, for_signatures=False, revocation_addresses=(f"{url}/pki/",))
        city.confirmed(city.service.add_trust, helping)
        assert verified() == "TOTAL_PASSED"


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        (authority_certificate(KEY, not_before=datetime(2020, 1, 1, tzinfo=UTC), days=30), "it ended 2020-01-31"),
        (authority_certificate(KEY, not_before=datetime(2099, 1, 1, tzinfo=UTC), days=30), "begins only 2099"),
        (authority_certificate(KEY, issuer=("上级", RSA)), "not self-signed"),
        (authority_certificate(KEY, issuer=("另一市样章根证书", RSA)), "not self-signed"),
        (authority_certificate(KEY, ca=False), "basic constraints"),
        (authority_certificate(KEY, ca=None), "basic constraints"),
        (authority_certificate(KEY, key_cert_sign=False), "keyCertSign"),
        (authority_certificate(SHORT), "1024 bits"),
        (signed_with_sha1(RSA), "rsassa_pkcs1v15 with sha1"),
        (authority_certificate(ec.generate_private_key(ec.SECP256K1())), "a kind that is not taken"),
    ],
    ids=["ended", "not begun", "below a root", "forged", "no CA", "says nothing", "usage", "short", "SHA-1", "curve"],
)
def test_a_certificate_that_should_end_no_chain_is_refused_with_the_reason(
    city: Instance, certificate: bytes, reason: str
) -> None:
    with pytest.raises(CertificateRefused, match=reason):
        city.confirmed(city.service.add_trust, adding(certificate))
    assert city.service.list_trust(city.operator, ListTrust()) == ()


def test_an_issuer_below_a_root_may_be_an_anchor_when_that_is_said_and_is_an_intermediate_anyway(
    city: Instance,
) -> None:
    issuer = authority_certificate(KEY, issuer=("上级", RSA))
    below = city.confirmed(city.service.add_trust, adding(issuer, ends_chains_below_root=True))
    assert below.trusted.is_anchor
    another = authority_certificate(ec.generate_private_key(ec.SECP256R1()), name="签发", issuer=("上级", RSA))
    helping = city.confirmed(city.service.add_trust, adding(another, for_signatures=False))
    assert not helping.trusted.is_anchor


def test_our_own_root_is_not_entered_again(city: Instance) -> None:
    own = city.service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=PkiMatter.ROOT_CERTIFICATE))
    with pytest.raises(CertificateRefused, match="own"):
        city.confirmed(city.service.add_trust, adding(own))


@pytest.mark.parametrize(
    "changes",
    [
        {"note": "  "},
        {"note": "x" * 501},
        {"note": "two\nlines"},
        {"revocation_addresses": ("ldap://pki.example/",)},
        {"revocation_addresses": ("http://user@pki.example/",)},
        {"revocation_addresses": tuple(f"http://pki.example/{n}" for n in range(11))},
        {"revocation_addresses": ("http://pki.example/" + "a" * 500,)},
    ],
)
def test_what_is_entered_with_it_is_checked(city: Instance, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        city.confirmed(city.service.add_trust, adding(**changes))
    with pytest.raises(InvalidInput):
        city.confirmed(city.service.add_trust, adding(b"no certificate"))


def test_each_act_is_in_the_log_and_refused_where_it_makes_no_sense(city: Instance) -> None:
    """Article 22. Who did it, with what digest, and how it was compared."""
    view = city.confirmed(city.service.add_trust, adding(revocation_addresses=("http://pki.example/crl/",)))
    with pytest.raises(AlreadyRegistered, match="confirm"):
        city.confirmed(city.service.add_trust, adding())
    city.clock.forward(timedelta(days=300))
    confirmed = city.service.confirm_trust(city.operator, ConfirmTrust(id=view.trusted.id, note="样某再次核对"))
    assert confirmed.trusted.confirmed_at == city.clock.now()
    assert confirmed.trusted.added_at == view.trusted.added_at
    city.clock.forward(timedelta(days=1))
    city.confirmed(city.service.remove_trust, RemoveTrust(id=view.trusted.id))
    for gone in (view.trusted.id, "00" * 32):
        with pytest.raises(TrustAnchorNotFound):
            city.service.confirm_trust(city.operator, ConfirmTrust(id=gone))
        with pytest.raises(TrustAnchorNotFound):
            city.confirmed(city.service.remove_trust, RemoveTrust(id=gone))
    auditor = city.account("审计", Role.AUDITOR)
    entries = city.service.query_log(auditor, QueryLog(chosen=LogFilter())).page.items
    told = [one for one in entries if one.kind.value.startswith("config.trust")]
    assert [one.kind.value for one in told] == ["config.trust_removed", "config.trust_confirmed", "config.trust_added"]
    added = told[-1]
    assert added.account_id == city.operator.identity
    for part in (view.trusted.id, NOTE, "http://pki.example/crl/", "另一市样章根证书"):
        assert part in added.canon.decode()


def test_only_operators_change_what_is_trusted_and_auditors_may_read_it(city: Instance) -> None:
    auditor = city.account("审计", Role.AUDITOR)
    maker = city.account("制发部门", Role.SEAL_MAKER)
    view = city.confirmed(city.service.add_trust, adding())
    assert [one.trusted.id for one in city.service.list_trust(auditor, ListTrust())] == [view.trusted.id]
    with pytest.raises(PermissionDenied):
        city.service.list_trust(maker, ListTrust())
    for caller in (auditor, maker):
        with pytest.raises(PermissionDenied):
            city.service.add_trust(caller, adding())
        with pytest.raises(PermissionDenied):
            city.service.remove_trust(caller, RemoveTrust(id=view.trusted.id))
