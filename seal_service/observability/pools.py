"""Database connections that are counted."""

from __future__ import annotations

from sqlalchemy import Engine, QueuePool, event

from seal_service.observability.metrics import PrometheusMeasurements


def count_connections(engine: Engine, name: str, measurements: PrometheusMeasurements) -> None:
    """Count the connections of an engine that are in use, under the pool's name."""
    pool = engine.pool
    most = pool.size() + max(0, pool._max_overflow) if isinstance(pool, QueuePool) else 1
    in_use = measurements.connection_pool(name, most)

    @event.listens_for(engine, "checkout")
    def _(*_: object) -> None:
        in_use.inc()

    @event.listens_for(engine, "checkin")
    def _(*_: object) -> None:
        in_use.dec()
