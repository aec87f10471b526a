"""seal seals import: 印章迁入. Private keys come by file on the machine, never over the network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.files import read_small
from seal_service.cli.options import AsJson, Yes, example, unless_confirmed
from seal_service.cli.output import print_fields, working
from seal_service.cli.session import session
from seal_service.domain.errors import InvalidInput
from seal_service.formats import representation
from seal_service.usecases.import_seal import ImportSeal

EXAMPLE = example(
    "seal seals import --application ID --code 99990000000001 --key seal.p12 --password-file password \\",
    "    --history-note '2023 年由示例市旧系统制发，迁入前用印 12 次' --yes",
)
LARGEST_FILE = 1 << 20


def import_seal(
    application: Annotated[str, typer.Option(metavar="ID", help="The approved application.")],
    code: Annotated[str, typer.Option(metavar="CODE", help="印章编码 that the seal has already.")],
    history_note: Annotated[
        str, typer.Option(help="Where it was made and how it was used; public, logged for good: no personal data.")
    ],
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its private key: PKCS#12, or PKCS#8 as PEM or DER.")
    ] = None,
    password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The key file's password; without it, it is asked for.")
    ] = None,
    key_reference: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of a key that is in the key store (HSM) already.")
    ] = None,
    token: Annotated[bool, typer.Option("--token", help="分散式: its unit keeps the key; it is not here.")] = False,
    certificate: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Its certificate, and its chain; may be repeated. PKCS#12 may hold them."),
    ] = None,
    accept_subject: Annotated[
        bool, typer.Option("--accept-subject", help="The certificate's subject is right, although it is not ours.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """印章迁入: take in a seal that was made elsewhere, with its certificate, key and history."""
    from seal_service.formats.private_keys import read_key_file

    if [key is not None, key_reference is not None, token].count(True) != 1:
        raise InvalidInput("Name one of --key, --key-reference and --token")
    certificates = [read_small(path, LARGEST_FILE) for path in certificate or ()]
    private_key = None
    if key is not None:
        content = read_small(key, LARGEST_FILE)
        found = read_key_file(content, _password(content, password_file))
        private_key = found.private_key
        certificates.extend(found.certificates)
    if not certificates:
        raise InvalidInput("There is no certificate in this: name it with --certificate")
    command = ImportSeal(
        application_id=application,
        seal_code=code,
        certificates=tuple(certificates),
        history_note=history_note,
        private_key=private_key,
        key_reference=key_reference,
        accept_subject=accept_subject,
    )
    kept = "its unit keeps the key" if token else "with its key"
    unless_confirmed(yes, f"import the seal {code} for the application {application}, {kept}")
    with session() as at, working("印章迁入 checking the certificate …"):
        seal = at.service.import_seal(at.caller, command)
        now = at.service.clock.now()
    print_fields(representation.seal(seal, now), as_json=as_json)


def _password(content: bytes, file: Path | None) -> bytes | None:
    if file is not None:
        return read_small(file, 1024).rstrip(b"\r\n")
    if b"-----BEGIN PRIVATE KEY" in content:
        return None
    if not sys.stdin.isatty():
        raise InvalidInput("Name --password-file: there is no terminal to ask for the key file's password")
    asked: str = typer.prompt("Password of the key file", hide_input=True, default="", show_default=False)
    return asked.encode() or None
