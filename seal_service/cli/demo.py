"""seal demo: the main job from end to end, on a throw-away instance and a real document."""

from __future__ import annotations

import json
import ssl
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from seal_service.cli.demo_telling import StoryBroken, Telling
from seal_service.cli.files import waiting_file
from seal_service.cli.options import example
from seal_service.cli.output import console
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.errors import InvalidInput
from seal_service.usecases.answer_pki import PkiMatter, PkiRequest
from seal_service.usecases.authenticate import ClientSecret

EXAMPLE = example("seal demo", "seal demo --output /tmp/seal-demo")

IMPRESSIONS = ("government-service-office", "market-supervision-bureau", "certificate-query")


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the results are kept.")] = Path(
        "demo-output"
    ),
) -> None:
    """演示: units, application, making, two seals, verification, a tampered copy, a loss, the log.

    Everything goes through the same use cases as over HTTP. The last line is the path of the sealed PDF.
    """
    examples = _examples()
    document = (examples / "regulation.pdf").read_bytes()
    pictures = {name: (examples / "impressions" / f"{name}.png").read_bytes() for name in IMPRESSIONS}
    output.mkdir(parents=True, exist_ok=True)
    errors = Console(stderr=True)
    with errors.status("演示 …") as status, tempfile.TemporaryDirectory(prefix="seal-demo-") as home:
        telling = Telling(announce=status.update)
        try:
            results = _play(Path(home), telling, document, pictures)
        except StoryBroken as broken:
            results = {}
            errors.print(f"seal: the demonstration broke off: {broken}", markup=False, soft_wrap=True)
    console().print(telling.table())
    if not results:
        raise typer.Exit(1)
    for name, content in results.items():
        with waiting_file(output / name) as file:
            file.write(content)
    sealed = (output / "sealed.pdf").resolve()
    print(f"Verify it without the instance: seal verify {sealed} --trust {sealed.parent / 'root.pem'}")
    print(sealed)


def _play(home: Path, telling: Telling, document: bytes, pictures: dict[str, bytes]) -> dict[str, bytes]:
    """The whole story; what it leaves behind, by file name."""
    from seal_service import bootstrap
    from seal_service.cli.demo_cast import Cast
    from seal_service.cli.demo_document import seal_and_trace
    from seal_service.cli.demo_registers import fill_registers
    from seal_service.cli.session import caller_of
    from seal_service.formats.verification_report import report_as_json

    settings = type(bootstrap.settings_from_environment()).model_construct(home=home)
    found = telling.does(
        "初始化",
        "a new instance: keys, certificates, log, operator, two security administrators",
        lambda: bootstrap.initialise(settings),
        lambda made: f"operator {made.account_id}",
    )
    service = bootstrap.build(settings)
    try:
        first, second = (
            caller_of(service, ClientSecret(client_id=one.account_id, client_secret=one.secret))
            for one in found.security_administrators
        )
        registers = fill_registers(service, telling, Cast(service, first, second), pictures)
        sealed = seal_and_trace(service, telling, registers, document)
        root = service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=PkiMatter.ROOT_CERTIFICATE))
    finally:
        service.close()
    return {
        "sealed.pdf": sealed.content,
        "tampered.pdf": sealed.tampered,
        "report.json": (json.dumps(report_as_json(sealed.report), ensure_ascii=False, indent=2) + "\n").encode(),
        "root.pem": ssl.DER_cert_to_PEM_cert(root).encode(),
    }


def _examples() -> Path:
    """The shipped example files: inside the wheel, else in the repository."""
    package = Path(__file__).parent.parent
    for directory in (package / "_examples", package.parent / "examples"):
        if (directory / "regulation.pdf").is_file():
            return directory
    raise InvalidInput("The example files are missing from this installation: install seal-service again")
