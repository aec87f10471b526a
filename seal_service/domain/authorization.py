"""用印许可: the one place that decides whether a seal may be applied (articles 20–22)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from seal_service.domain.access import Caller
from seal_service.domain.errors import AuthorizationDenied, UseOvertaken
from seal_service.domain.grant import Grant
from seal_service.domain.impression import Impression
from seal_service.domain.lifecycle import TRANSITIONS, Action, state_at
from seal_service.domain.organization import Unit
from seal_service.domain.placement import Placement
from seal_service.domain.scenario import Scenario, accepts_seal_type
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

    def __post_init__(self) -> None:
        """Refuse (TypeError) to exist when not made by `authorize`."""
        if self.proof_of_origin is not _MADE_BY_AUTHORIZE:
            raise TypeError("a SealingPermit is made by authorize() alone")


def refusals(
    caller: Caller, seal: Seal, grant: Grant | None, uses_counted: int, request: UseRequest, now: datetime
) -> tuple[tuple[str, str], ...]:
    """Every reason, as (code, sentence), for which the use is refused; empty when it may go on."""
    reasons: list[tuple[str, str]] = []
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
    if grant is None:
        reasons.append(("no_grant", f"no grant lets this system apply the seal for the scenario {request.scenario}"))
        return tuple(reasons)
    if grant.grantee_id != caller.account_id or grant.seal_code != seal.code or grant.scenario.code != request.scenario:
        reasons.append(("grant_mismatch", "the grant is for another system, seal or scenario"))
    if grant.revoked_at is not None:
        reasons.append(("grant_revoked", f"the grant was revoked at {grant.revoked_at.isoformat()}"))
    if now < grant.valid_from:
        reasons.append(("grant_not_yet_valid", f"the grant is valid from {grant.valid_from.isoformat()}"))
    if now >= grant.valid_until:
        reasons.append(("grant_expired", f"the grant ended at {grant.valid_until.isoformat()}"))
    if grant.maximum_uses is not None and uses_counted >= grant.maximum_uses:
        reasons.append(("grant_used_up", f"the grant's {grant.maximum_uses} uses are used up"))
    if not accepts_seal_type(grant.scenario.kind, seal.seal_type):
        reasons.append(("scenario_kind", "证明类 documents take the 电子证照查询专用章, and only they do (article 21)"))
    return tuple(reasons)


def authorize(
    caller: Caller,
    seal: Seal,
    unit: Unit,
    grant: Grant | None,
    uses_counted: int,
    request: UseRequest,
    now: datetime,
) -> SealingPermit:
    """用印许可 for a request, or AuthorizationDenied with every reason.

    `uses_counted` is read under the same lock under which the use is then reserved.
    """
    reasons = refusals(caller, seal, grant, uses_counted, request, now)
    credential = seal.signing_credential()
    if reasons or grant is None or credential is None:
        raise AuthorizationDenied(reasons, seal_code=seal.code)
    return _permit(seal, unit, grant, credential, request, now)


def resumed_permit(use: SealUse, seal: Seal, unit: Unit, grant: Grant, request: UseRequest) -> SealingPermit:
    """用印许可 of a use that `authorize` let be reserved for two steps, for its second; UseOvertaken.

    The reservation says that it was authorized, and the epochs that neither seal nor grant has changed since; step 8
    asks both once more, under their locks.
    """
    credential = seal.signing_credential()
    stands = (
        use.state is UseState.RESERVED
        and (use.seal_code, use.seal_epoch) == (seal.code, seal.epoch)
        and (use.grant_id, use.grant_epoch) == (grant.id, grant.epoch)
        and use.document_sha256 == request.document_sha256
        and (state_at(seal, use.reserved_at), Action.APPLY) in TRANSITIONS
    )
    if not stands or credential is None or Custody.SERVER in (credential.custody, request.custody):
        raise UseOvertaken(seal_code=seal.code)
    return _permit(seal, unit, grant, credential, request, use.reserved_at)


def _permit(
    seal: Seal, unit: Unit, grant: Grant, credential: Credential, request: UseRequest, now: datetime
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
    )
