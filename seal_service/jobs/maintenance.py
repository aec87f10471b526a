"""维护: what runs beside the server, so that nothing stays open that has ended and what is outside is known."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from seal_service.bootstrap import Service
from seal_service.domain.access import Caller, Role
from seal_service.domain.errors import LogDamaged, LogHalted
from seal_service.usecases.deliver_notifications import DeliverNotifications
from seal_service.usecases.list_expiring import TellExpiring
from seal_service.usecases.observe import Observe
from seal_service.usecases.publish_checkpoint import PublishCheckpoint
from seal_service.usecases.reconcile import Reconcile
from seal_service.usecases.reconcile_filings import ReconcileFilings
from seal_service.usecases.relay_filings import RelayFilings
from seal_service.usecases.sequence_log import MOST_AT_ONCE, SequenceLog
from seal_service.usecases.take_up_requests import TakeUpRequests

MACHINE = Caller(account_id=None, name="maintenance", roles=frozenset({Role.SYSTEM_OPERATOR}))
"""The service itself: no account, and of the roles only the one that holds no business rights."""
SECONDS_TO_END = 5.0
"""That a task under way gets when the server stops, before the service waits for it as for every other call; whatever
it does not finish, the next run does."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """Something that is done at once and then again and again."""

    name: str
    run: Callable[[Service], bool]
    """Whether all was well; an exception counts as not."""
    seconds_between: float
    seconds_when_not_well: float
    """Until it is tried again after a run that was not."""


def reconcile(service: Service) -> bool:
    """Close what was left open."""
    done = service.reconcile(MACHINE, Reconcile())
    if done.abandoned or done.documents_removed:
        facts = {"uses_abandoned": done.abandoned, "documents_removed": done.documents_removed}
        _log.warning("reconciled", extra=facts)
    return True


def observe(service: Service) -> bool:
    """Look at what is outside."""
    return service.observe(MACHINE, Observe()).well


def take_up_requests(service: Service) -> bool:
    """Ask the outside authority for the certificates that are still to come."""
    came = service.take_up_requests(MACHINE, TakeUpRequests()).issued
    if came:
        _log.info("certificates came from the outside authority", extra={"certificates": came})
    return True


def notify(service: Service) -> bool:
    """Tell others what happened; what is not taken waits its own time."""
    done = service.life.deliver_notifications(MACHINE, DeliverNotifications())
    if done.dead:
        _log.error("notifications were given up: see `seal notifications list --state dead`", extra={"dead": done.dead})
    return True


def tell_expiring(service: Service) -> bool:
    """Tell what ends soon."""
    service.life.tell_expiring(MACHINE, TellExpiring())
    return True


def file(service: Service) -> bool:
    """Hand to the province what waits for it."""
    done = service.filing.relay(MACHINE, RelayFilings())
    if done.acknowledged:
        _log.info("filed with the province", extra={"filings": done.acknowledged})
    return not done.unreached


def reconcile_filings(service: Service) -> bool:
    """Compare with the province, once a day."""
    service.filing.reconcile(MACHINE, ReconcileFilings(unless_done=True))
    return True


def publish_log(service: Service) -> bool:
    """Give the entries that wait their places in the tree, and publish it."""
    well = True
    try:
        while service.transparency.sequence(MACHINE, SequenceLog()).placed == MOST_AT_ONCE:
            pass
    except LogDamaged as damaged:  # what has its place by now is published all the same
        _log.error("the log stands still: %s", damaged.message)
        well = False
    try:
        service.transparency.publish(MACHINE, PublishCheckpoint())
    except (LogDamaged, LogHalted) as stopped:
        _log.error("the log is not published: %s", stopped.message)
        well = False
    return well


TASKS = (
    Task("reconcile", reconcile, 30.0, 30.0),
    Task("observe", observe, 3600.0, 300.0),
    Task("take up requests", take_up_requests, 60.0, 300.0),
    Task("notify", notify, 5.0, 30.0),
    Task("tell expiring", tell_expiring, 86400.0, 3600.0),
    Task("file", file, 3.0, 15.0),
    Task("reconcile filings", reconcile_filings, 3600.0, 3600.0),
    Task("publish log", publish_log, 0.2, 5.0),
)


@contextmanager
def maintained(service: Service, tasks: Sequence[Task] = TASKS) -> Iterator[None]:
    """Run each task at once and then periodically, in a thread of its own, as long as the context is open.

    A run that fails is logged and tried again; none keeps another from running. Leaving the context waits for runs to
    end, 5 seconds at most for each.
    """
    _log.info("maintenance began", extra={"seconds_between": {task.name: task.seconds_between for task in tasks}})
    stop = threading.Event()
    threads = [
        threading.Thread(target=_repeat, args=(task, service, stop), name=f"maintenance {task.name}", daemon=True)
        for task in tasks
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(SECONDS_TO_END)


def _repeat(task: Task, service: Service, stop: threading.Event) -> None:
    while True:
        try:
            well = task.run(service)
        except Exception:
            _log.exception("%s failed; it is tried again in %s seconds", task.name, task.seconds_when_not_well)
            well = False
        if stop.wait(task.seconds_between if well else task.seconds_when_not_well):
            return
