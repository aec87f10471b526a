"""Ask each verifier about logs, and take down what it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seal_service.log.tiles import tiles_of
from tests.interop.evidence import Evidence
from tests.interop.published import PublishedFiles
from tests.interop.tools import Tools

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 600
_FSCK_SAYS = re.compile(r"^panic: |Successfully fsck'd|fsck failed")
_LOG_PREFIX = re.compile(r"^[IWEF]\d{4} \S+\s+\d+ \S+\] ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a verifier says of a log."""

    well: bool
    said: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedLog:
    """A log, and the entries of it that verifiers look at that look at single ones."""

    log: PublishedFiles
    indexes: tuple[int, ...]


Verifier = Callable[[Tools, Evidence, Sequence[JudgedLog]], list[Verdict]]


def by_logcheck(tools: Tools, evidence: Evidence, logs: Sequence[JudgedLog]) -> list[Verdict]:
    """Our own program over Go's sumdb/note and tlog."""
    seen = ["-earlier", str(evidence.earlier_file)]
    for proof in evidence.issued:
        seen += ["-proof", str(evidence.proof_file(proof.index))]
    command = [str(tools.logcheck), "audit", "-key", str(evidence.key_file), *seen]
    verdicts = []
    for one in logs:
        done, seconds = _run([*command, str(one.log.directory)])
        verdicts.append(_verdict(done.returncode == 0, done.stdout or done.stderr, seconds))
    return verdicts


def by_fsck(tools: Tools, evidence: Evidence, logs: Sequence[JudgedLog]) -> list[Verdict]:
    """Tessera's own program. It exits with 0 whatever it finds, so that only its word of success counts.

    A worker that finds a wrong tile stops, and without workers it would wait for ever: it gets one for each tile.
    """
    verdicts = []
    for one in logs:
        workers = sum(1 for _ in tiles_of(one.log.checkpoint().size)) + 8
        command = [str(tools.fsck), "-ui=false", "-N", str(workers), "-public_key", str(evidence.key_file)]
        done, seconds = _run([*command, "-storage_url", one.log.directory.as_uri()])
        well = done.returncode == 0 and "Successfully fsck'd log" in done.stderr
        words = [line for line in done.stderr.splitlines() if _FSCK_SAYS.search(line)][:1]
        verdicts.append(_verdict(well, _LOG_PREFIX.sub("", " ".join(words)), seconds))
    return verdicts


def by_packages(program: str) -> Verifier:
    """A program of outside/, over packages from others."""

    def ask(tools: Tools, evidence: Evidence, logs: Sequence[JudgedLog]) -> list[Verdict]:
        asked = [{"log": str(one.log.directory), "indexes": one.indexes} for one in logs]
        command = [str(tools.python), "-m", f"tests.interop.outside.{program}"]
        done, _ = _run(command, evidence.asked(asked))
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        if done.returncode != 0 or len(answers) != len(logs):
            raise RuntimeError(f"{program} did not answer about every log: {done.stderr}")
        return [_verdict(one["well"], one["said"], one["seconds"]) for one in answers]

    return ask


VERIFIERS: dict[str, Verifier] = {
    "logcheck": by_logcheck,
    "fsck": by_fsck,
    "tlog-scales": by_packages("by_scales"),
    "sigstore": by_packages("by_sigstore"),
    "pymerkle": by_packages("by_pymerkle"),
}


def _run(command: list[str], asked: str | None = None) -> tuple[subprocess.CompletedProcess[str], float]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        input=asked,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_SECONDS,
    )
    return done, time.monotonic() - started


def _verdict(well: bool, said: str, seconds: float) -> Verdict:
    lines = said.strip().splitlines() or ["nothing"]
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return Verdict(well=well, said=lines[0] + more, seconds=seconds)
