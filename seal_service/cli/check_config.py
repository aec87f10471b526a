"""seal check-config: the settings of the environment, and what is wrong with them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from seal_service.cli.options import AsJson, example
from seal_service.cli.output import print_json, print_rows, working

if TYPE_CHECKING:
    from seal_service.bootstrap.findings import Finding

EXAMPLE = example("seal check-config", "SEAL_PROFILE=production seal check-config --online")


def check_config(
    online: Annotated[bool, typer.Option("--online", help="Also ask the time-stamping authorities.")] = False,
    as_json: AsJson = False,
) -> None:
    """配置检查: every setting with where it comes from, and what is wrong; 1 when something is. Changes nothing."""
    from seal_service import bootstrap

    with working("配置检查 checking …"):
        found = bootstrap.check_configuration(online=online)
    if as_json:
        settings, findings = [asdict(one) for one in found.settings], [asdict(one) for one in found.findings]
        print_json({"usable": found.usable, "settings": settings, "findings": findings})
    else:
        print_rows([asdict(one) for one in found.settings], ("variable", "value", "source"))
        print_rows([_row(one) for one in found.findings], ("severity", "about", "detail", "mend"))
    if not found.usable:
        raise typer.Exit(1)


def _row(one: Finding) -> dict[str, object]:
    return {**asdict(one), "severity": one.severity.value}
