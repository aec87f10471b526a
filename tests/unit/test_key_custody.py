"""Which keys a production instance takes from an HSM alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import SoftwareKeysRefused
from seal_service.domain.key_custody import CustodyRule, needs_hardware
from seal_service.domain.operation import KeyPlace, Profile
from seal_service.pki.file_keys import FileKeyStore
from seal_service.pki.key_stores import KeyStores
from tests.pki_instance import SystemEntropy, key_hierarchy

PRODUCTION = CustodyRule(profile=Profile.PRODUCTION, software_keys_allowed=False)
ALLOWED = CustodyRule(profile=Profile.PRODUCTION, software_keys_allowed=True)
TRIAL = CustodyRule(profile=Profile.DEVELOPMENT, software_keys_allowed=False)

OF_AUTHORITY_AND_SEALS = ["root-1-a0b1c2d3", "issuing-2-a0b1c2d3", "seal-0190", "seal-0190-2"]
REPLACEABLE = ["timestamp-1-a0b1c2d3", "ocsp-3-a0b1c2d3"]
UNKNOWN = ["something", "ocsp", "timestamps", "Seal-1", "x-ocsp-1"]


def key_directory(home: Path, rule: CustodyRule) -> KeyStores:
    files = FileKeyStore(key_hierarchy(home), SystemEntropy())
    return KeyStores(files, None, KeyPlace.FILE, rule)


@pytest.mark.parametrize("reference", [*OF_AUTHORITY_AND_SEALS, *UNKNOWN])
def test_keys_of_the_authority_of_seals_and_of_unknown_purpose_belong_into_an_hsm(reference: str) -> None:
    assert needs_hardware(reference)
    with pytest.raises(SoftwareKeysRefused, match=r"SEAL_KEY_STORE=pkcs11.*SEAL_ALLOW_SOFTWARE_KEYS=true"):
        PRODUCTION.require_permitted(reference, KeyPlace.FILE)
    PRODUCTION.require_permitted(reference, KeyPlace.PKCS11)
    for rule in (ALLOWED, TRIAL):
        rule.require_permitted(reference, KeyPlace.FILE)


@pytest.mark.parametrize("reference", REPLACEABLE)
def test_time_stamping_and_ocsp_keys_may_be_software(reference: str) -> None:
    PRODUCTION.require_permitted(reference, KeyPlace.FILE)


def test_health_says_what_the_rule_finds() -> None:
    found = PRODUCTION.finding([*OF_AUTHORITY_AND_SEALS, *REPLACEABLE])
    assert not found.ready
    assert found.detail.startswith("software keys refused: 4 of the authority and of seals (root-1-a0b1c2d3, ")
    assert "SEAL_ALLOW_SOFTWARE_KEYS=true" in found.detail
    assert PRODUCTION.finding(REPLACEABLE).ready
    allowed = ALLOWED.finding(OF_AUTHORITY_AND_SEALS)
    assert allowed.ready
    assert allowed.detail.startswith("software keys allowed explicitly: 4 of the authority and of seals")
    assert ALLOWED.finding([]).detail == "software keys allowed explicitly: none in use"
    assert TRIAL.finding(OF_AUTHORITY_AND_SEALS).ready


def test_a_finding_names_a_few_keys_and_counts_all() -> None:
    found = PRODUCTION.finding([f"seal-{number}" for number in range(1000)])
    assert "1000 of the authority and of seals (seal-0, seal-1, seal-2, seal-3, seal-4, …)" in found.detail


@pytest.mark.parametrize("reference", OF_AUTHORITY_AND_SEALS)
def test_no_way_leads_to_a_refused_software_key(tmp_path: Path, reference: str) -> None:
    refusing = key_directory(tmp_path, PRODUCTION)
    content = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(SoftwareKeysRefused):
        refusing.create(reference, Suite.ECDSA_P256)
    with pytest.raises(SoftwareKeysRefused):
        refusing.adopt(reference, content)
    assert list(refusing.held()) == []
    key_directory(tmp_path, TRIAL).create(reference, Suite.ECDSA_P256)
    with pytest.raises(SoftwareKeysRefused):
        refusing.open(reference)
    assert refusing.place(reference) is KeyPlace.FILE
    assert not refusing.finding().ready
    key_directory(tmp_path, ALLOWED).open(reference).sign(b"message")
    refusing.destroy(reference)
    assert refusing.finding().ready


@pytest.mark.parametrize("reference", REPLACEABLE)
def test_replaceable_keys_are_made_in_files_in_production(tmp_path: Path, reference: str) -> None:
    key_directory(tmp_path, PRODUCTION).create(reference, Suite.ECDSA_P256).sign(b"message")
    key_directory(tmp_path, PRODUCTION).open(reference).sign(b"message")
