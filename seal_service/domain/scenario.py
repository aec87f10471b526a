"""用印场景: what a seal is applied for (articles 20, 21), and who waives the approval of each use (article 22)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from seal_service.domain.errors import InvalidInput
from seal_service.domain.impression import SealType

_CODE = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")


class ScenarioKind(StrEnum):
    """场景类别 (article 21): approval-type seals by law; proof-type documents only with the designated seal."""

    APPROVAL = "approval"  # 审批类
    PROOF = "proof"  # 证明类


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """用印场景: a code and its kind; the same word in grant, command, permit, signature, log and filing."""

    code: str
    kind: ScenarioKind

    def __post_init__(self) -> None:
        """Raise InvalidInput for a code that is not 1–32 of a-z 0-9 . _ - ."""
        if not _CODE.fullmatch(self.code):
            raise InvalidInput("A scenario code is 1 to 32 of a-z, 0-9, '.', '_', '-'", field="scenario")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalWaiver:
    """免逐次审批: the named process whose own approval stands in the place of ours, and the decision that says so."""

    process: str
    """审批流程, by its name: where each use has been approved before it is asked for."""
    document_number: str
    """文号 of the decision to set our approval aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredScenario:
    """用印场景登记: what the making office keeps of a scenario. Code and kind never change: grants are made by them."""

    scenario: Scenario
    name: str
    active: bool
    waiver: ApprovalWaiver | None
    """None: every use needs an approval of the seal's unit (article 22)."""
    registered_by: str
    registered_at: datetime
    changed_by: str | None = None
    changed_at: datetime | None = None

    @property
    def code(self) -> str:
        """场景编码."""
        return self.scenario.code


def accepts_seal_type(kind: ScenarioKind, seal_type: SealType) -> bool:
    """证明类只用电子证照查询专用章, and that seal serves nothing else (article 21)."""
    return (kind is ScenarioKind.PROOF) == (seal_type is SealType.CERTIFICATE_QUERY)
