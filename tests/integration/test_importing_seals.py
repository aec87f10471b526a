"""印章迁入: seals made elsewhere come in with certificate, key, code and history; OpenSSL made them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from seal_service.bootstrap.service import Guarded
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.application import Application, ApplicationState
from seal_service.domain.errors import (
    AlreadyDecided,
    AlreadyRegistered,
    AuthorizationDenied,
    CertificateRefused,
    Conflict,
    InvalidInput,
    KeyInUse,
    PermissionDenied,
    SealServiceError,
    SignatureRefused,
)
from seal_service.domain.operation import KeyPlace
from seal_service.domain.seal import Custody, Seal, SealState
from seal_service.domain.use import SignatureLevel
from seal_service.formats.private_keys import read_key_file
from seal_service.usecases.answer_pki import PkiMatter, PkiRequest
from seal_service.usecases.change_status import ReportLoss
from seal_service.usecases.import_seal import ImportSeal
from seal_service.usecases.manage_trust import AddTrust
from seal_service.usecases.read_registers import ReadById
from seal_service.usecases.renew_seal import RenewSeal
from tests.outside_authority import OutsideAuthority, outside_authority
from tests.outside_office import OutsideOffice, office_of
from tests.softhsm import softhsm_settings

CODE = "99990000000088"
NOTE = "2023 年由示例市旧系统制发；迁入前用印 12 次，无挂失"
PASSWORD = "样章口令"


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[OutsideAuthority]:
    with outside_authority(tmp_path / "outside") as made:
        yield made


@pytest.fixture
def office(tmp_path: Path, authority: OutsideAuthority) -> Iterator[OutsideOffice]:
    made = office_of(tmp_path / "var", authority, certificate_source="internal")
    yield made
    made.service.close()


def command(office: OutsideOffice, application: Application, **changes: object) -> ImportSeal:
    """The import of a seal whose key lies in a PKCS#12 file with its chain."""
    organization = office.holder.credit_code + office.holder.name
    file, _ = office.authority.seal_key(f"/C=CN/O={organization}/CN={CODE}", PASSWORD)
    found = read_key_file(file.read_bytes(), PASSWORD.encode())
    given = ImportSeal(
        application_id=application.id,
        seal_code=CODE,
        certificates=found.certificates,
        history_note=NOTE,
        private_key=found.private_key,
    )
    return replace(given, **changes)  # type: ignore[arg-type]


def imported(office: OutsideOffice, **changes: object) -> Seal:
    return office.service.import_seal(office.maker, command(office, office.application(), **changes))


def test_an_imported_seal_is_applied_and_its_history_told(office: OutsideOffice) -> None:
    """Its code, certificate and key stay as they are; the note stands in the register and in the log for good."""
    application = office.application()
    before = office.keys()
    seal = office.service.import_seal(office.maker, command(office, application))
    assert (seal.code, seal.state, seal.history_note) == (CODE, SealState.ACTIVE, NOTE)
    assert len(office.keys() - before) == 1
    office.grant(seal)
    report = office.verify(office.sealed(seal, "one"))
    assert report.indication.value == "TOTAL_PASSED"
    assert NOTE in office.log("sealmgmt.imported")[0]
    assert NOTE in office.log("sealmgmt.made")[0]
    read = office.service.read_seal(office.keeper, ReadById(id=CODE))
    assert read.history_note == NOTE


def test_what_an_imported_seal_sealed_before_it_came_stays_as_good_as_of_another_system(
    office: OutsideOffice, tmp_path: Path
) -> None:
    """Its status then is known to the system that it came from alone; it is no seal that was not active."""
    old = office_of(tmp_path / "old", office.authority)
    try:
        there = command(old, old.application())
        before = old.service.import_seal(old.maker, there)
        old.grant(before)
        sealed = old.sealed(before, "one")
        root = old.service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=PkiMatter.ROOT_CERTIFICATE))
    finally:
        old.service.close()
    office.confirmed(
        office.service.add_trust,
        AddTrust(certificate=root, for_signatures=False, for_timestamps=True, note="旧系统时间戳"),
    )
    office.clock.forward(timedelta(hours=1))
    seal = office.service.import_seal(office.maker, replace(there, application_id=office.application().id))
    report = office.verify(sealed)
    assert report.indication.value == "TOTAL_PASSED"
    [status] = [one for one in report.signatures[0].checks if one.id == "seal_status"]
    assert (status.outcome.value, "imported" in status.en) == ("unknown", True)
    assert report.signatures[0].seal is not None
    assert report.signatures[0].seal.status_at_signing is None
    office.grant(seal)
    after = office.verify(office.sealed(seal, "two", SignatureLevel.B_T)).signatures[0]
    assert after.seal is not None
    assert after.seal.status_at_signing is SealState.ACTIVE


def test_a_key_that_is_here_already_is_taken_by_its_name(office: OutsideOffice) -> None:
    """As one in an HSM, which no file can bring."""
    given = command(office, office.application())
    assert given.private_key is not None
    key_store = office.key_store
    key_store.adopt("token-key-1", given.private_key)
    by_name = replace(given, private_key=None, key_reference="token-key-1")
    seal = office.service.import_seal(office.maker, by_name)
    office.grant(seal)
    assert office.verify(office.sealed(seal, "one")).indication.value == "TOTAL_PASSED"
    again = replace(by_name, application_id=office.application().id, seal_code="99990000000089")
    with pytest.raises(KeyInUse):
        office.service.import_seal(office.maker, again)
    with pytest.raises(SignatureRefused):
        office.service.import_seal(office.maker, replace(again, key_reference="nobody"))


def test_a_seal_whose_unit_keeps_the_key_is_registered_and_not_applied_here(office: OutsideOffice) -> None:
    """分散式 (article 20): sealing it in one step is refused with its reason; so is renewing it here."""
    seal = imported(office, private_key=None)
    assert seal.credentials[0].custody is Custody.TOKEN
    office.grant(seal)
    with pytest.raises(AuthorizationDenied) as denied:
        office.sealed(seal, "one")
    assert denied.value.details["reasons"] == ["token_custody"]
    office.clock.forward(seal.not_after - office.clock.now() - office.day * 10)
    with pytest.raises(Conflict, match="kept by its unit"):
        office.service.renew_seal(office.maker, RenewSeal(seal_code=seal.code))
    lost = office.service.report_loss(office.keeper, ReportLoss(seal_code=seal.code, reason="介质遗失"))
    assert lost.seal.state is SealState.SUSPENDED


def other_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"private_key": other_key()}, CertificateRefused, "public key is not the one"),
        ({"private_key": b"nothing"}, InvalidInput, "cannot be read"),
        ({"seal_code": "99990000000087"}, CertificateRefused, "asked for was CN=99990000000087"),
        ({"seal_code": "88880000000001"}, InvalidInput, "area"),
        ({"seal_code": "99990000000001"}, AlreadyRegistered, "this code already"),
        ({"history_note": " "}, InvalidInput, "history note"),
        ({"history_note": "印" * 1001}, InvalidInput, "history note"),
        ({"certificates": (b"nothing",)}, InvalidInput, "no X.509 certificate"),
        ({"key_reference": "root"}, InvalidInput, "not both"),
    ],
)
def test_what_does_not_fit_leaves_nothing_half_done(
    office: OutsideOffice, changes: dict[str, object], error: type[SealServiceError], told: str
) -> None:
    application = office.application()
    before = office.keys()
    with pytest.raises(error, match=told):
        office.service.import_seal(office.maker, command(office, application, **changes))
    assert office.keys() == before
    read = office.service.read_application(office.maker, ReadById(id=application.id))
    assert read.state is ApplicationState.APPROVED
    assert office.log("sealmgmt.imported") == []
    office.service.import_seal(office.maker, command(office, application))


def test_a_revoked_certificate_is_not_imported(office: OutsideOffice) -> None:
    given = command(office, office.application())
    office.authority.revoke((office.authority.directory / "seal.pem").read_bytes())
    with pytest.raises(CertificateRefused, match="is revoked"):
        office.service.import_seal(office.maker, given)


def test_an_application_is_imported_once_and_by_the_making_office_alone(office: OutsideOffice) -> None:
    application = office.application()
    with pytest.raises(PermissionDenied):
        office.service.import_seal(office.keeper, command(office, application))
    office.service.import_seal(office.maker, command(office, application))
    with pytest.raises(AlreadyDecided):
        office.service.import_seal(office.maker, command(office, application))
    twice = replace(command(office, office.application()), seal_code="99990000000090", accept_subject=True)
    assert isinstance(office.service.import_seal, Guarded)
    assert office.service.import_seal(office.maker, twice).code == "99990000000090"


def test_the_private_key_shows_in_no_representation(office: OutsideOffice) -> None:
    given = command(office, office.application())
    assert given.private_key is not None
    assert repr(given.private_key) not in repr(given)
    assert "private_key" not in repr(given)


def test_an_imported_key_goes_into_the_hsm_where_there_is_one(office: OutsideOffice, tmp_path: Path) -> None:
    office.from_outside(office.authority, **softhsm_settings(tmp_path))
    before = office.keys()
    seal = imported(office)
    assert office.keys() == before, "no key file"
    assert office.key_store.place(seal.credentials[0].key_reference) is KeyPlace.PKCS11
    office.grant(seal)
    assert office.verify(office.sealed(seal, "one")).indication.value == "TOTAL_PASSED"
