"""A fresh instance as `seal init` founds it, through its use cases: a unit with a granted seal, a business system."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.documents import SEAL_MM, impression_png
from benchmarks.figures import VoidMeasurement
from seal_service.bootstrap import Service, build, initialise
from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.bootstrap.rooms import open_rooms
from seal_service.config import Settings
from seal_service.domain.access import PUBLIC_CALLER, Caller, Role
from seal_service.domain.algorithms import Suite
from seal_service.domain.application import Decision
from seal_service.domain.authorization import SealingPermit, authorize
from seal_service.domain.grant import Grant
from seal_service.domain.identifiers import credit_code_check_character, uuid7
from seal_service.domain.impression import SealType
from seal_service.domain.organization import Unit, UnitType
from seal_service.domain.placement import Placement
from seal_service.domain.seal import Seal
from seal_service.domain.use import IntentReference, SignatureLevel, UseRequest
from seal_service.domain.verdict import Indication, SubIndication, VerificationReport
from seal_service.formats.upload import upload_of
from seal_service.ports.documents import DocumentSealer, SealedDocument, Upload
from seal_service.usecases.answer_pki import PkiMatter, PkiRequest
from seal_service.usecases.apply_for_seal import SubmitApplication
from seal_service.usecases.apply_seal import ApplySealUseCase
from seal_service.usecases.authenticate import ClientSecret, PresentedToken
from seal_service.usecases.control_act import DecideControlledAct
from seal_service.usecases.create_account import CreateAccount
from seal_service.usecases.decide_application import DecideApplication
from seal_service.usecases.grant_use import GrantUse
from seal_service.usecases.make_seal import MakeSeal
from seal_service.usecases.manage_scenarios import ReadScenario, RegisterScenario
from seal_service.usecases.register_unit import RegisterUnit
from seal_service.usecases.verify_document import VerifyDocument

SCENARIO = "license.issue"
UNIT = "示例市政务服务管理办公室"


def settings_of(home: Path, changes: Mapping[str, object]) -> Settings:
    """Settings by which an instance is measured: the defaults, but no limit on one caller's requests or token."""
    lifted = {"requests_per_minute": 10**6, "token_seconds": 3600}
    given: dict[str, Any] = {"home": home, "keys": home / "keys", **lifted, **changes}
    return Settings(**given)


@dataclass(frozen=True, slots=True)
class GrantedSeal:
    """A seal, and the business system's grant to apply it."""

    seal: Seal
    grant: Grant

    @property
    def code(self) -> str:
        """印章编码."""
        return self.seal.code


@dataclass
class Office:
    """The instance, its service in this process, and its accounts."""

    home: Path
    changes: Mapping[str, object] = field(default_factory=dict)
    settings: Settings = field(init=False)
    service: Service = field(init=False)

    def __post_init__(self) -> None:
        self.settings = settings_of(self.home, self.changes)
        first = initialise(self.settings)
        self.service = build(self.settings)
        self._security, self._second = (
            self._login(one.account_id, one.secret) for one in first.security_administrators
        )
        self._maker, _ = self._account("制发部门", Role.SEAL_MAKER, None)
        code = f"11999900{1:09d}"
        self.unit: Unit = self.service.register_unit(
            self._maker,
            RegisterUnit(
                name=UNIT,
                unit_type=UnitType.DEPARTMENT,
                credit_code=code + credit_code_check_character(code),
                area_code="999900",
            ),
        )
        self._keeper, _ = self._account("用印管理", Role.UNIT_ADMINISTRATOR, self.unit)
        self.service.permitting.register_scenario(
            self._maker,
            RegisterScenario(
                code=SCENARIO, name="证照核发", waived_for="政务服务平台审批流程", waiver_number="示政办〔2026〕3号"
            ),
        )
        self.system, self.credentials = self._account("业务系统", Role.BUSINESS_SYSTEM, self.unit)

    def close(self) -> None:
        """Give everything back."""
        self.service.close()

    def granted_seal(self, suite: Suite, maximum_uses: int | None = None) -> GrantedSeal:
        """A seal with the measured impression, from application to grant."""
        application = self.service.apply_for_seal(
            self._keeper,
            SubmitApplication(
                unit_name=self.unit.name,
                unit_type=self.unit.unit_type,
                credit_code=self.unit.credit_code,
                seal_name=f"{self.unit.name}样章",
                seal_type=SealType.LEGAL_NAME,
                picture=impression_png(),
                width_mm=SEAL_MM,
                height_mm=SEAL_MM,
            ),
        )
        self.service.decide_application(
            self._maker, DecideApplication(application_id=application.id, decision=Decision.APPROVE)
        )
        seal = self.service.make_seal(self._maker, MakeSeal(application_id=application.id, suite=suite))
        grant = self.service.grant_use(
            self._keeper,
            GrantUse(
                seal_code=seal.code,
                grantee_id=self.system.identity,
                scenario=SCENARIO,
                responsible_person="样某",
                approval_number="示例〔2026〕1号",
                maximum_uses=maximum_uses,
            ),
        )
        return GrantedSeal(seal, grant)

    def applying(self, seal: GrantedSeal) -> Applying:
        """What applies the seal without a use around it."""
        return Applying(self.service, self.system, self.unit, seal)

    def private_key(self, seal: GrantedSeal) -> bytes:
        """PKCS#8, DER, of a seal's key: other programs are measured with the same one."""
        credential = seal.seal.signing_credential()
        assert credential is not None
        rooms = open_rooms(self.settings, SystemClock(), SystemEntropy())
        try:
            return rooms.hierarchy.unwrap(self.settings.key_directory / f"{credential.key_reference}.key")
        finally:
            rooms.database.close()

    def published(self, matter: PkiMatter) -> bytes:
        """What the authority publishes, such as its root's certificate, DER."""
        return self.service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=matter))

    def require_passed(self, content: bytes, signatures: int = 1) -> None:
        """VoidMeasurement unless this service's own verification passes it with so many signatures."""
        command = VerifyDocument(document=upload_of(content, "sealed.pdf"))
        report = self.service.verify_document(PUBLIC_CALLER, command)
        if not passed(report) or len(report.signatures) != signatures:
            failed = [one.id for each in report.signatures for one in each.checks if one.outcome.value != "pass"]
            raise VoidMeasurement(
                f"the service's verification says {report.indication} {report.sub_indication} {failed}"
            )

    def _login(self, client_id: str, secret: str) -> Caller:
        token = self.service.issue_token(PUBLIC_CALLER, ClientSecret(client_id=client_id, client_secret=secret))
        return self.service.identify_caller(PUBLIC_CALLER, PresentedToken(token=token.token, address="127.0.0.1"))

    def _account(self, name: str, role: Role, unit: Unit | None) -> tuple[Caller, tuple[str, str]]:
        command = CreateAccount(name=name, roles=(role,), unit_id=unit.id if unit else None)
        made = self.service.create_account(self._security, command)
        self.service.decide_controlled_act(
            self._second, DecideControlledAct(request_id=made.request_id, confirmed=True)
        )
        return self._login(made.account.id, made.secret), (made.account.id, made.secret)


@dataclass
class Applying:
    """签章 by the sealer as it is wired, on a permit as a use has it."""

    service: Service
    system: Caller
    unit: Unit
    granted: GrantedSeal

    def __post_init__(self) -> None:
        use_case = self.service.apply_seal.use_case
        assert isinstance(use_case, ApplySealUseCase)
        self.scenario = self.service.permitting.read_scenario(self.system, ReadScenario(code=SCENARIO))
        self.sealer: DocumentSealer = use_case.sealer

    def permit(self, document: Upload, level: SignatureLevel, placement: Placement | None = None) -> SealingPermit:
        """用印许可 for a document."""
        request = UseRequest(
            seal_code=self.granted.code,
            scenario=SCENARIO,
            placement=placement or Placement(),
            level=level,
            allow_lower_level=False,
            document_name=document.name,
            document_sha256=document.sha256_hex,
            document_sm3=document.sm3_hex,
            document_size=len(document.content),
            operator=None,
            case_number=None,
        )
        now = datetime.now(UTC)
        granted = self.granted
        return authorize(
            self.system, granted.seal, self.unit, granted.grant, 0, request, now, scenario=self.scenario, approval=None
        )

    def intent(self) -> IntentReference:
        """Of one use among many."""
        return IntentReference(entry_id=str(uuid7(datetime.now(UTC), os.urandom(10))), leaf_hash=os.urandom(32))

    def seal(
        self, document: Upload, level: SignatureLevel = SignatureLevel.B_B, placement: Placement | None = None
    ) -> SealedDocument:
        """Seal a document."""
        return self.sealer.seal(document, self.permit(document, level, placement), self.intent())


def passed(report: VerificationReport) -> bool:
    """Whether a document verifies; what the sealing room alone makes is in no log, and that is all."""
    amiss = {one.id for each in report.signatures for one in each.checks if one.outcome.value == "fail"}
    beside_the_log = report.sub_indication is SubIndication.NOT_LOGGED and amiss <= {"logged"}
    return report.indication is Indication.TOTAL_PASSED or beside_the_log
