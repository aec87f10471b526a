"""An office on a real instance whose unit has a second seal, on a medium."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from seal_service.bootstrap.custody import Custodial
from seal_service.domain.access import Role
from seal_service.domain.application import Decision
from seal_service.domain.impression import SealType
from seal_service.domain.prepared_use import PreparedUse
from seal_service.domain.seal import Credential, Seal
from seal_service.domain.use import SealUse, SignatureLevel
from seal_service.usecases.apply_for_seal import SubmitApplication
from seal_service.usecases.apply_seal import AppliedSeal, ApplySeal
from seal_service.usecases.complete_prepared_use import CompletePreparedUse
from seal_service.usecases.decide_application import DecideApplication
from seal_service.usecases.grant_use import GrantUse
from seal_service.usecases.make_on_medium import MakeOnMedium
from seal_service.usecases.prepare_use import PrepareUse
from seal_service.usecases.record_medium import HandOverMedium
from tests.instance import IMPRESSIONS, RealOffice
from tests.medium import UnitMedium


@dataclass
class MediumOffice(RealOffice):
    """With a seal on a medium that its keeper has, granted to the business system."""

    medium: UnitMedium = field(default_factory=UnitMedium)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.seal_keeper = self.account("印章保管人", Role.SEAL_KEEPER, self.holder)
        self.on_medium = self.make_on_medium(self.medium)
        self.hand_over(self.on_medium, self.medium)
        self.service.grant_use(
            self.keeper,
            GrantUse(
                seal_code=self.on_medium.code,
                grantee_id=self.system.identity,
                scenario="permit",
                responsible_person="样某",
                approval_number="示例〔2026〕2号",
                maximum_uses=self.uses,
            ),
        )

    @property
    def custody(self) -> Custodial:
        """The use cases of custody."""
        return self.service.custody

    @property
    def credential(self) -> Credential:
        """The medium's."""
        credential = self.on_medium.signing_credential()
        assert credential is not None
        return credential

    def approved(self) -> str:
        """An approved application of the unit."""
        application = self.service.apply_for_seal(
            self.keeper,
            SubmitApplication(
                unit_name=self.holder.name,
                unit_type=self.holder.unit_type,
                credit_code=self.holder.credit_code,
                seal_name=f"{self.holder.name}样章",
                seal_type=SealType.LEGAL_NAME,
                picture=(IMPRESSIONS / "government-service-office.png").read_bytes(),
                width_mm=42,
                height_mm=42,
            ),
        )
        decision = DecideApplication(application_id=application.id, decision=Decision.APPROVE)
        self.service.decide_application(self.maker, decision)
        return application.id

    def make_on_medium(self, medium: UnitMedium) -> Seal:
        """A seal on a medium, which lies with the making office."""
        command = MakeOnMedium(
            application_id=self.approved(),
            certificate_request=medium.request(),
            medium_serial=medium.serial_number,
            keeper="王样例",
        )
        return self.custody.make_on_medium(self.maker, command)

    def hand_over(self, seal: Seal, medium: UnitMedium) -> None:
        """To its keeper."""
        command = HandOverMedium(
            seal_code=seal.code, serial_number=medium.serial_number, keeper="王样例", giver="李样例"
        )
        self.custody.hand_over_medium(self.maker, command)

    def prepare(
        self, key: str, content: bytes | None = None, level: SignatureLevel = SignatureLevel.B_T
    ) -> tuple[SealUse, PreparedUse]:
        """The first step."""
        asked: ApplySeal = replace(self.request(key, content, level), seal_code=self.on_medium.code)
        return self.custody.prepare_use(self.system, PrepareUse(asked=asked))

    def complete(self, use: SealUse, *, signature: bytes | None = None, cms: bytes | None = None) -> AppliedSeal:
        """The second step."""
        command = CompletePreparedUse(seal_code=use.seal_code, use_id=use.id, signature=signature, cms=cms)
        return self.custody.complete_prepared_use(self.system, command)
