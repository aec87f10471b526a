"""seal verify: 验章, for anyone, with or without an instance."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from seal_service.cli.failures import INPUT_ERROR, NEGATIVE_ANSWER, tell
from seal_service.cli.files import read_document, read_small
from seal_service.cli.options import example, moment
from seal_service.cli.output import console, print_json, tracked
from seal_service.domain.errors import InvalidInput, SealServiceError
from seal_service.domain.logged import ProvenUses
from seal_service.domain.verdict import Indication, Outcome, SignatureReport, SubIndication, VerificationReport
from seal_service.formats.representation import time
from seal_service.formats.status_list import LARGEST_BYTES as LARGEST_LIST
from seal_service.formats.verification_report import report_as_json
from seal_service.ports.documents import Upload, VerificationPolicy
from seal_service.ports.transparency import LARGEST_PROOF

EXAMPLE = example(
    "seal verify sealed.pdf --trust root.pem",
    "seal verify --json *.pdf > reports.jsonl",
    "seal verify sealed.pdf --trust root.pem --offline --status-list status.jws",
    "seal verify sealed.pdf --trust root.pem --offline --proof sealed.tlog-proof --log-key log.vkey",
)

_LARGEST_KEY = 4096
_PLUS_SIGNS_OF_A_KEY = 2

Verify = Callable[[Upload, VerificationPolicy], VerificationReport]


def verify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Documents.")],
    trust: Annotated[
        list[Path] | None, typer.Option(metavar="PEM", help="A further trust anchor; repeat it for several.")
    ] = None,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="Judge by this moment; default: now.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask nobody over the network.")] = False,
    status_list: Annotated[
        list[Path] | None,
        typer.Option("--status-list", metavar="FILE", help="A signed list of status: a seal passes only by one."),
    ] = None,
    proof: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="The proof that a seal is in the signing log; repeat it for several seals."),
    ] = None,
    log_key: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="The log's key, or a file of it: a seal passes only if it is in the log."),
    ] = None,
    witness_key: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="A witness's key, or a file of it: it must have cosigned the log."),
    ] = None,
    witnesses_needed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="How many of the witnesses must have; default: all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one report a line.")] = False,
) -> None:
    """验章: whether the seals of documents are right. Needs no instance and no login.

    0: every file is TOTAL_PASSED; 1: one is not; 2: one cannot be read.
    """
    from seal_service import bootstrap

    settings = bootstrap.settings_from_environment()
    policy = VerificationPolicy(
        anchors=bootstrap.certificates_of_files(trust or []),
        at=moment(at, "at"),
        offline=offline,
        status_lists=tuple(read_small(one, LARGEST_LIST) for one in status_list or []),
        proven=_proven(proof or [], log_key or [], witness_key or [], witnesses_needed),
    )
    code = 0
    with _verifying() as verified:
        for path in tracked(files, "验章 verifying"):
            try:
                report = verified(read_document(path, settings.document_bytes), policy)
            except (SealServiceError, OSError) as error:
                tell(error, str(path))
                code = INPUT_ERROR
                continue
            _print(report, as_json)
            if report.indication is not Indication.TOTAL_PASSED:
                code = max(code, NEGATIVE_ANSWER)
    if code:
        raise typer.Exit(code)


def _proven(
    proofs: list[Path], log_keys: list[str], witness_keys: list[str], witnesses_needed: int | None
) -> ProvenUses | None:
    """What the given proofs show; None: seals are not judged by proofs."""
    from seal_service import bootstrap

    if not log_keys:
        if proofs or witness_keys or witnesses_needed is not None:
            raise InvalidInput("A proof shows nothing without the key of its log: give --log-key")
        return None
    contents = [read_small(one, LARGEST_PROOF) for one in proofs]
    return bootstrap.proven_uses(contents, _keys(log_keys), _keys(witness_keys), witnesses_needed)


def _keys(given: list[str]) -> list[str]:
    """Verifier keys, each as it is or from the file of that name."""
    return [
        text if _is_key(text) else read_small(Path(text), _LARGEST_KEY).decode("utf-8", "replace") for text in given
    ]


def _is_key(text: str) -> bool:
    return text.count("+") >= _PLUS_SIGNS_OF_A_KEY and not Path(text).is_file()


@contextmanager
def _verifying() -> Iterator[Verify]:
    """With what to verify: this instance, which knows its own seals, or, without one, the anchors alone."""
    with ExitStack() as opened:
        gc.disable()  # modules are loaded to stay: looking through them over and over takes a tenth of the time
        try:
            verified = _opened(opened)
        finally:
            gc.enable()
        yield verified


def _opened(opened: ExitStack) -> Verify:
    from seal_service import bootstrap

    settings = bootstrap.settings_from_environment()
    if bootstrap.is_initialised(settings):
        try:
            return opened.enter_context(bootstrap.verifier_with_instance(settings))
        except (SealServiceError, OSError) as error:
            tell(error)
            print("seal: verified without the instance: the status of its seals is not known.", file=sys.stderr)
    return bootstrap.verifier_without_instance(settings).verify


def _print(report: VerificationReport, as_json: bool) -> None:
    if as_json:
        print_json(report_as_json(report))
        return
    at = console()
    at.print(escape(f"{report.file}  sha256 {report.sha256}"), soft_wrap=True)
    for one in report.signatures:
        at.print()
        at.print(escape(f"{one.name} · {one.kind} · {_verdict(one.indication, one.sub_indication)}"), style="bold")
        for name, value in _facts(one):
            at.print(escape(f"  {name:<11} {value}"), soft_wrap=True)
        at.print(_table(one))
    for check in report.checks:
        at.print(escape(f"{check.outcome.value} {check.id}: {check.zh} {check.en}"), soft_wrap=True)
    at.print(escape(_verdict(report.indication, report.sub_indication)), style=_STYLE[report.indication])


_STYLE = {
    Indication.TOTAL_PASSED: "bold green",
    Indication.TOTAL_FAILED: "bold red",
    Indication.INDETERMINATE: "bold yellow",
    Indication.NO_SIGNATURE: "bold yellow",
}
_COLOUR = {Outcome.FAIL: "red", Outcome.UNKNOWN: "yellow"}


def _verdict(indication: Indication, sub_indication: SubIndication | None) -> str:
    return indication.value if sub_indication is None else f"{indication.value} / {sub_indication.value}"


def _table(one: SignatureReport) -> Table:
    """A signature with each of its checks."""
    table = Table("check", "outcome", "中文", "English", box=box.SIMPLE)
    for check in one.checks:
        colour = _COLOUR.get(check.outcome)
        table.add_row(check.id, check.outcome.value, escape(check.zh), escape(check.en), style=colour)
    return table


def _facts(one: SignatureReport) -> Iterator[tuple[str, str]]:
    if one.level is not None:
        yield "level", one.level
    if one.signed_at is not None:
        yield "signed_at", f"{time(one.signed_at)} ({one.time_source})"
    if one.signer is not None:
        yield "signer", one.signer.subject
        yield "serial", one.signer.serial
    if one.seal is not None and one.seal.code is not None:
        yield "seal", " ".join(text for text in (one.seal.code, one.seal.name, one.seal.holder) if text)
        if one.seal.status_now is not None:
            yield "status", f"{one.seal.status_now.value} now"
