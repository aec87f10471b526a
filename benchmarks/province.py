"""省级平台 of the tests in a process of its own, so that its work is not counted as the service's.

A line on standard input says how it goes on: `key HEX` (whom it believes), `slow SECONDS` (before each answer), `taken`
(it answers how many messages it has, and how many were wrong).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.figures import VoidMeasurement
from tests.provincial_registry import provincial_registry


@dataclass(frozen=True, slots=True)
class Province:
    """The process, from outside."""

    url: str
    process: subprocess.Popen[str]

    def believe(self, public_key_info: bytes) -> None:
        """Take what is signed by this key."""
        self._tell(f"key {public_key_info.hex()}")

    def slow(self, seconds: float) -> None:
        """Wait before each answer: the network's way there and back."""
        self._tell(f"slow {seconds}")

    def taken(self) -> int:
        """How many messages it has; VoidMeasurement when one was wrong."""
        count, faults = self._tell("taken").split()
        if int(faults):
            raise VoidMeasurement(f"the registry found {faults} messages wrong")
        return int(count)

    def _tell(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()


@contextmanager
def province() -> Iterator[Province]:
    """A registry, until the block ends."""
    command = [sys.executable, "-m", "benchmarks.province"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Province(process.stdout.readline().strip(), process)
        finally:
            process.stdin.close()


def main() -> None:
    """Serve until standard input ends."""
    with provincial_registry() as registry:
        print(registry.url, flush=True)
        for line in sys.stdin:
            word, _, value = line.strip().partition(" ")
            if word == "key":
                registry.public_key_info = bytes.fromhex(value)
            elif word == "slow":
                registry.slow_seconds = float(value)
            print(len(registry.taken), len(registry.faults), flush=True)


if __name__ == "__main__":
    main()
