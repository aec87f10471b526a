"""介质印章续期 on real databases: within the last 90 days, with a new key, on the same medium or another (16, 20)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from seal_service.domain.errors import (
    AlreadyRegistered,
    Conflict,
    IdempotencyKeyReused,
    InvalidInput,
    MediumNotInHand,
    PreparedSignatureRefused,
    RenewalNotPossible,
    TransitionRefused,
    UseOvertaken,
)
from seal_service.domain.events import EventKind
from seal_service.domain.lifecycle import renewal_window
from seal_service.domain.medium import MediumAct
from seal_service.domain.paging import PageRequest
from seal_service.domain.seal import Custody, Seal
from seal_service.domain.use import UseState
from seal_service.domain.verdict import Indication
from seal_service.ports.reading import LogFilter
from seal_service.usecases.change_status import ReportLoss, ResumeSeal
from seal_service.usecases.make_on_medium import RenewOnMedium
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.read_prepared_use import ReadPreparedUse
from seal_service.usecases.record_medium import ReadMedia
from tests.medium import UnitMedium
from tests.medium_office import MediumOffice

MOMENT = timedelta(microseconds=1)


@pytest.fixture
def office(tmp_path: Path, on_engine: dict[str, object]) -> Iterator[MediumOffice]:
    """Whose certificates last 100 days: the window opens on the tenth."""
    made = MediumOffice(tmp_path / "var", changes={**on_engine, "certificate_days": 100})
    yield made
    made.service.close()


def renew(office: MediumOffice, medium: UnitMedium, *, key: str | None = None, code: str | None = None) -> Seal:
    """The seal on a medium with the key that this one has now."""
    command = RenewOnMedium(
        seal_code=code or office.on_medium.code,
        certificate_request=medium.request(),
        medium_serial=medium.serial_number,
        keeper="王样例",
        idempotency_key=key,
    )
    return office.custody.renew_on_medium(office.maker, command)


def new_medium() -> UnitMedium:
    return UnitMedium(serial_number="UKEY-2026-000018")


def go_to(office: MediumOffice, moment: datetime) -> None:
    office.clock.forward(moment - office.clock.now())


def into_the_window(office: MediumOffice) -> None:
    go_to(office, renewal_window(office.on_medium)[0])


def require_refused_with_the_window(office: MediumOffice) -> None:
    start, end = renewal_window(office.on_medium)
    with pytest.raises(RenewalNotPossible) as refused:
        renew(office, new_medium())
    told = refused.value.details
    assert (told["possible_from"], told["possible_until"]) == (start.isoformat(), end.isoformat())


def test_article_16_a_medium_is_renewed_from_the_first_of_the_last_90_days_on(office: MediumOffice) -> None:
    start, _ = renewal_window(office.on_medium)
    require_refused_with_the_window(office)
    go_to(office, start - MOMENT)
    require_refused_with_the_window(office)
    go_to(office, start)
    assert renew(office, new_medium()).version == 2


def test_article_16_a_medium_is_renewed_until_its_certificate_ends_and_not_after(office: MediumOffice) -> None:
    other = office.make_on_medium(UnitMedium(serial_number="UKEY-2026-000099"))
    _, end = renewal_window(office.on_medium)
    go_to(office, end - MOMENT)
    assert renew(office, new_medium(), code=other.code).version == 2
    go_to(office, end)
    require_refused_with_the_window(office)
    go_to(office, end + timedelta(days=1))
    require_refused_with_the_window(office)


def test_the_old_key_and_another_seals_key_are_refused(office: MediumOffice) -> None:
    into_the_window(office)
    with pytest.raises(AlreadyRegistered, match="new one"):
        renew(office, office.medium)
    other = UnitMedium(serial_number="UKEY-2026-000099")
    office.make_on_medium(other)
    with pytest.raises(AlreadyRegistered, match="new one"):
        renew(office, other)
    renewed = renew(office, new := new_medium())
    with pytest.raises(RenewalNotPossible):  # outside the new certificate's window
        renew(office, UnitMedium(serial_number=new.serial_number))
    assert [one.custody for one in renewed.credentials] == [Custody.TOKEN, Custody.TOKEN]
    keys = {one.key_reference for one in renewed.credentials}
    assert len(keys) == 2


def test_a_medium_with_another_seal_and_a_request_without_proof_are_refused(office: MediumOffice) -> None:
    into_the_window(office)
    other = UnitMedium(serial_number="UKEY-2026-000099")
    office.make_on_medium(other)
    with pytest.raises(AlreadyRegistered, match="own"):
        renew(office, UnitMedium(serial_number=other.serial_number))
    request = bytearray(new_medium().request())
    request[-1] ^= 1
    command = RenewOnMedium(
        seal_code=office.on_medium.code, certificate_request=bytes(request), medium_serial="UKEY-X", keeper="王样例"
    )
    with pytest.raises(InvalidInput):
        office.custody.renew_on_medium(office.maker, command)
    assert renew(office, new_medium()).version == 2, "nothing of what was refused is left"


@pytest.mark.parametrize("same_medium", [False, True], ids=["another medium", "the same medium"])
def test_after_the_hand_over_the_new_key_alone_completes_and_verifies(office: MediumOffice, same_medium: bool) -> None:
    before_use, prepared = office.prepare("before")
    before = office.complete(before_use, signature=office.medium.sign(prepared.to_be_signed))
    into_the_window(office)
    medium = UnitMedium(serial_number=office.medium.serial_number) if same_medium else new_medium()
    renewed = renew(office, medium)
    with pytest.raises(MediumNotInHand):
        office.prepare("too early")
    office.hand_over(renewed, medium)

    use, prepared = office.prepare("after")
    newest = renewed.signing_credential()
    assert newest is not None
    assert (newest.version, prepared.certificate_serial) == (2, newest.serial)
    with pytest.raises(PreparedSignatureRefused):
        office.complete(use, signature=office.medium.sign(prepared.to_be_signed))
    applied = office.complete(use, signature=medium.sign(prepared.to_be_signed))
    assert applied.content is not None
    assert office.verify(applied.content).indication is Indication.TOTAL_PASSED
    assert before.content is not None
    assert office.verify(before.content).indication is Indication.TOTAL_PASSED, "the certificate before still counts"

    media = office.custody.read_media(office.auditor, ReadMedia(seal_code=renewed.code))
    told = {one.serial_number: (one.version, one.last) for one in media}
    assert told[medium.serial_number] == (2, MediumAct.HANDED_OVER)
    assert len(media) == (1 if same_medium else 2)


def test_what_the_old_medium_prepared_is_not_completed_after_a_renewal(office: MediumOffice) -> None:
    into_the_window(office)
    waiting, prepared = office.prepare("waiting")
    signature = office.medium.sign(prepared.to_be_signed)
    medium = new_medium()
    renewed = renew(office, medium)
    with pytest.raises(MediumNotInHand):
        office.complete(waiting, signature=signature)
    office.hand_over(renewed, medium)
    with pytest.raises(PreparedSignatureRefused):  # its own certificate is the one before
        office.complete(waiting, signature=medium.sign(prepared.to_be_signed))
    with pytest.raises(UseOvertaken):
        office.complete(waiting, signature=signature)
    asked = ReadPreparedUse(seal_code=waiting.seal_code, use_id=waiting.id)
    assert office.custody.read_prepared_use(office.system, asked)[0].state is UseState.FAILED
    assert not list((office.home / "blobs").rglob(prepared.kept))


def test_a_repeated_request_renews_once(office: MediumOffice) -> None:
    into_the_window(office)
    medium = new_medium()
    command = RenewOnMedium(
        seal_code=office.on_medium.code,
        certificate_request=medium.request(),
        medium_serial=medium.serial_number,
        keeper="王样例",
        idempotency_key="renewal-1",
    )
    first = office.custody.renew_on_medium(office.maker, command)
    assert office.custody.renew_on_medium(office.maker, command) == first
    with pytest.raises(IdempotencyKeyReused):
        renew(office, new_medium(), key="renewal-1")
    chosen = QueryLog(chosen=LogFilter(seal_code=first.code), page=PageRequest(limit=100))
    kinds = [one.kind for one in office.service.query_log(office.auditor, chosen).page.items]
    assert kinds.count(EventKind.SEAL_RENEWED) == 1
    assert kinds.count(EventKind.MEDIUM_ISSUED) == 2


def test_a_key_of_the_service_is_not_renewed_on_a_medium_nor_a_lost_seal(office: MediumOffice) -> None:
    into_the_window(office)
    with pytest.raises(Conflict, match="集中式"):
        renew(office, new_medium(), code=office.made.code)
    code = office.on_medium.code
    office.service.report_loss(office.keeper, ReportLoss(seal_code=code, reason="介质遗失"))
    with pytest.raises(TransitionRefused):
        renew(office, new_medium())
    office.service.resume_seal(office.maker, ResumeSeal(seal_code=code, reason="寻回"))
    assert renew(office, new_medium()).version == 2
