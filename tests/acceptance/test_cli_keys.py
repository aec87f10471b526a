"""seal keys: what the operator sees and does, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import Office


def listed(office: Office) -> dict[str, dict[str, Any]]:
    return {one["reference"]: one for one in office.at.said("keys", "list", by=office.operator)["items"]}


def unconfirmed(office: Office, *arguments: str) -> str:
    """What a dangerous command says that it would do; nothing is done."""
    before = listed(office)
    result = office.at.run("keys", *arguments, by=office.operator)
    assert result.exit_code == 1, result.output
    assert "Nothing was changed; add --yes to do it." in result.stderr
    assert listed(office) == before
    return result.stderr


def test_keys_are_listed_by_reference_with_what_they_are_for(by_command: Office) -> None:
    found = listed(by_command)
    assert list(found) == sorted(found)
    by_role = {one["role"]: one for one in found.values() if one["role"]}
    assert set(by_role) == {"root", "issuing", "ocsp", "timestamp", "status", "report"}
    (seal,) = (one for one in found.values() if one["seal_code"])
    assert (seal["seal_code"], seal["version"], seal["state"]) == (by_command.code, 1, "signs")
    log = found["log"]
    assert (log["place"], log["suite"], log["state"]) == ("file", None, "signs")
    assert {(one["place"], one["suite"]) for one in found.values() if one != log} == {("file", "ecdsa-p256-sha256")}
    first = by_command.at.said("keys", "list", "--limit", "2", by=by_command.operator)
    rest = by_command.at.said("keys", "list", "--cursor", first["next_cursor"], by=by_command.operator)
    assert [one["reference"] for one in [*first["items"], *rest["items"]]] == list(found)
    table = by_command.at.run("keys", "list", by=by_command.operator)
    assert by_role["ocsp"]["reference"] in table.stdout


def test_a_rotation_shows_what_it_would_make_and_makes_it_with_yes(fresh_by_command: Office, tmp_path: Path) -> None:
    office = fresh_by_command
    first = tmp_path / "first.pdf"
    office.at.said(*office.applying(first), by=office.system)
    told = unconfirmed(office, "rotate", "issuing")
    assert "issuing 2 under root 1; ocsp 2 under issuing 2" in told
    for role, made in (
        ("root", ["root 2"]),
        ("issuing", ["issuing 2", "ocsp 2"]),
        ("timestamp", ["timestamp 2"]),
        ("ocsp", ["ocsp 3", "ocsp 4"]),
    ):
        assert "new rsa-2048-sha256 key" in unconfirmed(office, "rotate", role, "--suite", "rsa-2048-sha256")
        before = set(listed(office))
        assert office.at.agreed("keys", "rotate", role, "--yes", by=office.operator)["state"] == "done"
        rows = [one for reference, one in listed(office).items() if reference not in before]
        assert sorted(f"{one['role']} {one['version']}" for one in rows) == made
    second = tmp_path / "second.pdf"
    office.at.said(*office.applying(second, "--level", "B-LTA"), by=office.system)
    root = tmp_path / "root.pem"
    office.at.said("doctor")
    assert office.at.run("pki", "export", "root", "--generation", "1", "-o", root).exit_code == 0
    verified = office.at.run("verify", "--offline", "--trust", root, "--json", first, second)
    assert verified.exit_code == 0, verified.output
    assert [json.loads(line)["indication"] for line in verified.stdout.splitlines()] == ["TOTAL_PASSED"] * 2
    shown = office.at.said("pki", "show")["items"]
    assert [(one["certificate"], one["generation"]) for one in shown if one["signs"]] == [
        ("root", 2),
        ("issuing", 2),
        ("timestamp", 2),
    ]


def test_a_seals_key_is_not_rotated_and_what_is_no_role_is_not_known(by_command: Office) -> None:
    (seal,) = (reference for reference, one in listed(by_command).items() if one["seal_code"])
    told = by_command.at.refused("keys", "rotate", seal, "--yes", by=by_command.operator, code=1)
    assert "A seal's own key changes only by renewal or a decided application" in told
    told = by_command.at.refused("keys", "rotate", "cross", by=by_command.operator, code=2)
    assert "root, issuing, ocsp, timestamp, status, report" in told


def test_a_key_that_is_needed_is_not_destroyed_and_one_that_nothing_names_is(fresh_by_command: Office) -> None:
    office = fresh_by_command
    for reference in listed(office):
        told = office.at.refused("keys", "destroy", reference, "--yes", by=office.operator, code=1)
        assert "still needed" in told
    assert "seal keys list" in office.at.refused("keys", "destroy", "nothing", by=office.operator, code=2)
    office.at.refused("keys", "destroy", "../master", "--yes", by=office.operator, code=2)
    for by in (office.maker, office.keeper, office.system, office.auditor):
        office.at.refused("keys", "list", by=by, code=1)
    cancelled = ("--reason", "机构合并", "--document-number", "示政发〔2026〕1号", "--yes")
    office.at.said("seals", "cancel", office.code, *cancelled, by=office.maker)
    (seal,) = (reference for reference, one in listed(office).items() if one["seal_code"])
    assert f"destroy the key {seal} (seal {office.code} 1, superseded, in file) for good" in unconfirmed(
        office, "destroy", seal
    )
    office.at.agreed("keys", "destroy", seal, "--yes", by=office.operator)
    assert seal not in listed(office)
    assert not list((office.at.home / "keys").glob(f"{seal}*"))


@pytest.mark.parametrize("arguments", [("keys",), ("keys", "rotate")])
def test_a_noun_alone_tells_its_verbs(by_command: Office, arguments: tuple[str, ...]) -> None:
    shown = by_command.at.run(*arguments).output
    assert "rotate" in shown
