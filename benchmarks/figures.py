"""What was measured: values with their units, targets, and the few sums that make one of many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


class VoidMeasurement(Exception):
    """A measurement that measured nothing: an answer was refused, an output does not verify."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One value; its name is the same in every record, so that records compare."""

    part: str
    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        """Refuse (ValueError) what is no figure."""
        if not math.isfinite(self.value):
            raise ValueError(f"{self.name} is {self.value}")
        if self.at_least is not None and self.at_most is not None:
            raise ValueError(f"{self.name} has two targets")

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one. Judged by the value itself, not as it is printed."""
        if self.at_least is not None:
            return self.value >= self.at_least
        if self.at_most is not None:
            return self.value <= self.at_most
        return None

    @property
    def target(self) -> str:
        """The target as printed; empty without one."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g} {self.unit}"
        return "" if self.at_most is None else f"≤ {self.at_most:g} {self.unit}"

    def recorded(self) -> dict[str, Any]:
        """As it is kept."""
        kept: dict[str, Any] = {
            "part": self.part,
            "name": self.name,
            "value": significant(self.value),
            "unit": self.unit,
        }
        return kept | ({"target": self.target, "met": self.met} if self.target else {})


def significant(value: float, digits: int = 4) -> float:
    """Rounded to as many digits as a measurement can bear."""
    return value if value == 0 else round(value, digits - 1 - math.floor(math.log10(abs(value))))


def paired_ratio(slower: Sequence[float], faster: Sequence[float]) -> float:
    """How many times faster: the median over rounds of the ratio within a round, which a drifting machine leaves."""
    return median(one / other for one, other in zip(slower, faster, strict=True))


def quantile(values: Sequence[float], share: float) -> float:
    """The least value that at least this share of the values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
