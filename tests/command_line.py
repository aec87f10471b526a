"""The `seal` command on a real instance, called by people with their own credentials."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer import Typer
from typer.testing import CliRunner, Result

from seal_service.__main__ import seal_command
from seal_service.observability.logging import StandardError
from tests.city import credit_code

EXAMPLES = Path(__file__).parents[1] / "examples"
DOCUMENT = EXAMPLES / "regulation.pdf"
IMPRESSION = EXAMPLES / "impressions" / "government-service-office.png"
SCENARIO = "permit.approval"
UNIT_NAME = "示例市政务服务管理办公室"


@dataclass(frozen=True)
class Person:
    """Credentials, as environment variables."""

    client_id: str
    secret: str

    @property
    def environment(self) -> dict[str, str | None]:
        return {"SEAL_CLIENT_ID": self.client_id, "SEAL_CLIENT_SECRET": self.secret}


@dataclass(frozen=True)
class TwoPeople(Person):
    """Credentials of an act that takes two."""

    second: Person

    @property
    def environment(self) -> dict[str, str | None]:
        beside = {"SEAL_SECOND_CLIENT_ID": self.second.client_id, "SEAL_SECOND_CLIENT_SECRET": self.second.secret}
        return super().environment | beside


@dataclass
class CommandLine:
    """A command line whose instance is in `home`."""

    home: Path
    runner: CliRunner = field(default_factory=CliRunner)
    program: Typer = field(default_factory=seal_command)
    security: Person = field(init=False)
    """A security administrator, once `init` made them; `second` is the other one."""
    second: Person = field(init=False)

    def run(self, *arguments: str | Path, by: Person | None = None, stdin: str | None = None) -> Result:
        """The command as it ended."""
        nobody: dict[str, str | None] = {"SEAL_CLIENT_ID": None, "SEAL_CLIENT_SECRET": None}
        environment = {"SEAL_HOME": str(self.home)} | (by.environment if by else nobody)
        _forget_how_another_test_logged()
        return self.runner.invoke(self.program, [str(one) for one in arguments], env=environment, input=stdin)

    def said(self, *arguments: str | Path, by: Person | None = None) -> Any:
        """What a command that must succeed prints as JSON."""
        result = self.run(*arguments, "--json", by=by)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def refused(self, *arguments: str | Path, by: Person | None = None, code: int) -> str:
        """The one sentence on standard error of a command that must fail with this exit code."""
        result = self.run(*arguments, by=by)
        assert result.exit_code == code, result.output
        assert result.stdout == ""
        assert result.stderr.startswith("seal: "), result.stderr
        assert result.stderr.count("\n") == 1
        return result.stderr

    def agreed(self, *arguments: str | Path, by: Person) -> Any:
        """What comes of a command that takes two people, once the second one has confirmed it."""
        asked = self.run(*arguments, by=by)
        assert asked.exit_code == 1, asked.output
        (request,) = re.findall(r"the request ([0-9a-f-]{36}) waits", asked.stderr)
        return self.said("control", "confirm", request, "--yes", by=self.second)

    def init(self) -> Person:
        """A new instance; its system operator."""
        people = [Person(one["client_id"], one["client_secret"]) for one in self.said("init")["accounts"]]
        operator, self.security, self.second = people
        return operator

    def join(self, name: str, role: str, unit: str | None = None) -> Person:
        """A new account."""
        of_unit = ("--unit", unit) if unit else ()
        made = self.said("accounts", "create", "--name", name, "--role", role, *of_unit, by=self.security)
        self.said("control", "confirm", made["request_id"], "--yes", by=self.second)
        return Person(made["id"], made["client_secret"])


def _forget_how_another_test_logged() -> None:
    """A command is a process of its own: a server that ran in this one would have it log as servers do."""
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, StandardError)]:
        root.removeHandler(handler)
    logging.getLogger("seal_service").setLevel(logging.NOTSET)


@dataclass
class Office:
    """A unit with an active seal that its business system may apply, all made by commands."""

    at: CommandLine

    def __post_init__(self) -> None:
        self.operator = self.at.init()
        self.maker = self.at.join("制发部门", "seal_maker")
        self.auditor = self.at.join("审计", "auditor")
        registration = ("--name", UNIT_NAME, "--type", "department", "--credit-code", credit_code(1))
        self.unit = self.at.said("units", "register", *registration, "--area", "999900", by=self.maker)
        self.keeper = self.at.join("张三", "unit_administrator", self.unit["id"])
        self.system = self.at.join("政务服务平台", "business_system", self.unit["id"])
        self.application = self.at.said("applications", "submit", *self.materials(), by=self.keeper)
        self.at.said("applications", "decide", self.application["id"], "approve", by=self.maker)
        self.seal = self.at.said("seals", "make", self.application["id"], by=self.maker)
        self.code: str = self.seal["code"]
        waiver = ("--waived-for", "政务服务平台审批流程", "--waiver-number", "示政办〔2026〕3号")
        self.at.said("scenarios", "register", SCENARIO, "--name", "行政许可", *waiver, by=self.maker)
        self.grant = self.at.said(
            *("grants", "make", "--seal", self.code, "--to", self.system.client_id, "--scenario", SCENARIO),
            *("--responsible", "张三", "--approval-number", "示政办授〔2026〕1号"),
            by=self.keeper,
        )

    def materials(self, code: str | None = None) -> tuple[str | Path, ...]:
        """印章申请材料."""
        of_unit = ("--unit-name", UNIT_NAME, "--unit-type", "department", "--credit-code", code or credit_code(1))
        return (*of_unit, "--seal-name", UNIT_NAME, "--seal-type", "01", "--picture", IMPRESSION)

    def applying(self, output: Path, *options: str, document: Path = DOCUMENT) -> tuple[str | Path, ...]:
        """The command that applies the seal."""
        return ("apply", document, "-o", output, "--seal", self.code, "--scenario", SCENARIO, *options)
