"""维护: tasks beside the server, each in its own time, none in the way of another."""

from __future__ import annotations

import threading
from typing import Any

from seal_service.jobs.maintenance import TASKS, Task, maintained

NO_SERVICE: Any = None


def test_a_task_that_hangs_keeps_no_other_from_running_again_and_again() -> None:
    hanging, ended, runs = threading.Event(), threading.Event(), []

    def hang(_service: object) -> bool:
        hanging.set()
        return ended.wait(30)

    def count(_service: object) -> bool:
        runs.append(1)
        if len(runs) >= 3 and hanging.is_set():
            ended.set()
        return True

    with maintained(NO_SERVICE, [Task("hang", hang, 60, 60), Task("count", count, 0.001, 60)]):
        assert ended.wait(30)


def test_what_is_not_well_is_tried_again_sooner() -> None:
    enough, runs = threading.Event(), []

    def fail(_service: object) -> bool:
        runs.append(1)
        if len(runs) == 2:
            raise RuntimeError("not well either")
        if len(runs) == 4:
            enough.set()
        return False

    with maintained(NO_SERVICE, [Task("fail", fail, 3600, 0.001)]):
        assert enough.wait(30)


def test_reconcile_runs_often_and_the_outside_is_asked_seldom() -> None:
    assert {one.name: (one.seconds_between, one.seconds_when_not_well) for one in TASKS} == {
        "reconcile": (30, 30),
        "observe": (3600, 300),
        "take up requests": (60, 300),
        "file": (3, 15),
        "notify": (5, 30),
        "tell expiring": (86400, 3600),
        "reconcile filings": (3600, 3600),
        "publish log": (0.2, 5),
    }
