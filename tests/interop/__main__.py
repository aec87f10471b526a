"""`python -m tests.interop`: verifiers written by others judge a log made by the service, and changed copies of it.

Exit code 1 when a verifier did not say what was to be expected, 2 when the verifiers cannot be had here.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.interop.judging import judged
from tests.interop.made_log import made_log
from tests.interop.report import lines
from tests.interop.tools import ToolsMissing, prepare


def main(arguments: Sequence[str] | None = None) -> int:
    """Make, judge, print; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--entries", type=int, default=100_000, help="of the log (default: 100000; at least 2000)")
    chosen = parser.parse_args(arguments)
    try:
        tools = prepare()
    except ToolsMissing as reason:
        print(f"interop: {reason}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="seal-interop-") as made:
        directory = Path(made)
        print(f"interop: the service makes a log of {chosen.entries:,} entries …", file=sys.stderr, flush=True)
        with made_log(chosen.entries, directory) as of_service:
            for what, seconds in of_service.seconds.items():
                print(f"{what}: {seconds:.1f} s")
            size = of_service.log.checkpoint().size
            print(f"published: {size:,} entries, {of_service.log.stored_bytes() / 1e6:,.1f} MB\n", flush=True)
            print("interop: the verifiers judge it, and its changed copies …", file=sys.stderr, flush=True)
            judgements = judged(of_service.log, of_service.forger, of_service.evidence, tools, directory / "changed")
    print("\n".join(lines(judgements, size)))
    unexpected = sum(not one.expected for one in judgements)
    print(f"\n{len(judgements) - unexpected} of {len(judgements)} judgements as expected")
    return int(unexpected > 0)


if __name__ == "__main__":
    sys.exit(main())
