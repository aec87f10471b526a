"""seal trust: the certificates of other systems that this instance trusts (articles 7, 9)."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.files import read_small
from seal_service.cli.options import AsJson, Yes, example, noun, unless_confirmed
from seal_service.cli.output import print_fields, print_json, print_rows
from seal_service.cli.session import session
from seal_service.domain.errors import InvalidInput
from seal_service.formats import representation
from seal_service.formats.pem import LARGEST_BUNDLE, certificates_of
from seal_service.usecases.manage_trust import AddTrust, ConfirmTrust, ListTrust, RemoveTrust, TrustView

app = noun("信任锚: certificates of other systems' authorities, for operators. The instance's own are trusted anyway.")

TrustedId = Annotated[
    str, typer.Argument(metavar="SHA256", help="SHA-256 of the certificate (DER); colons and capitals do not matter.")
]


class Purpose(StrEnum):
    """What chains may end at an anchor."""

    SIGNATURES = "signatures"
    TIMESTAMPS = "timestamps"


@app.command(
    epilog=example(
        "seal trust add root.pem --for signatures --note 'from pki.example; digest compared by telephone with 样某' \\",
        "    --revocation-address http://pki.example/crl/",
        "seal trust add issuing.pem --intermediate --note 'from pki.example' \\",
        "    --revocation-address http://ocsp.pki.example/ --yes",
    )
)
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="One certificate, PEM or DER.")],
    note: Annotated[str, typer.Option(help="Where it came from, and how its digest was compared.")],
    purposes: Annotated[
        list[Purpose] | None, typer.Option("--for", help="What it is an anchor for; may be repeated.")
    ] = None,
    intermediate: Annotated[
        bool, typer.Option("--intermediate", help="No anchor: it only helps to build chains.")
    ] = False,
    revocation_addresses: Annotated[
        list[str] | None,
        typer.Option(
            "--revocation-address",
            metavar="URL",
            help="Prefix under which revocation data on what this certificate issued may be fetched; may be repeated.",
        ),
    ] = None,
    not_root: Annotated[
        bool, typer.Option("--not-root", help="Let chains end at it although it is not self-signed.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """信任锚登记: show the certificate and, with --yes, trust it. Compare the digest with what its owner publishes."""
    chosen = set(purposes or ())
    if intermediate is bool(chosen):
        raise InvalidInput("Say what it is trusted for: --for signatures, --for timestamps or both, or --intermediate")
    certificates = certificates_of(read_small(file, LARGEST_BUNDLE))
    if len(certificates) != 1:
        raise InvalidInput(f"{file} holds {len(certificates)} certificates: give one at a time")
    command = AddTrust(
        certificate=certificates[0],
        for_signatures=Purpose.SIGNATURES in chosen,
        for_timestamps=Purpose.TIMESTAMPS in chosen,
        note=note,
        revocation_addresses=tuple(revocation_addresses or ()),
        ends_chains_below_root=not_root,
        only_examine=not yes,
    )
    with session() as at:
        view = at.service.add_trust(at.caller, command)
    _tell(view, "trust this certificate", yes=yes, as_json=as_json)


@app.command("list", epilog=example("seal trust list"))
def list_(as_json: AsJson = False) -> None:
    """信任锚列表: what was entered here; the files that the settings name are told by `seal check-config`."""
    with session() as at:
        rows = [_plain(view) for view in at.service.list_trust(at.caller, ListTrust())]
    if as_json:
        print_json({"items": rows})
    else:
        print_rows(rows, ("id", "subject", "trusted_for", "not_after", "confirmed_at"))


@app.command(epilog=example("seal trust confirm SHA256 --note 'compared with pki.example by 样某' --yes"))
def confirm(
    trusted_id: TrustedId,
    note: Annotated[str | None, typer.Option(help="How it was compared, in the place of the note that stands.")] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """信任锚复核: someone compared the digest again with what its owner publishes now."""
    with session() as at:
        command = ConfirmTrust(id=_digest(trusted_id), note=note, only_examine=not yes)
        view = at.service.confirm_trust(at.caller, command)
    _tell(view, "note that this certificate was compared with what its owner publishes now", yes=yes, as_json=as_json)


@app.command(epilog=example("seal trust remove SHA256 --yes"))
def remove(trusted_id: TrustedId, yes: Yes = False, as_json: AsJson = False) -> None:
    """信任锚撤销: no chain ends there any more, of documents sealed before neither."""
    with session() as at:
        view = at.service.remove_trust(at.caller, RemoveTrust(id=_digest(trusted_id), only_examine=not yes))
    _tell(view, "no longer trust this certificate, also for documents sealed before", yes=yes, as_json=as_json)


def _tell(view: TrustView, effect: str, *, yes: bool, as_json: bool) -> None:
    """The certificate; without --yes also that nothing was done, and exit code 1."""
    print_fields(_plain(view), as_json=as_json)
    unless_confirmed(yes, effect)


def _plain(view: TrustView) -> representation.Plain:
    return representation.trusted_certificate(view.trusted, view.certificate)


def _digest(text: str) -> str:
    """SHA-256 as records keep it, from any of the ways in which it is printed."""
    return text.replace(":", "").replace(" ", "").lower()
