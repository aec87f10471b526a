"""seal status-list: 状态公示名单, signed, for offline verification (article 23)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.files import waiting_file
from seal_service.cli.options import AsJson, example, noun
from seal_service.cli.output import print_fields
from seal_service.cli.session import instance
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.formats.representation import time
from seal_service.usecases.publish_status_list import FetchStatusList

app = noun("状态公示名单: the signed list of status.")
app.callback()(lambda: None)  # a group also while it has one command


@app.command(
    epilog=example("seal status-list export status.jws", "seal verify sealed.pdf --offline --status-list status.jws")
)
def export(
    output: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")], as_json: AsJson = False
) -> None:
    """Write the list of this instance as it is now. No login. Over HTTP: GET /v1/public/status-list."""
    with instance() as service:
        found = service.life.fetch_status_list(PUBLIC_CALLER, FetchStatusList())
    with waiting_file(output) as file:
        file.write(found.content)
    told = {"file": str(output), "issued_at": time(found.issued_at), "next_update": time(found.next_update)}
    print_fields(told, as_json=as_json)
