"""`python -m seal_service.api.contract [--check] [FILE]`: write openapi.yaml, or say that it drifted (exit code 1)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml

from seal_service.api.app import describe


def contract_text() -> str:
    """The contract as YAML: keys sorted, so that the same interface is the same text."""
    return yaml.safe_dump(describe().openapi(), allow_unicode=True, sort_keys=True, width=120)


def main(arguments: list[str] | None = None) -> int:
    """Write or check the file; the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m seal_service.api.contract", description=main.__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=Path("openapi.yaml"))
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when the file has drifted")
    options = parser.parse_args(arguments)
    text = contract_text()
    if not options.check:
        options.file.write_text(text, encoding="utf-8")
        return 0
    if options.file.is_file() and options.file.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{options.file} differs from the code: run python -m seal_service.api.contract\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
