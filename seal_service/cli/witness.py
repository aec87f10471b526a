"""seal witness: 见证方, run by whoever watches a log: it needs a directory of its own, and no instance."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.options import AsJson, example, noun
from seal_service.cli.output import print_fields, print_json, print_rows
from seal_service.formats.checkpoint import read_checkpoint
from seal_service.formats.note import read_note

app = noun("见证方: cosigns that a log's checkpoints follow one another. Needs no instance.")

Directory = Annotated[Path, typer.Argument(metavar="DIRECTORY", help="Where its key and what it has seen are kept.")]
Logs = Annotated[
    list[str] | None,
    typer.Option("--log", metavar="VKEY", help="Verifier key of a log, beside those in DIRECTORY/logs, a line each."),
]
APPLICATION = "seal_service.witness_asgi:application"
MOST_CONNECTIONS = 128
IDLE_SECONDS = 20


@app.command(epilog=example("seal witness init /srv/witness --name witness.audit.example/w1"))
def init(
    directory: Directory,
    name: Annotated[str, typer.Option(help="Its name, an address without https:// that is its operator's.")],
    as_json: AsJson = False,
) -> None:
    """Make a witness: its directory, and its key in a file of mode 0600. Prints the key by which logs know it."""
    from seal_service.bootstrap.witnessing import make_witness

    made = make_witness(directory, name)
    if as_json:
        print_json({"verifier_key": made})
    else:
        print(made)


@app.command(epilog=example('seal witness serve /srv/witness --port 8100 --log "$(cat log.vkey)"'))
def serve(
    directory: Directory,
    log: Logs = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8100,
) -> None:
    """Answer POST /add-checkpoint (C2SP tlog-witness) until a signal. Several may share one directory."""
    from uvicorn import Config

    from seal_service.bootstrap.witnessing import DIRECTORY_VARIABLE, LOGS_VARIABLE, standing_witness
    from seal_service.cli.serve import require_free
    from seal_service.cli.server import serve_in_this_process

    standing_witness(directory, log or ())  # what is wrong with it is said before anything is served
    require_free(host, port)
    os.environ |= {DIRECTORY_VARIABLE: str(directory.absolute()), LOGS_VARIABLE: " ".join(log or ())}
    config = Config(
        APPLICATION,
        factory=True,
        host=host,
        port=port,
        server_header=False,
        ws="none",
        lifespan="off",
        proxy_headers=False,
        access_log=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        log_level="warning",
    )
    if not serve_in_this_process(config):
        raise typer.Exit(1)


@app.command(epilog=example("seal witness show /srv/witness", "seal witness show /srv/witness --json"))
def show(directory: Directory, log: Logs = None, as_json: AsJson = False) -> None:
    """Its verifier key, and the last checkpoint of each log that it knows."""
    from seal_service.bootstrap.witnessing import standing_witness

    standing = standing_witness(directory, log or ())
    logs = []
    for origin in standing.logs:
        content = standing.seen.latest(origin)
        tree = None if content is None else read_checkpoint(read_note(content).text)
        logs.append(
            {
                "origin": origin,
                "size": None if tree is None else tree.size,
                "root": None if tree is None else tree.root.hex(),
                "checkpoint": None if content is None else content.decode(),
            }
        )
    if as_json:
        print_json({"verifier_key": standing.verifier_key, "logs": logs})
        return
    print_fields({"verifier key": standing.verifier_key}, as_json=False)
    print_rows(logs, ["origin", "size", "root"])
