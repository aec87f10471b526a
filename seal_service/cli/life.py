"""seal seals apply-change, change, invalidate, medium-…: what becomes of a seal that was made (article 23)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.certificates import print_what_to_ask
from seal_service.cli.files import read_small
from seal_service.cli.options import AsJson, SealCodeArgument, Yes, example, moment, unless_confirmed
from seal_service.cli.output import print_fields
from seal_service.cli.session import session
from seal_service.domain.algorithms import Suite
from seal_service.domain.impression import SealType
from seal_service.formats import representation
from seal_service.usecases.apply_for_change import ApplyForChange
from seal_service.usecases.change_seal import ChangeSeal
from seal_service.usecases.invalidate_seal import InvalidateSeal
from seal_service.usecases.read_registers import ReadById
from seal_service.usecases.receive_medium import DestroyMedium, ReturnMedium

Reason = Annotated[str, typer.Option("--reason", help="Why; it is logged and kept.")]
DocumentNumber = Annotated[str, typer.Option(help="文号 of the decision.")]
On = Annotated[str, typer.Option("--on", metavar="TIME", help="When, such as 2026-03-01T08:00:00+08:00.")]
Witness = Annotated[str, typer.Option(help="见证人; personal, in the log only as a commitment.")]
Medium = Annotated[str | None, typer.Option("--medium", help="Serial number of the medium.")]


def add_commands(app: typer.Typer) -> None:
    """To the seals' own."""
    code = "99990000000001"
    app.command("apply-change", epilog=example(f"seal seals apply-change {code} --reason 调岗 --keeper ACCOUNT_ID"))(
        apply_change
    )
    app.command(epilog=example(f"seal seals change {code} --application APPLICATION_ID"))(change)
    app.command(
        epilog=example(
            f"seal seals invalidate {code} --from 2026-03-01T08:00:00Z \\",
            "    --reason 违规制作 --document-number 示政发〔2026〕5号 --yes",
        )
    )(invalidate)
    app.command(epilog=example(f"seal seals medium-returned {code} --on 2026-03-01T08:00:00Z --witness 样某"))(
        medium_returned
    )
    app.command(epilog=example(f"seal seals medium-destroyed {code} --on 2026-03-01T09:00:00Z --witness 样某"))(
        medium_destroyed
    )


def apply_change(
    code: SealCodeArgument,
    reason: Reason,
    picture: Annotated[Path | None, typer.Option(help="The new 实物印模: PNG or JPEG.")] = None,
    width: Annotated[float | None, typer.Option(metavar="MM", help="Width of the inked part.")] = None,
    height: Annotated[float | None, typer.Option(metavar="MM", help="Height of the inked part.")] = None,
    seal_type: Annotated[SealType | None, typer.Option("--seal-type", help="印章类型.")] = None,
    keeper: Annotated[str | None, typer.Option(metavar="ACCOUNT_ID", help="The new 印章管理员.")] = None,
    channel: Annotated[str | None, typer.Option(metavar="UNIT_ID", help="The new 扎口单位.")] = None,
    as_json: AsJson = False,
) -> None:
    """变更申请: another impression, type, channel or keeper; decided on with `seal applications decide`."""
    command = ApplyForChange(
        seal_code=code,
        reason=reason,
        picture=None if picture is None else read_small(picture),
        width_mm=width,
        height_mm=height,
        seal_type=seal_type,
        keeper_id=keeper,
        channel_unit_id=channel,
    )
    with session() as at:
        application = at.service.life.apply_for_change(at.caller, command)
    print_fields(representation.application(application), as_json=as_json)


def change(
    code: SealCodeArgument,
    application: Annotated[str, typer.Option(metavar="ID", help="An approved application for a change.")],
    suite: Annotated[Suite | None, typer.Option(help="算法套件; default: as before.")] = None,
    as_json: AsJson = False,
) -> None:
    """变更, by the making office: the seal's next version; what was sealed before stays valid."""
    command = ChangeSeal(seal_code=code, application_id=application, suite=suite)
    with session() as at:
        seal = at.service.life.change_seal(at.caller, command)
        print_fields(representation.seal(seal, at.service.clock.now()), as_json=as_json)


def invalidate(
    code: SealCodeArgument,
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="Void from this moment on.")],
    reason: Reason,
    document_number: DocumentNumber,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """标记无效, by someone else than who made it: whatever was sealed from then on never verifies."""
    command = InvalidateSeal(
        seal_code=code, invalid_from=_given(since, "from"), reason=reason, document_number=document_number
    )
    with session() as at:
        seal = at.service.read_seal(at.caller, ReadById(id=code))
        unless_confirmed(yes, f"mark the seal {code} {seal.name} invalid from {since} for good")
        seal = at.service.life.invalidate_seal(at.caller, command)
        print_fields(representation.seal(seal, at.service.clock.now()), as_json=as_json)
        print_what_to_ask(at, code)


def medium_returned(
    code: SealCodeArgument, on: On, witness: Witness, medium: Medium = None, as_json: AsJson = False
) -> None:
    """介质交回: a cancelled seal's medium came back to the making office."""
    _receive(ReturnMedium(seal_code=code, on=_given(on, "on"), witness=witness, medium_serial=medium), as_json)


def medium_destroyed(
    code: SealCodeArgument, on: On, witness: Witness, medium: Medium = None, as_json: AsJson = False
) -> None:
    """介质销毁: it was destroyed before a witness."""
    _receive(DestroyMedium(seal_code=code, on=_given(on, "on"), witness=witness, medium_serial=medium), as_json)


def _receive(command: ReturnMedium | DestroyMedium, as_json: bool) -> None:
    with session() as at:
        seal = at.service.life.receive_medium(at.caller, command)
        print_fields(representation.seal(seal, at.service.clock.now()), as_json=as_json)


def _given(text: str, field: str) -> datetime:
    given = moment(text, field)
    assert given is not None  # noqa: S101 - only of no text
    return given
