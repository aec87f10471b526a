"""`SEAL_TEST_CORPORA=… python docs/strangers_files.py`: write the tables of docs/reference/strangers-files.md.

Run from the repository's root with PYTHONPATH=. where the folder with other projects' files is at hand.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.sealing_world import World
from tests.strangers_files import Outcome, files, outcomes, programs, pyhanko_alone_seals

PAGE = Path(__file__).parent / "reference" / "strangers-files.md"
NAMES = {"pdfjs": "pdf.js `test/pdfs` (a sample)", "qpdf": "qpdf `qtest`", "dss-pades": "DSS, unsigned"}
_BLOCK = re.compile(r"<!-- measured: (?P<name>[a-z]+) -->\n.*?<!-- end: (?P=name) -->", re.DOTALL)
_ROW = re.compile(r"^\| `([^`]+)` \| ([0-9]+) \| ([0-9–]+) \| ([^|]+) \| ([^|]*) \|", re.MULTILINE)


def main() -> int:
    """Write; the process's exit code."""
    named = os.environ.get("SEAL_TEST_CORPORA")
    if not named:
        sys.stderr.write("SEAL_TEST_CORPORA does not name the folder with other projects' files\n")
        return 1
    corpora = Path(named)
    with tempfile.TemporaryDirectory() as scratch:
        came_of = list(outcomes(corpora, Path(scratch)))
    blocks = {"summary": summary(corpora, came_of), "files": table(came_of), "programs": programs()}
    page = PAGE.read_text(encoding="utf-8")
    page = _BLOCK.sub(
        lambda found: f"<!-- measured: {found['name']} -->\n{blocks[found['name']]}\n<!-- end: {found['name']} -->",
        page,
    )
    PAGE.write_text(page, encoding="utf-8")
    return 0


def summary(corpora: Path, came_of: Sequence[Outcome]) -> str:
    """Each source in a row, pyHanko's number beside ours."""
    world, root = World(), corpora / "pdf"
    theirs = [
        path.relative_to(root).parts[0] for path in files(corpora) if pyhanko_alone_seals(world, path.read_bytes())
    ]
    rows = []
    for source, name in NAMES.items():
        own = [one for one in came_of if one.source == source]
        sealed = [one for one in own if one.sealed]
        repaired = [one for one in sealed if one.repaired]
        rows.append(
            [name, *map(str, (len(own), len(sealed), len(repaired), len(own) - len(sealed), theirs.count(source)))]
        )
    return _table(["source", "files", "sealed", "of these after a repair", "refused", "pyHanko alone seals"], rows)


def table(came_of: Sequence[Outcome]) -> str:
    """Each file in a row."""
    header = ["file", "bytes", "pages", "outcome", "verified by us", "qpdf", "pdfsig"]
    return _table(header, ([*row, *_others(one)] for row, one in zip(told(came_of), _sorted(came_of), strict=True)))


def told(came_of: Iterable[Outcome]) -> list[tuple[str, ...]]:
    """What the table says of each file by ourselves."""
    return [
        (
            f"`{one.file}`",
            str(one.size),
            "–" if one.pages is None else str(one.pages),
            f"refused: {_plain(one.refusal)}" if one.refusal else "sealed after repair" if one.repaired else "sealed",
            "" if not one.sealed else "yes" if one.verified else "NO",
        )
        for one in _sorted(came_of)
    ]


def told_by(page: str) -> list[tuple[str, ...]]:
    """The same, as the page has it."""
    return [(f"`{found[1]}`", found[2], found[3], found[4], found[5].strip()) for found in _ROW.finditer(page)]


def _others(one: Outcome) -> tuple[str, str]:
    if not one.sealed:
        return "", ""
    before, after = one.qpdf
    words = {None: "cannot read it", True: "valid", False: "NOT VALID"}
    return "no complaint" if after == 0 else "as before" if after <= before else "WORSE", words[one.pdfsig]


def _sorted(came_of: Iterable[Outcome]) -> list[Outcome]:
    return sorted(came_of, key=lambda one: (list(NAMES).index(one.source), one.file))


def _plain(text: str) -> str:
    """A cause in one cell: it may repeat what stands in a file."""
    return "".join(one if one.isascii() and one.isprintable() and one not in "|`<>" else "·" for one in text)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in (header, ["---"] * len(header), *rows))


if __name__ == "__main__":
    raise SystemExit(main())
