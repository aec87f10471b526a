"""`make crash`: kill the service everywhere, and compare what it gave out with its log; exit code 1 on a violation."""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.crash.drill import POSTGRESQL, SQLITE, Drill
from tests.crash.tracing import can_trace
from tests.crash.victims import zygote
from tests.postgresql import Cluster, programs
from tests.provincial_registry import provincial_registry

KINDS = ("syscalls", "restored", "rounds", "standby")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, judge; the exit code."""
    chosen = _parser().parse_args(arguments)
    seed = chosen.seed if chosen.seed is not None else time.time_ns() % 10**9
    kinds = chosen.only or KINDS
    if "syscalls" in kinds and not can_trace():
        print("crash: strace is not installed or may not trace here (Debian: apt-get install strace)", file=sys.stderr)
        return 2
    engines = [one for one in chosen.engine or (SQLITE, POSTGRESQL) if one == SQLITE or programs() is not None]
    if POSTGRESQL not in engines and POSTGRESQL in (chosen.engine or (POSTGRESQL,)):
        print("crash: PostgreSQL is not installed (Debian: apt-get install postgresql): left out", file=sys.stderr)
    print(f"crash: seed {seed}", file=sys.stderr, flush=True)
    if len(engines) > 1:
        return _side_by_side(engines, arguments, seed)
    try:
        found = [violation for engine in engines for violation in _on(engine, kinds, chosen, seed)]
    except KeyboardInterrupt:
        print("crash: broken off", file=sys.stderr, flush=True)
        return 130
    print(f"{len(found)} violations", *found, sep="\n", flush=True)
    return int(bool(found))


def _side_by_side(engines: Sequence[str], arguments: Sequence[str] | None, seed: int) -> int:
    """Each engine in a process of its own: one alone waits too often to keep two cores at work."""
    given = [*(sys.argv[1:] if arguments is None else arguments), "--seed", str(seed), "--engine"]
    running = [subprocess.Popen([sys.executable, "-m", "tests.crash", *given, engine]) for engine in engines]
    try:
        return max(one.wait() for one in running)
    except KeyboardInterrupt:
        return 130
    finally:
        for one in running:
            if one.poll() is None:
                one.send_signal(signal.SIGINT)
                one.wait()


def _on(engine: str, kinds: Sequence[str], chosen: argparse.Namespace, seed: int) -> list[str]:
    """One engine's run; what was found."""

    def told(words: str) -> None:
        print(f"crash: {engine}: {words}", file=sys.stderr, flush=True)

    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seal-crash-", dir=chosen.directory)))
        forked, registry = stack.enter_context(zygote()), stack.enter_context(provincial_registry())
        drill = Drill(engine, directory, forked, registry, random.Random(seed), told)
        # also of a run that is broken off
        stack.callback(lambda: print("\n".join(drill.report.lines()), flush=True))
        cluster = Cluster(place=chosen.directory) if engine == POSTGRESQL else None
        try:
            if "syscalls" in kinds:
                drill.injected(cluster, chosen.every)
            if "restored" in kinds:
                drill.restored(cluster)
            if "rounds" in kinds:
                drill.killed(cluster, chosen.rounds)
        finally:
            if cluster is not None:
                cluster.stop()
        if "standby" in kinds and engine == POSTGRESQL:
            drill.replicated(chosen.standby)
    return [f"{engine}: {violation}" for violation in drill.report.found]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.crash", description=(__doc__ or "").partition(":")[2].strip()
    )
    parser.add_argument("--only", nargs="+", choices=KINDS, default=(), metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--engine", nargs="+", choices=(SQLITE, POSTGRESQL), default=(), help="one of them alone")
    parser.add_argument("--rounds", type=int, default=1000, help="random rounds an engine (1000)")
    parser.add_argument("--standby", type=int, default=40, help="rounds with a standby (40)")
    parser.add_argument("--every", type=int, default=1, help="of the kill points, one of so many (1: all)")
    parser.add_argument("--seed", type=int, help="of what is left to chance; a run prints its own")
    parser.add_argument("--directory", type=Path, help="where instances and servers lie (default: TMPDIR and memory)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
