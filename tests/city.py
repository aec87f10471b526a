"""A city on fakes: every use case ready, with a unit, a seal and a business system that may apply it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from seal_service.bootstrap.service import Guarded
from seal_service.domain.access import Account, Caller, Role
from seal_service.domain.algorithms import Suite
from seal_service.domain.application import Application, Decision
from seal_service.domain.grant import Grant
from seal_service.domain.identifiers import credit_code_check_character
from seal_service.domain.impression import SealType
from seal_service.domain.operation import DocumentKeeping
from seal_service.domain.organization import Unit, UnitType
from seal_service.domain.scenario import ApprovalWaiver, RegisteredScenario, Scenario, ScenarioKind
from seal_service.domain.seal import Seal
from seal_service.formats.upload import upload_of
from seal_service.testing import (
    ChangeableClock,
    CountedEntropy,
    MemoryAuthority,
    MemoryBlobs,
    MemoryKeys,
    MemoryLog,
    MemoryRecords,
    MemorySealer,
    NoMeasurements,
    PassThroughImpressions,
    PlainVault,
)
from seal_service.usecases.apply_for_seal import ApplyForSealUseCase, SubmitApplication
from seal_service.usecases.apply_seal import AppliedSeal, ApplySeal, ApplySealUseCase
from seal_service.usecases.change_status import CancelSealUseCase, ReportLossUseCase, ResumeSealUseCase
from seal_service.usecases.decide_application import DecideApplication, DecideApplicationUseCase
from seal_service.usecases.grant_use import GrantUse, GrantUseUseCase, RevokeGrantUseCase
from seal_service.usecases.log_refusal import LogRefusal
from seal_service.usecases.make_seal import MakeSeal, MakeSealUseCase
from seal_service.usecases.reconcile import Reconcile, Reconciled, ReconcileUseCase
from seal_service.usecases.register_unit import RegisterUnit, RegisterUnitUseCase
from seal_service.usecases.renew_seal import RenewSealUseCase
from seal_service.usecases.unit_people import RegisterPerson, RegisterPersonUseCase

RESERVATION = timedelta(minutes=5)
WAIVER = ApprovalWaiver(process="政务服务平台审批流程", document_number="示政办〔2026〕3号")
"""免逐次审批: most tests are about something else."""
MAKER = Caller(account_id="maker", name="制发部门", roles=frozenset({Role.SEAL_MAKER}))


def credit_code(number: int) -> str:
    """A right 统一社会信用代码 of the fictional area 999900."""
    first = f"11999900{number:09d}"
    return first + credit_code_check_character(first)


@dataclass
class City:
    """The use cases on fakes, and short ways to the usual situations."""

    clock: ChangeableClock = field(default_factory=ChangeableClock)
    entropy: CountedEntropy = field(default_factory=CountedEntropy)
    records: MemoryRecords = field(default_factory=MemoryRecords)
    keys: MemoryKeys = field(default_factory=MemoryKeys)
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    authority: MemoryAuthority = field(default_factory=MemoryAuthority)

    def __post_init__(self) -> None:
        records, clock, entropy = self.records, self.clock, self.entropy
        self.log = log = MemoryLog(clock, entropy)
        refused = LogRefusal(records, log)
        self.sealer = MemorySealer(self.keys)
        self.register_unit = RegisterUnitUseCase(records, log, clock, entropy)
        self.apply_for_seal = ApplyForSealUseCase(records, log, self.blobs, PassThroughImpressions(), clock, entropy)
        self.decide_application = DecideApplicationUseCase(records, log, clock)
        self.make_seal = MakeSealUseCase(records, log, self.keys, self.authority, clock, entropy, Suite.ECDSA_P256)
        self.renew_seal = Guarded(RenewSealUseCase(records, log, self.keys, self.authority, clock, entropy), refused)
        self.report_loss = Guarded(ReportLossUseCase(records, log, self.authority, clock), refused)
        self.resume_seal = Guarded(ResumeSealUseCase(records, log, self.authority, clock), refused)
        self.cancel_seal = Guarded(CancelSealUseCase(records, log, self.authority, clock), refused)
        self.grant_use = GrantUseUseCase(records, log, clock, entropy)
        self.revoke_grant = RevokeGrantUseCase(records, log, clock)
        self.apply_seal = ApplySealUseCase(
            records,
            log,
            self.sealer,
            self.blobs,
            clock,
            entropy,
            NoMeasurements(),
            DocumentKeeping.HELD,
            timedelta(hours=72),
        )
        self.register_person = RegisterPersonUseCase(records, log, clock, PlainVault())
        self.reconcile = ReconcileUseCase(records, log, self.blobs, clock, RESERVATION)

    def account(self, name: str, role: Role, unit: Unit | None) -> Caller:
        """An account, and the caller that it is."""
        with self.records.write() as transaction:
            transaction.accounts.add(
                Account(
                    id=name,
                    name=name,
                    roles=frozenset({role}),
                    unit_id=unit.id if unit else None,
                    secret_hash="x",
                    created_at=self.clock.now(),
                )
            )
            transaction.commit()
        return Caller(account_id=name, name=name, roles=frozenset({role}), unit_id=unit.id if unit else None)

    def unit(self, number: int = 1, channel: Unit | None = None) -> Unit:
        """A registered unit."""
        return self.register_unit(
            MAKER,
            RegisterUnit(
                name=f"示例市第{number}局",
                unit_type=UnitType.DEPARTMENT,
                credit_code=credit_code(number),
                area_code="999900",
                channel_unit_id=channel.id if channel else None,
            ),
        )

    def application(self, applicant: Caller, unit: Unit, seal_type: SealType = SealType.LEGAL_NAME) -> Application:
        """An application that waits for its decision."""
        return self.apply_for_seal(
            applicant,
            SubmitApplication(
                unit_name=unit.name,
                unit_type=unit.unit_type,
                credit_code=unit.credit_code,
                seal_name=unit.name,
                seal_type=seal_type,
                picture=f"样章 {unit.name}".encode(),
            ),
        )

    def seal(self, applicant: Caller, unit: Unit, seal_type: SealType = SealType.LEGAL_NAME) -> Seal:
        """An active seal."""
        application = self.application(applicant, unit, seal_type)
        self.decide_application(MAKER, DecideApplication(application_id=application.id, decision=Decision.APPROVE))
        return self.make_seal(MAKER, MakeSeal(application_id=application.id))

    def scenario(
        self, code: str, kind: ScenarioKind = ScenarioKind.APPROVAL, waiver: ApprovalWaiver | None = WAIVER
    ) -> RegisteredScenario:
        """A registered scenario; its approval is set aside for a named process unless a test says otherwise."""
        registered = RegisteredScenario(
            scenario=Scenario(code=code, kind=kind),
            name=code,
            active=True,
            waiver=waiver,
            registered_by="maker",
            registered_at=self.clock.now(),
        )
        with self.records.write() as transaction:
            if transaction.scenarios.find(code) is None:
                transaction.scenarios.add(registered)
                transaction.commit()
        return registered

    def grant(
        self,
        keeper: Caller,
        seal: Seal,
        system: Caller,
        uses: int | None = None,
        scenario: str | None = None,
        **limits: Any,
    ) -> Grant:
        """A grant for the scenario `permit`, of a 查询专用章 `proof`, as long as the certificate."""
        proof = seal.seal_type is SealType.CERTIFICATE_QUERY
        code = scenario or ("proof" if proof else "permit")
        self.scenario(code, ScenarioKind.PROOF if proof else ScenarioKind.APPROVAL)
        return self.grant_use(
            keeper,
            GrantUse(
                seal_code=seal.code,
                grantee_id=system.identity,
                scenario=code,
                responsible_person="样某",
                approval_number="示例〔2026〕1号",
                maximum_uses=uses,
                **limits,
            ),
        )

    def person(self, by: Caller, person_id: str, name: str) -> None:
        """人员登记: whom the unit's systems may name as 签章人."""
        self.register_person(by, RegisterPerson(unit_id=by.unit_id or "", person_id=person_id, name=name))

    def kinds(self) -> list[str]:
        """The kinds of all log entries, in order."""
        return [row.kind.value for row in self.records.state.entries.values()]


@dataclass
class Office(City):
    """A city with one unit, its keeper, its business system and an active, granted seal."""

    uses: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.holder = self.unit()
        self.keeper = self.account("keeper", Role.UNIT_ADMINISTRATOR, self.holder)
        self.system = self.account("system", Role.BUSINESS_SYSTEM, self.holder)
        self.made = self.seal(self.keeper, self.holder)
        self.granted = self.grant(self.keeper, self.made, self.system, self.uses)

    def request(self, key: str, content: bytes = b"document", scenario: str = "permit") -> ApplySeal:
        """A request to apply the seal."""
        document = upload_of(content)
        return ApplySeal(seal_code=self.made.code, document=document, scenario=scenario, idempotency_key=key)

    def use(self, key: str = "key-1", content: bytes = b"document", scenario: str = "permit") -> AppliedSeal:
        """Apply the seal."""
        return self.apply_seal(self.system, self.request(key, content, scenario))

    def reconcile_now(self) -> Reconciled:
        """Reconcile."""
        return self.reconcile(MAKER, Reconcile())
