"""Every verifier on a log, and on every copy of it with something changed; and what was to be expected."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.interop.evidence import Evidence
from tests.interop.mutations import MUTATIONS, Forger
from tests.interop.published import PublishedFiles
from tests.interop.tools import Tools
from tests.interop.verifiers import VERIFIERS, JudgedLog, Verdict

UNTOUCHED = "the log as it was published"
LOOKED_AT = 200
"""Single entries, evenly over the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a verifier said of a log, and whether it should have."""

    log: str
    verifier: str
    verdict: Verdict
    well: bool
    """Expected."""
    unseen: str | None = None
    """Why it cannot see what was changed."""

    @property
    def expected(self) -> bool:
        """Whether it said what was to be expected."""
        return self.verdict.well is self.well


def judged(log: PublishedFiles, forger: Forger, evidence: Evidence, tools: Tools, directory: Path) -> list[Judgement]:
    """Copies are made in the new directory; they share with the log what is not changed."""
    size = log.checkpoint().size
    looked_at = tuple(range(0, size, max(1, size // LOOKED_AT)))
    logs = {UNTOUCHED: JudgedLog(log=log, indexes=looked_at)}
    unseen: dict[str, Mapping[str, str]] = {UNTOUCHED: {}}
    for number, mutation in enumerate(MUTATIONS):
        copy = PublishedFiles(directory / f"{number}")
        shutil.copytree(log.directory, copy.directory, copy_function=os.link)
        touched = mutation.change(copy, forger)
        logs[mutation.name] = JudgedLog(log=copy, indexes=(*looked_at, *touched))
        unseen[mutation.name] = mutation.unseen
    return list(_asked(logs, unseen, evidence, tools))


def _asked(
    logs: Mapping[str, JudgedLog], unseen: Mapping[str, Mapping[str, str]], evidence: Evidence, tools: Tools
) -> Iterator[Judgement]:
    for verifier, ask in VERIFIERS.items():
        verdicts = ask(tools, evidence, list(logs.values()))
        for name, verdict in zip(logs, verdicts, strict=True):
            reason = unseen[name].get(verifier)
            well = name == UNTOUCHED or reason is not None
            yield Judgement(log=name, verifier=verifier, verdict=verdict, well=well, unseen=reason)
