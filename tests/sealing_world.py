"""What sealing needs around it: a public-key infrastructure of its own, a seal with an impression, documents."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from io import BytesIO

import pikepdf
from PIL import Image, ImageDraw

from seal_service.domain.access import Caller, Role
from seal_service.domain.algorithms import Suite
from seal_service.domain.authorization import SealingPermit, authorize
from seal_service.domain.content import ContentKind
from seal_service.domain.grant import Grant
from seal_service.domain.impression import Impression, SealType
from seal_service.domain.organization import Unit, UnitType
from seal_service.domain.placement import Placement
from seal_service.domain.scenario import RegisteredScenario, Scenario, ScenarioKind
from seal_service.domain.seal import Credential, CredentialPurpose, Custody, Seal, SealState
from seal_service.domain.use import IntentReference, SignatureLevel, UseRequest
from seal_service.formats.upload import upload_of
from seal_service.ports.documents import SealedDocument, Upload
from seal_service.ports.isolation import Isolation
from seal_service.sealing.admission import DocumentLimits
from seal_service.sealing.pdf import PdfSealer
from seal_service.testing import InProcess, MemoryBlobs
from tests.city import WAIVER
from tests.sealing_infrastructure import (
    Infrastructure,
    SoftKeys,
    der,
)

SEAL_MM = 42.0
LIMITS = DocumentLimits(bytes=20_000_000, pages=500, objects=100_000)
INTENT = IntentReference(entry_id="01980f5e-7c00-7abc-8def-0123456789ab", leaf_hash=bytes(range(32)))


def impression_png(pixels: int = 992, rgb: tuple[int, int, int] = (215, 0, 15)) -> bytes:
    """A round seal with a star and one mark at its upper left edge, which shows whether it stands upright."""
    alpha = Image.new("L", (pixels * 2, pixels * 2), 0)
    draw = ImageDraw.Draw(alpha)
    side = pixels * 2 - 1
    draw.ellipse((0, 0, side, side), outline=255, width=side // 28)
    draw.regular_polygon((side / 2, side / 2, side / 7), 5, fill=255)
    for step in range(24):
        angle = math.radians(150 + step * 10)
        x, y = side / 2 + math.cos(angle) * side * 0.38, side / 2 + math.sin(angle) * side * 0.38
        draw.rectangle((x - side / 60, y - side / 40, x + side / 60, y + side / 40), fill=255)
    draw.rectangle((0, 0, side // 10, side // 10), fill=255)
    alpha = alpha.resize((pixels, pixels), Image.Resampling.LANCZOS)
    picture = Image.new("RGBA", (pixels, pixels), (*rgb, 0))
    picture.putalpha(alpha)
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@cache
def _png() -> bytes:
    return impression_png()


@dataclass
class World:
    """A sealer, and a seal that may be applied with it."""

    suite: Suite = Suite.ECDSA_P256
    permitted_content: frozenset[ContentKind] = frozenset()
    limits: DocumentLimits = LIMITS
    with_timestamps: bool = True
    code: str = "99990000000001"
    width_mm: float = SEAL_MM
    height_mm: float = SEAL_MM
    isolation: Isolation = field(default_factory=InProcess)

    def __post_init__(self) -> None:
        self.infrastructure = Infrastructure(self.suite)
        self.clock = self.infrastructure.clock
        self.blobs = MemoryBlobs()
        self.keys = SoftKeys()
        key = self.keys.create(f"seal-{self.code}", self.suite)
        issued = self.infrastructure.issue(self.code, key.key)
        self.credential = Credential(
            id="credential",
            version=1,
            suite=self.suite,
            purpose=CredentialPurpose.SIGNING,
            custody=Custody.SERVER,
            key_reference=f"seal-{self.code}",
            certificate=der(issued),
            serial=f"{issued.serial_number:x}",
            not_before=issued.not_valid_before_utc,
            not_after=issued.not_valid_after_utc,
        )
        self.impression = Impression(
            digest=self.blobs.put(_png()), width_mm=self.width_mm, height_mm=self.height_mm, dpi=600, ink_rgb="d7000f"
        )
        self.sealer = self.new_sealer()

    def new_sealer(self) -> PdfSealer:
        return PdfSealer(
            keys=self.keys,
            blobs=self.blobs,
            chain=self.infrastructure.chain,
            timestamps=self.infrastructure if self.with_timestamps else None,
            revocation=self.infrastructure,
            clock=self.clock,
            isolation=self.isolation,
            limits=self.limits,
            permitted_content=self.permitted_content,
        )

    def permit(
        self,
        document: Upload,
        placement: Placement | None = None,
        level: SignatureLevel = SignatureLevel.B_B,
        allow_lower_level: bool = False,
        allow_repair: bool = False,
    ) -> SealingPermit:
        """Through `authorize`, from a seal, a grant and a request that fit each other."""
        now = self.clock.now()
        seal = Seal(
            code=self.code,
            name="示例市样章局（样章）",
            seal_type=SealType.LEGAL_NAME,
            unit_id="unit",
            application_id="application",
            impression=self.impression,
            state=SealState.ACTIVE,
            version=1,
            epoch=1,
            credentials=(self.credential,),
            made_at=now,
        )
        unit = Unit(
            id="unit",
            name="示例市样章局",
            unit_type=UnitType.DEPARTMENT,
            credit_code="11999900000000018R",
            area_code="999900",
            channel_unit_id=None,
            registered_at=now,
        )
        scenario = Scenario(code="approval", kind=ScenarioKind.APPROVAL)
        grant = Grant(
            id="grant",
            seal_code=self.code,
            grantee_id="system",
            scenario=scenario,
            valid_from=now - timedelta(days=1),
            valid_until=now + timedelta(days=1),
            maximum_uses=None,
            responsible_person="张三",
            approval_number="示审〔2026〕1号",
            granted_by="unit",
            granted_at=now,
        )
        request = UseRequest(
            seal_code=self.code,
            scenario=scenario.code,
            placement=placement or Placement(),
            level=level,
            allow_lower_level=allow_lower_level,
            document_name=document.name,
            document_sha256=document.sha256_hex,
            document_sm3=document.sm3_hex,
            document_size=len(document.content),
            operator=None,
            case_number=None,
            allow_repair=allow_repair,
        )
        caller = Caller(account_id="system", name="业务系统", roles=frozenset({Role.BUSINESS_SYSTEM}))
        registered = RegisteredScenario(
            scenario=scenario, name="样例", active=True, waiver=WAIVER, registered_by="maker", registered_at=now
        )
        return authorize(caller, seal, unit, grant, 0, request, now, scenario=registered, approval=None)

    def seal(
        self,
        content: bytes,
        placement: Placement | None = None,
        level: SignatureLevel = SignatureLevel.B_B,
        allow_lower_level: bool = False,
        intent: IntentReference = INTENT,
        allow_repair: bool = False,
    ) -> SealedDocument:
        """Seal and check."""
        document = upload_of(content)
        permit = self.permit(document, placement, level, allow_lower_level, allow_repair)
        sealed = self.sealer.seal(document, permit, intent)
        self.sealer.check(document, sealed, permit, intent)
        return sealed


def another_intent(number: int) -> IntentReference:
    """One that is not the first."""
    return replace(
        INTENT,
        entry_id=f"01980f5e-7c00-7abc-8def-{number:012x}",
        leaf_hash=hashlib.sha256(number.to_bytes(8, "big")).digest(),
    )


def document(
    pages: int = 1,
    *,
    media_box: tuple[float, float, float, float] = (0, 0, 595.276, 841.89),
    crop_box: tuple[float, float, float, float] | None = None,
    rotate: int | None = None,
    user_unit: float | None = None,
    content: bytes = b"",
    change: Callable[[pikepdf.Pdf], None] = lambda _pdf: None,
    object_streams: bool = False,
) -> bytes:
    """A PDF as small as it can be, changed as asked."""
    pdf = pikepdf.new()
    for _ in range(pages):
        page = pdf.add_blank_page(page_size=(100, 100)).obj
        page.MediaBox = pikepdf.Array([*media_box])
        if crop_box is not None:
            page.CropBox = pikepdf.Array([*crop_box])
        if rotate is not None:
            page.Rotate = rotate
        if user_unit is not None:
            page.UserUnit = user_unit
        page.Contents = pdf.make_stream(content)
    change(pdf)
    out = BytesIO()
    mode = pikepdf.ObjectStreamMode.generate if object_streams else pikepdf.ObjectStreamMode.disable
    pdf.save(out, object_stream_mode=mode, static_id=True)
    return out.getvalue()
