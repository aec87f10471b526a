"""两步用印 on real databases, for keys that no process of the service ever holds (article 20: 分散式)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from seal_service.bootstrap import build
from seal_service.domain.algorithms import Suite
from seal_service.domain.errors import (
    AuthorizationDenied,
    Conflict,
    IdempotencyKeyReused,
    MediumNotInHand,
    PreparedSignatureRefused,
    PreparedUseCompleted,
    PreparedUseExpired,
    PreparedUseNotFound,
    SealServiceError,
    UseOvertaken,
)
from seal_service.domain.events import EventKind
from seal_service.domain.paging import PageRequest
from seal_service.domain.use import SignatureLevel, UseState
from seal_service.domain.verdict import Indication
from seal_service.formats.outside_signature import FaultySignature, checked_cms, checked_signature
from seal_service.ports.reading import LogFilter
from seal_service.usecases.apply_seal import AppliedSeal
from seal_service.usecases.change_status import ReportLoss
from seal_service.usecases.complete_prepared_use import CompletePreparedUse
from seal_service.usecases.prepare_use import PrepareUse
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.read_prepared_use import ReadPreparedUse
from seal_service.usecases.reconcile import Reconcile
from seal_service.usecases.record_medium import ReturnMedium
from tests.instance import blank_pdf
from tests.medium import UnitMedium
from tests.medium_office import MediumOffice


@pytest.fixture
def office(tmp_path: Path, on_engine: dict[str, object]) -> Iterator[MediumOffice]:
    made = MediumOffice(tmp_path / "var", changes=on_engine)
    yield made
    made.service.close()


def kinds(office: MediumOffice) -> list[EventKind]:
    """Of the seal's entries, newest first."""
    wanted = QueryLog(chosen=LogFilter(seal_code=office.on_medium.code), page=PageRequest(limit=100))
    rows = office.service.query_log(office.auditor, wanted).page.items
    return [one.kind for one in sorted(rows, key=lambda one: one.seq or 0, reverse=True)]


def state_of(office: MediumOffice, use_id: str) -> UseState:
    """Of a use, as it is now."""
    asked = ReadPreparedUse(seal_code=office.on_medium.code, use_id=use_id)
    return office.custody.read_prepared_use(office.system, asked)[0].state


@pytest.mark.parametrize("suite", list(Suite))
@pytest.mark.parametrize("level", [SignatureLevel.B_B, SignatureLevel.B_LT])
def test_a_seal_on_a_medium_is_applied_in_two_steps_by_two_processes(
    tmp_path: Path, suite: Suite, level: SignatureLevel
) -> None:
    office = MediumOffice(tmp_path / "var", medium=UnitMedium(suite))
    use, prepared = office.prepare("key", level=level)
    other = build(office.settings, clock=office.clock)  # another worker: nothing was kept in memory
    command = CompletePreparedUse(
        seal_code=use.seal_code, use_id=use.id, signature=office.medium.sign(prepared.to_be_signed)
    )
    applied = other.custody.complete_prepared_use(office.system, command)
    other.close()
    assert applied.content is not None
    report = office.verify(applied.content)
    assert report.indication is Indication.TOTAL_PASSED, report
    assert applied.use.state is UseState.COMPLETED
    assert kinds(office)[:2] == [EventKind.SEAL_COMPLETED, EventKind.SEAL_INTENT]
    office.service.close()


def test_a_cms_of_the_medium_completes_it_and_nothing_of_it_but_the_signature_is_taken_over(
    office: MediumOffice,
) -> None:
    use, prepared = office.prepare("key")
    made = office.medium.cms(prepared.to_be_signed, office.credential.certificate)
    applied = office.complete(use, cms=made)
    assert applied.content is not None
    assert office.verify(applied.content).indication is Indication.TOTAL_PASSED


def test_every_byte_of_the_signed_attributes_counts(office: MediumOffice) -> None:
    """不得以改动任何一字节的签名属性完成: each byte of what was prepared, changed, in a CMS and in a bare signature."""
    use, prepared = office.prepare("key")
    certificate, suite = office.credential.certificate, prepared.suite
    right = office.medium.cms(prepared.to_be_signed, certificate)
    start = right.index(prepared.to_be_signed[1:])
    for at in range(len(prepared.to_be_signed)):
        changed = bytearray(prepared.to_be_signed)
        changed[at] ^= 1
        with pytest.raises(FaultySignature):
            checked_signature(office.medium.sign(bytes(changed)), prepared.to_be_signed, certificate)
        if at == 0:
            continue  # the tag: in a CMS it is [0] in any case
        forged = bytearray(right)
        forged[start + at - 1] ^= 1
        with pytest.raises(FaultySignature):
            checked_cms(bytes(forged), prepared.to_be_signed, certificate, suite)
    assert state_of(office, use.id) is UseState.RESERVED


def test_what_is_not_by_the_seals_certificate_over_what_was_prepared_is_refused_with_its_reason(
    office: MediumOffice,
) -> None:
    use, prepared = office.prepare("key", blank_pdf(mark="one"))
    _, another = office.prepare("other", blank_pdf(mark="two"))
    certificate = office.credential.certificate
    stranger = UnitMedium()
    own = office.made.signing_credential()
    assert own is not None
    medium = office.medium
    wrong: dict[str, dict[str, bytes]] = {
        "another_digest": {"cms": medium.cms(another.to_be_signed, certificate)},
        "another_certificate": {"cms": medium.cms(prepared.to_be_signed, own.certificate)},
        "signature_wrong": {"cms": stranger.cms(prepared.to_be_signed, certificate)},
        "content_not_detached": {"cms": medium.cms(prepared.to_be_signed, certificate, content=b"content")},
    }
    for left, (reason, given) in enumerate(wrong.items()):
        with pytest.raises(PreparedSignatureRefused) as refused:
            office.complete(use, **given)
        assert refused.value.details["reason"] == reason
        assert refused.value.details["attempts_left"] == 4 - left
        assert kinds(office)[0] is EventKind.SEAL_SIGNATURE_REFUSED
    applied = office.complete(use, signature=medium.sign(prepared.to_be_signed))
    assert applied.use.state is UseState.COMPLETED, "four wrong ones leave it open"


def test_the_fifth_wrong_signature_ends_the_use_and_gives_its_count_back(office: MediumOffice) -> None:
    use, prepared = office.prepare("key")
    for number in range(5):
        with pytest.raises(PreparedSignatureRefused):
            office.complete(use, signature=UnitMedium().sign(prepared.to_be_signed + bytes([number])))
    assert kinds(office)[:2] == [EventKind.SEAL_FAILED, EventKind.SEAL_SIGNATURE_REFUSED]
    with pytest.raises(PreparedSignatureRefused):  # what ended it is told again, also to the right signature
        office.complete(use, signature=office.medium.sign(prepared.to_be_signed))
    assert not list((office.home / "blobs").rglob(prepared.kept))


def test_the_same_signature_again_gets_the_same_document_and_another_one_is_refused(office: MediumOffice) -> None:
    use, prepared = office.prepare("key")
    signature = office.medium.sign(prepared.to_be_signed)
    first = office.complete(use, signature=signature)
    again = office.complete(use, signature=signature)
    assert (again.content, again.use, again.replayed) == (first.content, first.use, True)
    by_cms = office.medium.cms(prepared.to_be_signed, office.credential.certificate)  # ECDSA: another value
    with pytest.raises(PreparedUseCompleted):
        office.complete(use, cms=by_cms)
    with pytest.raises(PreparedUseCompleted):
        office.prepare("key")
    assert kinds(office).count(EventKind.SEAL_COMPLETED) == 1


def test_of_many_completions_at_once_exactly_one_releases(office: MediumOffice) -> None:
    """Half of them with one good signature, half with others as good: one is completed, once."""
    use, prepared = office.prepare("key", level=SignatureLevel.B_B)
    one = office.medium.sign(prepared.to_be_signed)
    signatures = [one, one, *(office.medium.sign(prepared.to_be_signed) for _ in range(4)), one, one]
    together = threading.Barrier(len(signatures))

    def complete(signature: bytes) -> AppliedSeal | SealServiceError:
        together.wait()
        try:
            return office.complete(use, signature=signature)
        except SealServiceError as error:
            return error

    with ThreadPoolExecutor(len(signatures)) as pool:
        ended = list(pool.map(complete, signatures))
    released = [one for one in ended if isinstance(one, AppliedSeal) and not one.replayed]
    assert len(released) == 1, ended
    others = [one for one in ended if one is not released[0]]
    assert all(isinstance(one, (AppliedSeal, Conflict)) for one in others), others
    assert {one.content for one in others if isinstance(one, AppliedSeal)} <= {released[0].content}
    assert kinds(office).count(EventKind.SEAL_COMPLETED) == 1
    kept = {one.name for one in (office.home / "blobs").rglob("*") if one.is_file() and len(one.name) == 64}
    impressions = {office.made.impression.digest, office.on_medium.impression.digest}
    assert kept == {released[0].use.sealed_sha256, *impressions}, "nothing is left of those that came too late"


def test_a_prepared_use_expires_and_what_was_kept_of_it_is_removed(office: MediumOffice) -> None:
    use, prepared = office.prepare("key")
    office.clock.forward(timedelta(seconds=office.settings.reservation_seconds))
    with pytest.raises(PreparedUseExpired):
        office.complete(use, signature=office.medium.sign(prepared.to_be_signed))
    office.clock.forward(timedelta(seconds=1))
    office.service.reconcile(office.operator, Reconcile())
    assert state_of(office, use.id) is UseState.ABANDONED
    assert not list((office.home / "blobs").rglob(prepared.kept))
    with pytest.raises(SealServiceError):
        office.complete(use, signature=office.medium.sign(prepared.to_be_signed))


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda office: report_loss(office), UseOvertaken),
        (lambda office: give_back(office), MediumNotInHand),
        (lambda office: office.hand_over(office.on_medium, office.medium), UseOvertaken),
    ],
    ids=["lost", "returned", "another keeper"],
)
def test_what_changed_meanwhile_is_not_survived(
    office: MediumOffice, change: Callable[[MediumOffice], None], refusal: type[SealServiceError]
) -> None:
    use, prepared = office.prepare("key")
    change(office)
    with pytest.raises(refusal):
        office.complete(use, signature=office.medium.sign(prepared.to_be_signed))
    assert EventKind.SEAL_COMPLETED not in kinds(office)


def report_loss(office: MediumOffice) -> None:
    office.service.report_loss(office.keeper, ReportLoss(seal_code=office.on_medium.code, reason="介质遗失"))


def give_back(office: MediumOffice) -> None:
    command = ReturnMedium(
        seal_code=office.on_medium.code, serial_number=office.medium.serial_number, receiver="李样例"
    )
    office.custody.return_medium(office.seal_keeper, command)


def test_the_same_request_gets_the_same_bytes_and_another_one_by_its_key_is_refused(office: MediumOffice) -> None:
    use, prepared = office.prepare("key")
    assert office.prepare("key") == (use, prepared)
    with pytest.raises(IdempotencyKeyReused):
        office.prepare("key", blank_pdf(mark="another"))


def test_a_prepared_use_can_be_given_up_and_is_only_its_systems_own(office: MediumOffice) -> None:
    use, prepared = office.prepare("key")
    asked = ReadPreparedUse(seal_code=use.seal_code, use_id=use.id)
    stranger = replace(office.system, account_id="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50")
    with pytest.raises(PreparedUseNotFound):
        office.custody.cancel_prepared_use(stranger, asked)
    office.custody.cancel_prepared_use(office.system, asked)
    office.custody.cancel_prepared_use(office.system, asked)
    assert kinds(office)[0] is EventKind.SEAL_ABANDONED
    assert not list((office.home / "blobs").rglob(prepared.kept))
    with pytest.raises(UseOvertaken):
        office.complete(use, signature=office.medium.sign(prepared.to_be_signed))


def test_custody_decides_the_way(office: MediumOffice) -> None:
    """The key's place decides: one step for the service's keys, two for the unit's; never the other."""
    one_step = replace(office.request("key"), seal_code=office.on_medium.code)
    with pytest.raises(AuthorizationDenied) as denied:
        office.service.apply_seal(office.system, one_step)
    assert "token_custody" in dict(denied.value.reasons)
    with pytest.raises(AuthorizationDenied) as denied:
        office.custody.prepare_use(office.system, PrepareUse(asked=office.request("key-2")))
    assert "server_custody" in dict(denied.value.reasons)
