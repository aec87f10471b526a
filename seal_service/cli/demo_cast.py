"""Who plays in the demonstration: the fictional 示例市, its units, and accounts made through the same use cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seal_service.cli.session import caller_of
from seal_service.domain.access import Caller, Role
from seal_service.domain.identifiers import credit_code_check_character
from seal_service.domain.organization import UnitType
from seal_service.usecases.authenticate import ClientSecret
from seal_service.usecases.control_act import DecideControlledAct
from seal_service.usecases.create_account import CreateAccount
from seal_service.usecases.register_unit import RegisterUnit

if TYPE_CHECKING:
    from seal_service.bootstrap import Service

AREA = "999900"
"""No area of GB/T 2260."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A unit of the demonstration."""

    name: str
    first_17: str
    unit_type: UnitType = UnitType.DEPARTMENT

    @property
    def credit_code(self) -> str:
        """With its check character."""
        return self.first_17 + credit_code_check_character(self.first_17)

    def registration(self, channel_unit_id: str | None) -> RegisterUnit:
        """单位登记 of it."""
        return RegisterUnit(
            name=self.name,
            unit_type=self.unit_type,
            credit_code=self.credit_code,
            area_code=AREA,
            channel_unit_id=channel_unit_id,
        )


OFFICE = Part(name="示例市政务服务管理办公室", first_17="11999900MB1000010")
BUREAU = Part(name="示例市市场监督管理局", first_17="11999900MB1000029")


@dataclass(frozen=True)
class Cast:
    """Makes accounts as two security administrators and logs them in."""

    service: Service
    first: Caller
    second: Caller

    def join(self, name: str, role: Role, unit_id: str | None = None) -> Caller:
        """A new account, logged in with the secret that it was given."""
        made = self.service.create_account(self.first, CreateAccount(name=name, roles=(role,), unit_id=unit_id))
        decision = DecideControlledAct(request_id=made.request_id, confirmed=True)
        self.service.decide_controlled_act(self.second, decision)
        return caller_of(self.service, ClientSecret(client_id=made.account.id, client_secret=made.secret))
