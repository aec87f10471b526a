"""seal pki: the authority's certificates, for relying parties (article 9)."""

from __future__ import annotations

import hashlib
import ssl
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.files import waiting_file
from seal_service.cli.options import AsJson, example, noun
from seal_service.cli.output import print_json, print_rows
from seal_service.cli.session import instance
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.formats import representation
from seal_service.usecases.answer_pki import PkiMatter, PkiRequest
from seal_service.usecases.list_authorities import ListAuthorities, PublishedAuthority

app = noun("公钥基础设施: the authority's own certificates. No login.")


class OwnCertificate(StrEnum):
    """Which certificate of the embedded authority."""

    ROOT = "root"
    CROSS = "cross"
    ISSUING = "issuing"
    TIMESTAMP = "timestamp"


_MATTERS = {
    OwnCertificate.ROOT: PkiMatter.ROOT_CERTIFICATE,
    OwnCertificate.CROSS: PkiMatter.CROSS_CERTIFICATE,
    OwnCertificate.ISSUING: PkiMatter.ISSUING_CERTIFICATE,
    OwnCertificate.TIMESTAMP: PkiMatter.TIMESTAMP_CERTIFICATE,
}


@app.command(epilog=example("seal pki show"))
def show(as_json: AsJson = False) -> None:
    """The certificates of all generations, with the digest by which a relying party compares them."""
    with instance() as service:
        rows = [_row(one) for one in service.list_authorities(PUBLIC_CALLER, ListAuthorities())]
    if as_json:
        print_json({"items": rows})
    else:
        print_rows(rows, ("certificate", "generation", "signs", "subject", "not_after", "sha256"))


@app.command(
    epilog=example(
        "seal pki export > root.pem", "seal pki export issuing -o issuing.pem", "seal pki export root --generation 1"
    )
)
def export(
    certificate: Annotated[OwnCertificate, typer.Argument(help="Which certificate.")] = OwnCertificate.ROOT,
    generation: Annotated[int | None, typer.Option(min=1, help="Which generation; default: the newest.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: standard output.")] = (
        None
    ),
) -> None:
    """A certificate as PEM: the root is the trust anchor to hand to relying parties."""
    request = PkiRequest(matter=_MATTERS[certificate], version=generation)
    with instance() as service:
        der = service.answer_pki(PUBLIC_CALLER, request)
    pem = ssl.DER_cert_to_PEM_cert(der)
    if output is None:
        print(pem, end="")
        return
    with waiting_file(output) as file:
        file.write(pem.encode())


def _row(one: PublishedAuthority) -> representation.Plain:
    named = {"certificate": one.credential.role.value, "generation": one.credential.version, "signs": one.signs}
    return named | _facts(one.credential.certificate)


def _facts(der: bytes) -> representation.Plain:
    from asn1crypto import x509

    certificate = x509.Certificate.load(der)
    return {
        "subject": certificate.subject.human_friendly,
        "issuer": certificate.issuer.human_friendly,
        "serial": f"{certificate.serial_number:x}",
        "not_before": representation.time(certificate.not_valid_before),
        "not_after": representation.time(certificate.not_valid_after),
        "sha256": hashlib.sha256(der).hexdigest(),
    }
