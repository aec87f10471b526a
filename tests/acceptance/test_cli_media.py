"""Media and conveyances by commands (articles 14–16, 20, 23)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.x509 import load_pem_x509_certificate

from seal_service.formats.pkcs10 import request_as_pem
from tests.command_line import DOCUMENT, SCENARIO, CommandLine, Person
from tests.custody_by_command import CustodyOffice
from tests.medium import UnitMedium


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CustodyOffice]:
    """Whose certificates last 60 days, so that a seal may be renewed at once (article 16)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEAL_CERTIFICATE_DAYS", "60")
        yield CustodyOffice(CommandLine(tmp_path_factory.mktemp("media") / "home"))


def preparing(code: str, directory: Path) -> tuple[str | Path, ...]:
    of_seal = ("--seal", code, "--scenario", SCENARIO, "--level", "B-B")
    return ("custody", "prepare", DOCUMENT, "-o", directory / "to-be-signed.der", *of_seal)


def pressed(office: CustodyOffice, code: str, medium: UnitMedium, directory: Path) -> Path:
    """A document that was sealed in two steps."""
    prepared = office.at.said(*preparing(code, directory), by=office.system)
    signature, out = directory / "signature.der", directory / "sealed.pdf"
    signature.write_bytes(medium.sign((directory / "to-be-signed.der").read_bytes()))
    given = ("--seal", code, "--signature", signature, "-o", out)
    office.at.said("custody", "complete", prepared["id"], *given, by=office.system)
    return out


def test_a_medium_from_the_seals_making_to_its_return(office: CustodyOffice, tmp_path: Path) -> None:
    at, medium = office.at, UnitMedium(serial_number="UKEY-MEDIA-1")
    request, certificate = tmp_path / "request.pem", tmp_path / "certificate.pem"
    request.write_text(request_as_pem(medium.request()), encoding="ascii")
    making = ("media", "make", office.approved(), "--request", request, "--medium", medium.serial_number)
    made = at.said(*making, "--keeper", "王样例", "--certificate", certificate, by=office.maker)
    code = office.granted(made["code"])
    assert made["credentials"][0]["custody"] == "token"
    certified = load_pem_x509_certificate(certificate.read_bytes())
    assert certified.public_key() == medium.key.public_key()
    assert f"{certified.serial_number:x}" == made["credentials"][0]["serial"].lstrip("0")

    assert "`seal media history CODE`" in at.refused(*preparing(code, tmp_path), by=office.system, code=1)
    handed = office.hand_over(code, medium)
    assert (handed["last"], handed["keeper"], handed["version"]) == ("handed_over", "王样例", 1)
    sealed = pressed(office, code, medium, tmp_path)
    assert at.said("verify", sealed)["indication"] == "TOTAL_PASSED"

    returning = ("media", "return", code, "--medium", medium.serial_number, "--receiver", "李样例")
    assert "has not happened yet" in at.refused(*returning, "--at", "2199-01-01T00:00:00Z", by=office.maker, code=2)
    assert at.said(*returning, by=office.seal_keeper)["last"] == "returned"
    assert "cannot be returned" in at.refused(*returning, by=office.seal_keeper, code=1)
    at.refused(*preparing(code, tmp_path), by=office.system, code=1)
    (told,) = at.said("media", "history", code, by=office.auditor)["items"]
    assert [one["act"] for one in told["history"]] == ["issued", "handed_over", "returned"]
    assert [one["giver"] for one in told["history"]] == [None, "李样例", "王样例"]
    shown = at.run("media", "history", code, by=office.auditor)
    assert shown.exit_code == 0
    assert medium.serial_number in shown.stdout
    assert at.said("media", "history", office.code, by=office.auditor) == {"items": []}


def test_what_is_not_the_seals_medium_or_no_request_is_refused(office: CustodyOffice, tmp_path: Path) -> None:
    at, medium = office.at, UnitMedium(serial_number="UKEY-MEDIA-2")
    code = office.on_medium(medium, tmp_path)
    other = ("media", "hand-over", code, "--medium", "UKEY-OTHER", "--keeper", "王样例", "--giver", "李样例")
    assert "no medium with this serial number" in at.refused(*other, by=office.maker, code=1)
    no_request = tmp_path / "request.txt"
    no_request.write_text("hello", encoding="ascii")
    application, certificate = office.approved(), tmp_path / "certificate.pem"
    making = ("media", "make", application, "--medium", "UKEY-MEDIA-9", "--keeper", "王样例", "--request")
    assert "PEM block" in at.refused(*making, no_request, "--certificate", certificate, by=office.maker, code=2)
    no_request.write_bytes(b"0\x03\x02\x01\x00")
    at.refused(*making, no_request, "--certificate", certificate, by=office.maker, code=2)
    taken = tmp_path / f"{medium.serial_number}.p10"
    assert "certified for a seal before" in at.refused(*making, taken, by=office.maker, code=1)
    assert not certificate.exists()
    for stranger in (office.keeper, office.system, office.seal_keeper):
        at.refused(*making, taken, by=stranger, code=1)


def test_a_seal_is_renewed_with_a_new_key_on_another_medium(office: CustodyOffice, tmp_path: Path) -> None:
    at, before, after = office.at, UnitMedium(serial_number="UKEY-MEDIA-3"), UnitMedium(serial_number="UKEY-MEDIA-4")
    code = office.on_medium(before, tmp_path)
    request = tmp_path / "renewal.p10"
    request.write_bytes(after.request())
    named = ("--medium", after.serial_number, "--keeper", "王样例")
    renewing = ("media", "renew", code, "--request", request, *named)
    assert "add --yes" in at.run(*renewing, by=office.maker).stderr
    assert at.said("seals", "show", code, by=office.maker)["version"] == 1
    old = ("media", "renew", code, "--request", tmp_path / f"{before.serial_number}.p10", *named, "--yes")
    assert "make a new one on the medium" in at.refused(*old, by=office.maker, code=1)
    assert at.said(*renewing, "--yes", by=office.maker)["version"] == 2
    at.refused(*preparing(code, tmp_path), by=office.system, code=1)
    office.hand_over(code, after)
    assert at.said("verify", pressed(office, code, after, tmp_path))["indication"] == "TOTAL_PASSED"
    media = at.said("media", "history", code, by=office.auditor)["items"]
    assert [(one["serial_number"], one["version"]) for one in media] == [("UKEY-MEDIA-3", 1), ("UKEY-MEDIA-4", 2)]


def apply(office: CustodyOffice, code: str, out: Path, *handle: str) -> tuple[str | Path, ...]:
    of_seal = ("--seal", code, "--scenario", SCENARIO, "--level", "B-B")
    return ("apply", DOCUMENT, "-o", out, *of_seal, *handle)


def test_a_conveyed_seal_takes_its_handle_until_it_is_withdrawn(office: CustodyOffice, tmp_path: Path) -> None:
    at, code, out = office.at, office.another_seal(), tmp_path / "sealed.pdf"
    giving = ("conveyances", "give", "--seal", code, "--to", office.system.client_id)
    assert "add --yes" in at.run(*giving, by=office.keeper).stderr
    at.said(*apply(office, code, tmp_path / "before.pdf"), by=office.system)
    conveyed = at.said(*giving, "--yes", by=office.keeper)
    assert load_pem_x509_certificate(conveyed["certificate"].encode())
    assert "PRIVATE" not in json.dumps(conveyed)
    assert "--handle" in at.refused(*apply(office, code, out), by=office.system, code=1)
    at.refused(*apply(office, code, out, "--handle", "A" * 43), by=office.system, code=1)
    at.said(*apply(office, code, out, "--handle", conveyed["handle"]), by=office.system)
    assert out.exists()

    conveyance = conveyed["conveyance"]["id"]
    listing = ("conveyances", "list", "--seal", code)
    (listed,) = at.said(*listing, by=office.auditor)["items"]
    assert listed == conveyed["conveyance"]
    text = at.run(*listing, by=office.keeper)
    assert conveyance in text.stdout
    withdrawing = ("conveyances", "withdraw", conveyance, "--seal", code)
    assert at.run(*withdrawing, by=office.keeper).exit_code == 1
    assert at.said(*listing, by=office.keeper)["items"][0]["withdrawn_at"] is None
    assert at.run(*withdrawing, "--yes", by=office.keeper).stdout == "Withdrawn.\n"
    assert at.run(*withdrawing, "--yes", by=office.keeper).exit_code == 0, "twice is once"
    at.refused(*apply(office, code, out, "--handle", conveyed["handle"]), by=office.system, code=1)
    unknown = ("conveyances", "withdraw", "019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50", "--seal", code, "--yes")
    assert "conveyances list" in at.refused(*unknown, by=office.keeper, code=2)


def test_a_seal_is_conveyed_by_its_unit_to_a_system_alone(office: CustodyOffice) -> None:
    at, code = office.at, office.another_seal()
    to_person = ("conveyances", "give", "--seal", code, "--to", office.auditor.client_id, "--yes")
    assert "business system" in at.refused(*to_person, by=office.keeper, code=2)
    to_system = ("conveyances", "give", "--seal", code, "--to", office.system.client_id, "--yes")
    others: tuple[Person, ...] = (office.maker, office.system, office.auditor)
    for stranger in others:
        at.refused(*to_system, by=stranger, code=1)
    shown = at.run(*to_system, by=office.keeper)
    assert shown.exit_code == 0
    assert "handle" in shown.stdout
    assert "BEGIN CERTIFICATE" not in shown.stdout, "what is for programs comes with --json"
