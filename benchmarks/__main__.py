"""`python -m benchmarks`: measure what the service promises about its speed; exit code 1 when a target is missed."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    authorization,
    filing,
    http,
    memory,
    sealing,
    signing_log,
    starting,
    table,
    verification,
    whole_use,
)
from benchmarks.databases import Instances
from benchmarks.figures import VoidMeasurement
from benchmarks.machine import commit, file_system, machine
from benchmarks.records import RESULTS, Circumstances, append, record_of
from benchmarks.session import QUICK, WHOLE, Session

PARTS: dict[str, Callable[[Session], None]] = {
    one.PART: one.measure
    for one in (
        sealing,
        whole_use,
        http,
        memory,
        verification,
        starting,
        authorization,
        filing,
        signing_log,
    )
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, record; the exit code."""
    chosen = _parser().parse_args(arguments)
    parts = [name for name in PARTS if name in chosen.only] or list(PARTS)
    with tempfile.TemporaryDirectory(prefix="seal-benchmarks-", dir=chosen.directory) as made:
        directory = Path(made)
        named, dirty = commit()
        circumstances = Circumstances(at=datetime.now(UTC), machine=machine(directory), commit=named, dirty=dirty)
        session = Session(directory, Instances(directory), QUICK if chosen.quick else WHOLE)
        if file_system(directory) in ("tmpfs", "ramfs"):
            session.say(f"{directory} is in memory, so no commit waits for a disk: name another by --directory")
        try:
            with session.instances:
                for name in parts:
                    PARTS[name](session)
        except VoidMeasurement as reason:
            session.say(f"{name}: nothing was measured: {reason}")
            return 1
        session.say("measured")
    print("\n".join(table.lines(session.figures)))
    for one in session.skipped:
        print(f"\nnot measured: {one}")
    if chosen.quick:
        print("\nThis was a quick run: it tells whether the measurements work, and nothing else.")
        return 0
    missed = [one for one in session.figures if one.met is False]
    judged = sum(one.met is not None for one in session.figures)
    print(f"\n{judged - len(missed)} of {judged} targets met")
    if chosen.record:
        whole = parts == list(PARTS)
        append(record_of(circumstances, parts, session.figures, session.skipped, whole=whole), chosen.results)
        session.say(f"recorded in {chosen.results}; `make docs` quotes it")
    return int(bool(missed))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition(":")[2].strip())
    parser.add_argument("--only", nargs="+", choices=PARTS, default=(), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--no-record", dest="record", action="store_false", help="leave the history as it is")
    parser.add_argument("--quick", action="store_true", help="tiny counts, nothing judged or recorded")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the history (default: benchmarks/results.json)")
    parser.add_argument("--directory", type=Path, help="where instances are made, on a disk (default: TMPDIR)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
