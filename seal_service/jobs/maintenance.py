"""维护: what runs beside the server, so that nothing stays open that has ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from seal_service.bootstrap import Service
from seal_service.domain.access import Caller, Role
from seal_service.usecases.reconcile import Reconcile

SECONDS_BETWEEN = 30.0
MACHINE = Caller(account_id=None, name="maintenance", roles=frozenset({Role.OPERATOR}))
"""The service itself: no account, and of the roles only the one that holds no business rights."""

_log = logging.getLogger(__name__)


@contextmanager
def maintained(service: Service, seconds_between: float = SECONDS_BETWEEN) -> Iterator[None]:
    """Reconcile at once and then periodically, in a thread, as long as the context is open.

    A run that fails is logged and tried again the next time; leaving the context waits for a run to end.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_run, args=(service, stop, seconds_between), name="maintenance", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _run(service: Service, stop: threading.Event, seconds_between: float) -> None:
    _log.info("maintenance began", extra={"seconds_between": seconds_between})
    while True:
        try:
            done = service.reconcile(MACHINE, Reconcile())
        except Exception:
            _log.exception("reconcile failed; it is tried again in %s seconds", seconds_between)
        else:
            if done.abandoned or done.documents_removed:
                facts = {"uses_abandoned": done.abandoned, "documents_removed": done.documents_removed}
                _log.warning("reconciled", extra=facts)
        if stop.wait(seconds_between):
            return
