"""Several processes that are measured as one: each writes its numbers into files of one private directory."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import mark_process_dead
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus_client reads it when it is imported, in each process."""
_LIVE = re.compile(r"gauge_live[a-z]+_(\d+)\.db")
_LEAST = frozenset({"process_start_time_seconds", "process_max_fds"})
"""Of these the processes' least is told, of all others their sum."""


def shared_directory() -> Path | None:
    """The directory of the processes' files; None in a single process, which needs none."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


@contextmanager
def measured_together() -> Iterator[Callable[[int], None]]:
    """Measure this process's children, as long as the context is open, as one service; call it before they start.

    What it yields is to be told the id of each child that has ended: what it counted stays, what it held does not.
    The files lie in memory where TMPDIR does: a full disk under them would end the processes.
    """
    with tempfile.TemporaryDirectory(prefix="seal-metrics-", ignore_cleanup_errors=True) as directory:
        os.environ[VARIABLE] = directory
        try:
            yield lambda pid: mark_process_dead(pid, directory)  # type: ignore[no-untyped-call]
        finally:
            os.environ.pop(VARIABLE, None)


class ProcessMetrics(Collector):
    """The usual process metrics (memory, processor time, files), of all processes of the service together."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def collect(self) -> Iterable[Metric]:
        """Read from /proc now; nothing where there is none."""
        processes = [one for one in (_measured(pid) for pid in self._pids()) if one]
        yield GaugeMetricFamily("seal_processes", "Processes that serve requests.", value=len(processes))
        for family in processes[0] if processes else []:
            values = [one.samples[0].value for process in processes for one in process if one.name == family.name]
            value = min(values) if family.name in _LEAST else sum(values)
            kind = CounterMetricFamily if family.type == "counter" else GaugeMetricFamily
            yield kind(family.name, family.documentation, value=value)

    def _pids(self) -> Iterable[int]:
        if self._directory is None:
            return [os.getpid()]
        found = (_LIVE.fullmatch(path.name) for path in self._directory.iterdir())
        return sorted({int(one[1]) for one in found if one})


def _measured(pid: int) -> list[Metric]:
    return list(ProcessCollector(pid=lambda: pid, registry=None).collect())
