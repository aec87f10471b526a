"""单位: the organizations that hold seals, and through whom their applications come (article 13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class UnitType(StrEnum):
    """单位类型: what kind of organization a unit is; it bounds the size of its seals (国发〔1999〕25号)."""

    PROVINCIAL_GOVERNMENT = "provincial_government"
    CITY_GOVERNMENT = "city_government"
    TOWNSHIP_GOVERNMENT = "township_government"
    DEPARTMENT = "department"
    INTERNAL_BODY = "internal_body"
    PUBLIC_INSTITUTION = "public_institution"
    SOCIAL_ORGANIZATION = "social_organization"
    ENTERPRISE = "enterprise"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """单位: a government body, department or other organization."""

    id: str
    name: str
    unit_type: UnitType
    credit_code: str
    area_code: str
    channel_unit_id: str | None
    """扎口单位: the unit through which its applications come; None when it applies for itself."""
    registered_at: datetime


def is_channel_of(applicant_unit_id: str, unit: Unit) -> bool:
    """扎口: whether applications for `unit` may come from this applicant (article 13).

    A unit with a channel organization applies only through it; one without applies for itself.
    """
    return applicant_unit_id == (unit.channel_unit_id or unit.id)
