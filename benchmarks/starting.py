"""Starts: how long a person or a supervisor waits for a command. Files are in the page cache after the first one."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.documents import one_page
from benchmarks.figures import VoidMeasurement
from benchmarks.machine import ROOT
from benchmarks.office import SCENARIO
from benchmarks.serve import environment_of, served
from benchmarks.session import Session
from seal_service.domain.algorithms import Suite
from seal_service.domain.use import SignatureLevel
from seal_service.formats.upload import upload_of
from seal_service.usecases.answer_pki import PkiMatter
from seal_service.usecases.apply_seal import ApplySeal

PART = "start"
LONGEST_VERIFY = 2
LONGEST_SERVE = 6


def measure(session: Session) -> None:
    """`seal verify` of one file, with an instance and without; `seal serve` until it is ready."""
    office = session.instances.on()
    sealed, root = session.directory / "sealed.pdf", session.directory / "root.cer"
    applied = office.service.apply_seal(  # a whole use: its entries are in the log, which is asked
        office.system,
        ApplySeal(
            seal_code=session.instances.seal(Suite.ECDSA_P256).code,
            document=upload_of(one_page().content, "sample.pdf"),
            scenario=SCENARIO,
            idempotency_key="start",
            level=SignatureLevel.B_LT,
        ),
    )
    sealed.write_bytes(applied.content or b"")
    root.write_bytes(office.published(PkiMatter.ROOT_CERTIFICATE))
    session.say("start: seal verify")
    here, elsewhere = environment_of(office.settings), environment_of(office.settings)
    elsewhere["SEAL_HOME"] = elsewhere["SEAL_KEYS"] = str(session.directory / "no-instance")
    count = session.amounts.starts
    alone = median(_verify(sealed, elsewhere, "--trust", str(root)) for _ in range(count))
    session.add(PART, "seal verify of one file, without instance", alone, "s", at_most=LONGEST_VERIFY)
    with_instance = median(_verify(sealed, here) for _ in range(count))
    session.add(PART, "seal verify of one file, with instance", with_instance, "s", at_most=LONGEST_VERIFY)
    session.say("start: seal serve")
    times = []
    for _ in range(count):
        with served(office, None) as server:
            times.append(server.started_in)
    session.add(PART, "seal serve until /readyz is 200", median(times), "s", at_most=LONGEST_SERVE)


def _verify(path: Path, environment: dict[str, str], *more: str) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "seal_service", "verify", str(path), *more]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    passed = time.perf_counter() - began
    if done.returncode != 0:
        raise VoidMeasurement(f"seal verify: exit code {done.returncode}: {done.stdout}{done.stderr}")
    return passed
