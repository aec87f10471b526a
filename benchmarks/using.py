"""`python -m benchmarks.using`: a process that applies a seal as fast as it can, as it is told on standard input.

The first line says on which instance; each further one what to do and for how long. A line answers each.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.documents import one_page
from benchmarks.machine import ROOT
from benchmarks.office import SCENARIO, Applying, GrantedSeal, Office, settings_of
from benchmarks.processes import CpuMeter
from benchmarks.scraped import Scraped, scraped
from seal_service.bootstrap import Service, build
from seal_service.domain.access import Caller, Role
from seal_service.domain.use import SignatureLevel
from seal_service.formats.upload import upload_of
from seal_service.usecases.apply_seal import ApplySeal
from seal_service.usecases.read_metrics import ReadMetrics
from seal_service.usecases.read_registers import ReadById

USE = "use"
SEAL = "seal"
_WARM_UP = 5
_NOBODY = Caller(account_id=None, name="public", address="127.0.0.1")


@dataclass(frozen=True, slots=True)
class Used:
    """What one process did."""

    count: int
    seconds: float
    cpu: float
    metrics: Scraped


class UsingProcesses:
    """Several processes on one instance, which work at the same time."""

    def __init__(self, office: Office, seal: GrantedSeal, count: int) -> None:
        instance = {
            "home": str(office.home),
            "changes": dict(office.changes),
            "account": office.system.account_id,
            "unit": office.unit.id,
            "seal": seal.code,
            "grant": seal.grant.id,
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SEAL_")}
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.using"],
                cwd=ROOT,
                env=environment | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(count)
        ]
        for one in self._processes:
            _tell(one, instance)
        for one in self._processes:
            _answer(one)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        for one in self._processes:
            with suppress(BrokenPipeError):
                one.communicate()

    def work(self, what: str, level: str, seconds: float, processes: int) -> Sequence[Used]:
        """Let so many of them work for a while, all at once."""
        chosen = self._processes[:processes]
        for step in ("warm", "work"):
            for one in chosen:
                _tell(one, {"step": step, "what": what, "level": level, "seconds": seconds})
            answers = [_answer(one) for one in chosen]
        return [Used(**{**one, "metrics": Scraped(**one["metrics"])}) for one in answers]


def rate(used: Sequence[Used]) -> float:
    """Documents a second, of all together."""
    return sum(one.count / one.seconds for one in used)


def _tell(process: subprocess.Popen[str], what: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(what) + "\n")
    process.stdin.flush()


def _answer(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a measured process ended with exit code {process.wait()}")
    return json.loads(line)


class _Worker:
    def __init__(self, instance: dict[str, Any]) -> None:
        self._service: Service = build(settings_of(Path(instance["home"]), instance["changes"]))
        system = Caller(
            account_id=instance["account"],
            name="业务系统",
            roles=frozenset({Role.BUSINESS_SYSTEM}),
            unit_id=instance["unit"],
        )
        maker = Caller(account_id="maker", name="制发部门", roles=frozenset({Role.SEAL_MAKER}))
        self._system = system
        self._seal = instance["seal"]
        self._content = one_page().content
        seal = self._service.read_seal(system, ReadById(id=self._seal))
        grant = self._service.read_grant(system, ReadById(id=instance["grant"]))
        unit = self._service.read_unit(maker, ReadById(id=instance["unit"]))
        self._applying = Applying(self._service, system, unit, GrantedSeal(seal, grant))
        self._keys = (f"{os.getpid()}-{number}" for number in itertools.count())

    def close(self) -> None:
        self._service.close()

    def warm(self, order: dict[str, Any]) -> int:
        work = self._work(order)
        for _ in range(_WARM_UP):
            work()
        return _WARM_UP

    def timed(self, order: dict[str, Any]) -> Used:
        work, seconds = self._work(order), order["seconds"]
        before = self._metrics()
        meter, count, began = CpuMeter(), 0, time.perf_counter()
        while (passed := time.perf_counter() - began) < seconds:
            work()
            count += 1
        return Used(count, passed, meter.seconds(), self._metrics().since(before))

    def _metrics(self) -> Scraped:
        return scraped(self._service.read_metrics(_NOBODY, ReadMetrics()).decode())

    def _work(self, order: dict[str, Any]) -> Callable[[], object]:
        """What HTTP does of a use beside HTTP: the digests of the document, then the use."""
        level = SignatureLevel(order["level"])
        if order["what"] == SEAL:
            return lambda: self._applying.seal(upload_of(self._content, "sample.pdf"), level)
        return lambda: self._service.apply_seal(
            self._system,
            ApplySeal(
                seal_code=self._seal,
                document=upload_of(self._content, "sample.pdf"),
                scenario=SCENARIO,
                idempotency_key=next(self._keys),
                level=level,
            ),
        )


def main() -> None:
    """Do as told until standard input ends."""
    worker = _Worker(json.loads(sys.stdin.readline()))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        answer = worker.warm(order) if order["step"] == "warm" else asdict(worker.timed(order))
        print(json.dumps(answer), flush=True)
    worker.close()


if __name__ == "__main__":
    main()
