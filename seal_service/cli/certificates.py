"""seal certificates: certificates of outside authorities, from the request to the seal (articles 9, 14–16)."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.files import read_small, waiting_file
from seal_service.cli.options import FIRST_PAGE, AsJson, Cursor, Limit, Yes, example, noun, unless_confirmed
from seal_service.cli.output import print_fields, print_json, print_page, print_rows, working
from seal_service.cli.session import Session, session
from seal_service.domain.algorithms import Suite
from seal_service.domain.certification import CertificateRequest, CertificateRequestState
from seal_service.domain.errors import InvalidInput
from seal_service.domain.paging import PageRequest
from seal_service.formats import representation
from seal_service.usecases.fetch_certificate import FetchCertificate
from seal_service.usecases.read_registers import ReadById
from seal_service.usecases.read_requests import ListCertificatesToRevoke, ListRequests
from seal_service.usecases.request_certificate import RequestCertificate
from seal_service.usecases.submit_certificate import SubmitCertificate
from seal_service.usecases.withdraw_request import WithdrawRequest

app = noun("外部证书: certificate requests to an outside authority, and what comes of them.")

RequestId = Annotated[str, typer.Argument(metavar="ID", help="The request's id.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the request there as PEM.")]
LARGEST_CERTIFICATES = 1 << 20
TO_REVOKE_COLUMNS = ("seal_code", "serial", "issuer", "status", "revoked_by_issuer", "not_after")


class Listed(StrEnum):
    """Requests by their state, or outside certificates that their authority still has to revoke."""

    PENDING = "pending"
    ISSUED = "issued"
    WITHDRAWN = "withdrawn"
    TO_REVOKE = "to-revoke"


@app.command(
    epilog=example(
        "seal certificates request --application APPLICATION_ID -o request.pem",
        "seal certificates request --renew 99990000000001 -o request.pem",
    )
)
def request(
    application: Annotated[
        str | None, typer.Option(metavar="ID", help="An approved application, whose seal is to be made.")
    ] = None,
    renew: Annotated[str | None, typer.Option(metavar="CODE", help="A seal that is to be renewed.")] = None,
    code: Annotated[str | None, typer.Option(metavar="CODE", help="A code that the province issued.")] = None,
    suite: Annotated[Suite | None, typer.Option(help="算法套件; default: the instance's.")] = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """证书申请: make a key and a request (PKCS#10) for it."""
    if (application is None) == (renew is None) or (renew is not None and code is not None):
        raise InvalidInput("Name either --application, perhaps with --code, or --renew")
    command = RequestCertificate(application_id=application, seal_code=renew or code, suite=suite)
    with session() as at:
        _print(at.service.request_certificate(at.caller, command), output, as_json)


@app.command(epilog=example("seal certificates show ID", "seal certificates show ID -o request.pem"))
def show(request_id: RequestId, output: Output = None, as_json: AsJson = False) -> None:
    """One request, with its PEM."""
    with session() as at:
        _print(at.service.read_request(at.caller, ReadById(id=request_id)), output, as_json)


@app.command(
    "list", epilog=example("seal certificates list --state pending", "seal certificates list --state to-revoke")
)
def list_(
    state: Annotated[Listed | None, typer.Option(help="Only these.")] = None,
    seal: Annotated[str | None, typer.Option(metavar="CODE", help="Only of this seal.")] = None,
    limit: Limit = FIRST_PAGE,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """证书申请列表, oldest first; with --state to-revoke what outside authorities still have to be asked for."""
    with session() as at:
        if state is Listed.TO_REVOKE:
            _print_to_revoke(at, seal, as_json)
            return
        chosen = CertificateRequestState(state.value) if state is not None else None
        page_request = PageRequest(limit=limit, cursor=cursor)
        page = at.service.list_requests(at.caller, ListRequests(state=chosen, seal_code=seal, page=page_request))
    columns = ("id", "seal_code", "application_id", "state", "requested_at", "certificate_serial")
    print_page(page, representation.certificate_request, columns, as_json=as_json)


@app.command(epilog=example("seal certificates submit ID certificate.pem --chain issuing.pem"))
def submit(
    request_id: RequestId,
    certificate: Annotated[Path, typer.Argument(metavar="FILE", help="PEM, DER or PKCS#7, perhaps with its chain.")],
    chain: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="PEM: further issuers; may be repeated.")
    ] = None,
    accept_subject: Annotated[
        bool,
        typer.Option("--accept-subject", help="The subject is right, although it is not the one asked for."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """证书入库: hand in the certificate; the seal is made or renewed with it."""
    contents = [read_small(path, LARGEST_CERTIFICATES) for path in (certificate, *(chain or ()))]
    command = SubmitCertificate(request_id=request_id, content=_together(contents), accept_subject=accept_subject)
    with session() as at, working("证书检查 checking the certificate …"):
        seal = at.service.submit_certificate(at.caller, command)
        now = at.service.clock.now()
    print_fields(representation.seal(seal, now), as_json=as_json)


@app.command(epilog=example("seal certificates fetch ID"))
def fetch(request_id: RequestId, as_json: AsJson = False) -> None:
    """证书领取 from the EST server; 1 while it is not issued. `seal serve` asks again by itself."""
    with session() as at, working("证书领取 asking the EST server …"):
        seal = at.service.fetch_certificate(at.caller, FetchCertificate(request_id=request_id))
        now = at.service.clock.now()
    print_fields(representation.seal(seal, now), as_json=as_json)


@app.command(epilog=example("seal certificates withdraw ID --yes"))
def withdraw(request_id: RequestId, yes: Yes = False, as_json: AsJson = False) -> None:
    """撤回: end a pending request; its key is destroyed, so a certificate for it is worthless."""
    with session() as at:
        found = at.service.read_request(at.caller, ReadById(id=request_id))
        unless_confirmed(yes, f"withdraw the request for the seal {found.seal_code} and destroy its key for good")
        _print(at.service.withdraw_request(at.caller, WithdrawRequest(request_id=request_id)), None, as_json)


def print_what_to_ask(at: Session, seal_code: str) -> None:
    """Say, on standard error, which outside authorities have to be asked after a seal's status has changed."""
    found = at.service.list_certificates_to_revoke(at.caller, ListCertificatesToRevoke(seal_code=seal_code))
    for one in found:
        wanted = "put on hold" if one.status.value == "on_hold" else "revoke"
        typer.echo(
            f"Ask {one.issuer} to {wanted} the certificate {one.serial}: this instance cannot do it for others.",
            err=True,
        )


def _print(found: CertificateRequest, output: Path | None, as_json: bool) -> None:
    fields = representation.certificate_request(found)
    if output is not None:
        with waiting_file(output) as file:
            file.write(str(fields["pem"]).encode())
    print_fields(fields, as_json=as_json)


def _print_to_revoke(at: Session, seal_code: str | None, as_json: bool) -> None:
    with working("吊销核对 asking the outside authorities …"):
        found = at.service.list_certificates_to_revoke(at.caller, ListCertificatesToRevoke(seal_code=seal_code))
    rows = [representation.outside_certificate(one) for one in found]
    if as_json:
        print_json({"items": rows})
    else:
        print_rows(rows, TO_REVOKE_COLUMNS)


def _together(contents: list[bytes]) -> bytes:
    """One bundle; what is not PEM becomes so, since only PEM can be put together."""
    from seal_service.formats.received import as_pem

    return contents[0] if len(contents) == 1 else b"".join(as_pem(one) for one in contents)
