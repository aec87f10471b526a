"""A real instance: files, database, keys and authority in a directory, with the usual accounts and one seal."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pikepdf

from seal_service.bootstrap import Guarded, Service, build, initialise
from seal_service.config import Settings
from seal_service.domain.access import PUBLIC_CALLER, Caller, Role
from seal_service.domain.application import Decision
from seal_service.domain.errors import SecondPersonNeeded
from seal_service.domain.impression import SealType
from seal_service.domain.operation import Profile
from seal_service.domain.organization import Unit, UnitType
from seal_service.domain.seal import Seal
from seal_service.domain.use import SignatureLevel
from seal_service.domain.verdict import VerificationReport
from seal_service.formats.upload import upload_of
from seal_service.jobs.maintenance import MACHINE
from seal_service.testing import ChangeableClock
from seal_service.usecases.apply_for_seal import SubmitApplication
from seal_service.usecases.apply_seal import AppliedSeal, ApplySeal, ApplySealUseCase
from seal_service.usecases.authenticate import ClientSecret, PresentedToken
from seal_service.usecases.control_act import DecideControlledAct
from seal_service.usecases.create_account import CreateAccount
from seal_service.usecases.decide_application import DecideApplication
from seal_service.usecases.grant_use import GrantUse
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.make_seal import MakeSeal
from seal_service.usecases.manage_scenarios import RegisterScenario
from seal_service.usecases.register_unit import RegisterUnit
from seal_service.usecases.unit_people import RegisterPerson
from seal_service.usecases.verify_document import VerifyDocument
from tests.city import credit_code

Command = TypeVar("Command")
Answer = TypeVar("Answer")

IMPRESSIONS = Path(__file__).parent.parent / "examples" / "impressions"


def blank_pdf(pages: int = 1, mark: str = "") -> bytes:
    """A small PDF; `mark` makes it another document."""
    pdf = pikepdf.new()
    for _ in range(pages):
        pdf.add_blank_page(page_size=(595, 842))
    pdf.docinfo["/Title"] = f"示例文件 {mark}"
    out = io.BytesIO()
    pdf.save(out, deterministic_id=True)
    return out.getvalue()


@dataclass
class Instance:
    """An instance in `home` whose clock can be moved; it starts at the machine's time."""

    home: Path
    clock: ChangeableClock = field(default_factory=lambda: ChangeableClock(datetime.now(UTC)))
    changes: Mapping[str, object] = field(default_factory=dict)
    """Settings that differ from the defaults."""
    settings: Settings = field(init=False)
    service: Service = field(init=False)
    operator: Caller = field(init=False)
    security: Caller = field(init=False)
    """A security administrator; `second` is the other one."""
    second: Caller = field(init=False)
    people: tuple[ClientSecret, ...] = field(init=False)
    """The credentials of the two."""

    def __post_init__(self) -> None:
        given: dict[str, Any] = {"home": self.home, "keys": self.home / "keys", **self.changes}
        self.settings = Settings(**given)
        first = initialise(self.settings, clock=self.clock)
        self.service = build(self.settings, clock=self.clock)
        if self.settings.profile is Profile.PRODUCTION:  # which seals nothing before
            self.service.transparency.initialise(MACHINE, InitialiseLog())
        self.operator = self.login(first.account_id, first.secret)
        self.people = tuple(
            ClientSecret(client_id=one.account_id, client_secret=one.secret) for one in first.security_administrators
        )
        self.security, self.second = (self.login(one.account_id, one.secret) for one in first.security_administrators)

    def login(self, client_id: str, secret: str) -> Caller:
        """The caller that an account's credentials stand for."""
        token = self.service.issue_token(PUBLIC_CALLER, ClientSecret(client_id=client_id, client_secret=secret))
        presented = PresentedToken(token=token.token, address="127.0.0.1")
        return self.service.identify_caller(PUBLIC_CALLER, presented)

    def account(self, name: str, role: Role, unit: Unit | None = None) -> Caller:
        """A new account, logged in."""
        command = CreateAccount(name=name, roles=(role,), unit_id=unit.id if unit else None)
        made = self.service.create_account(self.security, command)
        self.service.decide_controlled_act(self.second, DecideControlledAct(request_id=made.request_id, confirmed=True))
        return self.login(made.account.id, made.secret)

    def confirmed(self, use_case: Guarded[Command, Answer], command: Command) -> Answer:
        """What an operator's act answers; where it takes two people, once the second one has confirmed it."""
        try:
            return use_case(self.operator, command)
        except SecondPersonNeeded as waiting:
            decision = DecideControlledAct(request_id=str(waiting.details["request_id"]), confirmed=True)
        answer: Answer = self.service.decide_controlled_act(self.second, decision).answer
        return answer


@dataclass
class RealOffice(Instance):
    """An instance with a unit, its keeper and business system, and an active, granted seal."""

    uses: int | None = None
    picture: bytes | None = None
    """Of its seal's impression; None: an office's, as it is."""
    side_mm: int = 42

    def __post_init__(self) -> None:
        super().__post_init__()
        self.maker = self.account("制发部门", Role.SEAL_MAKER)
        self.auditor = self.account("审计", Role.AUDITOR)
        self.holder = self.service.register_unit(
            self.maker,
            RegisterUnit(
                name="示例市政务服务管理办公室",
                unit_type=UnitType.DEPARTMENT,
                credit_code=credit_code(1),
                area_code="999900",
            ),
        )
        self.keeper = self.account("使用单位", Role.UNIT_ADMINISTRATOR, self.holder)
        self.system = self.account("业务系统", Role.BUSINESS_SYSTEM, self.holder)
        self.made = self.seal(self.holder, self.keeper)
        self.scenario("permit")
        self.service.grant_use(
            self.keeper,
            GrantUse(
                seal_code=self.made.code,
                grantee_id=self.system.identity,
                scenario="permit",
                responsible_person="样某",
                approval_number="示例〔2026〕1号",
                maximum_uses=self.uses,
            ),
        )

    def scenario(self, code: str, *, waived: bool = True) -> None:
        """Register a scenario; its approval is set aside for a named process unless a test says otherwise."""
        waiver = ("政务服务平台审批流程", "示政办〔2026〕3号") if waived else (None, None)
        command = RegisterScenario(code=code, name=code, waived_for=waiver[0], waiver_number=waiver[1])
        self.service.permitting.register_scenario(self.maker, command)

    def seal(self, unit: Unit, applicant: Caller) -> Seal:
        """A seal of the unit, from application to making."""
        application = self.service.apply_for_seal(
            applicant,
            SubmitApplication(
                unit_name=unit.name,
                unit_type=unit.unit_type,
                credit_code=unit.credit_code,
                seal_name=unit.name,
                seal_type=SealType.LEGAL_NAME,
                picture=self.picture or (IMPRESSIONS / "government-service-office.png").read_bytes(),
                width_mm=self.side_mm,
                height_mm=self.side_mm,
            ),
        )
        decision = DecideApplication(application_id=application.id, decision=Decision.APPROVE)
        self.service.decide_application(self.maker, decision)
        return self.service.make_seal(self.maker, MakeSeal(application_id=application.id))

    def person(self, person_id: str, name: str) -> None:
        """人员登记: whom the system may name as 签章人."""
        command = RegisterPerson(unit_id=self.holder.id, person_id=person_id, name=name)
        self.service.machines.register_person(self.keeper, command)

    def use(
        self,
        key: str,
        content: bytes | None = None,
        level: SignatureLevel = SignatureLevel.B_LT,
        *,
        allow_lower_level: bool = False,
    ) -> AppliedSeal:
        """Apply the seal."""
        request = replace(self.request(key, content, level), allow_lower_level=allow_lower_level)
        return self.service.apply_seal(self.system, request)

    def request(self, key: str, content: bytes | None = None, level: SignatureLevel = SignatureLevel.B_LT) -> ApplySeal:
        """A request to apply the seal."""
        document = upload_of(content if content is not None else blank_pdf(), "示例文件.pdf")
        return ApplySeal(
            seal_code=self.made.code, document=document, scenario="permit", idempotency_key=key, level=level
        )

    @property
    def applying(self) -> ApplySealUseCase:
        """The use case itself, so that a test can put something of its own between its steps."""
        use_case = self.service.apply_seal.use_case
        assert isinstance(use_case, ApplySealUseCase)
        return replace(use_case)

    def verify(self, content: bytes) -> VerificationReport:
        """The public's verification."""
        document = upload_of(content, "示例文件.pdf")
        return self.service.verify_document(PUBLIC_CALLER, VerifyDocument(document=document))
