"""An office made by commands, with a keeper, whose further seals are in the service or on media (article 20)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.command_line import SCENARIO, Office, Person
from tests.medium import UnitMedium


@dataclass
class CustodyOffice(Office):
    """With a keeper of its seals."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.seal_keeper: Person = self.at.join("印章保管人", "seal_keeper", self.unit["id"])

    def approved(self) -> str:
        """An approved application."""
        application: str = self.at.said("applications", "submit", *self.materials(), by=self.keeper)["id"]
        self.at.said("applications", "decide", application, "approve", by=self.maker)
        return application

    def granted(self, code: str) -> str:
        """A seal, once the business system may apply it."""
        self.at.said(
            *("grants", "make", "--seal", code, "--to", self.system.client_id, "--scenario", SCENARIO),
            *("--responsible", "张三", "--approval-number", "示政办授〔2026〕2号", "--maximum-uses", "100"),
            by=self.keeper,
        )
        return code

    def another_seal(self) -> str:
        """The code of a seal whose key the service keeps, granted."""
        return self.granted(self.at.said("seals", "make", self.approved(), by=self.maker)["code"])

    def on_medium(self, medium: UnitMedium, directory: Path, *, handed_over: bool = True) -> str:
        """The code of a seal on a medium, granted."""
        request = directory / f"{medium.serial_number}.p10"
        request.write_bytes(medium.request())
        named = ("--medium", medium.serial_number, "--keeper", "王样例")
        made = self.at.said("media", "make", self.approved(), "--request", request, *named, by=self.maker)
        if handed_over:
            self.hand_over(made["code"], medium)
        return self.granted(made["code"])

    def hand_over(self, code: str, medium: UnitMedium) -> Any:
        """To its keeper."""
        named = ("--medium", medium.serial_number, "--keeper", "王样例", "--giver", "李样例")
        return self.at.said("media", "hand-over", code, *named, by=self.maker)
