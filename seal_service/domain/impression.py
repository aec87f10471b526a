"""印模: the picture of the physical seal, its size in millimetres and the limits on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from seal_service.domain.errors import ImpressionRefused
from seal_service.domain.organization import UnitType

MINIMUM_DPI = 300
SMALLEST_MM = 10.0


class SealType(StrEnum):
    """印章类型: our own two-digit codes, after 公安 practice; platforms disagree, so map them per platform."""

    LEGAL_NAME = "01"  # 法定名称章
    FINANCE = "02"  # 财务专用章
    INVOICE = "03"  # 发票专用章
    CONTRACT = "04"  # 合同专用章
    LEGAL_REPRESENTATIVE = "05"  # 法定代表人名章
    INTERNAL_BODY = "07"  # 内设机构章
    BRANCH = "08"  # 分支机构章
    BUSINESS = "09"  # 业务专用章
    CERTIFICATE_QUERY = "10"  # 电子证照查询专用章 (article 21)
    PERSONAL_NAME = "11"  # 个人名章
    OTHER = "99"


SEAL_TYPE_NAMES: dict[SealType, str] = {
    SealType.LEGAL_NAME: "法定名称章",
    SealType.FINANCE: "财务专用章",
    SealType.INVOICE: "发票专用章",
    SealType.CONTRACT: "合同专用章",
    SealType.LEGAL_REPRESENTATIVE: "法定代表人名章",
    SealType.INTERNAL_BODY: "内设机构章",
    SealType.BRANCH: "分支机构章",
    SealType.BUSINESS: "业务专用章",
    SealType.CERTIFICATE_QUERY: "电子证照查询专用章",
    SealType.PERSONAL_NAME: "个人名章",
    SealType.OTHER: "其他",
}

_LARGEST_MM: dict[SealType, float] = {
    SealType.FINANCE: 42.0,
    SealType.INVOICE: 45.0,
    SealType.CONTRACT: 45.0,
    SealType.LEGAL_REPRESENTATIVE: 25.0,
    SealType.PERSONAL_NAME: 25.0,
}
_LARGEST_OF_GOVERNMENTS_MM: dict[UnitType, float] = {
    UnitType.PROVINCIAL_GOVERNMENT: 50.0,
    UnitType.CITY_GOVERNMENT: 45.0,
    UnitType.TOWNSHIP_GOVERNMENT: 42.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Impression:
    """印模: the ink alone, cropped to it, as kept at approval and shown in every seal (article 15)."""

    digest: str
    """SHA-256 of the PNG (ink colour with alpha) in the blob store."""
    width_mm: float
    height_mm: float
    dpi: int
    ink_rgb: str
    """Six hexadecimal digits."""


def largest_mm(seal_type: SealType, unit_type: UnitType) -> float:
    """The largest side or diameter, in mm, of a seal (国发〔1999〕25号 for formal seals; practice for the rest)."""
    if seal_type in _LARGEST_MM:
        return _LARGEST_MM[seal_type]
    return _LARGEST_OF_GOVERNMENTS_MM.get(unit_type, 45.0)


def check_size(width_mm: float, height_mm: float, seal_type: SealType, unit_type: UnitType) -> None:
    """Raise ImpressionRefused when a seal of this type and unit may not have this size (mm of the ink)."""
    largest = largest_mm(seal_type, unit_type)
    name = SEAL_TYPE_NAMES[seal_type]
    if max(width_mm, height_mm) > largest + 0.05:
        raise ImpressionRefused(
            f"A {name} of this unit is at most {largest:g} mm; this one is {width_mm:g} × {height_mm:g} mm",
            reason="too_large",
        )
    if min(width_mm, height_mm) < SMALLEST_MM:
        raise ImpressionRefused(
            f"A seal is at least {SMALLEST_MM:g} mm; this one is {width_mm:g} × {height_mm:g} mm",
            reason="too_small",
        )
