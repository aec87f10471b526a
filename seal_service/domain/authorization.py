"""用印许可: the one place that decides whether a seal may be applied (articles 20–22)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from seal_service.domain.access import Caller
from seal_service.domain.approval import UseApproval
from seal_service.domain.conditions import (
    Approved,
    FoundApproval,
    InRegistry,
    Reason,
    UseFacts,
    conditions_of,
    reasons_against,
)
from seal_service.domain.errors import AuthorizationDenied, UseOvertaken
from seal_service.domain.grant import Grant
from seal_service.domain.impression import Impression
from seal_service.domain.lifecycle import TRANSITIONS, Action, state_at
from seal_service.domain.organization import Unit
from seal_service.domain.placement import Placement
from seal_service.domain.scenario import RegisteredScenario, Scenario
from seal_service.domain.seal import Credential, Custody, Seal
from seal_service.domain.use import SealUse, SignatureLevel, UseRequest, UseState

_MADE_BY_AUTHORIZE = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingPermit:
    """用印许可: that this seal may be applied to this document, now.

    Only `authorize` can make one, and `resumed_permit` of what that allowed.
    """

    proof_of_origin: object
    seal_code: str
    seal_name: str
    seal_epoch: int
    unit_name: str
    grant_id: str
    grant_epoch: int
    scenario: Scenario
    credential: Credential
    impression: Impression
    document_sha256: str
    placement: Placement
    level: SignatureLevel
    allow_lower_level: bool
    allow_repair: bool
    issued_at: datetime
    most_pages: int | None
    """Of the document, by the grant: enforced where it is read."""
    approval_id: str | None
    """用印审批 that this use takes; None where the scenario sets it aside."""
    approval_epoch: int | None
    approval_number: str
    """用章审批编号: the approval's, or where none is taken the grant's."""
    approval_set_aside_for: str | None
    """The named process whose approval stands in its place."""

    def __post_init__(self) -> None:
        """Refuse (TypeError) to exist when not made by `authorize`."""
        if self.proof_of_origin is not _MADE_BY_AUTHORIZE:
            raise TypeError("a SealingPermit is made by authorize() alone")


def refusals(
    caller: Caller,
    seal: Seal,
    grant: Grant | None,
    uses_counted: int,
    request: UseRequest,
    now: datetime,
    *,
    scenario: RegisteredScenario | None,
    approval: FoundApproval | None,
) -> tuple[Reason, ...]:
    """Every reason, as (code, sentence), for which the use is refused; empty when it may go on."""
    of_seal = _against_seal(seal, request, now)
    if grant is None:
        return (*of_seal, ("no_grant", f"no grant lets this system apply the seal for the scenario {request.scenario}"))
    facts = UseFacts(
        account_id=caller.account_id,
        seal=seal,
        scenario=request.scenario,
        document_sha256=request.document_sha256,
        media_type=request.media_type,
        now=now,
        uses_counted=uses_counted,
    )
    conditions = [*conditions_of(grant), InRegistry(scenario)]
    if needs_approval(scenario, request):
        conditions.append(Approved(approval))
    return (*of_seal, *reasons_against(conditions, facts))


def needs_approval(scenario: RegisteredScenario | None, request: UseRequest) -> bool:
    """Whether the use takes an approval of its own: the rule, unless the scenario sets it aside (article 22).

    An approval that the request names is used also where none is needed. What is not registered is refused anyway.
    """
    return scenario is not None and (scenario.waiver is None or request.approval_id is not None)


def authorize(
    caller: Caller,
    seal: Seal,
    unit: Unit,
    grant: Grant | None,
    uses_counted: int,
    request: UseRequest,
    now: datetime,
    *,
    scenario: RegisteredScenario | None,
    approval: FoundApproval | None,
) -> SealingPermit:
    """用印许可 for a request, or AuthorizationDenied with every reason.

    `uses_counted`, and whether the approval is used, are read under the lock under which the use is then reserved.
    """
    reasons = refusals(caller, seal, grant, uses_counted, request, now, scenario=scenario, approval=approval)
    credential = seal.signing_credential()
    if reasons or grant is None or credential is None or scenario is None:
        raise AuthorizationDenied(reasons, seal_code=seal.code)
    taken = approval.approval if approval is not None and needs_approval(scenario, request) else None
    return _permit(seal, unit, grant, credential, request, now, scenario=scenario, taken=taken)


def resumed_permit(
    use: SealUse,
    seal: Seal,
    unit: Unit,
    grant: Grant,
    request: UseRequest,
    *,
    scenario: RegisteredScenario | None,
    taken: UseApproval | None,
) -> SealingPermit:
    """用印许可 of a use that `authorize` let be reserved for two steps, for its second; UseOvertaken.

    The reservation says that it was authorized, and the epochs that neither seal, grant nor the approval that it took
    has changed since; step 8 asks them once more, under their locks.
    """
    credential = seal.signing_credential()
    approved = (taken.id, taken.epoch) if taken is not None else (None, None)
    stands = (
        use.state is UseState.RESERVED
        and (use.seal_code, use.seal_epoch) == (seal.code, seal.epoch)
        and (use.grant_id, use.grant_epoch) == (grant.id, grant.epoch)
        and (use.approval_id, use.approval_epoch) == approved
        and use.document_sha256 == request.document_sha256
        and (state_at(seal, use.reserved_at), Action.APPLY) in TRANSITIONS
    )
    in_two_steps = credential is not None and Custody.SERVER not in (credential.custody, request.custody)
    if not stands or credential is None or not in_two_steps or scenario is None:
        raise UseOvertaken(seal_code=seal.code)
    return _permit(seal, unit, grant, credential, request, use.reserved_at, scenario=scenario, taken=taken)


def _permit(
    seal: Seal,
    unit: Unit,
    grant: Grant,
    credential: Credential,
    request: UseRequest,
    now: datetime,
    *,
    scenario: RegisteredScenario,
    taken: UseApproval | None,
) -> SealingPermit:
    return SealingPermit(
        proof_of_origin=_MADE_BY_AUTHORIZE,
        seal_code=seal.code,
        seal_name=seal.name,
        seal_epoch=seal.epoch,
        unit_name=unit.name,
        grant_id=grant.id,
        grant_epoch=grant.epoch,
        scenario=grant.scenario,
        credential=credential,
        impression=seal.impression,
        document_sha256=request.document_sha256,
        placement=request.placement,
        level=request.level,
        allow_lower_level=request.allow_lower_level,
        allow_repair=request.allow_repair,
        issued_at=now,
        most_pages=grant.most_pages,
        approval_id=taken.id if taken is not None else None,
        approval_epoch=taken.epoch if taken is not None else None,
        approval_number=taken.number if taken is not None else grant.approval_number,
        approval_set_aside_for=scenario.waiver.process if taken is None and scenario.waiver is not None else None,
    )


def _against_seal(seal: Seal, request: UseRequest, now: datetime) -> tuple[Reason, ...]:
    reasons: list[Reason] = []
    state = state_at(seal, now)
    if (state, Action.APPLY) not in TRANSITIONS:
        reasons.append((f"seal_{state.value}", f"the seal is {state.value}"))
    if now < seal.not_before:
        reasons.append(("seal_not_yet_valid", f"the seal's certificate is valid from {seal.not_before.isoformat()}"))
    credential = seal.signing_credential()
    if credential is None:
        reasons.append(("no_credential", "the seal has no credential that signs"))
    elif credential.custody is not request.custody and credential.custody is Custody.TOKEN:
        reasons.append(("token_custody", "the seal's key is kept by its unit (分散式): it is applied in two steps"))
    elif credential.custody is not request.custody:
        reasons.append(("server_custody", "the seal's key is kept by the service (集中式): it is applied in one step"))
    return tuple(reasons)
