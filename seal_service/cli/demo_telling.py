"""How the demonstration is told: every step with what came of it and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from rich.markup import escape
from rich.table import Table

from seal_service.domain.errors import SealServiceError

Made = TypeVar("Made")
Refusal = TypeVar("Refusal", bound=SealServiceError)


class StoryBroken(Exception):
    """A step did not come out as it must."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step as told."""

    zh: str
    en: str
    result: str
    milliseconds: float
    right: bool


@dataclass(frozen=True)
class Telling:
    """Takes the steps in turn; StoryBroken ends the story at the first that does not come out as it must."""

    announce: Callable[[str], None]
    """Told before each step what is done now."""
    steps: list[Step] = field(default_factory=list)

    def does(self, zh: str, en: str, act: Callable[[], Made], said: Callable[[Made], str]) -> Made:
        """A step that must succeed; `said` puts its result into words, or raises StoryBroken when it is wrong."""
        self.announce(f"{zh} {en}")
        start = time.perf_counter()
        try:
            made = act()
            elapsed = time.perf_counter() - start
            self._tell(zh, en, said(made), elapsed)
        except (SealServiceError, StoryBroken) as error:
            self._tell(zh, en, str(error), time.perf_counter() - start, right=False)
            raise StoryBroken(str(error)) from error
        return made

    def refused(self, zh: str, en: str, act: Callable[[], object], kind: type[Refusal]) -> Refusal:
        """A step that must be refused, and for this reason."""
        self.announce(f"{zh} {en}")
        start = time.perf_counter()
        try:
            act()
        except kind as error:
            self._tell(zh, en, f"拒绝 refused: {error.message}", time.perf_counter() - start)
            return error
        except SealServiceError as error:
            told = f"refused as {type(error).__name__}, not as {kind.__name__}: {error.message}"
        else:
            told = f"was not refused ({kind.__name__})"
        self._tell(zh, en, told, time.perf_counter() - start, right=False)
        raise StoryBroken(told)

    def _tell(self, zh: str, en: str, result: str, seconds: float, *, right: bool = True) -> None:
        self.steps.append(Step(zh=zh, en=en, result=result, milliseconds=seconds * 1000, right=right))

    def table(self) -> Table:
        """All steps so far."""
        table = Table(title="电子印章 演示 · electronic seal, from application to trace", title_justify="left")
        table.add_column("#", justify="right")
        table.add_column("步骤 step", overflow="fold", max_width=44)
        table.add_column("结果 result", overflow="fold")
        table.add_column("ms", justify="right")
        for number, one in enumerate(self.steps, 1):
            mark = "" if one.right else "✗ "
            shown = (str(number), escape(f"{one.zh}\n{one.en}"), escape(mark + one.result), f"{one.milliseconds:.0f}")
            table.add_row(*shown, style=None if one.right else "bold red", end_section=True)
        return table
