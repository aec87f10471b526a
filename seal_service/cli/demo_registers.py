"""The demonstration's first half: from registration to seals that may be used (articles 12–16, 20, 21)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seal_service.cli.demo_cast import BUREAU, OFFICE, Cast, Part
from seal_service.cli.demo_telling import Telling
from seal_service.domain.access import Caller, Role
from seal_service.domain.application import Application, Decision
from seal_service.domain.errors import InvalidCreditCode, InvalidInput, PermissionDenied
from seal_service.domain.grant import Grant
from seal_service.domain.impression import SealType
from seal_service.domain.seal import Seal
from seal_service.usecases.apply_for_seal import SubmitApplication
from seal_service.usecases.decide_application import DecideApplication
from seal_service.usecases.grant_use import GrantUse
from seal_service.usecases.make_seal import MakeSeal
from seal_service.usecases.manage_scenarios import RegisterScenario
from seal_service.usecases.unit_people import RegisterPerson

if TYPE_CHECKING:
    from seal_service.bootstrap import Service

SCENARIO = "permit.approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A unit with its seal and the system that may apply it."""

    person: Caller
    system: Caller
    seal: Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """What the second half goes on with."""

    office: Holder
    bureau: Holder
    auditor: Caller


def fill_registers(service: Service, telling: Telling, cast: Cast, pictures: dict[str, bytes]) -> Registers:
    """Units, accounts, applications, decisions, seals and grants. StoryBroken when a step goes wrong."""
    maker, auditor = telling.does(
        "开户",
        "accounts of the making office and the auditor, by two security administrators",
        lambda: (cast.join("示例市印章制发部门", Role.SEAL_MAKER), cast.join("示例市审计", Role.AUDITOR)),
        lambda made: "、".join(one.name for one in made),
    )
    office_id = telling.does(
        "单位登记",
        f"{OFFICE.name}, applies for itself",
        lambda: service.register_unit(maker, OFFICE.registration(None)),
        lambda unit: f"统一社会信用代码 {unit.credit_code}",
    ).id
    bureau_id = telling.does(
        "单位登记",
        f"{BUREAU.name}, applies through the office (article 13)",
        lambda: service.register_unit(maker, BUREAU.registration(office_id)),
        lambda unit: f"统一社会信用代码 {unit.credit_code}",
    ).id
    people = telling.does(
        "开户",
        "a person and a business system for each unit",
        lambda: (
            cast.join("张三", Role.UNIT_ADMINISTRATOR, office_id),
            cast.join("政务服务平台", Role.BUSINESS_SYSTEM, office_id),
            cast.join("李四", Role.UNIT_ADMINISTRATOR, bureau_id),
            cast.join("市场监管审批系统", Role.BUSINESS_SYSTEM, bureau_id),
        ),
        lambda made: "、".join(one.name for one in made),
    )
    office_person, office_system, bureau_person, bureau_system = people
    telling.does(
        "人员登记",
        "whom each unit's system may name as 签章人 (article 22)",
        lambda: [
            service.machines.register_person(
                one, RegisterPerson(unit_id=unit_id, person_id=one.identity, name=one.name)
            )
            for one, unit_id in ((office_person, office_id), (bureau_person, bureau_id))
        ],
        lambda made: "、".join(one.name for one in made),
    )

    own = _application(OFFICE, OFFICE.name, SealType.LEGAL_NAME, pictures["government-service-office"])
    wrong = replace(own, credit_code=own.credit_code[:-1] + ("0" if own.credit_code[-1] != "0" else "1"))
    telling.refused(
        "印章申请",
        "with a mistyped credit code (article 12)",
        lambda: service.apply_for_seal(office_person, wrong),
        InvalidCreditCode,
    )
    other = _application(BUREAU, BUREAU.name, SealType.LEGAL_NAME, pictures["market-supervision-bureau"])
    telling.refused(
        "印章申请",
        "not through the channel organization (article 13)",
        lambda: service.apply_for_seal(bureau_person, other),
        PermissionDenied,
    )
    proof = _application(OFFICE, "示例市电子证照查询专用章", SealType.CERTIFICATE_QUERY, pictures["certificate-query"])
    applications = telling.does(
        "印章申请",
        "three seals, with their impressions (articles 12, 13, 15)",
        lambda: [service.apply_for_seal(office_person, one) for one in (own, other, proof)],
        _impressions,
    )
    telling.refused(
        "审批",
        "by the applicant himself (articles 14, 18)",
        lambda: service.decide_application(office_person, _approval(applications[0])),
        PermissionDenied,
    )
    telling.does(
        "审批",
        "by the making office",
        lambda: [service.decide_application(maker, _approval(one)) for one in applications],
        lambda decided: "、".join(one.state.value for one in decided),
    )
    office_seal, bureau_seal, proof_seal = telling.does(
        "制章",
        "key, certificate and code of each seal (articles 14, 16)",
        lambda: [service.make_seal(maker, MakeSeal(application_id=one.id)) for one in applications],
        lambda seals: "\n".join(f"{one.code} {one.name}, 有效期至 {one.not_after:%Y-%m-%d}" for one in seals),
    )
    telling.does(
        "用印场景",
        "what seals are applied for; the platform's process approves each use (articles 20, 22)",
        lambda: service.permitting.register_scenario(
            maker,
            RegisterScenario(
                code=SCENARIO, name="行政许可", waived_for="政务服务平台审批流程", waiver_number="示政办〔2026〕3号"
            ),
        ),
        lambda made: f"{made.code} {made.name}",
    )
    telling.refused(
        "用印授权",
        "a 证照查询 seal for an approval scenario (article 21)",
        lambda: service.grant_use(office_person, _grant(proof_seal, office_system, "张三")),
        InvalidInput,
    )
    telling.does(
        "用印授权",
        "each unit lets its system apply its seal (article 20)",
        lambda: [
            service.grant_use(office_person, _grant(office_seal, office_system, "张三")),
            service.grant_use(bureau_person, _grant(bureau_seal, bureau_system, "李四")),
        ],
        _grants,
    )
    return Registers(
        office=Holder(person=office_person, system=office_system, seal=office_seal),
        bureau=Holder(person=bureau_person, system=bureau_system, seal=bureau_seal),
        auditor=auditor,
    )


def _application(part: Part, seal_name: str, seal_type: SealType, picture: bytes) -> SubmitApplication:
    return SubmitApplication(
        unit_name=part.name,
        unit_type=part.unit_type,
        credit_code=part.credit_code,
        seal_name=seal_name,
        seal_type=seal_type,
        picture=picture,
    )


def _approval(application: Application) -> DecideApplication:
    return DecideApplication(application_id=application.id, decision=Decision.APPROVE)


def _grant(seal: Seal, system: Caller, person: str) -> GrantUse:
    return GrantUse(
        seal_code=seal.code,
        grantee_id=system.identity,
        scenario=SCENARIO,
        responsible_person=person,
        approval_number="示政办授〔2026〕1号",
        maximum_uses=100,
    )


def _impressions(applications: list[Application]) -> str:
    shown = (one.impression for one in applications)
    return "、".join(f"{one.width_mm:.1f} × {one.height_mm:.1f} mm, {one.dpi} dpi" for one in shown)


def _grants(grants: list[Grant]) -> str:
    return "\n".join(f"{one.seal_code}: {one.scenario.code}, 至多 {one.maximum_uses} 次" for one in grants)
