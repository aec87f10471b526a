"""seal log checkpoint, proof, check-receipt: what the published log says, and what a receipt of it is worth."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated

import typer

from seal_service.cli.failures import NEGATIVE_ANSWER, tell
from seal_service.cli.files import read_document, read_small, waiting_file
from seal_service.cli.options import AsJson, example
from seal_service.cli.output import print_fields, print_json
from seal_service.cli.session import instance, session
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.errors import InvalidInput, NoteRefused
from seal_service.formats.note import VerifierKey, verifier_key
from seal_service.formats.receipt import LARGEST_RECEIPT, open_receipt
from seal_service.formats.representation import time, time_or_none
from seal_service.ports.documents import Content
from seal_service.usecases.prove_entry import ProveEntry, ProveUse, UseEntry
from seal_service.usecases.read_published_log import ReadCheckpoint

CHECKPOINT_EXAMPLE = example("seal log checkpoint", "seal log checkpoint -o checkpoint")
PROOF_EXAMPLE = example(
    "seal log proof ENTRY_ID -o entry.tlog-proof",
    "seal log proof --file sealed.pdf -o sealed.tlog-proof",
)
CHECK_RECEIPT_EXAMPLE = example(
    "seal log check-receipt receipt.note --log-key log.vkey --document sealed.pdf",
)
_LARGEST_KEY = 4096
_LARGEST_JSON = 4 * LARGEST_RECEIPT

Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where it goes; default: printed.")]


def checkpoint(output: Output = None, as_json: AsJson = False) -> None:
    """检查点: what the log has signed of its tree. Needs no login."""
    with instance() as service:
        tree = service.transparency.read_checkpoint(PUBLIC_CALLER, ReadCheckpoint())
    if output is not None:
        with waiting_file(output) as file:
            file.write(tree.content)
    if as_json:
        print_json({"size": tree.size, "root": tree.root.hex(), "checkpoint": tree.content.decode()})
    elif output is None:
        print(tree.content.decode(), end="")


def proof(
    entry_id: Annotated[
        str | None, typer.Argument(metavar="ENTRY_ID", help="From a receipt, a query or a trace.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="SEALED", help="A sealed PDF: of the use that put the seal there.")
    ] = None,
    field: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which of its signatures; default: the last that names an entry.")
    ] = None,
    entry: Annotated[UseEntry, typer.Option(help="With --file: which of the two entries of the use.")] = (
        UseEntry.TERMINAL
    ),
    without_entry: Annotated[
        bool, typer.Option("--without-entry", help="Leave the entry's bytes (`extra`) out.")
    ] = False,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """收录证明 (tlog-proof@v1), which shows offline that an entry is in the log. With --file it needs no login."""
    if (entry_id is None) == (file is None):
        raise InvalidInput("Name either an ENTRY_ID or a --file", field="file")
    if entry_id is not None:
        with session() as at:
            command = ProveEntry(entry_id=entry_id, with_entry=not without_entry)
            content = at.service.transparency.prove_entry(at.caller, command)
    else:
        with instance() as service:
            document = read_document(file or Path(), service.document_bytes)
            leaf_hash = _intent(document.content, field)
            asked = ProveUse(intent_leaf_hash=leaf_hash, entry=entry, with_entry=not without_entry)
            content = service.transparency.prove_use(PUBLIC_CALLER, asked)
    if output is not None:
        with waiting_file(output) as waiting:
            waiting.write(content)
    if as_json:
        print_json({"proof": content.decode(), "file": None if output is None else str(output)})
    elif output is None:
        print(content.decode(), end="")


def check_receipt(
    receipt: Annotated[Path, typer.Argument(metavar="RECEIPT", help="The note, or the JSON answer that holds it.")],
    log_key: Annotated[
        str, typer.Option("--log-key", metavar="KEY", help="The log's verifier key (`seal log key`), or its file.")
    ],
    document: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The sealed document that it should be the receipt of.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """签章回执: whether the log's key signed it, and for this document. Needs no instance. 1 when not."""
    key, content = _key(log_key), _note(read_small(receipt, _LARGEST_JSON))
    try:
        told = open_receipt(content, key).receipt
        if document is not None and _sha256(document) != told.sealed_sha256:
            raise NoteRefused(f"The receipt is of the document with SHA-256 {told.sealed_sha256}, not of {document}")
    except NoteRefused as error:
        tell(error, str(receipt))
        raise typer.Exit(NEGATIVE_ANSWER) from error
    fields = {
        "origin": told.origin,
        "use_id": told.use_id,
        "completed": {"entry_id": told.entry_id, "leaf_hash": told.leaf_hash.hex()},
        "intent": {"entry_id": told.intent_entry_id, "leaf_hash": told.intent_leaf_hash.hex()},
        "document": {"sha256": told.document_sha256},
        "sealed": {"sha256": told.sealed_sha256},
        "issued_at": time(told.issued_at),
        "in_tree_by": time_or_none(told.in_tree_by),
    }
    print_fields(fields, as_json=as_json)


def _intent(content: Content, field: str | None) -> bytes:
    from seal_service.formats.named_intents import named_intents

    named = [one for one in named_intents(content) if field in (None, one.field)]
    if not named:
        raise InvalidInput("No such signature of the document names a log entry", field="file")
    return named[-1].leaf_hash


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _key(text: str) -> VerifierKey:
    if text.count("+") < 2:
        text = read_small(Path(text), _LARGEST_KEY).decode("utf-8", "replace")
    return verifier_key(text)


def _note(content: bytes) -> bytes:
    """The note itself; of the JSON answer of a use, its field `note`."""
    if not content.lstrip().startswith(b"{"):
        return content
    try:
        note = json.loads(content)["note"]
    except (ValueError, KeyError, RecursionError) as error:
        raise InvalidInput("The JSON is no receipt: it has no `note`", field="receipt") from error
    if not isinstance(note, str):
        raise InvalidInput("The receipt was given without a note: ask for it again", field="receipt")
    return note.encode("utf-8", "replace")
