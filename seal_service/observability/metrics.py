"""指标: where the time of seal uses goes and how requests are answered, for Prometheus."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPMethod

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from seal_service.domain.operation import Condition, UseStep
from seal_service.observability.processes import ProcessMetrics, shared_directory

STEP_SECONDS = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
ANSWER_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CONDITION_SECONDS = 5.0
"""For how long a condition that was asked for is told again."""
OTHER_METHOD = "other"


class PrometheusMeasurements:
    """The ports Measurements, RequestMeasurements and Exposition. Safe for threads and, in one directory, processes.

    One a process where several are measured together: their files are named by process.
    """

    def __init__(self, version: str) -> None:
        self._version = version
        self._directory = shared_directory()
        self._registry = CollectorRegistry()
        # Of several processes the files are read, not the registry of the one that happens to be asked.
        mine = self._registry if self._directory is None else None
        self._steps_of_uses = Histogram(
            "seal_use_step_seconds",
            "Seconds of each step of a seal use; reserve includes authorize.",
            ["step"],
            buckets=STEP_SECONDS,
            registry=mine,
        )
        self._uses = Counter(
            "seal_uses",
            "Seal uses that ended, by result (completed, replayed or an error's code) and the level reached.",
            ["result", "level"],
            registry=mine,
        )
        self._requests = Histogram(
            "seal_http_request_seconds",
            "Seconds of HTTP requests, by method, the route's template and status (gone: the client went away).",
            ["method", "route", "status"],
            buckets=REQUEST_SECONDS,
            registry=mine,
        )
        self._in_flight = Gauge(
            "seal_http_requests_in_flight",
            "HTTP requests under way.",
            registry=mine,
            multiprocess_mode="livesum",
        )
        self._timestamps = Histogram(
            "seal_timestamp_request_seconds",
            "Seconds until a time-stamping authority answered, by its host and outcome (answered, failed).",
            ["authority", "outcome"],
            buckets=ANSWER_SECONDS,
            registry=mine,
        )
        self._connections = Gauge(
            "seal_database_connections_in_use",
            "Database connections in use, by pool.",
            ["pool"],
            registry=mine,
            multiprocess_mode="livesum",
        )
        self._most_connections = Gauge(
            "seal_database_connections_limit",
            "Database connections that may be in use at once, by pool.",
            ["pool"],
            registry=mine,
            multiprocess_mode="livesum",
        )
        self._steps = {step: self._steps_of_uses.labels(step.value) for step in UseStep}
        self._processes = ProcessMetrics(self._directory)
        self._condition: Condition | None = None
        self._condition_until = 0.0
        self._condition_lock = threading.Lock()

    @contextmanager
    def timed(self, step: UseStep) -> Iterator[None]:
        """Time what is done inside as one step of a seal use, also when it fails."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._steps[step].observe(time.perf_counter() - began)

    def use_ended(self, result: str, level: str | None) -> None:
        """Count a use that ended."""
        self._uses.labels(result, level or "none").inc()

    def request_began(self) -> None:
        """One more request is under way."""
        self._in_flight.inc()

    def request_ended(self, method: str, route: str, status: int | None, seconds: float) -> None:
        """It ended. A method that is none of HTTP's gets no series of its own: clients choose its name."""
        self._in_flight.dec()
        known = method if method in HTTPMethod.__members__ else OTHER_METHOD
        self._requests.labels(known, route, str(status or "gone")).observe(seconds)

    @contextmanager
    def timestamping(self, authority: str) -> Iterator[None]:
        """Time what is done inside as a request to a time-stamping authority; one that raises has failed."""
        began = time.perf_counter()
        outcome = "failed"
        try:
            yield
            outcome = "answered"
        finally:
            self._timestamps.labels(authority, outcome).observe(time.perf_counter() - began)

    def connection_pool(self, name: str, most: int) -> Gauge:
        """The gauge of a database pool that is opened in this process, with at most so many connections."""
        self._most_connections.labels(name).set(most)
        return self._connections.labels(name)

    def text(self, condition: Callable[[], Condition]) -> bytes:
        """Everything, of all processes, in Prometheus' text format (version 0.0.4)."""
        registry = CollectorRegistry()
        if self._directory is not None:
            MultiProcessCollector(registry, str(self._directory))  # type: ignore[no-untyped-call]
        else:
            registry.register(self._registry)
        registry.register(self._processes)
        registry.register(_Now(self._version, self._recent(condition)))
        return generate_latest(registry)

    def _recent(self, condition: Callable[[], Condition]) -> Condition:
        with self._condition_lock:
            if self._condition is None or time.monotonic() >= self._condition_until:
                self._condition = condition()
                self._condition_until = time.monotonic() + CONDITION_SECONDS
            return self._condition


class _Now(Collector):
    """What is known when it is asked for, and the same whichever process answers."""

    def __init__(self, version: str, condition: Condition) -> None:
        self._version = version
        self._condition = condition

    def collect(self) -> Iterable[Metric]:
        """The build and the condition."""
        build = GaugeMetricFamily(
            "seal_build_info", "1, with the versions of the program and of Python.", labels=["version", "python"]
        )
        build.add_metric([self._version, platform.python_version()], 1)
        yield build
        ready = GaugeMetricFamily(
            "seal_ready",
            "Whether each thing that the service stands on is ready (1) or not (0).",
            labels=["dependency"],
        )
        for name, is_ready in self._condition.ready.items():
            ready.add_metric([name], is_ready)
        yield ready
        left = GaugeMetricFamily(
            "seal_certificate_seconds_left",
            "Seconds until each of the service's own certificates ends.",
            labels=["certificate"],
        )
        for name, seconds in self._condition.certificate_seconds.items():
            left.add_metric([name], seconds)
        yield left
        up = self._condition.keys_activated is not None
        yield GaugeMetricFamily("seal_key_process_up", "Whether the key process answers (1) or not (0).", value=up)
        if self._condition.keys_activated is not None:
            told = "Seals' keys that are activated now; which they are is told nowhere."
            yield GaugeMetricFamily("seal_keys_activated", told, value=self._condition.keys_activated)
        if self._condition.seals_expiring is not None:
            told = "Active seals whose certificate ends within 30 days, counted up to 500."
            yield GaugeMetricFamily("seal_seals_expiring", told, value=self._condition.seals_expiring)
        if self._condition.filings_waiting is not None:
            told = "Filings that the province has not acknowledged (备案积压), counted up to 100,000."
            yield GaugeMetricFamily("seal_filings_waiting", told, value=self._condition.filings_waiting)
            told = "Seals whose next filing the province refused."
            yield GaugeMetricFamily("seal_filings_refused", told, value=self._condition.filings_refused)
            told = "Age of the oldest filing that waits, in seconds."
            yield GaugeMetricFamily("seal_filing_oldest_seconds", told, value=self._condition.filing_seconds)
