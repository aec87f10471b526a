"""用印授权: who may apply a seal, for what, when and how often (article 20)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from seal_service.domain.errors import InvalidInput, InvalidTime
from seal_service.domain.scenario import Scenario

LONGEST_APPROVAL_NUMBER = 64
"""Characters of 用章审批编号 in the log record."""
MOST_DIGESTS = 1000
"""Documents that a grant can list."""
MEDIA_TYPES = ("application/pdf", "application/ofd")
"""文件类型 that a grant can be limited to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """用印授权: a seal × a system or person × a scenario × a period × a count × constraints on the document."""

    id: str
    seal_code: str
    grantee_id: str
    """The account of the business system, or of the person of the seal's unit, that may apply the seal."""
    scenario: Scenario
    valid_from: datetime
    valid_until: datetime
    maximum_uses: int | None
    """None: not counted."""
    responsible_person: str
    """责任人: the person of the unit who answers for the uses (article 20)."""
    approval_number: str
    """审批文号: the unit's own decision that allows these uses (article 22)."""
    granted_by: str
    granted_at: datetime
    epoch: int = 1
    revoked_at: datetime | None = None
    media_types: tuple[str, ...] = ()
    """Empty: any that can be sealed."""
    most_pages: int | None = None
    """None: as many as the instance takes."""
    digests: tuple[str, ...] = ()
    """SHA-256 of the only documents that may be sealed; empty: any."""

    def __post_init__(self) -> None:
        """Raise InvalidTime for an empty period, InvalidInput for a limit that allows nothing or a blank name."""
        if self.valid_until <= self.valid_from:
            raise InvalidTime("A grant's period ends after it begins", field="valid_until")
        if self.maximum_uses is not None and self.maximum_uses < 1:
            raise InvalidInput("A grant allows at least one use", field="maximum_uses")
        if self.most_pages is not None and self.most_pages < 1:
            raise InvalidInput("A grant allows documents of at least one page", field="most_pages")
        if not set(self.media_types) <= set(MEDIA_TYPES):
            raise InvalidInput(f"Media types are {' and '.join(MEDIA_TYPES)}", field="media_types")
        if len(self.digests) > MOST_DIGESTS:
            raise InvalidInput(f"A grant lists at most {MOST_DIGESTS} documents", field="digests")
        if not self.responsible_person.strip() or not self.approval_number.strip():
            raise InvalidInput("A grant names a responsible person and the decision that allows it (articles 20, 22)")
        if len(self.approval_number) > LONGEST_APPROVAL_NUMBER:
            raise InvalidInput(
                f"An approval number has at most {LONGEST_APPROVAL_NUMBER} characters", field="approval_number"
            )
