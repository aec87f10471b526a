"""Calls of a server by `benchmarks.caller`, and the judgement of its answers."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import outside
from benchmarks.caller import Called, Order
from benchmarks.databases import SQLITE
from benchmarks.figures import VoidMeasurement
from benchmarks.machine import ROOT
from benchmarks.office import SCENARIO, GrantedSeal, Office
from benchmarks.serve import Served, served
from benchmarks.session import Session
from seal_service.domain.algorithms import Suite

CALLERS = 16


@dataclass(frozen=True, slots=True)
class Caller:
    """The business system's requests that apply a seal, to one server."""

    office: Office
    server: Served
    seal: GrantedSeal
    directory: Path
    token: str
    """One for all calls: what checking a client's secret takes, memory above all, is not a document's."""

    def call(
        self, content: bytes, level: str, *, seconds: float = 0, answers: int = 0, callers: int = CALLERS
    ) -> Called:
        """Call until seconds have passed and answers are there; VoidMeasurement unless every answer is a 201."""
        document = self.directory / "request.pdf"
        document.write_bytes(content)
        order = Order(
            host=self.server.host,
            port=self.server.port,
            path=f"/v1/seals/{self.seal.code}/uses?scenario={SCENARIO}&level={level}",
            token=self.token,
            document=str(document),
            seconds=seconds,
            answers=answers,
            callers=callers,
        )
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.caller"],
            cwd=ROOT,
            input=json.dumps(asdict(order)),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        called = Called(**json.loads(done.stdout))
        if set(called.statuses) != {"201"}:
            raise VoidMeasurement(f"answers by status: {called.statuses}")
        return called

    def judge(self, called: Called) -> None:
        """VoidMeasurement unless the answers that were kept verify."""
        for path in called.kept:
            content = Path(path).read_bytes()
            self.office.require_passed(content)
            outside.require_accepted(content)


@contextmanager
def calling(session: Session, database: str = SQLITE) -> Iterator[Caller]:
    """A server on an instance, with as many processes as are measured, and who calls it: P-256."""
    office, seal = session.instances.on(database), session.instances.seal(Suite.ECDSA_P256, database)
    with (
        served(office, session.amounts.processes) as server,
        tempfile.TemporaryDirectory(dir=session.directory) as directory,
    ):
        yield Caller(office, server, seal, Path(directory), server.token(office.credentials))
