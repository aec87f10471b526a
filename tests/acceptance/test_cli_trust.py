"""seal trust: what an operator sees before a certificate is trusted, and what is done only with --yes."""

from __future__ import annotations

import hashlib
import json
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.command_line import Office
from tests.foreign_authority import authority_certificate

NOTE = "来自 pki.example；样某电话核对"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Another city's root, as PEM."""
    path = tmp_path / "root.pem"
    path.write_text(ssl.DER_cert_to_PEM_cert(authority_certificate(ec.generate_private_key(ec.SECP256R1()))))
    return path


def test_a_certificate_is_shown_and_trusted_only_with_yes(by_command: Office, root: Path) -> None:
    at, operator = by_command.at, by_command.operator
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(root.read_text())).hexdigest()
    purposes = ("--for", "signatures", "--for", "timestamps")
    adding = ("trust", "add", root, *purposes, "--note", NOTE, "--revocation-address", "http://pki.example/crl/")
    shown = at.run(*adding, "--json", by=operator)
    assert shown.exit_code == 1
    assert "Nothing was changed; add --yes" in shown.stderr
    told = json.loads(shown.stdout)
    assert (told["id"], told["trusted_for"]) == (digest, ["signatures", "timestamps"])
    assert at.said("trust", "list", by=operator) == {"items": []}
    assert at.agreed(*adding, "--yes", by=operator)["state"] == "done"
    (added,) = at.said("trust", "list", by=operator)["items"]
    assert {**added, "added_at": None, "confirmed_at": None} == {**told, "added_at": None, "confirmed_at": None}
    assert at.said("trust", "list", by=by_command.auditor)["items"] == [added]
    assert "trusted already" in at.refused(*adding, "--yes", by=operator, code=1)

    as_openssl_prints = ":".join(digest.upper()[i : i + 2] for i in range(0, 64, 2))
    assert at.run("trust", "confirm", as_openssl_prints, by=operator).exit_code == 1
    confirmed = at.said("trust", "confirm", as_openssl_prints, "--note", "再次核对", "--yes", by=operator)
    assert confirmed["confirmed_at"] > added["confirmed_at"]
    assert confirmed["note"] == "再次核对"
    assert at.run("trust", "remove", digest, by=operator).exit_code == 1
    assert at.said("trust", "list", by=operator)["items"] == [confirmed]
    assert at.agreed("trust", "remove", digest, "--yes", by=operator)["state"] == "done"
    assert at.said("trust", "list", by=operator) == {"items": []}
    assert "seal trust list" in at.refused("trust", "remove", digest, "--yes", by=operator, code=2)


def test_wrong_ways_to_add_a_certificate_say_what_to_do(by_command: Office, root: Path, tmp_path: Path) -> None:
    at, operator = by_command.at, by_command.operator
    note = ("--note", NOTE)
    assert "--for signatures" in at.refused("trust", "add", root, *note, by=operator, code=2)
    both = ("--intermediate", "--for", "signatures")
    assert "--for signatures" in at.refused("trust", "add", root, *both, *note, by=operator, code=2)
    two = tmp_path / "two.pem"
    other = authority_certificate(ec.generate_private_key(ec.SECP256R1()), ca=False)
    two.write_text(root.read_text() + ssl.DER_cert_to_PEM_cert(other))
    assert "one at a time" in at.refused("trust", "add", two, "--for", "signatures", *note, by=operator, code=2)
    leaf = tmp_path / "leaf.der"
    leaf.write_bytes(other)
    told = at.refused("trust", "add", leaf, "--for", "signatures", *note, "--yes", by=operator, code=2)
    assert "basic constraints" in told
    missing = tmp_path / "missing.pem"
    assert "missing.pem" in at.refused("trust", "add", missing, "--for", "signatures", *note, by=operator, code=2)
    refused = at.refused("trust", "add", root, "--for", "signatures", *note, "--yes", by=by_command.auditor, code=1)
    assert "role" in refused
