"""Wire forms of seal uses (用印) and grants (授权)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import Query
from pydantic import Field

from seal_service.api.schemas.common import (
    Body,
    Digest,
    Identifier,
    Moment,
    Name,
    ScenarioCode,
    SealCode,
    Text,
    View,
    example,
)
from seal_service.domain.grant import MOST_DIGESTS, Grant
from seal_service.domain.placement import Placement
from seal_service.domain.scenario import ScenarioKind
from seal_service.domain.use import SealUse, SignatureLevel, UseState, operator_of
from seal_service.formats.receipt import SignedReceipt
from seal_service.ports.documents import Upload
from seal_service.usecases.apply_seal import ApplySeal
from seal_service.usecases.grant_use import GrantUse

Coordinate = Annotated[float, Field(ge=0, lt=15_000, allow_inf_nan=False)]


class ApplySealFields(Body):
    """用印 as query parameters of an `application/pdf` request."""

    scenario: ScenarioCode | None = Field(None, description="用印场景; required with a raw PDF.")
    page: int = Field(-1, ge=-1, le=1_000_000, description="From 1; -1 is the last page.")
    x_mm: Coordinate | None = Field(None, description="From the left edge; without x and y: lower right of the page.")
    y_mm: Coordinate | None = Field(None, description="From the upper edge.")
    level: SignatureLevel = SignatureLevel.B_LT
    allow_lower_level: bool = Field(False, description="Whether a lower level, stated, is better than an error.")
    allow_repair: bool = Field(
        False,
        description="修复: whether a damaged document without signatures may be repaired, which changes it, before it "
        "is sealed; the answer says so.",
    )
    operator_id: Name | None = Field(None, description="签章人标识, with operator_name; logged only as a commitment.")
    operator_name: Name | None = Field(None, description="签章人姓名, with operator_id.")
    operator_department: Name | None = None
    case_number: Name | None = Field(None, description="办件号 of the business system.")
    approval_id: Identifier | None = Field(
        None, description="用印审批 to take; default: the one for this document, where the scenario needs one."
    )
    document_name: Name | None = Field(None, description="Default: the uploaded file's name.")

    def command(self, seal_code: str, document: Upload, scenario: str, key: str) -> ApplySeal:
        """The use case's command; InvalidPlacement, InvalidInput for half a 签章人."""
        return ApplySeal(
            seal_code=seal_code,
            document=document,
            scenario=scenario,
            idempotency_key=key,
            placement=Placement(page=self.page, x_mm=self.x_mm, y_mm=self.y_mm),
            level=self.level,
            allow_lower_level=self.allow_lower_level,
            allow_repair=self.allow_repair,
            operator=operator_of(self.operator_id, self.operator_name, self.operator_department),
            case_number=self.case_number,
            approval_id=self.approval_id,
        )


class Wait(StrEnum):
    """What an answer waits for."""

    PUBLISHED = "published"


_WAIT = (
    "`published`: answer when the use is under a published checkpoint of the log, with its proof; at most some time."
)
WaitFor = Annotated[Wait | None, Query(description=_WAIT)]


class ApplySealQuery(ApplySealFields):
    """用印 as query parameters, with what the answer waits for."""

    wait: Wait | None = Field(None, description=_WAIT)


class ApplySealBody(ApplySealFields):
    """用印 as the JSON part `request` of a multipart request."""

    model_config = example(
        scenario="license.issue", page=1, x_mm=120, y_mm=230, level="B-LT", operator_id="op-17", operator_name="李样例"
    )

    scenario: ScenarioCode


class DigestView(View):
    """杂凑值."""

    sha256: str


class LogReferenceView(View):
    """A log entry's identity: its id and RFC 6962 leaf hash (hexadecimal)."""

    entry_id: str
    leaf_hash: str


class ReceiptView(View):
    """用印回执: what was sealed, at which level, and which log entries stand for it."""

    use_id: str
    origin: str = Field(description="Name of the signing log.")
    seal_code: str
    state: UseState
    level_asked: SignatureLevel
    level_reached: SignatureLevel | None
    lower_level_reason: str | None = Field(description="Told in the first answer to the request only.")
    document: DigestView = Field(description="As it came in.")
    repaired: DigestView | None = Field(description="Sealed in the place of a damaged document; null: not repaired.")
    sealed: DigestView | None
    intent: LogReferenceView
    completed: LogReferenceView | None
    document_url: str | None
    document_kept_until: Moment | None
    issued_at: Moment | None = Field(description="When the use was completed.")
    in_tree_by: Moment | None = Field(
        description="By when its entries are under a published checkpoint; null: the log promises no time."
    )
    note: str | None = Field(
        description="签章回执: the receipt as a signed note (C2SP signed-note) of the log's key; null: not "
        "completed, or the key did not answer, and it can be had later."
    )
    proof: str | None = Field(
        description="收录证明: c2sp.org/tlog-proof@v1 of the `completed` entry, with the entry; only with `wait`, and "
        "null when it was waited for in vain (`Retry-After`)."
    )

    @classmethod
    def of(
        cls,
        use: SealUse,
        origin: str,
        lower_level_reason: str | None = None,
        *,
        receipt: SignedReceipt | None = None,
        proof: bytes | None = None,
    ) -> ReceiptView:
        """The wire form."""
        completed = None
        if use.state is UseState.COMPLETED and use.terminal_entry_id is not None:
            completed = LogReferenceView(
                entry_id=use.terminal_entry_id, leaf_hash=(use.terminal_leaf_hash or b"").hex()
            )
        return cls(
            use_id=use.id,
            origin=origin,
            seal_code=use.seal_code,
            state=use.state,
            level_asked=use.level_asked,
            level_reached=use.level_reached,
            lower_level_reason=lower_level_reason,
            document=DigestView(sha256=use.document_sha256),
            repaired=DigestView(sha256=use.repaired_sha256) if use.repaired_sha256 else None,
            sealed=DigestView(sha256=use.sealed_sha256) if use.sealed_sha256 else None,
            intent=LogReferenceView(entry_id=use.intent.entry_id, leaf_hash=use.intent.leaf_hash.hex()),
            completed=completed,
            document_url=f"{use_path(use)}/document" if use.document_kept_until else None,
            document_kept_until=use.document_kept_until,
            issued_at=receipt.receipt.issued_at if receipt else None,
            in_tree_by=receipt.receipt.in_tree_by if receipt else None,
            note=receipt.content.decode() if receipt else None,
            proof=proof.decode() if proof is not None else None,
        )


class UseView(View):
    """用印记录."""

    id: str
    account_id: str
    seal_code: str
    grant_id: str
    approval_id: str | None = Field(description="null: the scenario sets approvals aside.")
    scenario: str
    state: UseState
    document_sha256: str
    repaired_sha256: str | None = Field(description="Of what was sealed in the place of a damaged document.")
    sealed_sha256: str | None
    level_asked: SignatureLevel
    level_reached: SignatureLevel | None
    reserved_at: Moment
    ended_at: Moment | None
    failure: str | None = Field(description="Code and sentence of the error that ended it.")
    document_kept_until: Moment | None


class UsePage(View):
    """A page of uses, newest first."""

    items: list[UseView]
    next_cursor: str | None


class GrantBody(Body):
    """用印授权 (article 20)."""

    model_config = example(
        seal_code="99990000000001", grantee_id="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50", scenario="license.issue",
        responsible_person="王样例", approval_number="示审批〔2026〕1号", maximum_uses=1000,
    )  # fmt: skip

    seal_code: SealCode
    grantee_id: Identifier = Field(
        description="Account of the business system, or of an applicant or keeper of the seal's own unit."
    )
    scenario: ScenarioCode = Field(description="As registered; the registry says of which kind it is.")
    responsible_person: Name
    approval_number: Name
    valid_from: Moment | None = Field(None, description="null: now.")
    valid_until: Moment | None = Field(None, description="null: as long as the seal's present certificate.")
    maximum_uses: int | None = Field(None, ge=1, le=2_000_000_000, description="null: not counted.")
    media_types: list[Text] = Field([], max_length=2, description="application/pdf, application/ofd; empty: any.")
    most_pages: int | None = Field(None, ge=1, le=1_000_000, description="Of a document; null: the instance's limit.")
    digests: list[Digest] = Field(
        [], max_length=MOST_DIGESTS, description="SHA-256 of the only documents that may be sealed; empty: any."
    )

    def command(self, key: str | None) -> GrantUse:
        """The use case's command."""
        plain = self.model_dump(exclude={"media_types", "digests"})
        lists = tuple(self.media_types), tuple(self.digests)
        return GrantUse(**plain, media_types=lists[0], digests=lists[1], idempotency_key=key)


class RevokeGrantBody(Body):
    """撤销授权."""

    model_config = example(reason="系统下线")

    reason: Text


class GrantView(View):
    """用印授权."""

    id: str
    seal_code: str
    grantee_id: str
    scenario: str
    scenario_kind: ScenarioKind
    valid_from: Moment
    valid_until: Moment
    maximum_uses: int | None
    media_types: list[str]
    most_pages: int | None
    digests: list[str] = Field(description="SHA-256; empty: any document.")
    responsible_person: str
    approval_number: str
    granted_by: str
    granted_at: Moment
    revoked_at: Moment | None

    @classmethod
    def of(cls, grant: Grant) -> GrantView:
        """The wire form."""
        plain = {name: getattr(grant, name) for name in cls.model_fields if not name.startswith("scenario")}
        return cls(**plain, scenario=grant.scenario.code, scenario_kind=grant.scenario.kind)


class GrantPage(View):
    """A page of grants, newest first."""

    items: list[GrantView]
    next_cursor: str | None


def use_path(use: SealUse) -> str:
    """Where a use is found."""
    return f"/v1/seals/{use.seal_code}/uses/{use.id}"
