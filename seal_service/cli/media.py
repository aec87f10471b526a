"""seal media: 印章介质, seals whose key is on a medium, and through whose hands it goes (articles 14–16, 20)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.files import WaitingFile, read_small, waiting_file
from seal_service.cli.options import AsJson, SealCodeArgument, Yes, example, moment, noun, unless_confirmed
from seal_service.cli.output import print_fields, print_json, print_rows
from seal_service.cli.session import Session, session
from seal_service.domain.medium import Medium
from seal_service.domain.seal import Seal
from seal_service.formats import custody_representation, representation
from seal_service.usecases.make_on_medium import MakeOnMedium, RenewOnMedium
from seal_service.usecases.record_medium import HandOverMedium, ReadMedia, ReturnMedium

app = noun("印章介质: seals whose key is on their unit's medium (UKey), and through whose hands it goes.")

Request = Annotated[
    Path, typer.Option("--request", metavar="FILE", help="The medium's certificate request (PKCS#10), PEM or DER.")
]
Serial = Annotated[str, typer.Option("--medium", metavar="SERIAL", help="介质序列号, as it is printed on the medium.")]
Certificate = Annotated[
    Path | None, typer.Option("--certificate", metavar="FILE", help="Write the certificate for the medium there, PEM.")
]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="When it happened, RFC 3339; default: now.")]
LARGEST_REQUEST_FILE = 1 << 16


@app.command(
    epilog=example(
        "seal media make APPLICATION_ID --request request.pem --medium UKEY-2026-000017 \\",
        "    --keeper 王样例 --certificate certificate.pem",
    )
)
def make(
    application_id: Annotated[str, typer.Argument(metavar="APPLICATION_ID", help="An approved application.")],
    request: Request,
    medium: Serial,
    keeper: Annotated[str, typer.Option(help="保管人 to whom the medium will be handed over.")],
    code: Annotated[str | None, typer.Option(metavar="CODE", help="A code that the province issued.")] = None,
    certificate: Certificate = None,
    as_json: AsJson = False,
) -> None:
    """制章于介质, by the making office; it can be applied once the medium is handed over."""
    command = MakeOnMedium(
        application_id=application_id,
        certificate_request=_request(request),
        medium_serial=medium,
        keeper=keeper,
        seal_code=code,
    )
    with session() as at, _perhaps(certificate) as file:
        _print(at, at.service.custody.make_on_medium(at.caller, command), file, as_json)


@app.command(
    epilog=example(
        "seal media renew 99990000000001 --request request.pem --medium UKEY-2026-000018 \\",
        "    --keeper 王样例 --certificate certificate.pem --yes",
    )
)
def renew(
    code: SealCodeArgument,
    request: Request,
    medium: Serial,
    keeper: Annotated[str, typer.Option(help="保管人 to whom the medium will be handed over.")],
    certificate: Certificate = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """介质印章续期, within the 90 days before expiry (article 16): a new key, on the same medium or another."""
    command = RenewOnMedium(seal_code=code, certificate_request=_request(request), medium_serial=medium, keeper=keeper)
    unless_confirmed(yes, f"renew {code} with the request's key; the key before is not used again")
    with session() as at, _perhaps(certificate) as file:
        _print(at, at.service.custody.renew_on_medium(at.caller, command), file, as_json)


@app.command(
    "hand-over",
    epilog=example("seal media hand-over 99990000000001 --medium UKEY-2026-000017 --keeper 王样例 --giver 李样例"),
)
def hand_over(
    code: SealCodeArgument,
    medium: Serial,
    keeper: Annotated[str, typer.Option(help="Who takes it.")],
    giver: Annotated[str, typer.Option(help="Who gives it.")],
    at_time: At = None,
    as_json: AsJson = False,
) -> None:
    """介质交付, to its keeper or from one to the next; what was prepared before cannot be completed."""
    command = HandOverMedium(seal_code=code, serial_number=medium, keeper=keeper, giver=giver, at=moment(at_time, "at"))
    with session() as at:
        _print_medium(at.service.custody.hand_over_medium(at.caller, command), as_json)


@app.command("return", epilog=example("seal media return 99990000000001 --medium UKEY-2026-000017 --receiver 李样例"))
def return_(
    code: SealCodeArgument,
    medium: Serial,
    receiver: Annotated[str, typer.Option(help="Who takes it at the making office.")],
    at_time: At = None,
    as_json: AsJson = False,
) -> None:
    """介质交回 to the making office: until it is handed over again the seal cannot be applied."""
    command = ReturnMedium(seal_code=code, serial_number=medium, receiver=receiver, at=moment(at_time, "at"))
    with session() as at:
        _print_medium(at.service.custody.return_medium(at.caller, command), as_json)


@app.command(epilog=example("seal media history 99990000000001"))
def history(code: SealCodeArgument, as_json: AsJson = False) -> None:
    """介质交接记录: which media a seal is or was on, and each hand-over, oldest first."""
    with session() as at:
        media = at.service.custody.read_media(at.caller, ReadMedia(seal_code=code))
    if as_json:
        print_json({"items": [custody_representation.medium(one) for one in media]})
        return
    _print_history(media)


def _request(file: Path) -> bytes:
    """The request, DER."""
    from seal_service.formats.pkcs10 import request_der

    content = read_small(file, LARGEST_REQUEST_FILE)
    return content if content.startswith(b"0") else request_der(content.decode("utf-8", "replace"))


@contextmanager
def _perhaps(certificate: Path | None) -> Iterator[WaitingFile | None]:
    """The file that the certificate goes into, known to be writable before anything is certified."""
    if certificate is None:
        yield None
        return
    with waiting_file(certificate) as file:
        yield file


def _print(at: Session, seal: Seal, file: WaitingFile | None, as_json: bool) -> None:
    credential = seal.signing_credential()
    if file is not None and credential is not None:
        file.write(ssl.DER_cert_to_PEM_cert(credential.certificate).encode())
    print_fields(representation.seal(seal, at.service.clock.now()), as_json=as_json)


def _print_medium(medium: Medium, as_json: bool) -> None:
    fields = custody_representation.medium(medium)
    if as_json:
        print_json(fields)
        return
    del fields["history"]
    print_fields(fields, as_json=False)
    _print_history([medium])


def _print_history(media: list[Medium] | tuple[Medium, ...]) -> None:
    rows = [
        {"medium": one.serial_number, **custody_representation.medium_event(event)}
        for one in media
        for event in one.history
    ]
    print_rows(rows, ("medium", "version", "act", "at", "keeper", "giver", "witness"))
