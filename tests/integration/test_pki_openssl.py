"""The openssl command line, which shares no code with us, agrees with what the room makes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from asn1crypto import pem

from seal_service.domain.algorithms import Suite
from seal_service.domain.authority import AUTHORITY_RULES
from seal_service.domain.issuance import AuthorityRole, IssuedCertificate
from tests.pki_instance import Instance, instance_of

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command line is not installed")


@pytest.fixture(params=[Suite.ECDSA_P256, Suite.RSA_3072])
def instance(request: pytest.FixtureRequest) -> Instance:
    return instance_of(request.param)


def openssl(*arguments: str, status: int = 0) -> str:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def write_files(instance: Instance, directory: Path, issued: IssuedCertificate) -> dict[str, str]:
    contents = {
        "root.pem": pem.armor("CERTIFICATE", instance.services.certificate("root")),
        "issuing.pem": pem.armor("CERTIFICATE", instance.services.certificate("issuing")),
        "timestamp.pem": pem.armor("CERTIFICATE", instance.services.certificate("timestamp")),
        "ocsp.pem": pem.armor("CERTIFICATE", instance.services.certificate("ocsp")),
        "seal.pem": pem.armor("CERTIFICATE", issued.certificate),
        "crls.pem": pem.armor("X509 CRL", instance.services.crl())
        + pem.armor("X509 CRL", instance.services.root_crl()),
    }
    contents["chain.pem"] = contents["root.pem"] + contents["issuing.pem"]
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    return {name: str(directory / name) for name in contents}


CRL_CHECK = ("-x509_strict", "-policy_check", "-check_ss_sig", "-crl_check_all", "-CRLfile")


def test_openssl_verifies_chains_against_the_lists_strictly(instance: Instance, tmp_path: Path) -> None:
    issued = instance.issue()
    files = write_files(instance, tmp_path, issued)
    trust = ("-CAfile", files["root.pem"], "-untrusted", files["issuing.pem"])
    for name in ("seal.pem", "ocsp.pem"):
        assert "OK" in openssl("verify", *CRL_CHECK, files["crls.pem"], *trust, files[name])
    for name in ("issuing.pem", "timestamp.pem"):
        assert "OK" in openssl("verify", *CRL_CHECK, files["crls.pem"], "-CAfile", files["root.pem"], files[name])
    assert "OK" in openssl("verify", "-purpose", "timestampsign", "-CAfile", files["root.pem"], files["timestamp.pem"])
    for act in (instance.hold, instance.revoke):
        act(issued.serial)
        files = write_files(instance, tmp_path, issued)
        said = openssl("verify", *CRL_CHECK, files["crls.pem"], *trust, files["seal.pem"], status=2)
        assert "certificate revoked" in said


def test_openssl_verifies_lists(instance: Instance, tmp_path: Path) -> None:
    issued = instance.issue()
    instance.hold(issued.serial)
    files = write_files(instance, tmp_path, issued)
    said = openssl("crl", "-in", files["crls.pem"], "-CAfile", files["chain.pem"], "-noout", "-text")
    assert "verify OK" in said
    assert issued.serial.upper() in said
    assert "Certificate Hold" in said


@pytest.mark.parametrize("digest", ["-sha1", "-sha256"])
def test_openssl_asks_and_believes_the_responder(instance: Instance, tmp_path: Path, digest: str) -> None:
    issued = instance.issue()
    files = write_files(instance, tmp_path, issued)
    request, response = tmp_path / "request.der", tmp_path / "response.der"
    asked = (digest, "-issuer", files["issuing.pem"], "-cert", files["seal.pem"])
    openssl("ocsp", *asked, "-reqout", str(request), "-no_nonce")
    answered = ("-respin", str(response), "-CAfile", files["root.pem"], "-verify_other", files["issuing.pem"])
    response.write_bytes(instance.services.ocsp(request.read_bytes()))
    said = openssl("ocsp", *asked, "-no_nonce", *answered)
    assert "Response verify OK" in said
    assert "seal.pem: good" in said
    instance.hold(issued.serial)
    response.write_bytes(instance.services.ocsp(request.read_bytes()))
    said = openssl("ocsp", *asked, "-no_nonce", *answered)
    assert "seal.pem: revoked" in said
    assert "Reason: certificateHold" in said


def test_openssl_reads_the_nonce_back(instance: Instance, tmp_path: Path) -> None:
    files = write_files(instance, tmp_path, instance.issue())
    request, response = tmp_path / "request.der", tmp_path / "response.der"
    openssl("ocsp", "-issuer", files["issuing.pem"], "-cert", files["seal.pem"], "-nonce", "-reqout", str(request))
    response.write_bytes(instance.services.ocsp(request.read_bytes()))
    said = openssl(
        "ocsp", "-reqin", str(request), "-respin", str(response), "-CAfile", files["chain.pem"], "-resp_text"
    )
    assert "Response verify OK" in said
    assert "WARNING: no nonce in response" not in said
    assert said.count("OCSP Nonce") == 1


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_openssl_verifies_time_stamps(instance: Instance, tmp_path: Path, digest: str) -> None:
    files = write_files(instance, tmp_path, instance.issue())
    document, query, reply = tmp_path / "document", tmp_path / "query.tsq", tmp_path / "reply.tsr"
    document.write_bytes(b"document")
    openssl("ts", "-query", "-data", str(document), f"-{digest}", "-cert", "-out", str(query))
    instance.clock.moment = instance.clock.now().replace(microsecond=120_000)
    reply.write_bytes(instance.services.timestamp(query.read_bytes()))
    believed = ("-in", str(reply), "-CAfile", files["root.pem"])
    assert "Verification: OK" in openssl("ts", "-verify", "-queryfile", str(query), *believed)
    assert "Verification: OK" in openssl("ts", "-verify", "-data", str(document), *believed)
    other = hashlib.new(digest, b"another document").hexdigest()
    assert "message imprint mismatch" in openssl("ts", "-verify", "-digest", other, *believed, status=1)
    said = openssl("ts", "-reply", "-in", str(reply), "-text")
    assert "Accuracy: 0x01 seconds" in said
    assert "Policy OID: 2.25." in said


def test_openssl_verifies_a_time_stamp_without_certificate_when_it_is_given_one(
    instance: Instance, tmp_path: Path
) -> None:
    files = write_files(instance, tmp_path, instance.issue())
    query, reply = tmp_path / "query.tsq", tmp_path / "reply.tsr"
    openssl("ts", "-query", "-digest", "ab" * 32, "-sha256", "-out", str(query))
    reply.write_bytes(instance.services.timestamp(query.read_bytes()))
    given = ("-untrusted", files["timestamp.pem"], "-CAfile", files["root.pem"])
    assert "Verification: OK" in openssl("ts", "-verify", "-queryfile", str(query), "-in", str(reply), *given)


def test_openssl_reads_our_rejection(instance: Instance, tmp_path: Path) -> None:
    query, reply = tmp_path / "query.tsq", tmp_path / "reply.tsr"
    openssl("ts", "-query", "-digest", "ab" * 32, "-sm3", "-out", str(query))
    reply.write_bytes(instance.services.timestamp(query.read_bytes()))
    said = openssl("ts", "-reply", "-in", str(reply), "-text")
    assert "Status: Rejected." in said
    assert "unrecognized or unsupported algorithm identifier" in said


def test_openssl_finds_every_certificate_well_formed(instance: Instance, tmp_path: Path) -> None:
    files = write_files(instance, tmp_path, instance.issue())
    said = openssl("x509", "-in", files["seal.pem"], "-noout", "-text", "-nameopt", "utf8,sep_comma_plus")
    assert "Digital Signature, Non Repudiation" in said
    assert "示例市" in said
    subject = instance.certificate(AuthorityRole.ISSUING).subject.native["common_name"]
    assert subject in said


def generations(instance: Instance, role: str) -> list[bytes]:
    with instance.records.read() as transaction:
        return [one.certificate for one in transaction.authorities.all() if one.role == role]


def armored(kind: str, *contents: bytes) -> bytes:
    return b"".join(pem.armor(kind, one) for one in contents)


@pytest.mark.parametrize("trusted", [1, 2], ids=["the first root", "the second root"])
def test_openssl_verifies_seals_of_every_generation(instance: Instance, tmp_path: Path, trusted: int) -> None:
    """With one of the roots alone, what the other roots' chains need among the untrusted, every list checked."""
    seals = {"1": instance.issue()}
    for root, role in ((1, AuthorityRole.ISSUING), (2, AuthorityRole.ROOT), (2, AuthorityRole.ISSUING)):
        instance.rotate(role)
        if role is AuthorityRole.ISSUING:
            seals[f"{root} {len(seals)}"] = instance.issue()
    services = instance.services
    (tmp_path / "root.pem").write_bytes(armored("CERTIFICATE", services.certificate("root", trusted)))
    lists = [*(services.crl(one) for one in (1, 2, 3)), *(services.root_crl(one) for one in (1, 2))]
    (tmp_path / "crls.pem").write_bytes(armored("X509 CRL", *lists))
    for under, seal in seals.items():
        if int(under[0]) < trusted:
            continue  # the second root knows nothing of what the first one certified
        between = [
            one for one in instance.authority.chain(seal.certificate) if one not in generations(instance, "root")
        ]
        (tmp_path / "between.pem").write_bytes(armored("CERTIFICATE", *between))
        (tmp_path / "seal.pem").write_bytes(armored("CERTIFICATE", seal.certificate))
        crl_check = (*CRL_CHECK, str(tmp_path / "crls.pem"))
        trust = ("-CAfile", str(tmp_path / "root.pem"), "-untrusted", str(tmp_path / "between.pem"))
        assert "OK" in openssl("verify", *crl_check, *trust, str(tmp_path / "seal.pem"))


def test_openssl_believes_answers_and_time_stamps_from_before_and_after_a_rotation(
    instance: Instance, tmp_path: Path
) -> None:
    """With the first root alone."""
    document, query, root = tmp_path / "document", tmp_path / "query.tsq", tmp_path / "root.pem"
    document.write_bytes(b"document")
    openssl("ts", "-query", "-data", str(document), "-sha256", "-cert", "-out", str(query))
    root.write_bytes(armored("CERTIFICATE", instance.services.certificate("root", 1)))
    seals: list[tuple[IssuedCertificate, int]] = []
    for rotated in ((), (AuthorityRole.TIMESTAMP, AuthorityRole.OCSP, AuthorityRole.ISSUING), tuple(AUTHORITY_RULES)):
        for role in rotated:
            instance.rotate(role)
        seals.append((instance.issue(), len(generations(instance, "issuing"))))
        reply = tmp_path / f"{len(seals)}.tsr"
        reply.write_bytes(instance.services.timestamp(query.read_bytes()))
    instance.rotate(AuthorityRole.OCSP)
    for turn, (seal, version) in enumerate(seals, 1):
        said = openssl(
            "ts", "-verify", "-data", str(document), "-in", str(tmp_path / f"{turn}.tsr"), "-CAfile", str(root)
        )
        assert "Verification: OK" in said
        issuer, one, response = (tmp_path / f"{turn}.{kind}" for kind in ("issuer.pem", "seal.pem", "response.der"))
        issuer.write_bytes(armored("CERTIFICATE", instance.services.certificate("issuing", version)))
        one.write_bytes(armored("CERTIFICATE", seal.certificate))
        between = tmp_path / "between.pem"
        between.write_bytes(armored("CERTIFICATE", *instance.authority.chain(seal.certificate)))
        asked = ("-issuer", str(issuer), "-cert", str(one), "-no_nonce")
        request = tmp_path / "request.der"
        openssl("ocsp", *asked, "-reqout", str(request))
        response.write_bytes(instance.services.ocsp(request.read_bytes()))
        said = openssl("ocsp", *asked, "-respin", str(response), "-CAfile", str(root), "-verify_other", str(between))
        assert "Response verify OK" in said
        assert f"{one}: good" in said
